#!/usr/bin/env python3
"""Times a learned step of SAC, one step of pendulum and one update, in Stable-Baselines3 and Gallop,
in one run.

    python3 -m venv build/peers
    build/peers/bin/pip install -r bench/peers/requirements-off-policy.txt
    build/peers/bin/python bench/peers/off_policy.py build/release/bin/gallop [--csv FILE]

Settings are equal: one instance, batches of 256 from a buffer of 100000, two hidden layers of ReLU for
policy and Q networks, learnt entropy coefficient, learning rates 1e-3, tau 0.005, float32, one thread.
A figure is the processor time of a run less that of a shorter one, by their difference in steps, so
that neither start nor random steps count and other programs on the machine matter little; the sides
take turns, and it is the median of them.
"""

import csv
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

from peer import checked_arguments, parser_of  # noqa: E402

STARTS, SHORT = 200, 400
ITERATION = 100  # steps that Gallop takes at a time: runs are of whole ones
WIDTHS = ((64, 64), (256, 256))
PEER_STEP = {64: 0.005, 256: 0.015}  # seconds of the slower side, roughly: how many steps are timed


def seconds_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def gallop_run(program, widths, steps):
    options = {"steps": steps, "n_envs": 1, "n_steps": ITERATION, "train_freq": 1, "gradient_steps": 1,
               "batch_size": 256, "buffer_size": 100000, "learning_starts": STARTS,
               "hidden": ",".join(map(str, widths)), "value_hidden": 0, "activation": "relu",
               "learning_rate": 1e-3, "value_learning_rate": 1e-3, "tau": 0.005, "gamma": 0.99,
               "eval_episodes": 1, "checkpoint_seconds": 0}
    words = [program, "train", "pendulum", "--algorithm", "sac", "--threads", "1", "--device", "cpu"]
    for name, value in options.items():
        words += ["--set", f"{name}={value}"]
    with tempfile.TemporaryDirectory() as folder:
        before = seconds_of_children()
        subprocess.run([*words, "--out", folder + "/run"], check=True, capture_output=True)
        return seconds_of_children() - before


def baselines_run(widths, steps):
    import stable_baselines3
    import torch

    torch.set_num_threads(1)
    model = stable_baselines3.SAC(
        "MlpPolicy", "Pendulum-v1", learning_rate=1e-3, buffer_size=100000, learning_starts=STARTS,
        batch_size=256, tau=0.005, gamma=0.99, train_freq=1, gradient_steps=1, device="cpu", seed=1,
        policy_kwargs={"net_arch": list(widths)})
    before = time.process_time()
    model.learn(steps)
    return time.process_time() - before


def main():
    arguments = checked_arguments(parser_of(__doc__, rounds=3, seconds=5))
    rows = []
    for widths in WIDTHS:
        iterations = max(1, round(arguments.seconds / PEER_STEP[widths[0]] / ITERATION))
        learned = iterations * ITERATION
        long = SHORT + learned
        sides = {"gallop": lambda n, w=widths: gallop_run(arguments.program, w, n),
                 "stable_baselines3": lambda n, w=widths: baselines_run(w, n)}
        times = {side: [] for side in sides}
        for _ in range(arguments.rounds):
            for side, run in sides.items():
                short = run(SHORT)
                times[side].append((run(long) - short) / learned)
        median = {side: statistics.median(values) for side, values in times.items()}
        ratio = median["stable_baselines3"] / median["gallop"]
        hidden = "-".join(map(str, widths))
        for side, values in times.items():
            rows.append([hidden, side, f"{1e3 * median[side]:.4f}", f"{1e3 * min(values):.4f}",
                         f"{1e3 * max(values):.4f}"])
            print(f"{hidden:8} {side:18} {1e3 * median[side]:8.3f} ms a learned step "
                  f"({1e3 * min(values):.3f} to {1e3 * max(values):.3f})")
        print(f"{hidden:8} ratio {ratio:.2f}", flush=True)
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            csv.writer(file).writerows(
                [["hidden", "side", "milliseconds", "least", "greatest"], *rows])
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Times CartPole-v1 under random actions in Gymnasium, EnvPool and Gallop, in one run.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install -r bench/peers/requirements.txt
    /tmp/peers/bin/python bench/peers/run.py build/release/bin/gallop [--csv FILE]

A step is one transition of one instance with its observation, reward and flags given to the caller
and ended episodes reset, on one thread. Gallop's rows are `gallop bench rollout --stored 1`: every
step's observation, action, reward and flags stand in memory afterwards. The sides take turns; the
figures are medians of steps a second of processor time (of all threads of a process).
"""

import csv
import json
import statistics
import subprocess
import sys
import time

from peer import checked_arguments, parser_of

INSTANCES = 1024


def gymnasium_vector(np):
    """Gymnasium's own vectorised CartPole: NumPy arrays of instances."""
    import gymnasium
    from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv

    envs = CartPoleVectorEnv(num_envs=INSTANCES)
    envs.reset(seed=1)
    random = np.random.default_rng(1)

    def step():
        envs.step(random.integers(0, 2, INSTANCES))

    return f"gymnasium {gymnasium.__version__} CartPoleVectorEnv", step


def envpool_vector(np):
    """EnvPool: C++ instances in a thread pool behind NumPy arrays; here one thread."""
    import envpool

    envs = envpool.make_gymnasium("CartPole-v1", num_envs=INSTANCES, num_threads=1, seed=1)
    envs.reset()
    random = np.random.default_rng(1)

    def step():
        envs.step(random.integers(0, 2, INSTANCES).astype(np.int32))

    return f"envpool {envpool.__version__}", step


def time_peer(step, seconds):
    """Steps a second of processor time over about `seconds` of wall time."""
    steps, wall, start = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        step()
        steps += INSTANCES
    return steps / (time.process_time() - start)


def time_gallop(program, seconds):
    command = [program, "bench", "rollout", "--environment", "cartpole", "--policy", "random"]
    command += ["--stored", "1", "--threads", "1", "--seconds", str(seconds), "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def parse_arguments():
    return checked_arguments(parser_of(__doc__, rounds=7, seconds=0.5))


def main():
    arguments = parse_arguments()
    try:
        import numpy as np

        peers = [gymnasium_vector(np), envpool_vector(np)]
    except ImportError as error:
        sys.exit(f"run.py: {error}; pip install -r bench/peers/requirements.txt")
    rates = {name: [] for name, _ in peers}
    ours, row = [], {}
    for name, step in peers:
        time_peer(step, 0.2)  # warm-up
    for _ in range(arguments.rounds):
        for name, step in peers:
            rates[name].append(time_peer(step, arguments.seconds))
        row = time_gallop(arguments.program, arguments.seconds)
        ours.append(row["per_second"])
    ours_median = statistics.median(ours)
    rates[f"gallop {row['backend']}, recorded"] = ours
    print(f"{'CartPole-v1, random actions, one thread':<44}{'steps/s':>14}{'spread':>9}{'ratio':>9}")
    rows = []
    for name, values in rates.items():
        median = statistics.median(values)
        spread = (max(values) - min(values)) / median
        rows.append([name, f"{median:.6g}", f"{spread:.3g}", f"{ours_median / median:.4g}"])
        print(f"{name:<44}{median:>14,.0f}{100 * spread:>8.0f}%{ours_median / median:>8.1f}x")
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["name", "per_second", "spread", "gallop_ratio"])
            writer.writerows(rows)


if __name__ == "__main__":
    main()

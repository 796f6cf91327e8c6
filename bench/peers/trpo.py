#!/usr/bin/env python3
"""Times whole TRPO iterations on CartPole-v1 in Stable-Baselines3-contrib and Gallop, in one run.

    python3 -m venv build/peers
    build/peers/bin/pip install -r bench/peers/requirements-trpo.txt
    build/peers/bin/python bench/peers/trpo.py build/release/bin/gallop [--csv FILE]

Both sides: one thread; policy and value network of two hidden layers of 64 tanh units; about 50 000
steps an iteration, all of them in one Fisher matrix; ten conjugate-gradient steps, damping 0.1,
delta 0.01, at most ten tried steps; the value network fitted by Adam in five passes over minibatches
of 256. Stable-Baselines3 runs as its users run it, one environment (`sb3, 1 environment`), and with
64 environments in a DummyVecEnv (`sb3, 64 environments`), the most favourable to it: the network then
serves 64 steps at a time. Gallop has 64 instances. The sides take turns; a figure is the median of
seconds of processor time of a process a sample, the first iteration of each side left out.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import time

from peer import checked_arguments, parser_of

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_VERBOSE"):
    os.environ.pop(name, None)

EPOCHS, MINIBATCH, CG_STEPS = 5, 256, 10


class Sb3:
    """TRPO of sb3-contrib; learn() is called for one iteration at a time."""

    def __init__(self, n_envs, samples):
        import gymnasium
        import sb3_contrib
        import torch
        from stable_baselines3.common.vec_env import DummyVecEnv

        torch.set_num_threads(1)
        n_steps = -(-samples // n_envs)
        self.samples = n_envs * n_steps
        self.name = (f"sb3-contrib {sb3_contrib.__version__}, torch {torch.__version__}, "
                     f"{n_envs} environment{'s' if n_envs > 1 else ''}")
        envs = DummyVecEnv([lambda: gymnasium.make("CartPole-v1")] * n_envs)
        self.model = sb3_contrib.TRPO(
            "MlpPolicy", envs, n_steps=n_steps, batch_size=MINIBATCH, gamma=0.99, gae_lambda=0.97,
            cg_max_steps=CG_STEPS, cg_damping=0.1, line_search_max_iter=10, target_kl=0.01,
            n_critic_updates=EPOCHS, learning_rate=3e-3, sub_sampling_factor=1, device="cpu", seed=1,
            policy_kwargs={"net_arch": {"pi": [64, 64], "vf": [64, 64]},
                           "activation_fn": torch.nn.Tanh})

    def iterate(self):
        """Seconds of processor time of one iteration, a sample."""
        start = time.process_time()
        self.model.learn(self.samples, reset_num_timesteps=False)
        return (time.process_time() - start) / self.samples


def gallop_iteration(program, samples, seconds):
    """Seconds of processor time a sample, and the row with the name of the instruction set."""
    command = [program, "bench", "trpo", "--threads", "1", "--seconds", str(seconds), "--json"]
    settings = {"n_envs": 64, "n_steps": -(-samples // 64), "cg_iterations": CG_STEPS,
                "cg_tolerance": 0, "damping": 0.1, "delta": 0.01, "backtracks": 10,
                "gamma": 0.99, "gae_lambda": 0.97, "value_epochs": EPOCHS,
                "value_minibatch": MINIBATCH, "value_learning_rate": 0.003}
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    row = json.loads(output.splitlines()[0])
    assert row["scope"] == "S+P+L" and row["phase"] is None, row
    return 1 / row["per_second"], row


def parse_arguments():
    parser = parser_of(__doc__, rounds=3, seconds=1.0)
    parser.add_argument("--samples", type=int, default=50000, help="of an iteration")
    arguments = checked_arguments(parser)
    if arguments.samples < 64:
        parser.error("--samples must be at least 64")
    return arguments


def main():
    arguments = parse_arguments()
    try:
        peers = [Sb3(1, arguments.samples), Sb3(64, arguments.samples)]
    except ImportError as error:
        sys.exit(f"trpo.py: {error}; pip install -r bench/peers/requirements-trpo.txt")
    seconds = {peer.name: [] for peer in peers}
    ours, row = [], {}
    for peer in peers:
        peer.iterate()  # warm-up
    for _ in range(arguments.rounds):
        for peer in peers:
            seconds[peer.name].append(peer.iterate())
            value, row = gallop_iteration(arguments.program, arguments.samples, arguments.seconds)
            ours.append(value)
    seconds[f"gallop {row['backend']}, 64 instances"] = ours
    ours_median = statistics.median(ours)
    print(f"{'CartPole-v1, TRPO 64-64, one thread':<52}{'us/sample':>12}{'spread':>9}{'ratio':>9}")
    rows = []
    for name, values in seconds.items():
        median = statistics.median(values)
        spread = (max(values) - min(values)) / median
        rows.append([name.replace(", ", "; "), f"{median:.6g}", f"{spread:.3g}",
                     f"{median / ours_median:.4g}"])
        print(f"{name:<52}{1e6 * median:>12.3f}{100 * spread:>8.0f}%{median / ours_median:>8.1f}x")
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["name", "seconds_per_sample", "spread", "gallop_ratio"])
            writer.writerows(rows)


if __name__ == "__main__":
    main()

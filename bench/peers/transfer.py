#!/usr/bin/env python3
"""Plays policies that were trained here in Gymnasium's MuJoCo tasks, beside Gallop's own evaluation.

    python3 -m venv build/peers
    build/peers/bin/pip install -r bench/peers/requirements-locomotion.txt
    build/peers/bin/python bench/peers/transfer.py build/release/bin/gallop RUN... [--csv FILE]

RUN is a run folder of `gallop train`. Its newest checkpoint is read with NumPy alone: the safetensors
header, the parameters, the moments of the observations. Both sides take the most probable action,
clipped to the bounds, over the same number of episodes, each with its own draws of initial states; a
difference is in standard errors of the two means. The exit code is 1 where one is above --limit, and
for the humanoid also above a tenth of the mean.
"""

import argparse
import csv
import json
import math
import os
import struct
import subprocess
import sys
from pathlib import Path

TASKS = {
    "hopper": "Hopper-v5",
    "walker2d": "Walker2d-v5",
    "half_cheetah": "HalfCheetah-v5",
    "swimmer": "Swimmer-v5",
    "ant": "Ant-v5",
    "humanoid": "Humanoid-v5",
    "humanoid_standup": "HumanoidStandup-v5",
    "reacher": "Reacher-v5",
    "inverted_pendulum": "InvertedPendulum-v5",
    "inverted_double_pendulum": "InvertedDoublePendulum-v5",
}
TYPES = {"F32": "<f4", "F64": "<f8", "U64": "<u8", "U32": "<u4", "I32": "<i4", "U8": "u1"}
# The humanoid's contacts of the body with itself make episodes chaotic: its means need only be near.
RELATIVE_LIMIT = {"humanoid": 0.1}
OBSERVATION_LIMIT = 10.0  # of normalised observations, as in host/learning/observation_normalizer.h


class Policy:
    """A multilayer perceptron with a Gaussian head, from a checkpoint."""

    def __init__(self, np, run):
        self.np = np
        files = sorted((Path(run) / "checkpoints").glob("step_*.safetensors"))
        if not files:
            raise SystemExit(f"transfer.py: '{run}' has no checkpoints/step_*.safetensors")
        data = files[-1].read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8:8 + length])
        self.options = dict(line.split("=", 1)
                            for line in header["__metadata__"]["options"].splitlines() if line)

        def tensor(name):
            entry = header[name]
            begin, end = entry["data_offsets"]
            raw = data[8 + length + begin:8 + length + end]
            return np.frombuffer(raw, TYPES[entry["dtype"]]).reshape(entry["shape"])

        self.mean = self.scale = None
        if self.options["normalize_observations"] == "true":
            count = tensor("normalizer/count").item()
            self.mean = tensor("normalizer/mean")
            self.scale = 1 / np.sqrt(tensor("normalizer/sum_of_squares") / count + 1e-8)
        self.parameters = tensor("policy/parameters").astype(np.float64)
        self.hidden = [int(n) for n in self.options["hidden"].split(",") if n]

    def layers(self, n_in, n_actions):
        """Weights [inputs, outputs] and biases, in the order of kernels/network/shape.h."""
        heads = 2 if self.options["log_std"] == "network" else 1
        widths = [n_in, *self.hidden, heads * n_actions]
        at, layers = 0, []
        for rows, columns in zip(widths, widths[1:]):
            weight = self.parameters[at:at + rows * columns].reshape(rows, columns)
            at += rows * columns
            layers.append((weight, self.parameters[at:at + columns]))
            at += columns
        expected = at + (n_actions if heads == 1 else 0)
        if expected != len(self.parameters):
            raise SystemExit(f"transfer.py: {len(self.parameters)} parameters; expected {expected} for "
                             f"layers {widths}")
        return layers

    def action(self, layers, observation, n_actions):
        x = observation
        if self.mean is not None:
            x = self.np.clip((x - self.mean) * self.scale, -OBSERVATION_LIMIT, OBSERVATION_LIMIT)
        for weight, bias in layers[:-1]:
            x = x @ weight + bias
            x = self.np.tanh(x) if self.options["activation"] == "tanh" else self.np.maximum(x, 0)
        weight, bias = layers[-1]
        return (x @ weight + bias)[:n_actions]


def play(np, policy, environment, episodes, seed):
    """Returns of `episodes` episodes in Gymnasium."""
    import gymnasium

    env = gymnasium.make(TASKS[environment])
    space = env.action_space
    n_actions = space.shape[0]
    layers = policy.layers(env.observation_space.shape[0], n_actions)
    returns = []
    for episode in range(episodes):
        observation, _ = env.reset(seed=seed + episode)
        total, over = 0.0, False
        while not over:
            action = policy.action(layers, observation, n_actions)
            action = np.clip(action, space.low, space.high).astype(np.float32)
            observation, reward, terminated, truncated, _ = env.step(action)
            total += reward
            over = terminated or truncated
        returns.append(total)
    return np.array(returns)


def evaluate_here(program, run, episodes):
    command = [program, "eval", str(run), "--episodes", str(episodes), "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    row = json.loads(output.splitlines()[-1])
    return row["environment"], row["eval_return_mean"], row["eval_return_std"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the gallop program of a Release build")
    parser.add_argument("runs", nargs="+", help="run folders")
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1000, help="of Gymnasium's initial states")
    parser.add_argument("--limit", type=float, default=3.0, help="standard errors that may lie between")
    parser.add_argument("--csv", help="also write the rows to this file")
    arguments = parser.parse_args()
    if not os.access(arguments.program, os.X_OK):
        parser.error(f"program '{arguments.program}' cannot be run; build Gallop first")
    if arguments.episodes < 2:
        parser.error(f"--episodes is {arguments.episodes}; expected 2 or more")
    return arguments


def main():
    arguments = parse_arguments()
    try:
        import gymnasium
        import mujoco
        import numpy as np
    except ImportError as error:
        sys.exit(f"transfer.py: {error}; pip install -r bench/peers/requirements-locomotion.txt")
    print(f"gymnasium {gymnasium.__version__}, mujoco {mujoco.__version__}, "
          f"{arguments.episodes} episodes a side")
    print(f"{'environment':<26}{'here':>18}{'Gymnasium':>20}{'difference':>12}{'in errors':>11}")
    rows, far = [], False
    for run in arguments.runs:
        environment, mean, deviation = evaluate_here(arguments.program, run, arguments.episodes)
        if environment not in TASKS:
            sys.exit(f"transfer.py: '{run}' is of {environment}; expected one of {', '.join(TASKS)}")
        returns = play(np, Policy(np, run), environment, arguments.episodes, arguments.seed)
        theirs, their_deviation = returns.mean(), returns.std(ddof=1)
        error = math.sqrt((deviation ** 2 + their_deviation ** 2) / arguments.episodes)
        errors = abs(theirs - mean) / error if error > 0 else 0.0 if theirs == mean else math.inf
        near = abs(theirs - mean) <= RELATIVE_LIMIT.get(environment, 0.0) * abs(mean)
        far = far or (errors > arguments.limit and not near)
        rows.append([environment, mean, deviation, theirs, their_deviation, errors])
        print(f"{environment:<26}{mean:>10.1f} +-{deviation:>6.1f}{theirs:>11.1f} +-"
              f"{their_deviation:>7.1f}{theirs - mean:>12.1f}{errors:>11.2f}", flush=True)
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["environment", "mean", "deviation", "gymnasium_mean",
                             "gymnasium_deviation", "standard_errors"])
            writer.writerows(rows)
    sys.exit(1 if far else 0)


if __name__ == "__main__":
    main()

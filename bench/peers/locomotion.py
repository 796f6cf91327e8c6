#!/usr/bin/env python3
"""Times MuJoCo's tasks under random actions in MuJoCo, EnvPool and Gallop, in one run.

    python3 -m venv build/peers
    build/peers/bin/pip install -r bench/peers/requirements-locomotion.txt
    build/peers/bin/python bench/peers/locomotion.py build/release/bin/gallop [--csv FILE]

Two comparisons, in environment steps a second of wall time, medians of rounds in turns:

- `mj_step`, one thread: mujoco.mj_step(model, data, frame_skip) on Gymnasium's model with the task's
  terminations and resets, and nothing else: no observation, no reward. Python's share, about a
  microsecond a step, is in it. Gallop's side is `gallop bench rollout --stored 1 --threads 1`:
  every observation, action, reward and flag is written to memory.
- EnvPool's Gymnasium tasks with as many threads as there are processors, beside Gallop with as many.

Environments that end when the body falls end early under random actions, on all sides alike.
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

# Gymnasium's task, EnvPool's task, reset noise of positions, what ends an episode.
TASKS = {
    "hopper": ("Hopper-v5", "Hopper-v4", 5e-3,
               lambda q: not (q[1] > 0.7 and abs(q[2]) < 0.2)),
    "walker2d": ("Walker2d-v5", "Walker2d-v4", 5e-3,
                 lambda q: not (0.8 < q[1] < 2.0 and abs(q[2]) < 1.0)),
    "half_cheetah": ("HalfCheetah-v5", "HalfCheetah-v4", 0.1, lambda q: False),
    "swimmer": ("Swimmer-v5", "Swimmer-v4", 0.1, lambda q: False),
    "ant": ("Ant-v5", "Ant-v4", 0.1, lambda q: not 0.2 <= q[2] <= 1.0),
    "humanoid": ("Humanoid-v5", "Humanoid-v4", 1e-2, lambda q: not 1.0 < q[2] < 2.0),
}
TIME_LIMIT, ENVPOOL_INSTANCES, ACTIONS = 1000, 64, 4096


class MjStep:
    """The bare physics of a task: controls, frame_skip steps, terminations, resets."""

    def __init__(self, np, environment):
        import gymnasium
        import mujoco

        task, _, self.noise, self.over = TASKS[environment]
        env = gymnasium.make(task).unwrapped
        self.mujoco, self.model, self.data = mujoco, env.model, env.data
        self.frame_skip = env.frame_skip
        self.random = np.random.default_rng(1)
        low, high = self.model.actuator_ctrlrange.T
        self.actions = self.random.uniform(low, high, (ACTIONS, len(low)))
        self.reset()

    def reset(self):
        self.mujoco.mj_resetData(self.model, self.data)
        self.data.qpos += self.random.uniform(-self.noise, self.noise, self.model.nq)
        self.data.qvel += self.random.uniform(-self.noise, self.noise, self.model.nv)
        self.time = 0

    def run(self, seconds):
        """Environment steps a second."""
        model, data, step = self.model, self.data, self.mujoco.mj_step
        start, steps = time.perf_counter(), 0
        while True:
            for action in self.actions:
                data.ctrl[:] = action
                step(model, data, self.frame_skip)
                steps += 1
                self.time += 1
                if self.over(data.qpos) or self.time == TIME_LIMIT:
                    self.reset()
            elapsed = time.perf_counter() - start
            if elapsed > seconds:
                return steps / elapsed


class EnvPool:
    def __init__(self, np, environment, threads):
        import envpool

        self.envs = envpool.make_gymnasium(TASKS[environment][1], num_envs=ENVPOOL_INSTANCES,
                                           num_threads=threads, seed=1)
        self.envs.reset()
        space = self.envs.action_space
        random = np.random.default_rng(1)
        self.actions = random.uniform(space.low, space.high, (64, ENVPOOL_INSTANCES, *space.shape))

    def run(self, seconds):
        start, steps = time.perf_counter(), 0
        while True:
            for action in self.actions:
                self.envs.step(action)
            steps += len(self.actions) * ENVPOOL_INSTANCES
            elapsed = time.perf_counter() - start
            if elapsed > seconds:
                return steps / elapsed


class Gallop:
    def __init__(self, program, environment, threads):
        self.command = [program, "bench", "rollout", "--environment", environment, "--policy",
                        "random", "--stored", "1", "--threads", str(threads), "--json"]

    def run(self, seconds):
        command = [*self.command, "--seconds", str(seconds)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return json.loads(output.splitlines()[-1])["per_second"]


def compare(sides, rounds, seconds):
    """Medians of the sides, which take turns."""
    rates = [[] for _ in sides]
    for side in sides:
        side.run(0.2)  # warm-up
    for _ in range(rounds):
        for rate, side in zip(rates, sides):
            rate.append(side.run(seconds))
    return [statistics.median(rate) for rate in rates]


def parse_arguments():
    parser = parser_of(__doc__, rounds=5, seconds=0.5)
    parser.add_argument("--environment", nargs="+", default=list(TASKS))
    arguments = checked_arguments(parser)
    for environment in arguments.environment:
        if environment not in TASKS:
            parser.error(f"--environment is {environment}; expected some of {', '.join(TASKS)}")
    return arguments


def main():
    arguments = parse_arguments()
    try:
        import envpool
        import mujoco
        import numpy as np
    except ImportError as error:
        sys.exit(f"locomotion.py: {error}; pip install -r bench/peers/requirements-locomotion.txt")
    threads = len(os.sched_getaffinity(0))
    rows = []
    print(f"{'environment steps a second':<16}{'peer':>34}{'threads':>9}{'peer':>12}{'gallop':>13}"
          f"{'ratio':>8}")
    for environment in arguments.environment:
        pairs = [(f"mujoco {mujoco.__version__} mj_step", 1, MjStep(np, environment)),
                 (f"envpool {envpool.__version__}", threads, EnvPool(np, environment, threads))]
        for name, n, peer in pairs:
            ours = Gallop(arguments.program, environment, n)
            theirs, own = compare([peer, ours], arguments.rounds, arguments.seconds)
            rows.append([environment, name, n, f"{theirs:.6g}", f"{own:.6g}", f"{own / theirs:.4g}"])
            print(f"{environment:<26}{name:>24}{n:>9}{theirs:>12,.0f}{own:>13,.0f}"
                  f"{own / theirs:>7.1f}x", flush=True)
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["environment", "peer", "threads", "peer_per_second",
                             "gallop_per_second", "ratio"])
            writer.writerows(rows)


if __name__ == "__main__":
    main()

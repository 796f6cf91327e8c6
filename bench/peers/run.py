#!/usr/bin/env python3
"""Times step() of CartPole-v1 from Python in Gallop and its peers, in one process, on one thread.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install . -r bench/peers/requirements.txt
    /tmp/peers/bin/python bench/peers/run.py build/release/bin/gallop [--csv FILE]

A step is one call with actions that were drawn before, after which the caller has observations, rewards and
flags of N instances and ended episodes begin anew. The sides take turns; the figures are medians of
microseconds of processor time (of all threads of the process) a call, the spread that of the rounds. Peers
that are not installed are left out. The last row is no call from Python: `gallop bench rollout --stored 1`,
1024 instances whose every step stands in memory afterwards, as microseconds for 1024 steps.
"""

import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import time

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # before rlox starts its pool

from peer import checked_arguments, parser_of  # noqa: E402

SIZES = (1, 64, 1024, 16384)
LARGEST_LOOP = 64  # instances of environments that step one after the other


def actions_of(n, kind="array"):
    """64 draws of N actions, to be taken in turn."""
    import numpy as np

    random = np.random.default_rng(1)
    drawn = [random.integers(0, 2, n) for _ in range(64)]
    if kind == "list":
        return [a.tolist() for a in drawn]
    return [a.astype(np.int32) for a in drawn] if kind == "int32" else drawn


def gallop_steps(n, **options):
    import gallop

    env = gallop.make_vec("cartpole", n, num_threads=1, **options)
    env.reset(seed=1)
    return env.step, actions_of(n)


def gallop_advance(n):
    import gallop

    env = gallop.make_vec("cartpole", n, num_threads=1)
    env.reset(seed=1)
    action, drawn = env.buffers.action, actions_of(n)
    action[:] = drawn[0]
    advance = env.advance
    return (lambda _: advance()), drawn


def gymnasium_vector(n):
    from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv

    env = CartPoleVectorEnv(num_envs=n)
    env.reset(seed=1)
    return env.step, actions_of(n)


def gymnasium_sync(n):
    import gymnasium

    if n > LARGEST_LOOP:
        return None
    env = gymnasium.make_vec("CartPole-v1", n, vectorization_mode="sync")
    env.reset(seed=1)
    return env.step, actions_of(n)


def envpool_vector(n):
    import envpool

    env = envpool.make_gymnasium("CartPole-v1", num_envs=n, num_threads=1, seed=1)
    env.reset()
    return env.step, actions_of(n, "int32")


def rlox_vector(n):
    """Its environments take lists."""
    import rlox

    env = rlox.VecEnv(n, seed=1)
    env.reset_all()
    return env.step_all, actions_of(n, "list")


SIDES = {
    "gallop, fresh arrays": ("gallop", gallop_steps),
    "gallop, copy=False": ("gallop", lambda n: gallop_steps(n, copy=False)),
    "gallop, advance()": ("gallop", gallop_advance),
    "gymnasium CartPoleVectorEnv": ("gymnasium", gymnasium_vector),
    "gymnasium SyncVectorEnv": ("gymnasium", gymnasium_sync),
    "envpool": ("envpool", envpool_vector),
    "rlox": ("rlox", rlox_vector),
}


def version_of(module):
    import importlib.metadata

    return importlib.metadata.version({"gallop": "gallop-rl"}.get(module, module))


def time_calls(step, actions, seconds):
    """Microseconds of processor time a call, over about `seconds` of wall time."""
    calls, wall, start = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        for action in actions:
            step(action)
        calls += len(actions)
    return 1e6 * (time.process_time() - start) / calls


def present_sides():
    """The sides whose module can be imported, with their versions."""
    found = {}
    for name, (module, make) in SIDES.items():
        try:
            __import__(module)
        except ImportError as error:
            if module in ("gallop", "gymnasium"):
                sys.exit(f"run.py: {error}; pip install . -r bench/peers/requirements.txt")
            print(f"{name}: left out, {error}", file=sys.stderr)
            continue
        try:
            version = version_of(module)
        except Exception:  # a package of a build folder has no metadata
            version = __import__(module).__version__
        found[f"{name} ({version})"] = make
    return found


def measure(n, sides, arguments):
    """Medians and spreads [side] of one size."""
    made = {name: pair for name, make in sides.items() if (pair := make(n)) is not None}
    times = {name: [] for name in made}
    for step, actions in made.values():
        time_calls(step, actions, 0.02)  # warm-up
    for _ in range(arguments.rounds):
        for name, (step, actions) in made.items():
            times[name].append(time_calls(step, actions, arguments.seconds))
    return {
        name: (statistics.median(t), (max(t) - min(t)) / statistics.median(t), min(t))
        for name, t in times.items()
    }


def time_program(program, seconds):
    command = [program, "bench", "rollout", "--environment", "cartpole", "--policy", "random"]
    command += ["--stored", "1", "--threads", "1", "--seconds", str(seconds), "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return 1024e6 / json.loads(output.splitlines()[-1])["per_second"]


def main():
    arguments = checked_arguments(parser_of(__doc__, rounds=7, seconds=0.2))
    sides = present_sides()
    first = next(iter(sides))
    rows = []
    import numpy

    print(f"python {platform.python_version()}, numpy {numpy.__version__}, us of processor time a call")
    for n in SIZES:
        measured = measure(n, sides, arguments)
        ours = measured[first][0]
        for name, (median, spread, least) in measured.items():
            rows.append([name, n, f"{median:.5g}", f"{spread:.3g}", f"{least:.5g}"])
            rows[-1].append(f"{median / ours:.4g}")
            print(
                f"{name:<44}{n:>7}{median:>12.2f}{100 * spread:>7.0f}%{least:>12.2f}"
                f"{median / ours:>9.2f}x"
            )
    try:
        value = time_program(arguments.program, arguments.seconds)
        rows.append(["gallop bench rollout, recorded", 1024, f"{value:.5g}", "0", f"{value:.5g}", ""])
        print(f"{'gallop bench rollout, recorded':<44}{1024:>7}{value:>12.2f}")
    except subprocess.CalledProcessError as error:
        print(f"gallop bench: {error}; build gallop_bench_program for that row", file=sys.stderr)
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["name", "n_envs", "us_per_step", "spread", "least", "ratio"])
            writer.writerows(rows)


if __name__ == "__main__":
    main()

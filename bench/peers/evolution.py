#!/usr/bin/env python3
"""Times generations of evolution strategies on CartPole in NumPy, evosax with gymnax and Gallop, in
one run.

    python3 -m venv build/peers
    build/peers/bin/pip install -r bench/peers/requirements-evolution.txt
    build/peers/bin/python bench/peers/evolution.py build/release/bin/gallop [--csv FILE]

A generation: mirrored perturbations of a policy with two hidden layers of 64 tanh units, one episode
of exactly 500 steps a member, whose ends are ignored, centred ranks, the estimate of the gradient and
a step along it. All sides compute in float32 on one thread of the processor. NumPy steps all members
at once, its products are batched matrix products; JAX compiles a generation as one function, members
by vmap, steps by scan. Compilation and a first generation are left out, the sides take turns, and a
figure is the median of steps a second of wall time.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import time
from importlib.metadata import version

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = ("--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 "
                           + os.environ.get("XLA_FLAGS", ""))
os.environ.setdefault("JAX_PLATFORMS", "cpu")

from peer import checked_arguments, parser_of  # noqa: E402

STEPS, SIGMA, RATE = 500, 0.02, 0.01
WIDTHS = (4, 64, 64, 2)
N_PARAMETERS = sum((n + 1) * m for n, m in zip(WIDTHS, WIDTHS[1:]))
ENDLESS = 1e6  # limits of position and angle that are not met


class NumpyEvolution:
    """One array for all members, which step side by side."""

    def __init__(self, members):
        import numpy as np

        self.np, self.members = np, members
        self.name = f"numpy {np.__version__}"
        self.random = np.random.default_rng(1)
        self.center = self.random.normal(size=N_PARAMETERS).astype(np.float32) * np.float32(0.1)

    def layers(self, points):
        """Weights [P, n, m] and biases [P, m] of each layer."""
        layers, at = [], 0
        for n, m in zip(WIDTHS, WIDTHS[1:]):
            weight = points[:, at:at + n * m].reshape(-1, n, m)
            layers.append((weight, points[:, at + n * m:at + (n + 1) * m]))
            at += (n + 1) * m
        return layers

    def returns(self, points):
        np = self.np
        layers = self.layers(points)
        state = self.random.uniform(-0.05, 0.05, (len(points), 4)).astype(np.float32)
        total = np.zeros(len(points), np.float32)
        for _ in range(STEPS):
            units = state
            for k, (weight, bias) in enumerate(layers):
                units = np.matmul(units[:, None, :], weight)[:, 0, :] + bias
                if k + 1 < len(layers):
                    units = np.tanh(units)
            state = self.step(state, np.argmax(units, axis=1))
            total += 1
        return total + state[:, 0]  # so that members differ

    def step(self, state, action):
        """CartPole-v1's dynamics."""
        np = self.np
        x, v, angle, turn = state.T
        force = np.where(action == 1, np.float32(10), np.float32(-10))
        cos, sin = np.cos(angle), np.sin(angle)
        push = (force + np.float32(0.05) * turn * turn * sin) / np.float32(1.1)
        spin = (np.float32(9.8) * sin - cos * push) / (
            np.float32(0.5) * (np.float32(4 / 3) - np.float32(0.1) * cos * cos / np.float32(1.1)))
        drive = push - np.float32(0.05) * spin * cos / np.float32(1.1)
        dt = np.float32(0.02)
        return np.stack([x + dt * v, v + dt * drive, angle + dt * turn, turn + dt * spin], axis=1)

    def generation(self):
        np = self.np
        half = self.random.standard_normal((self.members // 2, N_PARAMETERS), np.float32)
        noise = np.concatenate([half, -half])
        returns = self.returns(self.center + np.float32(SIGMA) * noise)
        ranks = np.empty(self.members, np.float32)
        ranks[np.argsort(returns)] = np.linspace(-0.5, 0.5, self.members, dtype=np.float32)
        self.center = self.center + np.float32(RATE / self.members) * (ranks @ noise)


class Evosax:
    """Open_ES over gymnax's CartPole-v1, a generation as one compiled function."""

    def __init__(self, members):
        import gymnax
        import jax
        import jax.numpy as jnp
        import optax
        from evosax.algorithms import Open_ES

        self.jax = jax
        self.name = ", ".join(f"{name} {version(name)}" for name in ("evosax", "gymnax", "jax"))
        env, parameters = gymnax.make("CartPole-v1")
        parameters = parameters.replace(x_threshold=ENDLESS, theta_threshold_radians=ENDLESS,
                                        max_steps_in_episode=2 * STEPS)
        key = jax.random.key(1)
        shapes = list(zip(WIDTHS, WIDTHS[1:]))
        keys = jax.random.split(key, len(shapes))
        solution = [(0.1 * jax.random.normal(k, shape), jnp.zeros(shape[1]))
                    for k, shape in zip(keys, shapes)]
        strategy = Open_ES(population_size=members, solution=solution, optimizer=optax.sgd(RATE),
                           std_schedule=lambda _: SIGMA)
        settings = strategy.default_params

        def act(layers, observation):
            units = observation
            for k, (weight, bias) in enumerate(layers):
                units = units @ weight + bias
                if k + 1 < len(layers):
                    units = jnp.tanh(units)
            return jnp.argmax(units)

        def play(layers, key):
            key, start = jax.random.split(key)
            observation, state = env.reset_env(start, parameters)

            def step(carry, key):
                observation, state, total = carry
                observation, state, reward, *_ = env.step_env(
                    key, state, act(layers, observation), parameters)
                return (observation, state, total + reward), None

            carry, _ = jax.lax.scan(step, (observation, state, 0.0),
                                    jax.random.split(key, STEPS))
            return carry[2] + carry[0][0]  # so that members differ

        def generation(key, state):
            key, ask, plays, tell = jax.random.split(key, 4)
            points, state = strategy.ask(ask, state, settings)
            returns = jax.vmap(play)(points, jax.random.split(plays, members))
            state, _ = strategy.tell(tell, points, -returns, state, settings)
            return key, state

        self.compiled = jax.jit(generation)
        self.key = key
        self.state = strategy.init(key, solution, settings)

    def generation(self):
        self.key, self.state = self.compiled(self.key, self.state)
        self.jax.block_until_ready(self.state)


def time_peer(peer, members, seconds):
    """Steps a second over about `seconds`."""
    steps, start = 0, time.perf_counter()
    while steps == 0 or time.perf_counter() - start < seconds:
        peer.generation()
        steps += members * STEPS
    return steps / (time.perf_counter() - start)


def time_gallop(program, members, seconds):
    command = [program, "bench", "black-box", "--environment", "cartpole", "--policy", "64-64",
               "--population", str(members), "--episodes", "1", "--device", "cpu", "--threads", "1",
               "--seconds", str(seconds), "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def parse_arguments():
    parser = parser_of(__doc__, rounds=5, seconds=2.0)
    parser.add_argument("--population", type=int, default=4096, help="members, an even number")
    arguments = checked_arguments(parser)
    if arguments.population < 4 or arguments.population % 2 != 0:
        parser.error("--population must be an even number of at least 4")
    return arguments


def main():
    arguments = parse_arguments()
    members = arguments.population
    try:
        peers = [NumpyEvolution(members), Evosax(members)]
    except ImportError as error:
        sys.exit(f"evolution.py: {error}; pip install -r bench/peers/requirements-evolution.txt")
    rates = {peer.name: [] for peer in peers}
    ours, row = [], {}
    for peer in peers:
        peer.generation()  # compiles, and warms up
    for _ in range(arguments.rounds):
        for peer in peers:
            rates[peer.name].append(time_peer(peer, members, arguments.seconds))
        row = time_gallop(arguments.program, members, arguments.seconds)
        ours.append(row["per_second"])
    rates[f"gallop {row['backend']}"] = ours
    median_of_ours = statistics.median(ours)
    title = f"CartPole, {members} members x {STEPS} steps, 64-64"
    print(f"{title:<48}{'steps/s':>14}{'spread':>9}{'ratio':>9}")
    rows = []
    for name, values in rates.items():
        median = statistics.median(values)
        spread = (max(values) - min(values)) / median
        rows.append([name.replace(", ", "; "), members, f"{median:.6g}", f"{spread:.3g}",
                     f"{median_of_ours / median:.4g}"])
        print(f"{name:<48}{median:>14,.0f}{100 * spread:>8.0f}%{median_of_ours / median:>8.1f}x")
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["name", "members", "per_second", "spread", "gallop_ratio"])
            writer.writerows(rows)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes golden_transitions.json: single transitions of Gymnasium's classic control environments.

States are multiples of float32, so that a test in float starts from the very same numbers. Actions
are given as float64, which keeps the reference's arithmetic in double whatever the NumPy version.

    python3 -m venv venv && venv/bin/pip install gymnasium==1.4.0 && venv/bin/python make_golden.py
"""

import json
import math
import pathlib

import gymnasium
import numpy as np

PER_ENVIRONMENT = 240


def uniform(rng, *bounds):
    return [rng.uniform(-b, b) for b in bounds]


def cartpole(rng, i):
    kinds = [
        lambda: uniform(rng, 0.05, 0.05, 0.05, 0.05),
        lambda: uniform(rng, 2.4, 3.0, 0.21, 3.0),
        lambda: [rng.choice([-1, 1]) * rng.uniform(2.35, 2.45), *uniform(rng, 3, 0.2, 3)],
        lambda: [*uniform(rng, 2, 3), rng.choice([-1, 1]) * rng.uniform(0.2, 0.22), *uniform(rng, 3)],
        lambda: uniform(rng, 4.8, 20, math.pi, 20),
    ]
    return kinds[i % len(kinds)](), int(rng.integers(2))


def pendulum(rng, i):
    kinds = [
        lambda: uniform(rng, math.pi, 1),
        lambda: uniform(rng, math.pi, 8),
        lambda: uniform(rng, 80, 8),
        lambda: [rng.integers(-9, 10) * math.pi + rng.uniform(-1e-3, 1e-3), *uniform(rng, 8)],
        lambda: [rng.uniform(-4, 4), rng.choice([-8.0, 8.0])],
    ]
    action = [rng.uniform(-2, 2), rng.uniform(-5, 5), 2.0, -2.0, 0.0][int(rng.integers(5))]
    return kinds[i % len(kinds)](), action


def car_state(rng, i, goal):
    kinds = [
        lambda: [rng.uniform(-0.6, -0.4), 0.0],
        lambda: [rng.uniform(-1.2, 0.6), rng.uniform(-0.07, 0.07)],
        lambda: [rng.uniform(-1.2, -1.13), rng.uniform(-0.07, 0.0)],
        lambda: [goal + rng.uniform(-0.06, 0.01), rng.uniform(0.0, 0.07)],
        lambda: [rng.uniform(0.5, 0.6), rng.choice([-0.07, 0.07])],
        lambda: [-1.2, rng.choice([-0.07, -0.001, 0.0, 0.001])],
    ]
    return kinds[i % len(kinds)]()


def mountain_car(rng, i):
    return car_state(rng, i, 0.5), int(rng.integers(3))


def mountain_car_continuous(rng, i):
    action = [rng.uniform(-1, 1), rng.uniform(-4, 4), 1.0, -1.0, 0.0][int(rng.integers(5))]
    return car_state(rng, i, 0.45), action


def acrobot(rng, i):
    pi = math.pi
    kinds = [
        lambda: uniform(rng, 0.1, 0.1, 0.1, 0.1),
        lambda: uniform(rng, pi, pi, 3, 5),
        lambda: [rng.choice([-1, 1]) * (pi - rng.uniform(0, 0.2)), *uniform(rng, pi, 2, 3)],
        lambda: [*uniform(rng, pi), rng.choice([-1, 1]) * (pi - rng.uniform(0, 0.2)), *uniform(rng, 2, 3)],
        lambda: uniform(rng, pi, pi, 4 * pi, 9 * pi),
        lambda: [*uniform(rng, pi, pi), rng.choice([-4, 4]) * pi, rng.choice([-9, 9]) * pi],
    ]
    return kinds[i % len(kinds)](), int(rng.integers(3))


ENVIRONMENTS = {
    "cartpole": ("CartPole-v1", cartpole),
    "pendulum": ("Pendulum-v1", pendulum),
    "mountain_car": ("MountainCar-v0", mountain_car),
    "mountain_car_continuous": ("MountainCarContinuous-v0", mountain_car_continuous),
    "acrobot": ("Acrobot-v1", acrobot),
}


def transition(env, state, action):
    """[state, action, next state, observation, reward, terminated]"""
    env.reset(seed=0)
    env.state = np.array(state, dtype=np.float64)
    given = action if isinstance(action, int) else np.array([action], dtype=np.float64)
    observation, reward, terminated, _, _ = env.step(given)
    return [
        state,
        action,
        [float(x) for x in env.state],
        [float(x) for x in observation],
        float(reward),
        bool(terminated),
    ]


def main():
    lines = []
    for name, (gym_id, draw) in ENVIRONMENTS.items():
        rng = np.random.default_rng(20260801)
        env = gymnasium.make(gym_id).unwrapped
        rows = []
        for i in range(PER_ENVIRONMENT):
            state, action = draw(rng, i)
            state = [float(np.float32(x)) for x in state]
            if not isinstance(action, int):
                action = float(np.float32(action))
            rows.append(json.dumps(transition(env, state, action), separators=(",", ":")))
        lines.append(f'"{name}":[\n' + ",\n".join(rows) + "]")
    head = f'{{"gymnasium":"{gymnasium.__version__}","numpy":"{np.__version__}",\n'
    path = pathlib.Path(__file__).with_name("golden_transitions.json")
    path.write_text(head + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()

"""Minimising functions, and estimates of recorded rollouts."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

import gallop
from gallop import _core, _environments


def sphere(x):
    return float(((x - 1) ** 2).sum())


@pytest.mark.parametrize("algorithm", ["cma_es", "sep_cma_es", "es", "cem", "nes", "pgpe"])
def test_algorithms_find_a_minimum(algorithm):
    found = gallop.optimize(sphere, np.zeros(4), algorithm, evaluations=40_000)
    assert found.value < 1e-2 and found.x.shape == (4,)
    assert sphere(found.x) == found.value and found.evaluations >= found.generations


def test_all_algorithms_ask_and_tell():
    for name in _core.optimizer_names():
        if name == "eggroll":
            with pytest.raises(gallop.InvalidValue, match="eggroll perturbs the matrices"):
                gallop.Optimizer([0.5, -0.5], name)
            continue
        optimizer = gallop.Optimizer([0.5, -0.5], name)
        points = optimizer.ask()
        assert points.shape == (optimizer.population, 2) and points.dtype == np.float64
        np.testing.assert_array_equal(points, optimizer.ask())
        optimizer.tell([sphere(x) for x in points])
        assert optimizer.generation == 1 and optimizer.center.shape == (2,)


def test_the_points_of_the_command_line():
    program = _environments.program_path()
    words = ["optimize", "sphere", "--dimension", "5", "--seed", "3", "--target", "1e-6", "--json"]
    told = json.loads(
        subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout
    )
    points = np.array(told["point"])
    initial = np.full(5, 0.5)  # where the function's row begins
    found = gallop.optimize(lambda x: float((x * x).sum()), initial, seed=3, target=1e-6)
    assert found.evaluations == told["evaluations"]
    np.testing.assert_array_equal(found.x, points)


def test_vectorized_and_options():
    calls = []

    def many(points):
        calls.append(points.shape)
        return ((points - 1) ** 2).sum(axis=1)

    one = gallop.optimize(sphere, np.zeros(3), seed=2, evaluations=500, population=10, sigma=0.3)
    all_at_once = gallop.optimize(many, np.zeros(3), seed=2, evaluations=500, population=10, sigma=0.3,
                                  vectorized=True)  # fmt: skip
    assert set(calls) == {(10, 3)}
    assert one.evaluations == all_at_once.evaluations == 500
    np.testing.assert_allclose(one.x, all_at_once.x, rtol=1e-12)
    assert gallop.optimize(sphere, np.zeros(3), seed=3, evaluations=100).value != one.value


def test_ends():
    assert "target" in gallop.optimize(sphere, [0.0, 0.0], target=1e-3).stopped
    assert "were allowed" in gallop.optimize(sphere, [0.0, 0.0], evaluations=20).stopped
    assert "have the value 3" in gallop.optimize(lambda x: 3, [0.0, 0.0]).stopped
    seen = []
    found = gallop.optimize(
        sphere, [0.0, 0.0], callback=lambda o, best: seen.append(best) or len(seen) < 4
    )
    assert "callback" in found.stopped and len(seen) == 4 and seen == sorted(seen, reverse=True)
    with pytest.raises(ZeroDivisionError):
        gallop.optimize(lambda x: 1 / 0, [0.0])


def test_refusals():
    with pytest.raises(gallop.UnknownName, match="cma_es"):
        gallop.optimize(sphere, [0.0], "cmaes2")
    with pytest.raises(gallop.UnknownName, match="sigma"):
        gallop.optimize(sphere, [0.0], sigmas=1)
    with pytest.raises(gallop.InvalidValue, match=r"shape \(2, 2\)"):
        gallop.optimize(sphere, np.zeros((2, 2)))
    with pytest.raises(gallop.NonFinite, match="initial point"):
        gallop.optimize(sphere, [np.nan])
    with pytest.raises(gallop.NonFinite, match="member"):
        gallop.optimize(lambda x: np.nan, [0.0])
    with pytest.raises(gallop.InvalidValue, match="more than one number"):
        gallop.optimize(lambda x: x, [0.0, 1.0])
    with pytest.raises(gallop.InvalidValue, match="told"):
        gallop.Optimizer([0.0]).tell([1.0])


def recorded(T, N, seed=0):
    rng = np.random.default_rng(seed)
    flags = lambda p: rng.random((T, N)) < p  # noqa: E731
    return dict(
        reward=rng.standard_normal((T, N)).astype(np.float32),
        terminated=flags(0.05), truncated=flags(0.05),
    ), rng.standard_normal((T + 1, N)).astype(np.float32), rng.standard_normal((T, N)).astype(np.float32)  # fmt: skip


def plain_gae(reward, terminated, truncated, value, final_value, gamma, lam):
    """The definition, in double."""
    advantage, after = np.zeros(reward.shape), 0.0
    for t in reversed(range(len(reward))):
        following = np.where(terminated[t], 0, np.where(truncated[t], final_value[t], value[t + 1]))
        delta = reward[t] + gamma * following - value[t].astype(float)
        after = delta + gamma * lam * np.where(terminated[t] | truncated[t], 0, after)
        advantage[t] = after
    return advantage


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (300, 33)])
def test_gae_is_its_definition(shape):
    data, value, final_value = recorded(*shape)
    advantage, target = gallop.gae(
        **data, value=value, final_value=final_value, gamma=0.97, lam=0.9
    )
    expected = plain_gae(**data, value=value, final_value=final_value, gamma=0.97, lam=0.9)
    assert advantage.dtype == np.float32 and advantage.shape == shape
    np.testing.assert_allclose(advantage, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(target, expected + value[:-1], rtol=1e-4, atol=1e-4)


def test_returns_are_their_definition():
    data, value, final_value = recorded(40, 7)
    found = gallop.discounted_returns(
        **data, last_value=value[-1], final_value=final_value, gamma=0.9
    )
    after, expected = value[-1].astype(float), np.zeros((40, 7))
    for t in reversed(range(40)):
        after = np.where(
            data["terminated"][t], 0, np.where(data["truncated"][t], final_value[t], after)
        )
        after = expected[t] = data["reward"][t] + 0.9 * after
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    cut = gallop.discounted_returns(**data, gamma=0.9)
    assert not np.allclose(cut, found)


def test_estimates_of_one_instance_and_other_types():
    data, value, final_value = recorded(20, 1)
    column = {name: array[:, 0] for name, array in data.items()}
    advantage, _ = gallop.gae(
        **column, value=value[:, 0], final_value=final_value[:, 0], gamma=0.9, lam=1
    )
    whole, _ = gallop.gae(**data, value=value, final_value=final_value, gamma=0.9, lam=1)
    np.testing.assert_array_equal(advantage, whole[:, 0])
    lists = {name: array.tolist() for name, array in column.items()}
    again, _ = gallop.gae(**lists, value=value[:, 0].astype(float), final_value=final_value[:, 0],
                          gamma=0.9, lam=1)  # fmt: skip
    np.testing.assert_array_equal(again, advantage)
    strided = {name: np.asfortranarray(np.repeat(array, 3, axis=1)) for name, array in data.items()}
    three, _ = gallop.gae(**strided, value=np.repeat(value, 3, axis=1), gamma=0.9, lam=1,
                          final_value=np.repeat(final_value, 3, axis=1)[::-1][::-1])  # fmt: skip
    np.testing.assert_array_equal(three[:, 1], advantage)


def test_estimates_refuse():
    data, value, _ = recorded(5, 3)
    with pytest.raises(gallop.InvalidValue, match=r"value has shape \(5, 3\); expected \(6, 3\)"):
        gallop.gae(**data, value=value[:-1], gamma=0.9, lam=0.9)
    with pytest.raises(gallop.InvalidValue, match="gamma is 1.5"):
        gallop.gae(**data, value=value, gamma=1.5, lam=0.9)
    with pytest.raises(gallop.InvalidValue, match="reward has shape"):
        gallop.discounted_returns(np.zeros((2, 2, 2)), 0, 0, gamma=0.9)


def test_rollouts_and_estimates_fit():
    env = gallop.make_vec("cartpole", 8, seed=0, autoreset="same_step")
    env.reset()
    played = env.rollout(None, 50)
    returns = gallop.discounted_returns(
        played.reward, played.terminated, played.truncated, gamma=1.0)  # fmt: skip
    ended = np.asarray(played.terminated)
    assert np.asarray(returns)[ended].tolist() == [1.0] * int(ended.sum())

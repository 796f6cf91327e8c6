"""Policies in Python: their bits, their shapes, what they refuse, where they go."""

from __future__ import annotations

import copy
import gc
import pickle
import resource
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import gallop
from gallop import NumpyPolicy, Policy

TASKS = ["cartpole", "pendulum", "mdp", "hopper"]


def observations(policy: Policy, n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    inputs = policy.metadata["widths"][0]
    if policy.is_tabular:
        return rng.integers(0, inputs, n)
    return rng.standard_normal((n, inputs)).astype(np.float32)


def policy_for(task: str, **options) -> Policy:
    """One whose last layer says something."""
    policy = Policy.mlp(task, (16, 8), seed=5, **options)
    rng = np.random.default_rng(1)
    policy.parameters = policy.parameters + 0.5 * rng.standard_normal(len(policy.parameters))
    return policy


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("n", [1, 5, 70])
def test_calls_have_the_bits_of_rollouts(task, n):
    policy = policy_for(task)
    env = gallop.make_vec(task, n, seed=11, autoreset="same_step")
    env.reset()
    played = env.rollout(policy, 30, deterministic=True)
    for t in (0, 7, 29):
        np.testing.assert_array_equal(
            policy(np.asarray(played.obs)[t]), np.asarray(played.action)[t]
        )


def test_sample_has_the_bits_of_rollouts():
    policy = policy_for("cartpole")
    env = gallop.make_vec("cartpole", 6, seed=4, autoreset="same_step")
    env.reset()
    played = env.rollout(policy, 8)  # no episode ends so soon
    assert not np.asarray(played.terminated).any()
    for t in range(8):
        action, log_prob = policy.sample(np.asarray(played.obs)[t], seed=4, step=t)
        np.testing.assert_array_equal(action, np.asarray(played.action)[t])
        np.testing.assert_array_equal(log_prob, np.asarray(played.log_prob)[t])


def test_rollouts_see_new_parameters():
    policy = policy_for("cartpole")
    env = gallop.make_vec("cartpole", 4, seed=1)
    env.reset()
    env.rollout(policy, 2)
    policy.parameters = np.zeros(len(policy.parameters))
    assert (np.asarray(env.rollout(policy, 2).log_prob) == np.float32(np.log(0.5))).all()


def test_shapes_of_one_and_many():
    discrete, box, table = (policy_for(t) for t in ("cartpole", "pendulum", "mdp"))
    assert np.shape(discrete(np.zeros(4))) == () and discrete(np.zeros((1, 4))).shape == (1,)
    assert box(np.zeros(3)).shape == (1,) and box(np.zeros((1, 3))).shape == (1, 1)
    assert (
        discrete(np.zeros((3, 4))).dtype == np.int64 and box(np.zeros((2, 3))).dtype == np.float32
    )
    assert (
        np.shape(table(1)) == ()
        and table([0, 1, 2]).shape == (3,)
        and table([[0], [1]]).shape == (2,)
    )
    assert discrete(np.zeros((0, 4))).shape == (0,)
    action, log_prob = box.sample(np.zeros((7, 3)), seed=1, step=2)
    assert action.shape == (7, 1) and log_prob.shape == (7,)


@pytest.mark.parametrize("change", [np.asfortranarray, lambda x: x[::-1], lambda x: x.astype(np.float64),
                                    lambda x: np.broadcast_to(x[:1], x.shape), lambda x: x.tolist(),
                                    lambda x: np.repeat(x, 2, axis=1)[:, ::2]])  # fmt: skip
def test_observations_of_any_layout(change):
    policy = policy_for("cartpole")
    x = change(observations(policy, 9))
    np.testing.assert_array_equal(policy(x), policy(np.ascontiguousarray(x, np.float32)))


def test_what_is_refused():
    policy = policy_for("cartpole")
    with pytest.raises(gallop.InvalidValue, match=r"\(3, 5\); expected \(4,\) or \(n, 4\)"):
        policy(np.zeros((3, 5)))
    with pytest.raises(TypeError, match="expected numbers"):
        policy(np.array([["a"] * 4]))
    with pytest.raises(gallop.InvalidValue, match="observation 1 is 3"):
        policy_for("mdp")([0, 3])
    with pytest.raises(TypeError, match="states as integers"):
        policy_for("mdp")([0.0, 1.0])
    with pytest.raises(gallop.InvalidValue, match="expected 234"):
        policy.parameters = np.zeros(3)
    with pytest.raises(gallop.InvalidValue, match="parameter 1 of the policy is nan"):
        policy.parameters = np.where(np.arange(len(policy.parameters)) == 1, np.nan, 0)
    with pytest.raises(gallop.UnknownName, match="cartpole"):
        Policy.mlp("cartpool")
    with pytest.raises(gallop.InvalidValue, match="activation is 'gelu'"):
        Policy.mlp("cartpole", activation="gelu")
    with pytest.raises(gallop.InvalidValue, match="seed"):
        policy.sample(np.zeros(4), seed=1 << 56)
    with pytest.raises(gallop.GallopError, match="no/such"):
        gallop.load_policy("no/such")


def test_an_environment_gives_its_sizes():
    env = gallop.make_vec("lqr", 2, parameters={"states": 3, "controls": 2}) if "states" in [
        p.name for p in gallop.spec("lqr").parameters] else gallop.make_vec("lqr", 2)  # fmt: skip
    policy = Policy.mlp(env, (8,))
    env.reset()
    env.rollout(policy, 3)
    single = gallop.make("pendulum")
    assert Policy.mlp(single).metadata["widths"] == [3, 64, 64, 1]


def test_predict_is_stable_baselines_signature():
    policy = policy_for("pendulum")
    x = 5 * observations(policy, 50)
    action, state = policy.predict(x, state="kept", deterministic=True)
    assert state == "kept"
    np.testing.assert_array_equal(action, np.clip(policy(x), -2, 2))
    drawn = policy.predict(x)[0]
    assert not np.array_equal(drawn, policy.predict(x)[0])  # each call draws anew
    assert np.abs(drawn).max() <= 2
    one, _ = policy_for("cartpole").predict(np.zeros(4))
    assert isinstance(one, np.ndarray) and one.shape == () and one.dtype == np.int64


@pytest.mark.parametrize("task", TASKS)
def test_numpy_policy_agrees(task):
    policy = policy_for(task)
    simple = policy.to_numpy()
    assert isinstance(simple, NumpyPolicy)
    x = observations(policy, 200)
    if policy.is_discrete:
        assert (simple(x) == policy(x)).mean() > 0.98
    else:
        np.testing.assert_allclose(simple(x), policy(x), rtol=1e-4, atol=1e-5)
    assert np.shape(simple(x[0])) == np.shape(policy(x[0]))
    again = pickle.loads(pickle.dumps(simple))
    np.testing.assert_array_equal(again(x), simple(x))
    drawn = simple.sample(x, np.random.default_rng(1))
    assert drawn.shape == simple(x).shape


def test_numpy_policy_draws_by_its_distribution():
    policy = policy_for("pendulum", log_std=-1.0)
    policy.parameters = np.concatenate([policy.parameters[:-1], [-1.0]])
    x = np.repeat(observations(policy, 1), 4000, axis=0)
    drawn = policy.to_numpy().sample(x, np.random.default_rng(3))
    ours = policy.sample(x, seed=2, step=0)[0]
    for sample in (drawn, ours):
        assert abs(sample.std() - np.exp(-1)) < 0.02
        assert abs(sample.mean() - policy(x[0])[0]) < 0.03


def test_layers_are_the_parameters():
    policy = policy_for("pendulum")
    flat = np.concatenate(
        [part.ravel() for layer in policy.layers for part in layer] + [policy.log_std]
    )
    np.testing.assert_array_equal(flat, policy.parameters)
    same = Policy.from_layers(
        policy.layers, head="gaussian", log_std=policy.log_std, environment="pendulum"
    )
    np.testing.assert_array_equal(same.parameters, policy.parameters)
    with pytest.raises(gallop.InvalidValue, match="layer 1 takes 5 inputs; expected 4"):
        Policy.from_layers(
            [(np.zeros((3, 4)), np.zeros(4)), (np.zeros((5, 1)), np.zeros(1))], head="gaussian"
        )


def test_normalisation_is_part_of_it():
    rng = np.random.default_rng(0)
    layers = [(rng.standard_normal((3, 2)), rng.standard_normal(2))]
    mean, inverse_std = np.float32([1, 2, 3]), np.float32([1, 0.5, 2])
    policy = Policy.from_layers(
        layers, head="deterministic", normalization=(mean, inverse_std, 1.5)
    )
    x = rng.standard_normal((20, 3)).astype(np.float32) * 4
    normalised = np.clip((x - mean) * inverse_std, -1.5, 1.5)
    np.testing.assert_allclose(
        policy(x), normalised @ layers[0][0] + layers[0][1], rtol=1e-5, atol=1e-5
    )
    np.testing.assert_array_equal(policy.normalization[0], mean)
    with pytest.raises(gallop.InvalidValue, match="expected 3"):
        Policy.from_layers(
            layers, head="deterministic", normalization=(mean[:2], inverse_std[:2], 1)
        )


@pytest.mark.parametrize("task", TASKS)
def test_pickle_and_copy_go_on_alike(task):
    policy = policy_for(task)
    x = observations(policy, 12)
    policy.seed = 9
    policy.sample(x)
    for same in (pickle.loads(pickle.dumps(policy)), copy.deepcopy(policy)):
        np.testing.assert_array_equal(same.parameters, policy.parameters)
        assert same.environment == policy.environment
        np.testing.assert_array_equal(same.sample(x)[0], copy.copy(policy).sample(x)[0])


def test_saved_policies_are_loaded(tmp_path):
    policy = policy_for("pendulum")
    path = policy.save(tmp_path / "policy.safetensors")
    same = gallop.load_policy(path)
    x = observations(policy, 20)
    np.testing.assert_array_equal(same(x), policy(x))
    assert same.environment == "pendulum"
    damaged = bytearray(path.read_bytes())
    damaged[-3] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(gallop.CheckpointError, match="policy.safetensors"):
        gallop.load_policy(path)


def test_loading_imports_no_framework(tmp_path):
    path = policy_for("cartpole").save(tmp_path / "policy.safetensors")
    code = (
        f"import sys, gallop; gallop.load_policy({str(path)!r})([0, 0, 0, 0]); "
        "assert not {'torch', 'jax', 'onnx', 'onnxruntime', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_two_threads_on_one_policy():
    """The second caller is told so, or comes later; none gets wrong numbers."""
    policy = policy_for("cartpole")
    x = observations(policy, 20_000)
    expected = policy(x)
    outcomes = []

    def work():
        for _ in range(20):
            try:
                outcomes.append(np.array_equal(policy(x), expected))
            except gallop.Busy as error:
                assert error.code == 9
                outcomes.append("busy")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 60 and True in outcomes and False not in outcomes


def test_policies_leave_nothing_behind(tmp_path):
    path = policy_for("cartpole").save(tmp_path / "policy.safetensors")
    page = resource.getpagesize()

    def resident():
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * page

    x = np.zeros((8, 4), np.float32)
    for round_ in range(2):
        for _ in range(300):
            policy = gallop.load_policy(path, threads=1)
            policy(x), policy.sample(x), policy.to_numpy()
        if round_ == 0:
            before = resident()
    assert resident() - before < 1 << 20


def test_a_policy_outlives_what_it_gave():
    policy = policy_for("pendulum")
    actions, parameters = policy(np.zeros((3, 3))), policy.parameters
    copy_of, more = actions.copy(), parameters.copy()
    del policy
    gc.collect()
    np.testing.assert_array_equal(actions, copy_of)
    np.testing.assert_array_equal(parameters, more)


@pytest.mark.filterwarnings("ignore")  # of Stable-Baselines3 and PyTorch
def test_stable_baselines_plays_our_policies(tmp_path):
    pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.monitor import Monitor

    run = gallop.train("cartpole", steps=100_000, seed=1, out=tmp_path / "run", progress=False)
    mean, std = evaluate_policy(run.policy, Monitor(gallop.make("cartpole")), n_eval_episodes=5)
    assert mean > 450 and len(run.evaluate(5).returns) == 5
    fresh, _ = evaluate_policy(
        Policy.mlp("cartpole"), Monitor(gallop.make("cartpole")), 5, deterministic=False
    )
    assert fresh < 100

"""Bound arrays, rollouts, parameters, states."""

import gc

import gallop
import numpy as np
import pytest
from conftest import actions_of, assert_equal


def test_advance_is_a_step(mode, environment):
    options = dict(autoreset=mode, max_episode_steps=5)
    env, other = (gallop.make_vec(environment, 7, **options) for _ in range(2))
    env.reset(seed=0)
    other.reset(seed=0)
    buffers = env.buffers
    addresses = {k: v.ctypes.data for k, v in buffers.arrays().items() if v is not None}
    for action in actions_of(env, 12):
        buffers.action[...] = action.reshape(buffers.action.shape)
        n_ended = env.advance()
        obs, reward, terminated, truncated, info = other.step(action)
        assert n_ended == (terminated | truncated).sum()
        assert_equal([buffers.obs, buffers.reward], [obs, reward])
        assert_equal([buffers.terminated, buffers.truncated], [terminated, truncated])
        if mode == "same_step" and n_ended:
            ended = info["_final_obs"]
            assert_equal(buffers.final_obs[ended], info["final_obs"][ended])
    assert addresses == {k: v.ctypes.data for k, v in buffers.arrays().items() if v is not None}


def test_binding():
    """Rows of a caller's own storage, kept alive by the environment."""
    env, other = gallop.make_vec("cartpole", 4), gallop.make_vec("cartpole", 4)
    env.reset(seed=0)
    other.reset(seed=0)
    storage = np.zeros((10, 4, 4), dtype=np.float32)
    rewards = np.zeros((10, 4), dtype=np.float32)
    action = np.array([0, 1, 0, 1], dtype=np.int32)
    for t in range(10):
        env.bind(obs=storage[t], reward=rewards[t], action=action, truncated=None)
        env.advance()
        expected = other.step(action)
        assert_equal(storage[t], expected[0])
        assert_equal(rewards[t], expected[1])
    kept = env.buffers.obs
    del storage, action
    gc.collect()
    env.advance()
    assert_equal(kept.copy(), other.step([0, 1, 0, 1])[0])


def test_binding_columns():
    env, other = gallop.make_vec("cartpole", 5), gallop.make_vec("cartpole", 5)
    columns = np.zeros((4, 5), dtype=np.float32)
    env.bind(obs=columns.T)
    env.reset(seed=0)
    other.reset(seed=0)
    env.buffers.action[:] = 1
    env.advance()
    assert_equal(np.ascontiguousarray(columns.T), other.step([1] * 5)[0])


def test_binding_tensors():
    torch = pytest.importorskip("torch")
    env, other = gallop.make_vec("cartpole", 3), gallop.make_vec("cartpole", 3)
    obs = torch.zeros(3, 4)
    env.bind(obs=obs, action=torch.ones(3, dtype=torch.int64))
    env.reset(seed=0)
    other.reset(seed=0)
    env.advance()
    assert_equal(obs.numpy(), other.step([1, 1, 1])[0])


@pytest.mark.parametrize(
    "arrays, kind, text",
    [
        ({"observations": np.zeros((3, 4), np.float32)}, gallop.UnknownName, "'observations'"),
        ({"action": np.zeros(3)}, gallop.InvalidValue, "action is not what a step can read"),
        ({"action": np.zeros(4, np.int64)}, gallop.InvalidValue, r"\(3,\) of int64"),
        ({"obs": [1, 2]}, gallop.InvalidValue, "obs is of type"),
        ({"obs": np.broadcast_to(np.float32(0), (3, 4))}, gallop.InvalidValue, "read-only"),
    ],
)
def test_binding_refused(arrays, kind, text):
    env = gallop.make_vec("cartpole", 3)
    env.reset(seed=0)
    before = env.buffers.arrays()
    with pytest.raises(kind, match=text):
        env.bind(**arrays)
    assert all(a is b for a, b in zip(before.values(), env.buffers.arrays().values()))
    env.advance()


def test_wrong_shapes_are_refused_by_the_step():
    env = gallop.make_vec("cartpole", 3)
    env.reset(seed=0)
    env.bind(obs=np.zeros((2, 4), np.float32))
    with pytest.raises(gallop.InvalidValue, match=r"shape is \[2, 4\]; expected \[3, 4\]"):
        env.advance()


@pytest.mark.parametrize("n", [5, 75, 130])
def test_rollout_is_its_steps(environment, n):
    """Random actions of a rollout, given to steps in rows, give the same numbers: however many fit the
    registers, and whatever is left."""
    options = dict(seed=3, autoreset="same_step", max_episode_steps=6)
    env, other = (gallop.make_vec(environment, n, **options) for _ in range(2))
    first = env.reset()[0]
    other.reset()
    t = 9
    recorded = env.rollout(None, t)
    assert recorded.log_prob is None and recorded.obs.shape[:2] == (t + 1, n)
    assert np.array_equal(recorded.obs[0], first)
    for k in range(t):
        obs, reward, terminated, truncated, info = other.step(np.ascontiguousarray(recorded.action[k]))
        assert np.array_equal(obs, recorded.obs[k + 1])
        assert_equal(reward, np.ascontiguousarray(recorded.reward[k]))
        assert_equal([terminated, truncated], [recorded.terminated[k], recorded.truncated[k]])
        ended = terminated | truncated
        if ended.any():
            assert np.array_equal(recorded.final_obs[k][ended], info["final_obs"][ended])
            assert (recorded.episode_length[k][ended] <= 6).all()
        assert not recorded.episode_return[k][~ended].any()


def test_fields_of_rollouts():
    env = gallop.make_vec("cartpole", 5, autoreset="same_step")
    env.reset(seed=0)
    recorded = env.rollout(None, 4, fields=["reward", "action"])
    assert recorded.reward.shape == recorded.action.shape == (4, 5)
    assert recorded.obs is None and recorded.terminated is None
    with pytest.raises(gallop.InvalidValue, match="no field 'rewards'"):
        env.rollout(None, 4, fields=["rewards"])
    with pytest.raises(gallop.InvalidValue, match="log_prob was asked for"):
        env.rollout(None, 4, fields=["log_prob"])
    with pytest.raises(gallop.InvalidValue, match="num_steps is 0"):
        env.rollout(None, 0)


def test_parameters():
    env = gallop.make_vec("cartpole", 3, parameters={"gravity": 5, "force": [1.0, 2.0, 3.0]})
    assert env.parameters["gravity"] == 5.0
    assert env.parameters["force"].tolist() == [1.0, 2.0, 3.0]
    assert tuple(env.parameters) == env.parameter_names
    env.reset(seed=0)
    env.set_parameters(gravity=[1, 2, 3], mask=np.array([True, False, True]))
    assert env.parameters["gravity"].tolist() == [1.0, 5.0, 3.0]
    alone = gallop.make_vec("cartpole", 1, env_id_offset=2, parameters={"gravity": 3, "force": 3})
    alone.reset(seed=0)
    for _ in range(5):
        assert_equal(env.step([1, 1, 1])[0][2], alone.step([1])[0][0])


def test_parameters_are_set_all_or_none():
    env = gallop.make_vec("cartpole", 3)
    before = env.parameters
    for wrong, kind in (({"tau": -1}, gallop.InvalidValue), ({"mass": 1}, gallop.UnknownName)):
        with pytest.raises(kind):
            env.set_parameters(gravity=3, force=[1, 2, 3], **wrong)
        assert env.parameters == before
    with pytest.raises(gallop.InvalidValue, match=r"gravity has the shape \(2,\)"):
        env.set_parameters(gravity=[1, 2])


def test_sizes_are_parameters():
    env = gallop.make_vec("lqr", 2, parameters={"n_states": 3})
    assert env.single_observation_space.shape == (3,)
    assert env.reset(seed=0)[0].shape == (2, 3)


def test_states(environment):
    env, other = gallop.make_vec(environment, 4), gallop.make_vec(environment, 4)
    env.reset(seed=0)
    other.reset(seed=1)
    for action in actions_of(env, 3):
        obs = env.step(action)[0]
    state = env.get_state()
    assert state.shape == (4, len(env.state_names))
    other.set_state(state)
    assert_equal(other.observation(), obs)
    with pytest.raises(gallop.InvalidValue, match="the state has the shape"):
        other.set_state(state[:3])


def test_names_of_envpool():
    env, other = gallop.make_vec("cartpole", 3), gallop.make_vec("cartpole", 3)
    env.reset(seed=0)
    other.reset(seed=0)
    env.async_reset()
    obs, reward, _, _, info = env.recv()
    assert_equal(obs, other.reset()[0])
    assert not reward.any() and info["env_id"].tolist() == [0, 1, 2]
    env.send(np.array([0, 1, 0]), np.arange(3))
    obs, *_, info = env.recv()
    assert_equal(obs, other.step([0, 1, 0])[0])
    assert info["elapsed_step"].tolist() == [1, 1, 1]
    with pytest.raises(gallop.InvalidValue, match="send"):
        env.recv()

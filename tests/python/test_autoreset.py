"""The three modes, what the information of a step holds, and statistics of episodes."""

import gallop
import gymnasium
import numpy as np
import pytest
from conftest import MODES, actions_of, assert_equal
from gymnasium.vector import AutoresetMode

LIMIT = 3


def timeline(mode, n=2):
    """The pendulum, whose episodes end by the time limit alone, over seven steps."""
    env = gallop.make_vec("pendulum", n, autoreset=mode, max_episode_steps=LIMIT)
    states = [env.reset(seed=0)[0]]
    results = [env.step(np.zeros((n, 1), dtype=np.float32)) for _ in range(7)]
    return states[0], results, env


def starts(count, n=2):
    """First observations of the first episodes."""
    env = gallop.make_vec("pendulum", n)
    return [env.reset(seed=0)[0]] + [env.reset()[0] for _ in range(count - 1)]


def test_next_step():
    first, results, _ = timeline("next_step")
    assert_equal(first, starts(1)[0])
    truncated = [r[3].all() for r in results]
    assert truncated == [False, False, True, False, False, False, True]
    assert (results[3][1] == 0).all() and (results[4][1] != 0).all()
    assert_equal(results[3][0], starts(2)[1])
    assert all(r[4] == {} for r in results)


def test_same_step():
    _, results, _ = timeline("same_step")
    assert [r[3].all() for r in results] == [False, False, True, False, False, True, False]
    assert all((r[1] != 0).all() for r in results)
    assert_equal(results[2][0], starts(2)[1])
    assert_equal(results[5][0], starts(3)[2])
    ends = timeline("next_step")[1][2][0]
    info = results[2][4]
    assert set(info) == {"final_obs", "_final_obs", "final_info", "_final_info"}
    assert_equal(info["final_obs"], ends)
    assert info["_final_obs"].tolist() == info["_final_info"].tolist() == [True, True]
    assert info["final_info"] == {}
    assert [bool(r[4]) for r in results] == [False, False, True, False, False, True, False]


def test_disabled():
    _, results, env = timeline("disabled")
    assert [r[3].all() for r in results] == [False, False, True, False, False, False, False]
    assert (results[3][1] == 0).all() and all(r[4] == {} for r in results)
    assert_equal(results[3][0], results[2][0])
    obs, _ = env.reset(options={"reset_mask": np.array([True, False])})
    assert_equal(obs[0], starts(2)[1][0])
    assert_equal(obs[1], results[2][0][1])


def test_final_observations_where_some_ended():
    """Other rows are what those instances observe."""
    env = gallop.make_vec("cartpole", 40, autoreset="same_step")
    other = gallop.make_vec("cartpole", 40)
    env.reset(seed=0)
    other.reset(seed=0)
    for action in actions_of(env, 60):
        obs, _, terminated, _, info = env.step(action)
        expected = other.step(action)
        if not terminated.any():
            assert info == {}
            continue
        assert_equal(info["_final_obs"], terminated)
        assert_equal(info["final_obs"], expected[0])
        assert_equal(info["final_obs"][~terminated], obs[~terminated])
        return
    pytest.fail("no episode ended")


@pytest.mark.parametrize("given", ["same_step", "SameStep", AutoresetMode.SAME_STEP])
def test_names_of_modes(given):
    env = gallop.make_vec("cartpole", 2, autoreset=given)
    assert env.autoreset_mode is env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


def test_modes_are_the_environments_own():
    made = [gallop.make_vec("cartpole", 2, autoreset=m) for m in MODES]
    assert [e.metadata["autoreset_mode"] for e in made] == [
        AutoresetMode.NEXT_STEP,
        AutoresetMode.SAME_STEP,
        AutoresetMode.DISABLED,
    ]
    assert "autoreset_mode" not in gallop.VectorEnv.metadata
    with pytest.raises(gallop.InvalidValue, match="autoreset is 'never'"):
        gallop.make_vec("cartpole", autoreset="never")


def played(env, mode, steps=120):
    """Statistics (return, length) by instance in the order of their ends, from `info["episode"]`, and
    as the rewards say."""
    n = env.num_envs
    env.reset(seed=4)
    told, counted = [[] for _ in range(n)], [[] for _ in range(n)]
    returns, lengths, begins = np.zeros(n, dtype=np.float32), np.zeros(n, int), np.zeros(n, bool)
    for action in actions_of(env, steps):
        _, reward, terminated, truncated, info = env.step(action)
        ended = terminated | truncated
        returns, lengths = returns + reward, lengths + ~begins
        assert ("episode" in info) == ended.any()
        for i in np.flatnonzero(ended):
            assert info["_episode"][i]
            told[i].append((float(info["episode"]["r"][i]), int(info["episode"]["l"][i])))
            counted[i].append((float(returns[i]), int(lengths[i])))
            returns[i] = lengths[i] = 0
        if ended.any():
            assert not info["_episode"][~ended].any() and not info["episode"]["r"][~ended].any()
        begins = ended if mode == "next_step" else np.zeros(n, bool)
        if mode == "disabled" and ended.any():
            env.reset(options={"reset_mask": ended})
    return told, counted


def test_statistics(mode):
    env = gallop.make_vec("cartpole", 20, autoreset=mode, record_episodes=True)
    told, counted = played(env, mode)
    assert told == counted and sum(map(len, told)) > 40


def test_statistics_of_gymnasium(mode):
    plain = gallop.make_vec("cartpole", 20, autoreset=mode)
    wrapped = gymnasium.wrappers.vector.RecordEpisodeStatistics(plain)
    own = gallop.make_vec("cartpole", 20, autoreset=mode, record_episodes=True)
    told, _ = played(wrapped, mode)
    assert told == played(own, mode)[0]


def test_terms():
    """The parts of the reward that Gymnasium's robots tell."""
    env = gallop.make_vec("hopper", 3, terms=True)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.zeros((3, 3), dtype=np.float32))
    assert set(env.term_names) == {k for k in info if not k.startswith("_")}
    for name in env.term_names:
        assert info[name].shape == (3,) and info["_" + name].all()
    total = info["reward_forward"] + info["reward_ctrl"] + info["reward_survive"]
    assert np.allclose(total, reward, atol=1e-5)


def test_time_limits():
    """Of instances, never one flag for all."""
    env = gallop.make_vec("cartpole", 3, max_episode_steps=4)
    env.reset(seed=0)
    assert env.time_limit == 4
    env.step([0, 0, 0])
    env.reset(options={"reset_mask": np.array([False, True, False])})
    flags = [env.step([0, 1, 0])[3].tolist() for _ in range(4)]
    assert flags == [[False] * 3, [False] * 3, [True, False, True], [False, True, False]]
    assert gallop.make_vec("cartpole", max_episode_steps=-1).time_limit == 0
    assert gallop.make_vec("cartpole").time_limit == 500
    for wrong in (0, -2, 2**31):
        with pytest.raises(gallop.InvalidValue, match="max_episode_steps is"):
            gallop.make_vec("cartpole", max_episode_steps=wrong)


@pytest.mark.parametrize("n", [1, 2])
def test_shapes_of_one_instance(n, mode):
    env = gallop.make_vec("pendulum", n, autoreset=mode, max_episode_steps=2, record_episodes=True)
    assert env.reset(seed=0)[0].shape == (n, 3)
    for _ in range(2):
        obs, reward, terminated, truncated, info = env.step(np.zeros((n, 1), dtype=np.float32))
        assert obs.shape == (n, 3)
        assert reward.shape == terminated.shape == truncated.shape == (n,)
    assert info["episode"]["r"].shape == info["_episode"].shape == (n,)
    if mode == "same_step":
        assert info["final_obs"].shape == (n, 3)

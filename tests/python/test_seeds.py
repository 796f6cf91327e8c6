"""Seeds, resets, partial resets."""

import gallop
import numpy as np
import pytest
from conftest import actions_of, assert_equal


def test_equal_seeds(environment):
    a, b = gallop.make_vec(environment, 4), gallop.make_vec(environment, 4, seed=0, num_threads=1)
    assert_equal(a.reset(seed=0), b.reset())
    for action in actions_of(a, 10):
        assert_equal(a.step(action), b.step(action))
    assert_equal(a.reset(seed=0), b.reset(seed=0))


def test_another_seed_differs():
    env = gallop.make_vec("cartpole", 4)
    starts = [env.reset(seed=s)[0] for s in (0, 1, 2**56 - 1)]
    assert len({s.tobytes() for s in starts}) == 3


def test_resets_go_on():
    env = gallop.make_vec("cartpole", 2)
    starts = [env.reset(seed=5)[0]] + [env.reset()[0] for _ in range(5)]
    assert len({s.tobytes() for s in starts}) == 6
    again = [env.reset(seed=5)[0]] + [env.reset()[0] for _ in range(5)]
    assert_equal(starts, again)


def test_a_drawn_seed_can_be_read_back():
    env, other = gallop.make_vec("cartpole", 2), gallop.make_vec("cartpole", 2)
    start = env.reset()[0]
    assert start.tobytes() != other.reset()[0].tobytes()
    assert env.np_random_seed == env.seed
    assert_equal(other.reset(seed=env.np_random_seed)[0], start)


def test_observation_changes_nothing():
    env = gallop.make_vec("cartpole", 3)
    start = env.reset(seed=0)[0]
    snapshot = env.state_dict()
    for _ in range(3):
        assert_equal(env.observation(), start)
    assert_equal(env.state_dict(), snapshot)


@pytest.mark.parametrize(
    "seed, kind, text",
    [
        (-1, ValueError, "seed is -1; expected 0 to 72057594037927935"),
        (2**56, ValueError, "seed is 72057594037927936"),
        (0.5, TypeError, "expected a number or one for each instance"),
        ("7", ValueError, "num_envs=3 but got length=1"),
        ([1, 2], ValueError, "length must match num_envs=3 but got length=2"),
        ([1, 2, 2**31], ValueError, "seed 2 is 2147483648; expected 0 to 2147483647"),
        ([1, 2, "x"], TypeError, "seed 2 is 'x'; expected a whole number"),
    ],
)
def test_seeds_that_are_none(seed, kind, text):
    env = gallop.make_vec("cartpole", 3)
    with pytest.raises(kind, match=text):
        env.reset(seed=seed)


def test_seeds_of_instances():
    env = gallop.make_vec("cartpole", 3)
    start = env.reset(seed=[7, 8, 7])[0]
    assert env.np_random_seed == (7, 8, 7)
    assert_equal(start[0], start[2])
    assert start[0].tobytes() != start[1].tobytes()
    assert_equal(env.reset(seed=[7, 8, 7])[0], start)
    assert_equal(env.reset(seed=np.array([8, 7, 8]))[0][1], start[0])


def test_partial_reset():
    """Gymnasium's own: seeds of a list, then of some instances."""
    env = gallop.make_vec("cartpole", 3)
    first, _ = env.reset(seed=[0, 1, 2])
    for action in actions_of(env, 5):
        after = env.step(action)[0]
    options = {"reset_mask": np.array([True, False, True])}
    obs, info = env.reset(seed=[0, 1, 2], options=options)
    assert list(options) == ["reset_mask"] and info == {}
    assert_equal(obs[[0, 2]], first[[0, 2]])
    assert_equal(obs[1], after[1])
    assert_equal(env.reset(seed=0, options=options)[0][[0, 2]], first[[0, 2]])


def test_partial_reset_goes_on():
    env = gallop.make_vec("cartpole", 3)
    first = env.reset(seed=0)[0]
    mask = np.array([False, True, False])
    second = env.reset(options={"reset_mask": mask})[0]
    assert_equal(second[[0, 2]], first[[0, 2]])
    assert second[1].tobytes() != first[1].tobytes()
    assert env.episodes()["number"].tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "mask, kind, text",
    [
        (
            [True, False, True],
            TypeError,
            r"`options\['reset_mask'\]` must be a numpy array, got <class 'list'>",
        ),
        (
            np.array([True, False]),
            ValueError,
            r"`options\['reset_mask'\]` must have shape `\(3,\)`, got \(2,\)",
        ),
        (
            np.array([1, 0, 1]),
            TypeError,
            r"`options\['reset_mask'\]` must have `dtype=np.bool_`, got int64",
        ),
        (
            np.zeros(3, dtype=bool),
            ValueError,
            r"`options\['reset_mask'\]` must contain a boolean array with at least one True value, "
            r"got reset_mask=\[False False False\]",
        ),
    ],
)
def test_wrong_masks(mask, kind, text):
    env = gallop.make_vec("cartpole", 3)
    env.reset(seed=0)
    with pytest.raises(kind, match=text):
        env.reset(options={"reset_mask": mask})


def test_unknown_options_are_refused():
    env = gallop.make_vec("cartpole", 3)
    with pytest.raises(gallop.InvalidValue, match="options has 'low'"):
        env.reset(options={"low": 0})


def test_a_partial_reset_comes_second():
    env = gallop.make_vec("cartpole", 2)
    options = {"reset_mask": np.array([True, False])}
    for seed in (None, 1, [1, 2]):
        with pytest.raises(gallop.ResetNeeded):
            env.reset(seed=seed, options=options)


def test_a_step_comes_second():
    env = gallop.make_vec("cartpole", 2)
    for call in (lambda: env.step([0, 0]), env.advance, env.observation, lambda: env.rollout(None, 2)):
        with pytest.raises(gallop.ResetNeeded, match="call reset"):
            call()


def test_parts_of_a_batch():
    """Split by env_id_offset, on any number of threads: the same bits."""
    whole = gallop.make_vec("pendulum", 130, seed=9, num_threads=2, max_episode_steps=6)
    parts = [
        gallop.make_vec("pendulum", n, seed=9, env_id_offset=o, num_threads=1, max_episode_steps=6)
        for o, n in ((0, 50), (50, 80))
    ]
    obs = whole.reset()[0]
    assert_equal(obs, np.concatenate([p.reset()[0] for p in parts]))
    for action in actions_of(whole, 15):
        expected = whole.step(action)
        split = [p.step(a) for p, a in zip(parts, (action[:50], action[50:]))]
        for k in range(4):
            assert_equal(expected[k], np.concatenate([s[k] for s in split]))

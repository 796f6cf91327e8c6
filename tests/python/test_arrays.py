"""What steps give: arrays that stay, of the stated shapes, whose bytes are what they show."""

import copy
import gc
import warnings

import gallop
import numpy as np
import pytest
from conftest import actions_of, assert_equal
from gallop import _core


@pytest.fixture(params=[True, False], ids=["layout", "calls"], autouse=True)
def layout(request):
    """Both ways of making and reading arrays."""
    if request.param:
        assert _core.numpy_layout_known, "this NumPy keeps its arrays in another way"
    _core.use_numpy_layout(request.param)
    yield request.param
    _core.use_numpy_layout(_core.numpy_layout_known)


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 1000])
def test_shapes_and_rows(n):
    env = gallop.make_vec("cartpole", n)
    obs, info = env.reset(seed=0)
    assert info == {} and obs.flags.c_contiguous
    assert obs.shape == (n, 4) and obs.dtype == np.float32 and env.observation_space.contains(obs)
    assert len(np.unique(obs, axis=0)) == n
    obs, reward, terminated, truncated, info = env.step(np.zeros(n, dtype=np.int64))
    assert obs.shape == (n, 4) and reward.shape == terminated.shape == truncated.shape == (n,)
    assert reward.dtype == np.float32 and terminated.dtype == truncated.dtype == bool
    assert info == {} and len(np.unique(obs, axis=0)) == n
    # The strides are those of the bytes: instance i is the one that a batch of one has.
    for i in {0, n // 2, n - 1}:
        alone = gallop.make_vec("cartpole", 1, env_id_offset=i)
        alone.reset(seed=0)
        assert_equal(alone.step([0])[0][0], obs[i])


def test_arrays_stay_as_they_were(mode):
    env = gallop.make_vec("pendulum", 70, autoreset=mode, max_episode_steps=5, record_episodes=True)
    kept = [env.reset(seed=0)]
    copies = [copy.deepcopy(kept[0])]
    for action in actions_of(env, 40):
        kept.append(env.step(action))
        copies.append(copy.deepcopy(kept[-1]))
        if mode == "disabled" and (kept[-1][3]).any():
            env.reset(options={"reset_mask": kept[-1][3]})
    for live, then in zip(kept, copies):
        assert_equal(live, then)
    addresses = {k[0].ctypes.data for k in kept}
    assert len(addresses) == len(kept)


def test_arrays_that_nobody_holds_are_given_again(layout):
    env = gallop.make_vec("cartpole", 64)
    env.reset(seed=0)
    seen = {env.step(np.zeros(64, dtype=np.int64))[0].ctypes.data for _ in range(50)}
    if layout:
        assert len(seen) <= 4


def reshaped(array):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy 2.5 would rather have another view
        array.shape = (32,)


@pytest.mark.parametrize(
    "change", [lambda a: a.setflags(write=False), reshaped, memoryview, lambda a: a[2:]]
)
def test_changed_arrays_are_not_given_again(change):
    """Nor those of which there are views."""
    env = gallop.make_vec("cartpole", 8)
    env.reset(seed=0)
    action = np.zeros(8, dtype=np.int64)
    for _ in range(6):
        obs = env.step(action)[0]
        kept = change(obs)
        values = np.array(kept)
        del obs
        after = env.step(action)[0]
        assert after.shape == (8, 4) and after.flags.writeable
        assert_equal(np.array(kept), values)


def test_results_can_be_written():
    env = gallop.make_vec("cartpole", 3)
    obs, _ = env.reset(seed=0)
    obs += 1
    before = env.observation()
    assert not np.array_equal(obs, before)
    assert_equal(env.observation(), before)


def test_without_copies(mode):
    """The same arrays at each step, which can only be read, with the same numbers."""
    options = dict(autoreset=mode, max_episode_steps=7, record_episodes=True)
    env = gallop.make_vec("pendulum", 5, copy=False, **options)
    other = gallop.make_vec("pendulum", 5, **options)
    obs, _ = env.reset(seed=3)
    assert_equal(obs.copy(), other.reset(seed=3)[0])
    assert not obs.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        obs[0] = 1
    for action in actions_of(env, 20):
        result, expected = env.step(action), other.step(action)
        assert result[0].ctypes.data == obs.ctypes.data
        assert_equal(copy.deepcopy(result), copy.deepcopy(expected))


def test_an_array_outlives_its_environment():
    env = gallop.make_vec("cartpole", 100)
    obs = env.reset(seed=0)[0]
    expected = obs.copy()
    env.close()
    del env
    gc.collect()
    junk = [np.full((100, 4), 7, dtype=np.float32) for _ in range(50)]
    assert_equal(obs, expected)
    assert len(junk) == 50


def test_dlpack_out():
    """Results are NumPy's arrays, which others take without a copy."""
    env = gallop.make_vec("cartpole", 4)
    obs = env.reset(seed=0)[0]
    assert np.shares_memory(np.from_dlpack(obs), obs)
    torch = pytest.importorskip("torch")
    tensor = torch.from_dlpack(obs)
    assert tensor.data_ptr() == obs.ctypes.data
    tensor[0, 0] = 9
    assert obs[0, 0] == 9


def test_torch_arrays():
    torch = pytest.importorskip("torch")
    env = gallop.make_vec("cartpole", 6, array="torch", autoreset="same_step", max_episode_steps=3)
    other = gallop.make_vec("cartpole", 6, autoreset="same_step", max_episode_steps=3)
    obs, _ = env.reset(seed=0)
    other.reset(seed=0)
    assert isinstance(obs, torch.Tensor)
    for action in actions_of(env, 5):
        result, expected = env.step(torch.from_numpy(action)), other.step(action)
        for a, b in zip(result[:4], expected[:4]):
            assert isinstance(a, torch.Tensor)
            assert_equal(a.numpy(), b)
        assert result[4].keys() == expected[4].keys()
    assert isinstance(env.rollout(None, 4).reward, torch.Tensor)


def test_an_index_is_an_integer():
    env = gallop.make_vec("mdp", 5)
    obs, _ = env.reset(seed=0)
    assert obs.shape == (5,) and obs.dtype == np.int64 and env.observation_space.contains(obs)

"""Actions of every kind, and what is refused."""

import gallop
import numpy as np
import pytest
from conftest import assert_equal

N = 6
CHOICES = [0, 1, 1, 0, 1, 0]


def stepped(actions, name="cartpole"):
    env = gallop.make_vec(name, N)
    env.reset(seed=1)
    return env.step(actions)[0]


EXPECTED = stepped(np.array(CHOICES))


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", ">i4", ">i8"]
)
def test_integers_of_all_types(dtype):
    actions = np.array(CHOICES).astype(dtype)
    for given in (actions, actions.reshape(N, 1), np.asfortranarray(actions.reshape(N, 1))):
        assert_equal(stepped(given), EXPECTED)


@pytest.mark.parametrize("kind", [list, tuple, lambda c: [np.int64(x) for x in c]])
def test_sequences(kind):
    assert_equal(stepped(kind(CHOICES)), EXPECTED)


def test_tensors():
    torch = pytest.importorskip("torch")
    for dtype in (torch.int64, torch.int32, torch.uint8):
        assert_equal(stepped(torch.tensor(CHOICES, dtype=dtype)), EXPECTED)


def test_dlpack():
    class Foreign:
        """Of a library that has DLPack alone."""

        def __init__(self, array):
            self._array = array

        def __dlpack__(self, **options):
            return self._array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self._array.__dlpack_device__()

    assert_equal(stepped(Foreign(np.array(CHOICES))), EXPECTED)


def laid_out(array, layout):
    """The same numbers in other strides."""
    if layout == "reversed":
        return array[::-1].copy()[::-1]
    if layout == "every second":
        wide = np.zeros((2 * len(array), *array.shape[1:]), dtype=array.dtype)
        wide[::2] = array
        return wide[::2]
    if layout == "columns":
        return np.asfortranarray(array)
    if layout == "part of rows":
        return np.repeat(array.reshape(len(array), -1), 3, axis=1)[:, ::3].reshape(array.shape)
    if layout == "packed":
        record = np.zeros(len(array), dtype=[("pad", "u1"), ("a", array.dtype, array.shape[1:])])
        record["a"] = array
        return record["a"]
    if layout == "read-only":
        array = array.copy()
        array.flags.writeable = False
    return array


LAYOUTS = ["reversed", "every second", "columns", "part of rows", "packed", "read-only"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_strides(layout):
    assert_equal(stepped(laid_out(np.array(CHOICES), layout)), EXPECTED)
    forces = np.random.default_rng(0).uniform(-1, 1, (N, 6)).astype(np.float32)
    expected = stepped(forces, "half_cheetah")
    for dtype in ("float32", "float64", "float16"):
        given = laid_out(forces.astype(dtype), layout)
        exact = stepped(np.ascontiguousarray(given, dtype=np.float32), "half_cheetah")
        assert_equal(stepped(given, "half_cheetah"), exact)
    assert_equal(stepped(laid_out(forces, layout), "half_cheetah"), expected)


def test_strides_at_random():
    rng = np.random.default_rng(1)
    for _ in range(100):
        base = rng.uniform(-1, 1, (40, 40)).astype(np.float32)
        rows, columns = rng.choice([-3, -2, -1, 1, 2, 3], 2)
        view = (base if rng.random() < 0.5 else base.T)[::rows, ::columns][:N, :3]
        assert_equal(stepped(view, "hopper"), stepped(np.ascontiguousarray(view), "hopper"))


def test_one_action_for_all():
    assert_equal(stepped(np.broadcast_to(np.int64(1), (N,))), stepped([1] * N))
    force = np.broadcast_to(np.float32(0.5), (N, 1))
    assert_equal(stepped(force, "pendulum"), stepped(np.full((N, 1), 0.5, np.float32), "pendulum"))


def test_a_component_alone_may_lack_its_axis():
    forces = np.linspace(-2, 2, N, dtype=np.float32)
    assert_equal(stepped(forces, "pendulum"), stepped(forces[:, None], "pendulum"))


@pytest.mark.parametrize(
    "actions, kind, text",
    [
        (np.zeros(N - 1, dtype=np.int64), ValueError, r"shape \(5,\); expected \(6,\)"),
        (np.zeros(N + 1, dtype=np.int64), ValueError, r"shape \(7,\); expected \(6,\)"),
        (np.zeros((N, 2), dtype=np.int64), ValueError, r"shape \(6, 2\)"),
        (np.zeros((N, 1, 1), dtype=np.int64), ValueError, r"shape \(6, 1, 1\)"),
        ([[0], [1, 1]], ValueError, "actions"),
        (np.int64(1), TypeError, "is one action"),
        (1, TypeError, "is one action"),
        (None, TypeError, "None"),
        (np.zeros(N), TypeError, "float64; expected integers"),
        (np.zeros(N, dtype=bool), TypeError, "bool; expected integers"),
        (["0"] * N, TypeError, "expected integers"),
        (np.array([object()] * N), TypeError, "expected integers"),
        ([0, 1, 7, 0, 1, 0], ValueError, r"instance 2 of cartpole is 7.*from 0 to 1"),
        ([0, 1, 0, -1, 1, 0], ValueError, "instance 3 of cartpole is -1"),
        (np.full(N, 2**64 - 1, dtype=np.uint64), ValueError, "18446744073709551615"),
    ],
)
def test_refused(actions, kind, text):
    env = gallop.make_vec("cartpole", N)
    env.reset(seed=1)
    state = env.get_state()
    with pytest.raises(kind, match=text):
        env.step(actions)
    assert_equal(env.get_state(), state)
    assert_equal(env.step(CHOICES)[0], EXPECTED)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(value):
    env = gallop.make_vec("hopper", 3)
    env.reset(seed=0)
    state = env.get_state()
    actions = np.zeros((3, 3), dtype=np.float32)
    actions[1, 2] = value
    with pytest.raises(gallop.InvalidValue, match="instance 1 of hopper is .*component 2"):
        env.step(actions)
    assert_equal(env.get_state(), state)


def test_not_finite_but_flagged():
    env = gallop.make_vec("hopper", 3, nan="flag")
    env.reset(seed=0)
    actions = np.zeros((3, 3), dtype=np.float32)
    assert env.poll() == {"steps": 0, "nonfinite": None}
    actions[1, 2] = np.nan
    assert np.isnan(env.step(actions)[1]).tolist() == [False, True, False]
    assert env.poll() == {"steps": 1, "nonfinite": (1, 1)}


def test_bounds():
    """Beyond them actions are limited, unless that was not wanted."""
    most = np.ones((2, 3), dtype=np.float32)
    for clip in (True, False):
        a, b = (gallop.make_vec("hopper", 2, clip_actions=clip) for _ in range(2))
        a.reset(seed=0)
        b.reset(seed=0)
        rewards = a.step(most)[1], b.step(most * 2)[1]  # which the forces cost
        assert np.array_equal(*rewards) == clip

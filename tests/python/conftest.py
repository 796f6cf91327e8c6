"""Fixtures of the tests of the Python package. Run from anywhere, with gallop installed, or
PYTHONPATH=build/release/python."""

import gallop
import numpy as np
import pytest

MODES = ("next_step", "same_step", "disabled")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture(params=gallop.list_environments())
def environment(request):
    return request.param


@pytest.fixture
def cuda():
    """Skips, by name, where there is no CUDA device to test on."""
    torch = pytest.importorskip("torch", reason="tests on a CUDA device need torch")
    if not gallop.build_info()["cuda"]:
        pytest.skip("this build of gallop has no CUDA")
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device here")
    return "cuda"


def actions_of(env, count, seed=0):
    """Random actions [count] of the environment's space."""
    env.action_space.seed(seed)
    return [env.action_space.sample() for _ in range(count)]


def assert_equal(a, b):
    """Equal bits, types and shapes, in whatever nesting."""
    assert type(a) is type(b), (type(a), type(b))
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_equal(a[key], b[key])
    elif isinstance(a, (tuple, list)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            assert_equal(x, y)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert a.tobytes() == b.tobytes()
    else:
        assert a == b

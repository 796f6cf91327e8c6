"""What ``make`` and ``make_vec`` take, checked."""

from __future__ import annotations

import operator
import secrets
import sys
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from gallop import _core
from gallop._errors import InvalidValue
from gallop._registry import spec

SEED_END = 2**56
INSTANCE_SEED_END = 2**31
DEFAULTS: dict[str, Any] = {
    "num_envs": 1,
    "device": "cpu",
    "seed": None,
    "autoreset": "next_step",
    "max_episode_steps": None,
    "array": "auto",
    "copy": True,
    "num_threads": 0,
    "env_id_offset": 0,
    "clip_actions": True,
    "nan": "raise",
    "parameters": None,
    "randomize": None,
    "record_episodes": False,
    "terms": False,
    "render_mode": None,
    "render_envs": 4,
}
ARRAYS = ("auto", "numpy", "torch", "jax", "cupy", "dlpack")
_MODES = {
    "next_step": AutoresetMode.NEXT_STEP,
    "same_step": AutoresetMode.SAME_STEP,
    "disabled": AutoresetMode.DISABLED,
}
_NUMBERS = {
    AutoresetMode.NEXT_STEP: 0,
    AutoresetMode.SAME_STEP: 1,
    AutoresetMode.DISABLED: 2,
}


def autoreset_mode(given: Any) -> AutoresetMode:
    """Gymnasium's mode, from itself, its value ("NextStep") or our name ("next_step")."""
    if isinstance(given, AutoresetMode):
        return given
    if given in _MODES:
        return _MODES[given]
    for mode in AutoresetMode:
        if given == mode.value:
            return mode
    raise InvalidValue(
        f"autoreset is {given!r}; expected 'next_step', 'same_step', 'disabled' or an AutoresetMode"
    )


def whole(given: Any, name: str, low: int, end: int) -> int:
    """A whole number from ``low`` to below ``end``; TypeError for what is none."""
    try:
        if isinstance(given, (bool, np.bool_)):
            raise TypeError
        number = operator.index(given)
    except TypeError:
        raise TypeError(f"{name} is {given!r}; expected a whole number") from None
    if not low <= number < end:
        raise InvalidValue(f"{name} is {number}; expected {low} to {end - 1}")
    return number


def drawn_seed() -> int:
    """A seed that nothing determines."""
    return secrets.randbits(56)


def check_seed(seed: Any) -> int:
    return whole(seed, "seed", 0, SEED_END)


def array_kind(given: str, device: str) -> str:
    """The library whose arrays an environment gives, from ``array`` and the backend's name."""
    if given not in ARRAYS:
        raise InvalidValue(f"array is {given!r}; expected one of {', '.join(ARRAYS)}")
    if device == "cpu":
        if given == "cupy":
            raise InvalidValue("array is 'cupy', whose arrays are on a GPU, and the device is cpu")
        return "numpy" if given in ("auto", "dlpack") else given
    if given in ("auto", "torch", "dlpack"):
        if given == "auto" and "torch" not in sys.modules:
            raise InvalidValue(
                "a CUDA environment gives tensors of torch: import torch first, or array='torch'"
            )
        return "torch"
    raise InvalidValue(f"array is {given!r}; a CUDA environment gives tensors: expected 'torch'")


def time_limit(max_episode_steps: int | None) -> int:
    """As the C interface has it: 0 for the environment's own, -1 for none."""
    if max_episode_steps is None:
        return 0
    if max_episode_steps == -1:
        return -1
    return whole(max_episode_steps, "max_episode_steps", 1, 2**31)


def make_backend(device: str, num_threads: int) -> _core.Backend:
    """A backend of its own for each environment, so that environments run side by side."""
    if not isinstance(device, str):
        raise TypeError(f"device is {device!r}; expected 'cpu', 'cuda', 'cuda:1' or 'auto'")
    stream = 0
    if device.startswith("cuda") and "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            # Torch's default stream is the null stream, whose handle is 1 where 0 means none.
            stream = torch.cuda.current_stream(torch.device(device)).cuda_stream or 1
    threads = whole(num_threads, "num_threads", 0, 4097)
    return _core.Backend(device, threads, stream)


def make_batch(backend: _core.Backend, name: str, options: dict[str, Any]) -> _core.Batch:
    """The batch that checked options ask for, with its parameters."""
    nan = options["nan"]
    if nan not in ("raise", "flag"):
        raise InvalidValue(f"nan is {nan!r}; expected 'raise' or 'flag'")
    batch = _core.Batch(
        backend,
        name,
        {
            "n_envs": whole(options["num_envs"], "num_envs", 1, 2**28 + 1),
            "seed": check_seed(options["seed"]),
            "id_offset": whole(options["env_id_offset"], "env_id_offset", 0, 2**31),
            "time_limit": time_limit(options["max_episode_steps"]),
            "autoreset": _NUMBERS[autoreset_mode(options["autoreset"])],
            "clip_actions": bool(options["clip_actions"]),
            "check_actions": nan == "raise",
            "record_episodes": bool(options["record_episodes"]),
            "terms": bool(options["terms"]),
        },
    )
    ranges = {**(options["randomize"] or {})}
    both = sorted(set(options["parameters"] or {}) & set(ranges))
    if both:
        raise InvalidValue(f"{both[0]} is in parameters and in randomize; expected it in one of them")
    set_parameters(batch, name, options["parameters"] or {})
    randomize(batch, ranges)
    return batch


def drawn_range(key: str, given: Any) -> tuple[float, float, bool] | None:
    """(low, high, logarithmic) of ``("uniform", 0.4, 0.6)``, ``("log_uniform", 0.1, 10)`` or ``(0.4,
    0.6)``; None for None."""
    if given is None:
        return None
    kind = "uniform"
    parts = tuple(given) if isinstance(given, (tuple, list)) else ()
    if len(parts) == 3 and isinstance(parts[0], str):
        kind, *parts = parts
    if len(parts) != 2 or kind not in ("uniform", "log_uniform"):
        raise InvalidValue(
            f"the range of {key} is {given!r}; expected ('uniform', low, high), "
            "('log_uniform', low, high), (low, high), or None to stop"
        )
    try:
        low, high = (float(x) for x in parts)
    except (TypeError, ValueError):
        raise TypeError(f"the range of {key} is {given!r}; expected two numbers") from None
    return low, high, kind == "log_uniform"


def randomize(batch: _core.Batch, ranges: dict[str, Any]) -> None:
    """Has episodes draw parameters, all or none: where one is refused the others are as before."""
    asked = {key: drawn_range(key, given) for key, given in ranges.items()}
    before = {key: batch.range(key) for key in asked}  # refuses a name that there is not
    done: list[str] = []
    try:
        for key, range_ in asked.items():
            _set_range(batch, key, range_)
            done.append(key)
    except Exception:
        for key in done:
            _set_range(batch, key, drawn_range(key, before[key]))
        raise


def _set_range(batch: _core.Batch, key: str, range_: tuple[float, float, bool] | None) -> None:
    if range_ is None:
        batch.stop_randomizing(key)
    else:
        batch.randomize(key, *range_)


def set_parameters(
    batch: _core.Batch, name: str, values: dict[str, Any], mask: np.ndarray | None = None
) -> None:
    """Sets named parameters: a number for all instances, or one for each [N], where mask [N] is true.

    All or nothing: where one is refused those before it go back to what they were.
    """
    n_envs = batch.info()["n_envs"]
    known = [p.name for p in spec(name).parameters]
    undone: list[tuple[str, np.ndarray]] = []
    try:
        for key, value in values.items():
            before = batch.parameters(key) if key in known else None
            array = np.asarray(value, dtype=np.float64)
            if array.ndim == 0 and mask is None:
                batch.set_parameter(key, float(array))
            else:
                if array.shape not in ((), (n_envs,)):
                    raise InvalidValue(
                        f"{key} has the shape {array.shape}; expected a number or ({n_envs},)"
                    )
                each = np.broadcast_to(array, (n_envs,)).astype(np.float32)
                if mask is not None and before is not None:
                    each = np.where(mask, each, before)
                batch.set_parameters(key, np.ascontiguousarray(each))
            assert before is not None  # the engine refuses a name that it does not know
            undone.append((key, before))
    except Exception:
        for key, before in undone:
            if (before == before[0]).all():
                batch.set_parameter(key, float(before[0]))
            else:
                batch.set_parameters(key, before)
        raise

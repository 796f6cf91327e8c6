"""Actions of any kind as the arrays that the engine reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from gallop._errors import InvalidValue


def _to_numpy(actions: Any) -> np.ndarray:
    if isinstance(actions, np.ndarray):
        return actions
    kind = type(actions)
    if kind.__module__.partition(".")[0] == "torch":
        return actions.detach().cpu().numpy()
    if hasattr(actions, "__dlpack__") and not hasattr(actions, "__array__"):
        return np.from_dlpack(actions)
    try:
        return np.asarray(actions)
    except ValueError as error:
        raise InvalidValue(f"actions: {error}; expected one action for each instance") from None


def as_actions(actions: Any, is_discrete: bool, n_envs: int, rows: int) -> np.ndarray:
    """Actions as int64 [N] or float32 [N, A], from arrays of any strides and number types, tensors,
    lists and tuples.

    TypeError for a scalar, and for floats or booleans as discrete actions; InvalidValue (a
    ValueError) for another number of actions.
    """
    array = _to_numpy(actions)
    expected = f"({n_envs},)" if is_discrete else f"({n_envs}, {rows})"
    if array.ndim == 0:
        raise TypeError(
            f"actions: {actions!r} is one action; expected an array of shape {expected}, one for "
            "each instance"
        )
    if array.dtype == object or array.dtype.kind not in "iufb":
        raise TypeError(
            f"actions: an array of {array.dtype}; expected "
            + ("integers" if is_discrete else "numbers")
            + f" of shape {expected}"
        )
    if is_discrete and array.dtype.kind in "fb":
        raise TypeError(
            f"actions: an array of {array.dtype}; expected integers, since actions are discrete"
        )
    flat = rows == 1 and array.shape in ((n_envs,), (n_envs, 1))
    if not flat and array.shape != (n_envs, rows):
        raise InvalidValue(
            f"actions: an array of shape {array.shape}; expected {expected}, one action for each "
            "instance"
        )
    if is_discrete and array.dtype == np.uint64 and array.size and array.max() > 2**63 - 1:
        raise InvalidValue(f"actions: {array.max()} is no action")
    return np.ascontiguousarray(array, dtype=np.int64 if is_discrete else np.float32)

"""What ``reset`` is asked for. Texts of errors about masks and lists are those of Gymnasium."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from gallop._errors import InvalidValue
from gallop._options import INSTANCE_SEED_END, whole


def reset_mask(options: Any, n_envs: int) -> np.ndarray | None:
    """``options["reset_mask"]``, checked; None where there is none. The options stay as they are."""
    if options is None:
        return None
    unknown = set(options) - {"reset_mask"}
    if unknown:
        raise InvalidValue(f"options has {sorted(unknown)[0]!r}; expected 'reset_mask' or nothing")
    mask = options.get("reset_mask")
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"`options['reset_mask']` must be a numpy array, got {type(mask)}")
    if mask.shape != (n_envs,):
        raise InvalidValue(
            f"`options['reset_mask']` must have shape `({n_envs},)`, got {mask.shape}"
        )
    if mask.dtype != np.bool_:
        raise TypeError(f"`options['reset_mask']` must have `dtype=np.bool_`, got {mask.dtype}")
    if not np.any(mask):
        raise InvalidValue(
            "`options['reset_mask']` must contain a boolean array with at least one True value, "
            f"got reset_mask={mask}"
        )
    return np.ascontiguousarray(mask)


def instance_seeds(seed: Any, n_envs: int) -> np.ndarray:
    """Seeds of instances [N] as int64, below 2^31: those of a list, in which None draws one; or seed +
    i of a number."""
    if isinstance(seed, (int, np.integer)):
        seed = [int(seed) + i for i in range(n_envs)]
    try:
        given = list(seed)
    except TypeError:
        raise TypeError(f"seed is {seed!r}; expected a number or one for each instance") from None
    if len(given) != n_envs:
        raise InvalidValue(
            f"If seeds are passed as a list the length must match num_envs={n_envs} but got "
            f"length={len(given)}."
        )
    return np.array(
        [
            secrets.randbits(31) if s is None else whole(s, f"seed {i}", 0, INSTANCE_SEED_END)
            for i, s in enumerate(given)
        ],
        dtype=np.int64,
    )

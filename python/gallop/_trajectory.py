"""What a rollout recorded."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from gallop import _core
from gallop._errors import InvalidValue

FIELDS = (
    "obs",
    "action",
    "log_prob",
    "reward",
    "terminated",
    "truncated",
    "final_obs",
    "episode_return",
    "episode_length",
)


@dataclass
class Trajectory:
    """T steps of N instances. Row t of every array belongs to transition t.

    ``final_obs``, ``episode_return`` and ``episode_length`` are 0 where no episode ended. Arrays that
    were not asked for are None. ``obs`` and ``final_obs`` are views of memory in which instances are
    contiguous, [T + 1, O, N]: ``np.ascontiguousarray`` copies them into rows.
    """

    obs: Any = None
    """(T + 1, N, O) float32, or (T + 1, N) of states of a table."""
    action: Any = None
    """(T, N) int64, or (T, N, A) float32 as the policy gave it, not limited to the bounds."""
    log_prob: Any = None
    """(T, N) of that action; None of random ones."""
    reward: Any = None
    """(T, N) float32."""
    terminated: Any = None
    """(T, N) bool."""
    truncated: Any = None
    """(T, N) bool."""
    final_obs: Any = None
    """(T, N, O) what an episode ended with."""
    episode_return: Any = None
    """(T, N) float32."""
    episode_length: Any = None
    """(T, N) int32."""

    def numpy(self) -> Trajectory:
        """The same as arrays of NumPy."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Trajectory(
            **{
                name: value.cpu().numpy() if hasattr(value, "cpu") else value
                for name, value in values.items()
            }
        )


def _chosen(wanted: Any, with_policy: bool) -> list[str]:
    names = list(FIELDS) if wanted is None else list(wanted)
    for name in names:
        if name not in FIELDS:
            raise InvalidValue(f"there is no field {name!r}; expected some of {', '.join(FIELDS)}")
    if not with_policy and "log_prob" in names:
        if wanted is not None:
            raise InvalidValue("log_prob was asked for of random actions; expected a policy")
        names.remove("log_prob")
    return names


def record(
    batch: _core.Batch,
    policy: Any,
    n_steps: int,
    deterministic: bool,
    wanted: Any,
    zeros: Any,
) -> Trajectory:
    """Rolls out; ``zeros(shape, dtype)`` makes an array on the batch's device."""
    sizes = batch.info()
    n, t = sizes["n_envs"], n_steps
    o, a = sizes["observation_rows"], sizes["action_rows"]
    shapes = {
        "obs": ((t + 1, o, n), "float32", "observation"),
        "action": ((t, a, n), "float32", "action"),
        "log_prob": ((t, n), "float32", "log_prob"),
        "reward": ((t, n), "float32", "reward"),
        "terminated": ((t, n), "bool", "terminated"),
        "truncated": ((t, n), "bool", "truncated"),
        "final_obs": ((t, o, n), "float32", "final_observation"),
        "episode_return": ((t, n), "float32", "episode_return"),
        "episode_length": ((t, n), "int32", "episode_length"),
    }
    names = _chosen(wanted, policy is not None)
    made = {name: zeros(*shapes[name][:2]) for name in names}
    if "final_obs" in made and "obs" not in made:
        made["obs"] = zeros(*shapes["obs"][:2])
    batch.rollout(
        policy,
        deterministic,
        n_steps,
        {shapes[name][2]: address(array) for name, array in made.items()},
    )
    return Trajectory(**{name: _shaped(name, made[name], sizes) for name in names})


def _shaped(name: str, array: Any, sizes: dict[str, Any]) -> Any:
    """Instances before components; states and discrete actions as whole numbers."""
    if name in ("obs", "final_obs"):
        if sizes["discrete_observations"]:
            return _integers(array[:, 0, :])
        return array.swapaxes(1, 2)
    if name == "action":
        return _integers(array[:, 0, :]) if sizes["discrete_actions"] else array.swapaxes(1, 2)
    return array


def _integers(array: Any) -> Any:
    return array.astype(np.int64) if isinstance(array, np.ndarray) else array.long()


def address(array: Any) -> int:
    """Where an array's numbers are."""
    if isinstance(array, np.ndarray):
        return array.ctypes.data
    return array.data_ptr()

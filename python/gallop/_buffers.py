"""Arrays that an environment reads and writes in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

_NAMES = (
    "action",
    "obs",
    "reward",
    "terminated",
    "truncated",
    "final_obs",
    "episode_return",
    "episode_length",
)


class Buffers:
    """``action``, ``obs``, ``reward``, ``terminated``, ``truncated``, ``final_obs``, ``episode_return``
    and ``episode_length``, live: write actions, call ``advance``, read the rest.

    ``final_obs`` (in the mode same_step), ``episode_return`` and ``episode_length`` are written where an
    episode ended. They stay valid when the environment is closed.
    """

    action: Any
    obs: Any
    reward: Any
    terminated: Any
    truncated: Any
    final_obs: Any
    episode_return: Any
    episode_length: Any

    def __init__(self, arrays: dict[str, Any], same_step: bool, records: bool) -> None:
        self.__dict__.update(arrays)
        self._same_step, self._records = same_step, records
        self._views: dict[str, Any] = {}
        self._results: tuple[Any, ...] = ()

    def arrays(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _NAMES}

    def replace(self, given: dict[str, Any], bind: Callable[[dict[str, Any]], None]) -> None:
        bind(given)
        self.__dict__.update(given)
        self._views.clear()
        self._results = ()

    def view(self, name: str) -> Any:
        """The buffer as an array that can only be read."""
        if name not in self._views:
            view = np.asarray(getattr(self, name)).view()
            view.flags.writeable = False
            self._views[name] = view
        return self._views[name]

    def results(self, exported: Callable[[Any], Any]) -> tuple[Any, ...]:
        """What a step gives of them, in the environment's kind of arrays; made once."""
        if not self._results:
            names = ("obs", "reward", "terminated", "truncated")
            self._results = tuple(exported(self.view(name)) for name in names)
        return self._results

    def info(self, n_ended: int) -> dict[str, Any]:
        """Of a step in which episodes ended."""
        if not n_ended or not (self._same_step or self._records):
            return {}
        ended = np.logical_or(self.terminated, self.truncated)
        info: dict[str, Any] = {}
        if self._same_step:
            self.final_obs[~ended] = self.obs[~ended]
            info.update(final_obs=self.view("final_obs"), _final_obs=ended)
            info.update(final_info={}, _final_info=ended)
        if self._records:
            self.episode_return[~ended] = 0
            self.episode_length[~ended] = 0
            info["episode"] = {"r": self.view("episode_return"), "l": self.view("episode_length")}
            info["_episode"] = ended
        return info


def make_buffers(env: Any) -> Buffers:
    """Zeros of the environment's shapes, on its device."""
    zeros, n = env._zeros, env.num_envs
    sizes = env._core.info()
    if sizes["discrete_observations"]:
        observation = ((n,), "int64")
    else:
        observation = ((n, sizes["observation_rows"]), "float32")
    action = (
        ((n,), "int64") if sizes["discrete_actions"] else ((n, sizes["action_rows"]), "float32")
    )
    same_step = env.autoreset_mode is AutoresetMode.SAME_STEP
    arrays = {
        "action": zeros(*action),
        "obs": zeros(*observation),
        "reward": zeros((n,), "float32"),
        "terminated": zeros((n,), "bool"),
        "truncated": zeros((n,), "bool"),
        "final_obs": zeros(*observation) if same_step else None,
        "episode_return": zeros((n,), "float32"),
        "episode_length": zeros((n,), "int32"),
    }
    return Buffers(arrays, same_step, bool(env._arguments["record_episodes"]))

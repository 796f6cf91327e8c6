"""The interfaces of other libraries, over a vector environment."""

from __future__ import annotations

from typing import Any

import numpy as np

from gallop._errors import InvalidValue


class Adapted:
    """EnvPool's names, and the ways to Stable-Baselines3 and rsl_rl, for VectorEnv."""

    num_envs: int
    _core: Any
    _pending: Any

    def async_reset(self) -> None:
        """EnvPool's: a reset whose observations ``recv`` gives."""
        obs, info = self.reset()
        zeros = self._zeros((self.num_envs,), "float32")
        flags = self._zeros((self.num_envs,), "bool")
        self._pending = (obs, zeros, flags, flags, info)

    def send(self, action: Any, env_id: Any = None) -> None:
        """EnvPool's: a step of all instances."""
        if env_id is not None and not np.array_equal(env_id, np.arange(self.num_envs)):
            raise InvalidValue("env_id: a step is one of all instances; expected 0 to num_envs - 1")
        self.step_async(action)

    def recv(self) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """EnvPool's: what the last ``send`` or ``async_reset`` gave, with ``env_id`` in the info."""
        if self._pending is None:
            raise InvalidValue("recv() without send() or async_reset(); call one of them first")
        obs, reward, terminated, truncated, info = self.step_wait()
        length = self._core.episodes()[2]
        ids = np.arange(self.num_envs, dtype=np.int32)
        return obs, reward, terminated, truncated, {**info, "env_id": ids, "elapsed_step": length}

    def sb3(self) -> Any:
        """This environment as one of Stable-Baselines3, which has to be installed."""
        from gallop.sb3 import VecEnv

        return VecEnv(self)

    def rsl_rl(self) -> Any:
        """This environment as one of rsl_rl; it needs torch."""
        from gallop.rsl_rl import VecEnv

        return VecEnv(self)

"""Advantages and returns of recorded rollouts, by the engine's own recursions."""

from __future__ import annotations

from typing import Any

import numpy as np

from gallop import _core
from gallop._errors import InvalidValue

_backends: dict[tuple[str, int], _core.Backend] = {}


def gae(
    reward: Any, value: Any, terminated: Any, truncated: Any, final_value: Any = None, *,
    gamma: float, lam: float,
) -> tuple[Any, Any]:  # fmt: skip
    """Generalised advantage estimation: ``(advantage, target)``, each ``[T, N]`` float32.

    ``reward``, ``terminated``, ``truncated`` ``[T, N]`` (or ``[T]``) belong to transitions; ``value``
    ``[T + 1, N]`` to the observations before them and after the last one. ``final_value`` ``[T, N]`` is
    the value of the observation that an episode was truncated with; without it that counts as 0.
    Targets are advantages plus values. Arrays of NumPy, or torch tensors, which stay on their device.
    Equal bits on every device.

    Source: Schulman et al., arXiv:1506.02438, eq. 16.
    """
    arrays = _Recorded(reward, terminated, truncated, final_value)
    arrays.take("value", value, arrays.shape[0] + 1)
    advantage, target = arrays.give("advantage"), arrays.give("target")
    arrays.call(_core.gae, float(gamma), float(lam))
    return advantage, target


def discounted_returns(
    reward: Any, terminated: Any, truncated: Any, last_value: Any = None, final_value: Any = None, *,
    gamma: float,
) -> Any:  # fmt: skip
    """Discounted returns ``[T, N]`` from each step to the end of its episode or of the rollout.

    ``last_value`` ``[N]`` of the observations after the last step, and ``final_value`` ``[T, N]`` of
    those that episodes were truncated with, stand for what is cut off; without them that counts as 0.
    """
    arrays = _Recorded(reward, terminated, truncated, final_value)
    if last_value is not None:
        # Of [T + 1, N] values the last row alone is read.
        rows = arrays.empty((arrays.shape[0] + 1, arrays.shape[1]))
        rows[-1] = arrays.like(last_value, "last_value", (arrays.shape[1],))
        arrays.take("value", rows.reshape(-1, *arrays.tail), arrays.shape[0] + 1)
    returns = arrays.give("returns")
    arrays.call(_core.returns, float(gamma))
    return returns


class _Recorded:
    """Contiguous arrays of one device with their addresses."""

    def __init__(self, reward: Any, terminated: Any, truncated: Any, final_value: Any) -> None:
        self._torch = _is_tensor(reward)
        self._device = str(reward.device) if self._torch else "cpu"
        reward = reward if self._torch else np.asarray(reward)
        if reward.ndim not in (1, 2) or 0 in reward.shape:
            raise InvalidValue(f"reward has shape {tuple(reward.shape)}; expected (T, N) or (T,)")
        self.tail = tuple(reward.shape[1:])
        self.shape = (reward.shape[0], self.tail[0] if self.tail else 1)
        self._arrays: dict[str, Any] = {}
        self._addresses = {name: 0 for name in ("value", "final_value", "target")}
        self.take("reward", reward, self.shape[0])
        self.take("terminated", terminated, self.shape[0], flag=True)
        self.take("truncated", truncated, self.shape[0], flag=True)
        if final_value is not None:
            self.take("final_value", final_value, self.shape[0])

    def like(self, array: Any, name: str, shape: tuple[int, ...], flag: bool = False) -> Any:
        if self._torch:
            import torch

            made = torch.as_tensor(array, device=self._device)
            made = (made != 0 if flag else made).to(torch.uint8 if flag else torch.float32)
            made = made.detach().contiguous()
        else:
            made = np.asarray(array)
            made = np.ascontiguousarray(
                made != 0 if flag else made, np.uint8 if flag else np.float32
            )
        if tuple(made.shape) not in (shape, shape[:1] if not self.tail else shape):
            raise InvalidValue(f"{name} has shape {tuple(made.shape)}; expected {shape}")
        return made

    def take(self, name: str, array: Any, n_steps: int, flag: bool = False) -> None:
        self._keep(name, self.like(array, name, (n_steps, *self.tail), flag))

    def empty(self, shape: tuple[int, ...]) -> Any:
        if self._torch:
            import torch

            return torch.empty(shape, dtype=torch.float32, device=self._device)
        return np.empty(shape, np.float32)

    def give(self, name: str) -> Any:
        made = self.empty((self.shape[0], *self.tail))
        self._keep(name, made)
        return made

    def _keep(self, name: str, array: Any) -> None:
        self._arrays[name] = array
        self._addresses[name] = array.data_ptr() if self._torch else array.ctypes.data

    def call(self, function: Any, *factors: float) -> None:
        if self._device.startswith("cuda"):
            import torch

            # Torch's default stream is the null stream, whose handle is 1 where 0 means none.
            stream = torch.cuda.current_stream(self._device).cuda_stream or 1
        else:
            stream = 0
        key = (self._device, stream)
        if key not in _backends:
            _backends[key] = _core.Backend(self._device, 0, stream)
        function(_backends[key], self._addresses, *self.shape, *factors)


def _is_tensor(array: Any) -> bool:
    return type(array).__module__.partition(".")[0] == "torch"

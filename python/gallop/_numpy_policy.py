"""A policy in NumPy alone: arrays and a few lines of arithmetic, for reading, pickling and porting."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

_ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, np.float32(0)),
    "identity": lambda x: x,
}
MIN_LOG_STD, MAX_LOG_STD = -5.0, 2.0


@dataclasses.dataclass
class NumpyPolicy:
    """What :class:`gallop.Policy` does, in float32 arithmetic of NumPy, whose last bits are its own.

    ``layers`` are pairs of weights ``[inputs, outputs]`` and biases ``[outputs]``, or for a table one
    array ``[states, outputs]`` with no biases. ``log_std`` ``[A]`` is there for Gaussian heads whose
    deviation is a parameter.
    """

    head: str
    activation: str
    layers: list[tuple[np.ndarray, np.ndarray | None]]
    n_actions: int
    log_std: np.ndarray | None = None
    # Of squashed heads, whose actions are centre + half_range tanh(output): [A] each, and for the
    # deterministic one the deviation of its noise, in units of half_range.
    half_range: np.ndarray | None = None
    centre: np.ndarray | None = None
    noise: np.ndarray | None = None
    mean: np.ndarray | None = None
    inverse_std: np.ndarray | None = None
    limit: float = 0.0
    action_low: np.ndarray | None = None
    action_high: np.ndarray | None = None
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def is_discrete(self) -> bool:
        return self.head == "categorical"

    @property
    def is_tabular(self) -> bool:
        return self.layers[0][1] is None

    def outputs(self, observation: np.ndarray) -> np.ndarray:
        """Outputs of the network ``[n, outputs]`` for observations ``[n, O]``, states ``[n]`` of a table."""
        if self.is_tabular:
            return self.layers[0][0][np.asarray(observation, np.int64)]
        x = np.asarray(observation, np.float32)
        if self.mean is not None:
            assert self.inverse_std is not None
            x = np.clip((x - self.mean) * self.inverse_std, -self.limit, self.limit)
        for weight, bias in self.layers[:-1]:
            x = _ACTIVATIONS[self.activation](x @ weight + bias)
        weight, bias = self.layers[-1]
        return x @ weight + bias

    def __call__(self, observation: np.ndarray) -> np.ndarray:
        """The most probable action, or the mean; as :meth:`gallop.Policy.__call__`."""
        rows, single = self._rows(observation)
        out = self.outputs(rows)
        action = out.argmax(1) if self.is_discrete else self._squashed(out[:, : self.n_actions])
        return action[0] if single else action

    def _squashed(self, u: np.ndarray, noise: np.ndarray | float = 0.0) -> np.ndarray:
        if self.half_range is None:
            return u
        return self.centre + self.half_range * np.clip(np.tanh(u) + np.asarray(noise, np.float32), -1, 1)

    def sample(self, observation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """An action that is drawn by NumPy's generator."""
        rows, single = self._rows(observation)
        out = self.outputs(rows)
        if self.is_discrete:
            action = (out + rng.gumbel(size=out.shape)).argmax(1)
        else:
            action = out[:, : self.n_actions]
            noise: np.ndarray | float = 0.0
            if self.head == "squashed_deterministic":
                noise = self.noise * rng.standard_normal(action.shape, np.float32)
            elif self.head != "deterministic":
                log_std = out[:, self.n_actions :] if self.log_std is None else self.log_std
                std = np.exp(np.clip(log_std, MIN_LOG_STD, MAX_LOG_STD))
                action = action + std * rng.standard_normal(action.shape, np.float32)
            action = self._squashed(action, noise)
        return action[0] if single else action

    def clip(self, action: np.ndarray) -> np.ndarray:
        """Limits a continuous action to the environment's bounds, as the environment itself does."""
        if self.action_low is None:
            return action
        return np.clip(action, self.action_low, self.action_high)

    def _rows(self, observation: np.ndarray) -> tuple[np.ndarray, bool]:
        x = np.asarray(observation)
        single = x.ndim == (0 if self.is_tabular else 1)
        return (x[None] if single else x), single

"""Gymnasium's spaces of an environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from gallop._registry import Component, EnvironmentSpec


def _box(components: tuple[Component, ...]) -> spaces.Box:
    low = np.array([c.low for c in components], dtype=np.float32)
    high = np.array([c.high for c in components], dtype=np.float32)
    return spaces.Box(low, high, dtype=np.float32)


def observation_space(spec: EnvironmentSpec, sizes: dict[str, Any]) -> spaces.Space:
    """That of one instance; `sizes` are those of its batch, which parameters can choose."""
    if spec.discrete_observations:
        return spaces.Discrete(sizes["observation_size"])
    return _box(spec.observation[: sizes["observation_size"]])


def action_space(spec: EnvironmentSpec, sizes: dict[str, Any]) -> spaces.Space:
    if spec.discrete_actions:
        return spaces.Discrete(sizes["action_size"])
    return _box(spec.action[: sizes["action_size"]])

"""Names: what the engine calls an environment, what Gymnasium does, and specifications."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gymnasium

from gallop import _core
from gallop._errors import UnknownName

NAMESPACE = "gallop"


@dataclass(frozen=True)
class Component:
    """A named number of an observation or an action, with its bounds."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class Parameter:
    """A named parameter of an environment: its default, its range, its unit."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    help: str
    whole: bool


@dataclass(frozen=True)
class EnvironmentSpec:
    """What an environment declares of itself."""

    name: str
    id: str
    """Its id in Gymnasium's registry."""
    aliases: tuple[str, ...]
    source: str
    """What it reproduces, with version."""
    time_limit: int
    """Steps; 0 for none."""
    time_step: float
    """Seconds between two steps, 0 where there is no such number."""
    reward_threshold: float | None
    discrete_observations: bool
    discrete_actions: bool
    observation_size: int
    action_size: int
    observation: tuple[Component, ...]
    action: tuple[Component, ...]
    state_names: tuple[str, ...]
    term_names: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    table_capacity: int


def _gymnasium_id(name: str, aliases: tuple[str, ...]) -> str:
    for alias in aliases:
        if "-v" in alias:
            return f"{NAMESPACE}/{alias}"
    camel = "".join(part.capitalize() for part in name.split("_"))
    return f"{NAMESPACE}/{camel}-v0"


@lru_cache(maxsize=None)
def _spec(name: str) -> EnvironmentSpec:
    given: dict[str, Any] = _core.environment_spec(name)
    aliases = tuple(a.strip() for a in given["aliases"].split(",") if a.strip())
    threshold = given["reward_threshold"]
    return EnvironmentSpec(
        name=given["name"],
        id=_gymnasium_id(given["name"], aliases),
        aliases=aliases,
        source=given["source"],
        time_limit=given["time_limit"],
        time_step=given["time_step"],
        reward_threshold=None if threshold != threshold else threshold,
        discrete_observations=given["discrete_observations"],
        discrete_actions=given["discrete_actions"],
        observation_size=given["observation_size"],
        action_size=given["action_size"],
        observation=tuple(Component(*row) for row in given["observation"]),
        action=tuple(Component(*row) for row in given["action"]),
        state_names=tuple(given["state_names"]),
        term_names=tuple(given["term_names"]),
        parameters=tuple(Parameter(**row) for row in given["parameters"]),
        table_capacity=given["table_capacity"],
    )


def resolve(id: str) -> str:
    """The engine's name of ``"cartpole"``, ``"CartPole-v1"`` or ``"gallop/CartPole-v1"``.

    Raises UnknownName with the nearest names where there is no such environment.
    """
    if not isinstance(id, str):
        raise TypeError(f"the environment is {id!r}; expected its name or id as a string")
    bare = id.removeprefix(f"{NAMESPACE}:").removeprefix(f"{NAMESPACE}/")
    try:
        return _core.environment_spec(bare)["name"]
    except UnknownName:
        for name in list_environments():
            if spec(name).id == f"{NAMESPACE}/{bare}":
                return name
        raise


def spec(id: str) -> EnvironmentSpec:
    """The specification of an environment, by any of its names."""
    known = set(_core.environment_names())
    return _spec(id if id in known else resolve(id))


def list_environments() -> list[str]:
    """Names of all environments, of plugins too."""
    return list(_core.environment_names())


def list_algorithms() -> list[str]:
    """Names of all algorithms that ``train`` has."""
    return list(_core.algorithm_names())


def register_environments() -> None:
    """Registers what Gymnasium's registry lacks: at import, and after a plugin was loaded."""
    for name in list_environments():
        known = spec(name)
        if known.id in gymnasium.registry:
            continue
        gymnasium.register(
            id=known.id,
            entry_point="gallop._env:registered_env",
            vector_entry_point="gallop._vector_env:registered_vector_env",
            max_episode_steps=known.time_limit or None,
            reward_threshold=known.reward_threshold,
            kwargs={"environment": name},
        )


def load_plugin(path: str) -> list[str]:
    """Loads environments that ``gallop_add_plugin()`` of the CMake package compiled.

    Every function knows them from then on, and Gymnasium's registry their ids. Returns their names.
    Raises UnknownName where the file cannot be loaded, is no plugin, was built for another Gallop, or
    where a name is taken.
    """
    before = set(list_environments())
    _core.load_plugin(str(path))
    register_environments()
    return [name for name in list_environments() if name not in before]

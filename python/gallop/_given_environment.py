"""An environment that is given by a name, or as one of ours."""

from __future__ import annotations

from typing import Any

from gallop._registry import resolve


def environment_name(environment: Any) -> str:
    """Its name in the engine."""
    if isinstance(environment, str):
        return resolve(environment)
    made = getattr(environment, "unwrapped", environment)
    name = getattr(made, "name", getattr(made, "_name", None))
    if isinstance(name, str):
        return resolve(name)
    raise TypeError(
        f"the environment is of type {type(environment).__name__}; expected a name, or an environment "
        "that gallop.make, gallop.make_vec or gallop.mdp made"
    )


def environment_sizes(environment: Any, spec: dict[str, Any]) -> tuple[int, int]:
    """Of observations and actions: of the environment where one is given, else by its defaults."""
    made = getattr(environment, "unwrapped", environment)
    if hasattr(made, "sizes"):
        return made.sizes
    spaces = [
        getattr(made, f"single_{kind}_space", getattr(made, f"{kind}_space", None))
        for kind in ("observation", "action")
    ]
    if None in spaces:
        return spec["observation_size"], spec["action_size"]
    first, second = (int(s.n) if hasattr(s, "n") else int(s.shape[0]) for s in spaces)
    return first, second

"""What the C interface's enumerations of policies are called, in their order."""

from __future__ import annotations

from typing import Sequence

from gallop._errors import InvalidValue

NETWORKS = ("mlp", "tabular")
ACTIVATIONS = ("tanh", "relu", "identity")
HEADS = (
    "categorical", "gaussian", "gaussian_network", "deterministic", "squashed_gaussian",
    "squashed_deterministic",
)  # fmt: skip


def number_of(value: str, names: Sequence[str], what: str) -> int:
    """The place of a name in an enumeration of the C interface."""
    if value in names:
        return names.index(value)
    raise InvalidValue(f"{what} is {value!r}; expected one of {', '.join(names)}")

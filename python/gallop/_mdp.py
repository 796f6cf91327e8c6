"""Tabular Markov decision processes of arrays."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Any, ClassVar, Sequence

import numpy as np

from gallop import _core
from gallop._errors import InvalidValue


@dataclasses.dataclass(frozen=True)
class Mdp:
    """A process of S states and A actions; :func:`gallop.mdp` makes one.

    Takes the place of an environment's name in :func:`gallop.make_vec`, :func:`gallop.train` and
    :meth:`gallop.Policy.mlp`.
    """

    name: ClassVar[str] = "mdp"  #: of the engine's environment
    P: np.ndarray  #: [S, A, S] probabilities of the next state
    R: np.ndarray  #: [S, A] rewards
    start: np.ndarray  #: [S] probabilities of the first state
    terminal: tuple[int, ...] = ()  #: states whose arrival ends the episode
    horizon: int = 0  #: steps until truncation, 0 for none

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of states and of actions."""
        return self.P.shape[:2]

    @property
    def text(self) -> str:
        """The file that describes it, which ``gallop train mdp --file`` takes."""
        number = lambda x: repr(float(x))  # noqa: E731
        lines = [f"states {self.sizes[0]}", f"actions {self.sizes[1]}"]
        if self.horizon:
            lines.append(f"horizon {self.horizon}")
        lines.append("start " + " ".join(map(number, self.start)))
        for s in range(self.sizes[0]):
            for a in range(self.sizes[1]):
                row = " ".join(map(number, self.P[s, a]))
                lines.append(f"step {s} {a} {number(self.R[s, a])} {row}")
        lines += [f"terminal {s}" for s in self.terminal]
        return "\n".join(lines) + "\n"

    def make_vec(self, num_envs: int = 1, **options: Any) -> Any:
        """Instances of it as a vector environment, by the options of :func:`gallop.make_vec`."""
        from gallop._vector_env import make_vec

        states, actions = self.sizes
        sizes = {"n_states": states, "n_actions": actions}
        env = make_vec(
            self.name, num_envs, **{"max_episode_steps": self.horizon or -1, **options},
            parameters={**sizes, **(options.pop("parameters", None) or {})},
        )  # fmt: skip
        env.set_table(self.table())
        return env

    def save(self, path: str | os.PathLike[str]) -> Path:
        Path(path).write_text(self.text)
        return Path(path)

    def training_parameters(self) -> dict[str, Any]:
        """What a run of the environment ``mdp`` is given, which keeps a copy of the file."""
        from gallop import _environments

        folder = _environments._cache(None) / "mdp"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(self.text.encode()).hexdigest()[:24]}.mdp"
        if not path.exists():
            part = path.with_suffix(f".{os.getpid()}")
            part.write_text(self.text)
            part.rename(path)
        return {"file": path}

    def table(self) -> np.ndarray:
        """As the engine reads it, in float32."""
        return np.frombuffer(_core.read_mdp(self.text)[3], np.float32).copy()

    def values(self, policy: np.ndarray, gamma: float = 1.0) -> np.ndarray:
        """Exact values ``[S]`` of a policy ``[S, A]`` of probabilities: over ``horizon`` steps where there
        is one, else for ever, which takes a gamma below 1."""
        end = np.ones(self.sizes[0])
        end[list(self.terminal)] = 0
        step = np.einsum("sa,sat->st", policy, self.P) * end
        reward = (policy * self.R).sum(1)
        if not self.horizon:
            if not gamma < 1:
                raise InvalidValue(f"gamma is {gamma}; expected below 1 without a horizon")
            return np.linalg.solve(np.eye(len(end)) - gamma * step, reward)
        value = np.zeros(len(end))
        for _ in range(self.horizon):
            value = reward + gamma * step @ value
        return value


def mdp(
    P: Any, R: Any, start: Any = 0, horizon: int | None = None, terminal: Sequence[int] = ()
) -> Mdp:
    """A tabular Markov decision process from arrays: ``P`` ``[S, A, S]`` probabilities of the next
    state, ``R`` ``[S, A]`` rewards, ``start`` a state or probabilities ``[S]``, ``horizon`` steps until
    truncation (none: episodes end in ``terminal`` states alone). Up to 64 states and 16 actions."""
    P, R = np.array(P, np.float64), np.array(R, np.float64)
    if P.ndim != 3 or P.shape[0] != P.shape[2] or P.size == 0:
        raise InvalidValue(f"P has shape {P.shape}; expected (states, actions, states)")
    if R.shape != P.shape[:2]:
        raise InvalidValue(
            f"R has shape {R.shape}; expected {P.shape[:2]}, a reward of each state and action"
        )
    first = np.array(start, np.float64)
    if first.ndim == 0:
        state = int(first)
        if not 0 <= state < len(P) or state != first:
            raise InvalidValue(f"start is {start}; expected a state from 0 to {len(P) - 1}")
        first = np.eye(len(P))[state]
    if first.shape != P.shape[:1]:
        raise InvalidValue(f"start has shape {first.shape}; expected {P.shape[:1]} or one state")
    if horizon is not None and horizon < 1:
        raise InvalidValue(f"horizon is {horizon}; expected at least 1, or None for none")
    made = Mdp(P, R, first, tuple(int(s) for s in terminal), int(horizon or 0))
    _core.read_mdp(made.text)  # refuses what is no process, and names the line
    for array in (made.P, made.R, made.start):
        array.setflags(write=False)
    return made

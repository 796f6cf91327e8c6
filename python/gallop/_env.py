"""A single environment, as a batch of one."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from gallop import _core, _options, _spaces
from gallop._errors import InvalidValue
from gallop._registry import resolve, spec
from gallop._vector_env import FRAME

_DEFAULTS: dict[str, Any] = {
    "device": "cpu",
    "seed": None,
    "max_episode_steps": None,
    "env_id_offset": 0,
    "clip_actions": True,
    "nan": "raise",
    "parameters": None,
    "randomize": None,
    "render_mode": None,
}


class Env(gymnasium.Env):
    """One instance with Gymnasium's interface, made by ``gallop.make``: the same numbers as instance 0
    of a vector environment. A step costs about as much as one of 64 instances."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 30}

    def __init__(self, environment: str, **options: Any) -> None:
        unknown = sorted(set(options) - set(_DEFAULTS))
        if unknown:
            raise TypeError(
                f"make() has no option {unknown[0]!r}; expected some of {', '.join(_DEFAULTS)}"
            )
        self._arguments = {**_DEFAULTS, **options}
        self._name = resolve(environment)
        if self._arguments["render_mode"] not in (None, "rgb_array"):
            raise InvalidValue(
                f"render_mode is {self._arguments['render_mode']!r}; expected 'rgb_array' or None"
            )
        self._closed = False
        self._make()
        known, sizes = spec(self._name), self._core.info()
        self.observation_space = _spaces.observation_space(known, sizes)
        self.action_space = _spaces.action_space(known, sizes)
        self.render_mode = self._arguments["render_mode"]
        fps = round(1 / known.time_step) if known.time_step > 0 else 30
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": fps}
        self._is_discrete = known.discrete_actions
        self._term_names = known.term_names

    def _make(self) -> None:
        arguments = self._arguments
        self._backend = _options.make_backend(arguments["device"], 1)
        if self._backend.name != "cpu":
            raise InvalidValue("a single environment runs on the CPU; make_vec has device='cuda'")
        self._core = _options.make_batch(
            self._backend,
            self._name,
            {
                **arguments,
                "num_envs": 1,
                "autoreset": "disabled",
                "record_episodes": False,
                "terms": True,
                "seed": _options.drawn_seed() if arguments["seed"] is None else arguments["seed"],
            },
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins the next episode; with a seed (0 to 2^56 - 1) the first one under it.

        Returns (observation, {}). Equal seeds give equal episodes.
        """
        if options:
            raise InvalidValue(f"options has {sorted(options)[0]!r}; expected none")
        super().reset(seed=seed)
        if self._closed:
            self._make()
            self._closed = False
        self._core.reset(None if seed is None else _options.check_seed(seed))
        return self._core.observe()[0], {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One step: (observation, reward, terminated, truncated, info). Afterwards an episode that
        ended stands still until ``reset``."""
        if self._is_discrete:
            actions = np.asarray(action).reshape(-1)
        else:
            actions = np.asarray(action, dtype=np.float32).reshape(1, -1)
        obs, reward, terminated, truncated, info = self._core.step(actions)
        terms = {name: float(info[name][0]) for name in self._term_names if name in info}
        return obs[0], float(reward[0]), bool(terminated[0]), bool(truncated[0]), terms

    def render(self) -> np.ndarray | None:
        """A picture [360, 480, 3]; None without render_mode."""
        if self.render_mode is None:
            return None
        height, width = FRAME
        pixels = np.frombuffer(self._core.draw(0, width, height), dtype=np.uint8)
        return pixels.reshape(height, width, 3).copy()

    def close(self) -> None:
        """Gives the memory back. A later ``reset`` makes the instance anew, as checkers of single
        environments do; any other call raises ClosedEnvironment."""
        self._closed = True
        self._core.close()

    def get_state(self) -> np.ndarray:
        """The state [S], in the order of ``spec(...).state_names``; a copy."""
        return self._core.state()[:, 0].copy()

    def set_state(self, state: Any) -> None:
        """Sets the state [S]; the episode's time and return begin at 0."""
        self._core.set_state(np.ascontiguousarray(state, dtype=np.float32).reshape(-1))

    def __getstate__(self) -> dict[str, Any]:
        kept = dict(self.__dict__)
        del kept["_backend"], kept["_core"]
        kept["_snapshot"] = None if self._closed else self._core.snapshot()
        return kept

    def __setstate__(self, state: dict[str, Any]) -> None:
        snapshot = state.pop("_snapshot")
        self.__dict__.update(state)
        self._make()
        if snapshot is None:
            self._core.close()
        else:
            self._core.restore(snapshot)

    def __repr__(self) -> str:
        return f"gallop.Env({self._name!r})"


def make(id: str, **options: Any) -> Env:
    """One instance of an environment, by any of its names; options as of ``make_vec``."""
    return Env(id, **options)


def registered_env(environment: str, **options: Any) -> Env:
    """What Gymnasium's registry calls, whose wrapper counts the time limit."""
    return Env(environment, **{"max_episode_steps": -1, **options})

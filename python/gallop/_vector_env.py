"""Vector environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv as GymnasiumVectorEnv
from gymnasium.vector.utils import batch_space

from gallop import _core, _options, _spaces
from gallop._adapters import Adapted
from gallop._buffers import Buffers, make_buffers
from gallop._errors import InvalidValue
from gallop._registry import resolve, spec
from gallop._reset import instance_seeds, reset_mask
from gallop._trajectory import Trajectory, record

FRAME = (360, 480)  # height and width of a picture


class VectorEnv(Adapted, GymnasiumVectorEnv):
    """N instances of an environment that step together; made by ``gallop.make_vec``.

    Everything is a pure function of parameters, seed and actions: equal bits for any number of
    threads, any split of the instances by ``env_id_offset``, and any device.
    """

    def __init__(self, environment: str, **options: Any) -> None:
        unknown = sorted(set(options) - set(_options.DEFAULTS))
        if unknown:
            raise TypeError(
                f"make_vec() has no option {unknown[0]!r}; expected some of {', '.join(_options.DEFAULTS)}"
            )
        self._arguments = {**_options.DEFAULTS, **options}
        self._name = resolve(environment)
        self._seed = self._arguments["seed"]
        if self._seed is not None:
            self._seed = _options.check_seed(self._seed)
        if self._arguments["render_mode"] not in (None, "rgb_array"):
            raise InvalidValue(
                f"render_mode is {self._arguments['render_mode']!r}; expected 'rgb_array' or None"
            )
        self._make()
        self._set_spaces()

    def _make(self) -> None:
        """What is not pickled: the backend and the batch on it."""
        arguments = self._arguments
        self._backend = _options.make_backend(arguments["device"], arguments["num_threads"])
        self._array = _options.array_kind(arguments["array"], self._backend.name)
        seed = _options.drawn_seed() if self._seed is None else self._seed
        self._core = _options.make_batch(self._backend, self._name, {**arguments, "seed": seed})
        self._buffers: Buffers | None = None
        self._pending: Any = None
        self._is_plain = self._array == "numpy" and bool(arguments["copy"])

    def _set_spaces(self) -> None:
        arguments, known, sizes = self._arguments, spec(self._name), self._core.info()
        self.num_envs = sizes["n_envs"]
        self.single_observation_space = _spaces.observation_space(known, sizes)
        self.single_action_space = _spaces.action_space(known, sizes)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.render_mode = arguments["render_mode"]
        self.metadata = {
            "autoreset_mode": _options.autoreset_mode(arguments["autoreset"]),
            "render_modes": ["rgb_array"],
            "render_fps": round(1 / known.time_step) if known.time_step > 0 else 30,
        }
        self.time_limit: int = sizes["time_limit"]
        self.observation_names = tuple(c.name for c in known.observation)
        self.action_names = tuple(c.name for c in known.action)
        self.state_names, self.term_names = known.state_names, known.term_names
        self.parameter_names = tuple(p.name for p in known.parameters)

    def _sizes(self) -> tuple[Any, Any]:
        known, sizes = spec(self._name), self._core.info()
        return (
            _spaces.observation_space(known, sizes).shape,
            _spaces.action_space(known, sizes).shape,
        )

    @property
    def name(self) -> str:
        """The engine's name of the environment."""
        return self._name

    @property
    def device(self) -> str:
        """``"cpu"`` or ``"cuda"``."""
        return self._backend.name

    @property
    def autoreset_mode(self) -> AutoresetMode:
        return self.metadata["autoreset_mode"]

    @property
    def seed(self) -> int:
        """Of the random numbers that instances draw; instance i is number env_id_offset + i."""
        return self._core.info()["seed"]

    @property
    def np_random_seed(self) -> Any:
        """The seed, or those of the instances where the last reset gave each its own."""
        return self.seed if self._np_random_seed is None else self._np_random_seed

    @property
    def np_random(self) -> np.random.Generator:
        """A generator of NumPy for wrappers, begun with the seed; instances draw from counters."""
        if self._np_random is None:
            self._np_random = np.random.default_rng(self.seed)
        return self._np_random

    @np_random.setter
    def np_random(self, value: np.random.Generator) -> None:
        self._np_random = value

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins the next episode of every instance, or of those in ``options["reset_mask"]``.

        With a seed (0 to 2^56 - 1) everything begins anew: equal seeds give equal episodes, instance i
        drawing from (seed, env_id_offset + i). A list gives each instance a seed of its own, below
        2^31, and so does a seed with a mask, seed + i. Without one, the first reset takes that of
        ``make_vec`` or draws one, which ``seed`` tells, and later ones go on.
        Returns (observations, {}).
        """
        mask = reset_mask(options, self.num_envs)
        if seed is not None and not isinstance(seed, (int, np.integer)) or (
            seed is not None and mask is not None
        ):
            seeds = instance_seeds(seed, self.num_envs)
            self._core.reset_seeds(seeds, mask)
            if mask is None:
                self._np_random_seed = tuple(seeds.tolist())  # type: ignore[assignment]
        elif mask is not None:
            self._core.reset_where(self._on_device(mask))
        elif seed is not None:
            self._core.reset(_options.check_seed(seed))
            self._np_random, self._np_random_seed = None, None
        else:
            self._core.reset()
        return self.observation(), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One step of every instance: (observations, rewards, terminated, truncated, info).

        Rewards are float32 [N], flags bool [N]; both may be set. ``info`` is empty but where an
        episode ended: then, in the mode same_step, ``final_obs`` [N, O] and ``_final_obs`` [N] say what
        it ended with, and with ``record_episodes``, ``episode`` has ``r`` and ``l``.
        InvalidValue (a ValueError) for an action that is none, or not finite, with its instance; then
        nothing has changed. TypeError for arrays of another kind.
        """
        if self._is_plain:
            return self._core.step(actions)
        return self._step_into(actions)

    def step_async(self, actions: Any) -> None:
        """Puts a step on the way; ``step_wait`` gives what it gave. On CUDA nothing waits."""
        self._pending = self.step(actions)

    def step_wait(self, timeout: float | None = None) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        if self._pending is None:
            raise InvalidValue("step_wait() without step_async(); call that first")
        result, self._pending = self._pending, None
        return result

    def observation(self) -> Any:
        """Observations now, [N, O] or [N]. Changes nothing."""
        if self._backend.name != "cpu":
            from gallop import _cuda

            return _cuda.observe(self)
        if self._arguments["copy"]:
            return self._exported(self._core.observe())
        self._core.observe_into(self.buffers.obs)
        return self._exported(self.buffers.view("obs"))

    def _step_into(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        if self._backend.name != "cpu":
            from gallop import _cuda

            return _cuda.step(self, actions)
        if self._arguments["copy"]:
            *arrays, info = self._core.step(actions)
            return (*(self._exported(a) for a in arrays), self._exported_info(info))
        buffers = self.buffers
        n_ended = self._core.step_bound(actions)
        info = self._exported_info(buffers.info(n_ended)) if n_ended else {}
        return (*buffers.results(self._exported), info)

    def _exported(self, array: np.ndarray) -> Any:
        """The array as one of the library that was asked for, without a copy."""
        if self._array == "numpy":
            return array
        if self._array == "torch":
            import torch

            return torch.from_numpy(array)
        import jax

        return jax.dlpack.from_dlpack(array)

    def _exported_info(self, info: dict[str, Any]) -> dict[str, Any]:
        if self._array == "numpy" or not info:
            return info
        return {
            key: self._exported_info(value) if isinstance(value, dict) else self._exported(value)
            for key, value in info.items()
        }

    @property
    def buffers(self) -> Buffers:
        """The arrays that ``advance`` reads and writes, at the same places for ever."""
        if self._buffers is None:
            self._buffers = make_buffers(self)
            self._core.bind(self._buffers.arrays())
        return self._buffers

    def bind(self, **arrays: Any) -> None:
        """Has ``advance`` read ``action`` and write ``obs``, ``reward``, ... from and to these arrays.

        Arrays of any library with DLPack or buffers, in the memory of the environment's device. They
        are kept alive; None writes that output no more. What is not named stays as it is.
        """
        self.buffers.replace(arrays, self._core.bind)

    def advance(self) -> int:
        """A step over the bound arrays, without any object of Python made: how many episodes ended.

        On CUDA it waits for nothing, and gives -1; it is put on the stream that was torch's current one
        when the environment was made.
        """
        return self._core.advance()

    def rollout(
        self,
        policy: Any = None,
        num_steps: int = 128,
        *,
        deterministic: bool = False,
        fields: Sequence[str] | None = None,
    ) -> Trajectory:
        """T steps in one call, under a policy or, where it is None, uniformly random actions.

        Needs autoreset="same_step": episodes follow one another. ``fields`` are those of Trajectory
        that are wanted, all where it is None.
        """
        n_steps = _options.whole(num_steps, "num_steps", 1, 2**31)
        acting = None if policy is None else policy._on(self._backend)
        if self._backend.name == "cpu":
            return record(self._core, acting, n_steps, deterministic, fields, self._zeros)
        from gallop import _cuda

        with _cuda.in_order(self):
            return record(self._core, acting, n_steps, deterministic, fields, self._zeros)

    def _on_device(self, mask: np.ndarray) -> Any:
        if self._backend.name == "cpu":
            return mask
        from gallop import _cuda

        return _cuda.mask(self, mask)

    def _zeros(self, shape: tuple[int, ...], dtype: str) -> Any:
        if self._backend.name != "cpu":
            from gallop import _cuda

            return _cuda.zeros(self, shape, dtype)
        if self._array == "torch":
            import torch

            return torch.zeros(shape, dtype=getattr(torch, dtype))
        return np.zeros(shape, dtype=dtype)

    @property
    def parameters(self) -> Mapping[str, float | np.ndarray]:
        """Values of the named parameters: a number, or [N] where instances differ."""
        values: dict[str, float | np.ndarray] = {}
        for name in self.parameter_names:
            each = self._core.parameters(name)
            values[name] = float(each[0]) if (each == each[0]).all() else each
        return values

    def set_parameters(self, mask: Any = None, **values: Any) -> None:
        """Sets parameters, all or none: a number, or one for each instance [N], where ``mask`` is true.

        They take effect at the next step; sizes can be set by ``make_vec`` alone.
        """
        chosen = None if mask is None else reset_mask({"reset_mask": mask}, self.num_envs)
        _options.set_parameters(self._core, self._name, values, chosen)

    def randomize(self, **ranges: Any) -> None:
        """Has every episode draw parameters anew: ``length=("uniform", 0.4, 0.6)``, ``("log_uniform",
        0.1, 10)``, or ``(0.4, 0.6)``; None stops that, and the value from before holds again.

        From the next step on, in the running episodes too. What is drawn is a function of the seed, the
        instance's id and the number of its episode: equal on every device and for any split of the
        batch. ``parameters`` has what the present episodes drew; it cannot be set meanwhile. All or
        none; UnknownName for no parameter, InvalidValue for a range that it cannot have.
        """
        _options.randomize(self._core, ranges)

    @property
    def ranges(self) -> Mapping[str, tuple[str, float, float]]:
        """What the parameters that episodes draw are drawn from: ``("uniform", low, high)``."""
        found = {name: self._core.range(name) for name in self.parameter_names}
        return {name: range_ for name, range_ in found.items() if range_ is not None}

    def set_table(self, table: Any) -> None:
        """The shared table of an environment that has one, as float32 [table_capacity]."""
        self._core.set_table(np.ascontiguousarray(table, dtype=np.float32).reshape(-1))

    def get_state(self) -> np.ndarray:
        """States [N, S] float32, in the order of ``state_names``; a copy."""
        return np.ascontiguousarray(self._core.state().T)

    def set_state(self, state: Any) -> None:
        """Sets the states [N, S]; episodes keep their numbers, and begin their time and return at 0."""
        array = np.asarray(state, dtype=np.float32)
        expected = (self.num_envs, len(self.state_names))
        if array.shape != expected:
            raise InvalidValue(f"the state has the shape {array.shape}; expected {expected}")
        self._core.set_state(np.ascontiguousarray(array.T).reshape(-1))

    def state_dict(self) -> dict[str, np.ndarray]:
        """All of the batch, from which it goes on bit for bit, on another device too.

        ``snapshot`` is an array of bytes: seeds, counters, states, parameters.
        """
        return {"snapshot": np.frombuffer(self._core.snapshot(), dtype=np.uint8)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes back a state_dict() of the same environment, number of instances and autoreset mode.

        CheckpointError for any other; then nothing has changed.
        """
        self._core.restore(np.asarray(state["snapshot"], dtype=np.uint8).tobytes())
        if self._sizes() != (self.single_observation_space.shape, self.single_action_space.shape):
            self._set_spaces()  # parameters chose others

    def episodes(self) -> dict[str, np.ndarray]:
        """Of the running episodes: ``number``, ``return``, ``length`` and whether it ``ended`` [N]."""
        return dict(zip(("number", "return", "length", "ended"), self._core.episodes()))

    def poll(self) -> dict[str, Any]:
        """``steps`` since the seed was set, and ``nonfinite``: None, or the (instance, step) that first
        met a number which is not finite. Waits for the device."""
        return {"steps": self._core.info()["time"], "nonfinite": self._core.nonfinite()}

    def synchronize(self) -> None:
        """Waits for the device."""
        self._backend.synchronize()

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Pictures [360, 480, 3] of the first ``render_envs`` instances; None without render_mode."""
        if self.render_mode is None:
            return None
        height, width = FRAME
        count = min(self.num_envs, self._arguments["render_envs"])
        return tuple(
            np.frombuffer(self._core.draw(i, width, height), dtype=np.uint8)
            .reshape(height, width, 3)
            .copy()
            for i in range(count)
        )

    def close_extras(self, **kwargs: Any) -> None:
        self._core.close()
        self._buffers = None

    def __getstate__(self) -> dict[str, Any]:
        kept = dict(self.__dict__)
        for name in ("_backend", "_core", "_buffers", "_pending"):
            del kept[name]
        kept["_snapshot"] = None if self.closed else self._core.snapshot()
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
        return f"gallop.VectorEnv({self._name!r}, num_envs={self.num_envs}, device={self.device!r})"


def make_vec(id: str, num_envs: int = 1, **options: Any) -> VectorEnv:
    """N instances of an environment, by any of its names: "cartpole", "CartPole-v1".

    Options: ``device`` "cpu", "cuda", "cuda:1" or "auto"; ``seed`` of the first reset; ``autoreset``
    "next_step", "same_step", "disabled" or Gymnasium's AutoresetMode; ``max_episode_steps`` in place of
    the environment's time limit, -1 for none; ``array`` "auto", "numpy", "torch" or "jax": whose arrays
    steps give; ``copy`` False for the same arrays at each step, read-only; ``num_threads`` of the CPU,
    0 for all; ``env_id_offset`` for a part of a larger batch; ``clip_actions`` False for continuous
    actions beyond their bounds; ``nan`` "flag" for rewards NaN in place of errors; ``parameters`` of the
    environment; ``randomize``, a dict of ranges that episodes draw them from (``VectorEnv.randomize``);
    ``record_episodes`` for returns and lengths in the info; ``terms`` for the parts of the
    reward there; ``render_mode`` "rgb_array", of the first ``render_envs`` instances.
    """
    return VectorEnv(id, num_envs=num_envs, **options)


def registered_vector_env(environment: str, **options: Any) -> VectorEnv:
    """What Gymnasium's registry calls."""
    return VectorEnv(environment, **options)

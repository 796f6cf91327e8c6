"""A vector environment as one of Stable-Baselines3. Imported by ``env.sb3()``."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv as BaseVecEnv

from gallop._errors import InvalidValue


class VecEnv(BaseVecEnv):
    """What Stable-Baselines3 trains on: ``PPO("MlpPolicy", gallop.make_vec(..., autoreset="same_step").sb3())``.

    Its seeds are ours: ``seed(s)`` begins everything anew at the next reset, instance i drawing from
    (s, i). A list of N information dicts is made at each step, which costs more than the step itself.
    """

    def __init__(self, env: Any) -> None:
        if env.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise InvalidValue(
                f"the environment's mode is {env.autoreset_mode.value}; Stable-Baselines3 needs "
                "make_vec(..., autoreset='same_step')"
            )
        if env._array != "numpy":
            raise InvalidValue(f"arrays are of {env._array}; Stable-Baselines3 takes array='numpy'")
        self.env = env
        self.render_mode = env.render_mode
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
        self.metadata = env.metadata

    def reset(self) -> np.ndarray:
        seed = self._seeds[0]
        obs, _ = self.env.reset(seed=seed)
        self.reset_infos = [{} for _ in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return obs

    def step_async(self, actions: np.ndarray) -> None:
        self.env.step_async(actions)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        obs, reward, terminated, truncated, info = self.env.step_wait()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        dones = terminated | truncated
        for i in np.flatnonzero(dones):
            infos[i]["terminal_observation"] = info["final_obs"][i]
            infos[i]["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
        for name in self.env.term_names:
            if name in info:
                for one, value in zip(infos, info[name]):
                    one[name] = float(value)
        return obs, reward, dones, infos

    def close(self) -> None:
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        value = getattr(self.env, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        if len(list(self._get_indices(indices))) != self.num_envs:
            raise InvalidValue(f"{attr_name} belongs to all instances; expected indices=None")
        setattr(self.env, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Calls the method of the whole batch, once; its result for each of the indices."""
        result = getattr(self.env, method_name)(*method_args, **method_kwargs)
        return [result for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> list[np.ndarray]:
        return list(self.env.render() or [])

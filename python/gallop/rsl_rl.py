"""A vector environment as one of rsl_rl. Imported by ``env.rsl_rl()``; it needs torch and tensordict."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium.vector import AutoresetMode
from rsl_rl.env import VecEnv as BaseVecEnv
from tensordict import TensorDict

from gallop._errors import InvalidValue


class VecEnv(BaseVecEnv):
    """What ``rsl_rl.runners.OnPolicyRunner`` trains on: continuous actions, autoreset="same_step".

    Observations are a TensorDict with the group ``policy``; ``extras["time_outs"]`` are truncations,
    and ``extras["log"]`` has the mean return and length of the episodes that ended.
    """

    def __init__(self, env: Any) -> None:
        if env.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise InvalidValue(
                f"the environment's mode is {env.autoreset_mode.value}; rsl_rl needs "
                "make_vec(..., autoreset='same_step')"
            )
        if len(env.single_action_space.shape) != 1:
            raise InvalidValue(f"{env.name} has discrete actions; rsl_rl has continuous ones alone")
        self.env = env
        self.num_envs = env.num_envs
        self.num_actions = env.single_action_space.shape[0]
        self.max_episode_length = env.time_limit or 2**31 - 1
        self.device = torch.device(env._arguments["device"].replace("auto", env.device))
        self.episode_length_buf = torch.zeros(env.num_envs, dtype=torch.long, device=self.device)
        self.cfg: dict[str, Any] = {"environment": env.name, **env._arguments}
        self._observation, _ = env.reset()

    def get_observations(self) -> TensorDict:
        return self._group(self._observation)

    def reset(self) -> tuple[TensorDict, dict[str, Any]]:
        self._observation, _ = self.env.reset()
        self.episode_length_buf.zero_()
        return self.get_observations(), {}

    def step(
        self, actions: torch.Tensor
    ) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        obs, reward, terminated, truncated, info = self.env.step(actions.detach())
        self._observation = obs
        reward, terminated, truncated = map(torch.as_tensor, (reward, terminated, truncated))
        dones = terminated | truncated
        self.episode_length_buf += 1
        self.episode_length_buf[dones] = 0
        extras: dict[str, Any] = {"time_outs": truncated & ~terminated}
        if "episode" in info:
            ended = torch.as_tensor(info["_episode"])
            extras["log"] = {
                "/episode/return": torch.as_tensor(info["episode"]["r"])[ended].mean(),
                "/episode/length": torch.as_tensor(info["episode"]["l"])[ended].float().mean(),
            }
        return self._group(obs), reward, dones.long(), extras

    def _group(self, obs: Any) -> TensorDict:
        tensor = torch.as_tensor(obs, device=self.device)
        return TensorDict({"policy": tensor}, batch_size=[self.num_envs], device=self.device)

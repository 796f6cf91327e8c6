"""Environments on a CUDA device, whose arrays are tensors of torch. Nothing here waits."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import torch
from gymnasium.vector import AutoresetMode

from gallop._errors import InvalidValue


def _device(env: Any) -> torch.device:
    given = env._arguments["device"]
    return torch.device(given if given.startswith("cuda") else "cuda")


@contextmanager
def in_order(env: Any):
    """What torch's current stream was given comes first, and what it is given later comes after."""
    own = torch.cuda.ExternalStream(env._backend.stream, device=_device(env))
    current = torch.cuda.current_stream(_device(env))
    if own.cuda_stream == (current.cuda_stream or 1):  # the null stream's handle
        yield
        return
    own.wait_stream(current)
    yield
    current.wait_stream(own)


def mask(env: Any, chosen: Any) -> torch.Tensor:
    """A mask [N] of the host on the device, there when this returns."""
    on_device = torch.as_tensor(chosen, device=_device(env))
    torch.cuda.current_stream(_device(env)).synchronize()
    return on_device


def zeros(env: Any, shape: tuple[int, ...], dtype: str) -> torch.Tensor:
    return torch.zeros(shape, dtype=getattr(torch, dtype), device=_device(env))


def _empty_like_buffers(env: Any) -> dict[str, torch.Tensor]:
    names = ["obs", "reward", "terminated", "truncated"]
    if env.autoreset_mode is AutoresetMode.SAME_STEP:
        names.append("final_obs")
    if env._arguments["record_episodes"]:
        names += ["episode_return", "episode_length"]
    return {name: torch.empty_like(getattr(env.buffers, name)) for name in names}


def observe(env: Any) -> torch.Tensor:
    obs = torch.empty_like(env.buffers.obs)
    with in_order(env):
        env._core.observe_into(obs)
    return obs


def actions_of(env: Any, actions: Any) -> torch.Tensor:
    """Actions as the kernels read them; those of the host are copied."""
    like = env.buffers.action
    tensor = torch.as_tensor(actions, device=like.device)
    if like.dtype == torch.int64 and (tensor.is_floating_point() or tensor.dtype == torch.bool):
        raise TypeError(f"actions: {tensor.dtype}; expected integers, since actions are discrete")
    tensor = tensor.to(like.dtype)
    if tensor.shape != like.shape:
        if tensor.numel() != like.numel() or tensor.shape[:1] != like.shape[:1]:
            raise InvalidValue(f"actions: shape {tuple(tensor.shape)}; expected {tuple(like.shape)}")
        tensor = tensor.reshape(like.shape)
    return tensor.contiguous()


def step(env: Any, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
    """As VectorEnv.step. Since nothing waits for it whether episodes ended, the information has its
    keys at each step; an action that is none gives the reward NaN, which ``poll`` tells."""
    given = actions_of(env, actions)
    if env._arguments["copy"]:
        arrays = _empty_like_buffers(env)
    else:
        arrays = {k: v for k, v in env.buffers.arrays().items() if v is not None and k != "action"}
    env._core.bind(arrays)
    with in_order(env):
        env._core.step_bound(given)
    env._core.bind(env.buffers.arrays())
    ended = arrays["terminated"] | arrays["truncated"]
    info: dict[str, Any] = {}
    if "final_obs" in arrays and env.autoreset_mode is AutoresetMode.SAME_STEP:
        final = arrays["final_obs"]
        rows = ended.reshape(-1, *[1] * (final.ndim - 1))
        final = torch.where(rows, final, arrays["obs"])
        info.update(final_obs=final, _final_obs=ended, final_info={}, _final_info=ended)
    if env._arguments["record_episodes"]:
        info["episode"] = {
            "r": torch.where(ended, arrays["episode_return"], 0),
            "l": torch.where(ended, arrays["episode_length"], 0),
        }
        info["_episode"] = ended
    return arrays["obs"], arrays["reward"], arrays["terminated"], arrays["truncated"], info

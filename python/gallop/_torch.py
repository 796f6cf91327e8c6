"""Policies as modules of PyTorch, and back. Imported where it is asked for: it imports torch."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

try:
    import torch
    from torch import nn
except ImportError as error:
    raise ImportError(f"this needs PyTorch ({error}): pip install torch") from error

from gallop import _core
from gallop._errors import InvalidValue
from gallop._given_environment import environment_name
from gallop._numpy_policy import MAX_LOG_STD, MIN_LOG_STD, NumpyPolicy

_ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "identity": nn.Identity}


class TorchPolicy(nn.Module):
    """A policy as a module: ``forward`` gives what exported files give, the most probable action or
    the mean, limited to the environment's bounds; weights and ``log_std`` are parameters."""

    def __init__(self, policy: NumpyPolicy) -> None:
        super().__init__()
        self.head = policy.head
        self.activation = policy.activation
        self.n_actions = policy.n_actions
        self.is_tabular = policy.is_tabular
        self.limit = float(policy.limit)
        tensor = lambda x: None if x is None else torch.tensor(x)  # noqa: E731
        self.register_buffer("mean", tensor(policy.mean))
        self.register_buffer("inverse_std", tensor(policy.inverse_std))
        self.register_buffer("action_low", tensor(policy.action_low))
        self.register_buffer("action_high", tensor(policy.action_high))
        self.register_buffer("half_range", tensor(policy.half_range))
        self.register_buffer("centre", tensor(policy.centre))
        self.register_buffer("noise", tensor(policy.noise))
        self.log_std = None if policy.log_std is None else nn.Parameter(tensor(policy.log_std))
        if self.is_tabular:
            self.net: nn.Module = nn.Embedding.from_pretrained(
                torch.tensor(policy.layers[0][0]), freeze=False
            )
            return
        modules: list[nn.Module] = []
        for weight, bias in policy.layers:
            if modules:
                modules.append(_ACTIVATIONS[policy.activation]())
            linear = nn.Linear(*weight.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(weight.T))
                linear.bias.copy_(torch.tensor(bias))
            modules.append(linear)
        self.net = nn.Sequential(*modules)

    def outputs(self, observation: torch.Tensor) -> torch.Tensor:
        """Outputs of the network: logits, or means (and log sigma behind them)."""
        x = observation
        if self.mean is not None:
            x = ((x - self.mean) * self.inverse_std).clamp(-self.limit, self.limit)
        return self.net(x)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        out = self.outputs(observation)
        if self.head == "categorical":
            return out.argmax(dim=-1)
        action = out[..., : self.n_actions]
        if self.half_range is not None:
            action = self.centre + self.half_range * action.tanh()
        if self.action_low is not None:
            action = torch.minimum(torch.maximum(action, self.action_low), self.action_high)
        return action

    def distribution(self, observation: torch.Tensor) -> torch.distributions.Distribution:
        """Of the action, for losses and sampling."""
        out = self.outputs(observation)
        if self.head == "categorical":
            return torch.distributions.Categorical(logits=out)
        if self.head in ("deterministic", "squashed_deterministic"):
            raise InvalidValue("a deterministic policy has no distribution")
        log_std = out[..., self.n_actions :] if self.log_std is None else self.log_std
        std = log_std.clamp(MIN_LOG_STD, MAX_LOG_STD).exp()
        normal = torch.distributions.Normal(out[..., : self.n_actions], std)
        if self.half_range is not None:
            transforms = [
                torch.distributions.TanhTransform(cache_size=1),
                torch.distributions.AffineTransform(self.centre, self.half_range),
            ]
            normal = torch.distributions.TransformedDistribution(normal, transforms)
        return torch.distributions.Independent(normal, 1)


def policy_of(
    cls: Any, module: nn.Module, environment: Any, *, log_std: Any, deviation: str, device: str,
    threads: int,
) -> Any:  # fmt: skip
    """A Policy of a module's layers (Policy.from_torch)."""
    normalization = action_range = None
    if isinstance(module, TorchPolicy):
        if module.is_tabular:
            return _of_table(cls, module, environment, device, threads)
        head, activation = module.head, module.activation
        if module.mean is not None:
            normalization = (_host(module.mean), _host(module.inverse_std), module.limit)
        if module.log_std is not None:
            log_std = module.log_std
        if module.half_range is not None:
            numbers = (module.half_range, module.centre, module.noise)
            action_range = [_host(x) for x in numbers if x is not None]
        layers, _ = _layers_of(module.net)
    else:
        layers, activation = _layers_of(module)
        heads = {"parameter": "gaussian", "network": "gaussian_network", "none": "deterministic"}
        if deviation not in heads:
            raise InvalidValue(f"deviation is {deviation!r}; expected {', '.join(heads)}")
        spec = _core.environment_spec(environment_name(environment))
        head = "categorical" if spec["discrete_actions"] else heads[deviation]
    return cls.from_layers(
        layers, activation=activation, head=head,
        log_std=_host(log_std) if isinstance(log_std, torch.Tensor) else log_std,
        action_range=action_range, normalization=normalization, environment=environment,
        device=device, threads=threads,
    )  # fmt: skip


def _of_table(cls: Any, module: TorchPolicy, environment: Any, device: str, threads: int) -> Any:
    table = _host(module.net.weight)
    flat = [table.ravel()] + ([] if module.log_std is None else [_host(module.log_std)])
    return cls._make(
        network="tabular", activation=module.activation, head=module.head,
        n_actions=module.n_actions, widths=table.shape, parameters=np.concatenate(flat),
        environment=None if environment is None else environment_name(environment), device=device,
        threads=threads,
    )  # fmt: skip


def _host(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def _layers_of(module: nn.Module) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    """Weights [inputs, outputs] with biases, and the activation between the layers."""
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    between: list[str] = []  # the activation before each further layer
    pending: str | None = None
    names = {kind: name for name, kind in _ACTIVATIONS.items()}
    for leaf in module.modules():
        if next(leaf.children(), None) is not None:
            continue
        if isinstance(leaf, nn.Linear):
            if layers:
                between.append(pending or "identity")
            pending = None
            weight = _host(leaf.weight).T
            bias = np.zeros(weight.shape[1], np.float32) if leaf.bias is None else _host(leaf.bias)
            layers.append((weight, bias))
        elif type(leaf) in names:
            if names[type(leaf)] != "identity":
                if pending is not None or not layers:
                    raise InvalidValue(
                        f"{leaf} stands where no layer of a policy has an activation"
                    )
                pending = names[type(leaf)]
        else:
            raise InvalidValue(
                f"the module has a layer {leaf}; expected Linear, Tanh, ReLU and Identity alone"
            )
    if not layers:
        raise InvalidValue("the module has no Linear layer; expected at least one")
    if pending is not None:
        raise InvalidValue(f"the module ends with {pending}; expected a Linear layer")
    if len(set(between)) > 1:
        raise InvalidValue(
            f"activations are {', '.join(between)}; expected the same between all layers"
        )
    return layers, between[0] if between else "tanh"


def write_torchscript(policy: Any, path: Path) -> Path:
    """Traces the module; the batch's size stays free."""
    from gallop import _onnx

    module = policy.to_torch().eval()
    example = torch.from_numpy(_onnx.observations(policy, 3))
    with torch.no_grad(), warnings.catch_warnings():
        # PyTorch advises torch.export, whose files LibTorch does not read without a compiler.
        warnings.filterwarnings("ignore", message=".*torch.jit", category=FutureWarning)
        traced = torch.jit.trace(module, example)
        traced.save(str(path))
    return path


def act_on_device(
    policy: Any, observation: Any, options: dict[str, Any], with_log_prob: bool
) -> Any:
    """Policy._act where the policy is on a GPU: tensors of that device in and out."""
    if not isinstance(observation, torch.Tensor) or not observation.is_cuda:
        raise InvalidValue(
            f"the policy is on {policy.device}, and the observations are {type(observation).__name__} "
            "on the host; expected a torch tensor on that device"
        )
    single = observation.ndim == (0 if policy.is_tabular else 1)
    rows = observation[None] if single else observation
    rows = rows.long() if policy.is_tabular else rows.float()
    n, where = len(rows), rows.device
    action = (
        torch.empty(n, dtype=torch.int64, device=where) if policy.is_discrete
        else torch.empty(n, policy.metadata["n_actions"], device=where)
    )  # fmt: skip
    log_prob = torch.empty(n, device=where) if with_log_prob else None
    if n > 0:
        torch.cuda.current_stream(where).synchronize()
        policy._core.act(rows.detach(), options, action, log_prob)
        policy._core.backend.synchronize()
    if single:
        return action[0], None if log_prob is None else log_prob[0]
    return action, log_prob

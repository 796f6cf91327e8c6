"""Policies: loaded, made, asked for actions, exported."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from gallop import _core
from gallop._errors import InvalidValue
from gallop._given_environment import environment_name, environment_sizes
from gallop._numpy_policy import NumpyPolicy
from gallop._options import check_seed
from gallop._policy_names import ACTIVATIONS, HEADS, NETWORKS, number_of


class Policy:
    """A policy of a run, or one of one's own, with the bits that it has in rollouts.

    Calls take observations ``[n, O]`` or a single one ``[O]`` (states ``[n]`` or one state for a table)
    and give actions ``[n]`` as int64, or ``[n, A]`` as float32. One thread at a time.
    """

    def __init__(self, core: _core.Policy) -> None:
        self._core = core
        self._info = core.info()
        self._elsewhere: dict[int, tuple[Any, _core.Policy]] = {}
        self.seed = 0  #: of the actions that `sample` and `predict` draw
        self._step = 0

    @classmethod
    def mlp(
        cls,
        environment: Any,
        hidden: Sequence[int] = (64, 64),
        activation: str = "tanh",
        *,
        seed: int = 0,
        log_std: float = 0.0,
        deviation: str = "parameter",
        device: str = "cpu",
        threads: int = 0,
    ) -> Policy:
        """A network that has learnt nothing, for an environment or its name: what a run of that seed
        begins with. Environments whose observations are states of a table get a table.

        ``deviation`` of continuous actions: ``"parameter"`` (the same in all states, ``log_std`` at
        first), ``"network"`` (outputs of the network), or ``"none"`` (the outputs are the action).
        """
        name = environment_name(environment)
        spec = _core.environment_spec(name)
        sizes = environment_sizes(environment, spec)
        heads = {"parameter": "gaussian", "network": "gaussian_network", "none": "deterministic"}
        if deviation not in heads:
            raise InvalidValue(f"deviation is {deviation!r}; expected {', '.join(heads)}")
        head = "categorical" if spec["discrete_actions"] else heads[deviation]
        n_out = sizes[1] * (2 if head == "gaussian_network" else 1)
        table = spec["discrete_observations"]
        widths = [sizes[0], *([] if table else hidden), n_out]
        return cls._make(
            network="tabular" if table else "mlp", activation=activation, head=head,
            n_actions=sizes[1], widths=widths, parameters=None, seed=seed, log_std=log_std,
            environment=name, device=device, threads=threads,
        )  # fmt: skip

    @classmethod
    def from_layers(
        cls,
        layers: Sequence[tuple[np.ndarray, np.ndarray]],
        *,
        activation: str = "tanh",
        head: str,
        log_std: np.ndarray | float = 0.0,
        action_range: Sequence[np.ndarray] | None = None,
        normalization: tuple[np.ndarray, np.ndarray, float] | None = None,
        environment: Any = None,
        device: str = "cpu",
        threads: int = 0,
    ) -> Policy:
        """A policy of weights ``[inputs, outputs]`` and biases ``[outputs]``.

        ``head``: ``"categorical"``, ``"gaussian"`` (with ``log_std`` ``[A]``), ``"gaussian_network"``
        or ``"deterministic"``; or one of bounded actions, ``"squashed_gaussian"`` or
        ``"squashed_deterministic"``, with ``action_range``: half the range ``[A]``, its centre ``[A]``,
        and for the latter the deviation ``[A]`` of its noise. ``normalization``: mean ``[O]``, 1 / standard deviation ``[O]``, and the
        limit of what comes out.
        """
        widths, flat = [], []
        for k, (weight, bias) in enumerate(layers):
            weight, bias = np.asarray(weight, np.float32), np.asarray(bias, np.float32)
            if weight.ndim != 2 or bias.shape != (weight.shape[1],):
                raise InvalidValue(
                    f"layer {k} has weights {weight.shape} and biases {bias.shape}; expected "
                    "(inputs, outputs) and (outputs,)"
                )
            if widths and widths[-1] != weight.shape[0]:
                raise InvalidValue(
                    f"layer {k} takes {weight.shape[0]} inputs; expected {widths[-1]}"
                )
            widths += [weight.shape[1]] if widths else list(weight.shape)
            flat += [weight.ravel(), bias]
        if not widths:
            raise InvalidValue("a policy of no layers; expected at least one")
        gives_log_std = head in ("gaussian_network", "squashed_gaussian")
        n_actions = widths[-1] // 2 if gives_log_std else widths[-1]
        n_numbers = {"squashed_gaussian": 2, "squashed_deterministic": 3}.get(head, 0)
        if len(action_range or ()) != n_numbers:
            raise InvalidValue(
                f"action_range has {len(action_range or ())} arrays; expected {n_numbers} for "
                f"the head {head}: half the range, its centre, and the deviation of noise"
            )
        for numbers in action_range or ():
            flat.append(np.broadcast_to(np.asarray(numbers, np.float32), (n_actions,)))
        if head == "gaussian":
            flat.append(np.broadcast_to(np.asarray(log_std, np.float32), (n_actions,)))
        return cls._make(
            network="mlp", activation=activation, head=head, n_actions=n_actions, widths=widths,
            parameters=np.concatenate(flat), normalization=normalization,
            environment=None if environment is None else environment_name(environment),
            device=device, threads=threads,
        )  # fmt: skip

    @classmethod
    def _make(
        cls, *, network: str, activation: str, head: str, n_actions: int, widths: Sequence[int],
        parameters: np.ndarray | None, seed: int = 0, log_std: float = 0.0,
        normalization: tuple[np.ndarray, np.ndarray, float] | None = None,
        environment: str | None = None, device: str = "cpu", threads: int = 0,
    ) -> Policy:  # fmt: skip
        mean, inverse_std, limit = normalization if normalization is not None else (None, None, 0.0)
        vector = lambda x: None if x is None else np.ascontiguousarray(x, np.float32)  # noqa: E731
        options = {
            "network": number_of(network, NETWORKS, "network"),
            "activation": number_of(activation, ACTIVATIONS, "activation"),
            "head": number_of(head, HEADS, "head"),
            "n_actions": int(n_actions),
            "widths": np.asarray(widths, np.int32),
            "parameters": vector(parameters),
            "seed": check_seed(seed),
            "log_std": float(log_std),
            "mean": vector(mean),
            "inverse_std": vector(inverse_std),
            "limit": float(limit),
            "environment": environment,
        }
        return cls(_core.Policy(_core.Backend(device, threads), options))

    # ---- What it is ----------------------------------------------------------------------------

    @property
    def device(self) -> str:
        return self._core.backend.name

    @property
    def environment(self) -> str | None:
        """The engine's name of the environment that it is for, where it knows one."""
        return self._info["environment"]

    @property
    def is_discrete(self) -> bool:
        return HEADS[self._info["head"]] == "categorical"

    @property
    def is_tabular(self) -> bool:
        return NETWORKS[self._info["network"]] == "tabular"

    @property
    def metadata(self) -> dict[str, Any]:
        """What it is and where it is from: environment, algorithm, checkpoint, steps, shape."""
        info = dict(self._info)
        info["network"] = NETWORKS[info["network"]]
        info["activation"] = ACTIVATIONS[info["activation"]]
        info["head"] = HEADS[info["head"]]
        return info

    @property
    def parameters(self) -> np.ndarray:
        """A copy of the flat parameters ``[D]``; setting it checks them and takes them over."""
        return self._core.parameters()

    @parameters.setter
    def parameters(self, values: Any) -> None:
        self._core.set_parameters(np.ascontiguousarray(values, np.float32))
        self._elsewhere.clear()

    @property
    def normalization(self) -> tuple[np.ndarray, np.ndarray, float] | None:
        """(mean ``[O]``, 1 / standard deviation ``[O]``, limit) of what it observes, or ``None``."""
        found = self._core.normalization()
        return None if found is None else (*found, float(self._info["limit"]))

    @property
    def layers(self) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Weights ``[inputs, outputs]`` and biases ``[outputs]`` of each layer; a table without biases."""
        flat, widths = self.parameters, self._info["widths"]
        if self.is_tabular:
            return [(flat[: widths[0] * widths[1]].reshape(widths), None)]
        layers: list[tuple[np.ndarray, np.ndarray | None]] = []
        for n_in, n_out in zip(widths, widths[1:]):
            weight, flat = flat[: n_in * n_out].reshape(n_in, n_out), flat[n_in * n_out :]
            layers.append((weight, flat[:n_out]))
            flat = flat[n_out:]
        return layers

    @property
    def log_std(self) -> np.ndarray | None:
        """Log of the standard deviations ``[A]`` where they are parameters, else ``None``."""
        if HEADS[self._info["head"]] != "gaussian":
            return None
        return self.parameters[-self._info["n_actions"] :]

    @property
    def action_range(self) -> tuple[np.ndarray, ...] | None:
        """Half the range, the centre (and the deviation of noise) of a squashed head, ``[A]`` each."""
        count = {"squashed_gaussian": 2, "squashed_deterministic": 3}.get(HEADS[self._info["head"]])
        if count is None:
            return None
        return tuple(np.split(self.parameters[-count * self._info["n_actions"] :], count))

    @property
    def action_bounds(self) -> tuple[np.ndarray, np.ndarray] | None:
        """(low ``[A]``, high ``[A]``) of continuous actions in its environment, where that is known."""
        if self._info["action_low"] is None:
            return None
        return np.float32(self._info["action_low"]), np.float32(self._info["action_high"])

    # ---- Acting --------------------------------------------------------------------------------

    def __call__(self, observation: Any) -> Any:
        """The most probable action, or the mean: what ``gallop eval`` does. Not limited to the
        environment's bounds, which the environment does itself."""
        return self._act(observation, sample=False, with_log_prob=False)[0]

    def sample(
        self, observation: Any, *, seed: int | None = None, step: int | None = None,
        episode: int = 0, id_offset: int = 0,
    ) -> tuple[Any, Any]:  # fmt: skip
        """Draws actions; returns them with their log-probabilities ``[n]``.

        Equal arguments give equal draws: those that instance ``id_offset + i`` of a rollout of this
        seed has in that step of its episode. Without ``step`` each call takes the next one.
        """
        if step is None:
            step = self._step
            self._step += 1
        return self._act(
            observation, sample=True, with_log_prob=True,
            seed=check_seed(self.seed if seed is None else seed), step=step, episode=episode,
            id_offset=id_offset,
        )  # fmt: skip

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, Any]:  # fmt: skip
        """The signature of Stable-Baselines3's models: ``(action, state)``, the action limited to the
        environment's bounds."""
        action = self(observation) if deterministic else self.sample(observation)[0]
        action = action.cpu().numpy() if hasattr(action, "cpu") else action  # of a CUDA device
        bounds = self.action_bounds
        if bounds is not None:
            action = np.clip(action, *bounds)
        return np.asarray(action), state

    def _on(self, backend: _core.Backend) -> _core.Policy:
        """The same on another backend, for rollouts there; kept as long as the parameters are."""
        if backend is self._core.backend:
            return self._core
        kept = self._elsewhere.get(id(backend))
        if kept is None or kept[0] is not backend:
            info, normalization = self._info, self._core.normalization()
            mean, inverse_std = normalization if normalization is not None else (None, None)
            options = {
                **{k: info[k] for k in ("network", "activation", "head", "n_actions", "limit")},
                "widths": np.asarray(info["widths"], np.int32), "parameters": self.parameters,
                "seed": 0, "log_std": 0.0, "mean": mean, "inverse_std": inverse_std,
                "environment": None,
            }  # fmt: skip
            kept = (backend, _core.Policy(backend, options))
            self._elsewhere[id(backend)] = kept
        return kept[1]

    def _act(
        self, observation: Any, *, sample: bool, with_log_prob: bool, seed: int = 0, step: int = 0,
        episode: int = 0, id_offset: int = 0,
    ) -> tuple[Any, Any]:  # fmt: skip
        options = {
            "sample": sample, "seed": seed, "step": step, "episode": episode, "id_offset": id_offset,
        }  # fmt: skip
        if self.device != "cpu":
            from gallop import _torch

            return _torch.act_on_device(self, observation, options, with_log_prob)
        rows, single = self._rows(observation)
        n = len(rows)
        action: Any = (
            np.empty(n, np.int64) if self.is_discrete
            else np.empty((n, self._info["n_actions"]), np.float32)
        )  # fmt: skip
        log_prob: Any = np.empty(n, np.float32) if with_log_prob else None
        if n > 0:
            self._core.act(rows, options, action, log_prob)
        if single:
            return action[0], (log_prob[0] if with_log_prob else None)
        return action, log_prob

    def _rows(self, observation: Any) -> tuple[np.ndarray, bool]:
        x = np.asarray(observation)
        if self.is_tabular:
            if x.dtype.kind not in "iu":
                raise TypeError(f"observations are of type {x.dtype}; expected states as integers")
            if x.ndim not in (0, 1) and x.shape[1:] != (1,):
                raise InvalidValue(f"observations have shape {x.shape}; expected (n,) states")
            return np.ascontiguousarray(x.reshape(-1), np.int64), x.ndim == 0
        if x.dtype.kind not in "fiub":
            raise TypeError(f"observations are of type {x.dtype}; expected numbers")
        inputs = self._info["widths"][0]
        if x.ndim not in (1, 2) or x.shape[-1] != inputs:
            raise InvalidValue(
                f"observations have shape {x.shape}; expected ({inputs},) or (n, {inputs})"
            )
        rows = np.ascontiguousarray(x, np.float32)
        return (rows[None], True) if x.ndim == 1 else (rows, False)

    # ---- Elsewhere -----------------------------------------------------------------------------

    def to_numpy(self) -> NumpyPolicy:
        """The policy in NumPy alone, which pickles and needs nothing of the engine."""
        normalization = self.normalization
        mean, inverse_std, limit = normalization if normalization is not None else (None, None, 0.0)
        low, high = self.action_bounds or (None, None)
        half_range, centre, noise = (*(self.action_range or ()), None, None, None)[:3]
        return NumpyPolicy(
            head=HEADS[self._info["head"]], activation=ACTIVATIONS[self._info["activation"]],
            layers=self.layers, n_actions=self._info["n_actions"], log_std=self.log_std, mean=mean,
            half_range=half_range, centre=centre, noise=noise, inverse_std=inverse_std, limit=limit, action_low=low, action_high=high,
            metadata=self.metadata,
        )  # fmt: skip

    def to_torch(self) -> Any:
        """A :class:`torch.nn.Module` of the same network: observations ``[n, O]`` to actions, as
        exported files have them; ``outputs(observation)`` is the network's, for a loss."""
        from gallop import _torch

        return _torch.TorchPolicy(self.to_numpy())

    @classmethod
    def from_torch(
        cls, module: Any, environment: Any = None, *, log_std: Any = 0.0, deviation: str = "parameter",
        device: str = "cpu", threads: int = 0,
    ) -> Policy:  # fmt: skip
        """A policy of a module's layers: what :meth:`to_torch` gave, or ``Linear`` layers with one kind
        of ``Tanh`` or ``ReLU`` between them, which take an environment to know their head by."""
        from gallop import _torch

        return _torch.policy_of(
            cls, module, environment, log_std=log_std, deviation=deviation, device=device,
            threads=threads,
        )  # fmt: skip

    def to_torchscript(self, path: str | os.PathLike[str]) -> Path:
        """Writes ``to_torch()`` as a TorchScript file, which LibTorch runs without Python."""
        from gallop import _torch

        return _torch.write_torchscript(self, Path(path))

    def to_onnx(self, path: str | os.PathLike[str], check: bool = True) -> Path:
        """Writes an ONNX model: raw observations in, actions that the environment takes out, any
        batch. ``check`` compares 1000 observations under onnxruntime, which it needs."""
        self._core.export(os.fspath(path), "onnx")
        if check:
            from gallop import _onnx

            _onnx.check(self, Path(path))
        return Path(path)

    def to_c(self, path: str | os.PathLike[str]) -> Path:
        """Writes the policy as one header in C99, with the engine's bits."""
        self._core.export(os.fspath(path), "c")
        return Path(path)

    def to_npz(self, path: str | os.PathLike[str]) -> Path:
        """Writes the numbers as an archive that ``numpy.load`` reads."""
        self._core.export(os.fspath(path), "npz")
        return Path(path)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the policy alone, for :func:`gallop.load_policy`: safetensors with a digest."""
        self._core.export(os.fspath(path), "safetensors")
        return Path(path)

    def __reduce__(self) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            data = self.save(Path(folder) / "policy.safetensors").read_bytes()
        return _unpickled, (data, self.device, self.seed, self._step)

    def __repr__(self) -> str:
        info = self._info
        kind = f"{NETWORKS[info['network']]} {info['widths']}, {HEADS[info['head']]}"
        return f"<gallop.Policy for {self.environment or 'no environment'}: {kind}>"


def load_policy(path: str | os.PathLike[str], *, device: str = "cpu", threads: int = 0) -> Policy:
    """The policy of a run's newest good checkpoint, of one checkpoint file, or of a file that
    :meth:`Policy.save` or ``gallop export`` wrote."""
    return Policy(_core.Policy(_core.Backend(device, threads), os.fspath(path)))


def _unpickled(data: bytes, device: str, seed: int, step: int) -> Policy:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.safetensors"
        path.write_bytes(data)
        policy = load_policy(path, device=device)
    policy.seed, policy._step = seed, step
    return policy

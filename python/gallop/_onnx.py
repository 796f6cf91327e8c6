"""Comparison of an exported ONNX model with the policy that it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gallop._errors import GallopError

if TYPE_CHECKING:
    from gallop._policy import Policy

N_OBSERVATIONS = 1000
TOLERANCE = 1e-6  # of an action, relative to the greatest output where that is above 1


def observations(policy: Policy, n: int = N_OBSERVATIONS, seed: int = 0) -> np.ndarray:
    """What a policy may observe: about its normalisation's mean where it has one, and beyond its
    limits; states of a table."""
    rng = np.random.default_rng(seed)
    inputs = policy.metadata["widths"][0]
    if policy.is_tabular:
        return rng.integers(0, inputs, n)
    x = rng.standard_normal((n, inputs)).astype(np.float32)
    if policy.normalization is not None:
        mean, inverse_std, limit = policy.normalization
        x[: n // 10] *= np.float32(2 * limit)  # some are clamped
        x = mean + x / inverse_std
    return x.astype(np.float32)


def check(policy: Policy, path: Path) -> None:
    """Raises GallopError where onnxruntime's actions differ, for batches of 1, 3, 17 and all."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "to_onnx(check=True) replays observations under onnxruntime, which is not installed: "
            "pip install onnxruntime, or pass check=False"
        ) from error
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    x = observations(policy)
    simple = policy.to_numpy()
    expected = simple.clip(policy(x)) if not policy.is_discrete else policy(x)
    outputs = simple.outputs(x)
    allowed = TOLERANCE * np.maximum(1, np.abs(outputs).max(axis=1))
    at = 0
    for size in (1, 3, 17, len(x) - 21):
        (got,) = session.run(["action"], {"observation": x[at : at + size]})
        _compare(policy, got, expected[at : at + size], outputs[at : at + size],
                 allowed[at : at + size], path)  # fmt: skip
        at += size


def _compare(
    policy: Policy, got: np.ndarray, expected: np.ndarray, outputs: np.ndarray,
    allowed: np.ndarray, path: Path,
) -> None:  # fmt: skip
    if got.shape != expected.shape:
        raise GallopError(
            f"{path}: onnxruntime gives actions {got.shape}, expected {expected.shape}"
        )
    if policy.is_discrete:
        # Another action is right where the best two outputs are equal but for the last bits.
        rows = np.arange(len(got))
        bad = outputs[rows, expected] - outputs[rows, got] > allowed
    else:
        bad = (np.abs(got - expected) > allowed[:, None]).any(axis=1)
    if bad.any():
        i = int(bad.argmax())
        raise GallopError(
            f"{path}: {int(bad.sum())} of {len(bad)} actions differ under onnxruntime, the first is "
            f"{got[i]}, expected {expected[i]}"
        )

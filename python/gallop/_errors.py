"""Exceptions. Each carries ``code``, the status of the C interface and exit code of the program."""

from __future__ import annotations

import gymnasium.error


class GallopError(Exception):
    """Whatever Gallop refuses or fails at; ``code`` says what kind it is."""

    code: int = 1


class UnknownName(GallopError, LookupError):
    """An environment, algorithm, option or parameter that there is not; the text names the nearest."""

    code = 2


class InvalidValue(GallopError, ValueError):
    """A value out of range, a wrong shape, a size without memory for it."""

    code = 3


class CheckpointError(GallopError):
    """A checkpoint or snapshot that is damaged, or of something else."""

    code = 4


class FileError(GallopError, OSError):
    """Disk full, permission, no thread left."""

    code = 5


class ProcessorError(GallopError, ImportError):
    """The processor lacks AVX2 and FMA."""

    code = 6


class CudaError(GallopError, RuntimeError):
    """CUDA was asked for and is not there, or failed."""

    code = 7


class NonFinite(GallopError, FloatingPointError):
    """A number that is not finite, where that ends a run."""

    code = 8


class Busy(GallopError, RuntimeError):
    """Another thread is inside a call of the same environment, policy or run."""

    code = 9


class ClosedEnvironment(GallopError, gymnasium.error.ClosedEnvironmentError):
    """The environment was closed."""

    code = 3


class ResetNeeded(GallopError, gymnasium.error.ResetNeeded):
    """The environment was not reset yet."""

    code = 3


_BY_CODE = {
    kind.code: kind
    for kind in (
        GallopError, UnknownName, InvalidValue, CheckpointError, FileError, ProcessorError,
        CudaError, NonFinite, Busy,
    )
}  # fmt: skip


def error_of(code: int, text: str) -> Exception:
    """The exception of a status of the C interface. Interrupted calls are KeyboardInterrupt."""
    if code == 130:
        return KeyboardInterrupt(text)  # type: ignore[return-value]
    return _BY_CODE.get(code, GallopError)(text)


def closed_error() -> Exception:
    """That of any call but ``close`` once the environment was closed."""
    return ClosedEnvironment("the environment was closed; make another one")


def reset_needed(call: str) -> Exception:
    """That of a call which needs running episodes."""
    return ResetNeeded(f"{call} before the first reset: call reset() first")

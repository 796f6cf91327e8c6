"""Gallop: environments, policies and training on the CPU and in CUDA, with the same bits on both."""

from __future__ import annotations

from gallop import _core
from gallop._errors import (
    Busy,
    CheckpointError,
    ClosedEnvironment,
    CudaError,
    FileError,
    GallopError,
    InvalidValue,
    NonFinite,
    ProcessorError,
    ResetNeeded,
    UnknownName,
)

__version__ = _core.version()

__all__ = [
    "Busy",
    "CheckpointError",
    "ClosedEnvironment",
    "CudaError",
    "FileError",
    "GallopError",
    "InvalidValue",
    "NonFinite",
    "ProcessorError",
    "ResetNeeded",
    "UnknownName",
    "__version__",
]

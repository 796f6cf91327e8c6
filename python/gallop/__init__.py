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

from gallop._checker import CheckFailed, check_vector_env
from gallop._env import Env, make
from gallop._registry import (
    EnvironmentSpec,
    list_algorithms,
    list_environments,
    load_plugin,
    register_environments,
    spec,
)
from gallop._trajectory import Trajectory
from gallop._vector_env import VectorEnv, make_vec

__version__ = _core.version()


def build_info() -> dict[str, object]:
    """Version, compiler, instruction set of this processor, and whether CUDA is compiled in."""
    import json

    return json.loads(_core.build_info())


register_environments()

__all__ = [
    "Busy",
    "CheckFailed",
    "CheckpointError",
    "ClosedEnvironment",
    "CudaError",
    "Env",
    "EnvironmentSpec",
    "FileError",
    "GallopError",
    "InvalidValue",
    "NonFinite",
    "ProcessorError",
    "ResetNeeded",
    "Trajectory",
    "UnknownName",
    "VectorEnv",
    "__version__",
    "build_info",
    "check_vector_env",
    "list_algorithms",
    "list_environments",
    "load_plugin",
    "make",
    "make_vec",
    "spec",
]

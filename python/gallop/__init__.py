"""Gallop: environments, policies and training on the CPU and in CUDA, with the same bits on both."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from gallop._environments import build_environment, get_include
    from gallop._estimates import discounted_returns, gae
    from gallop._mdp import Mdp, mdp
    from gallop._numpy_policy import NumpyPolicy
    from gallop._optimize import Optimizer, Optimum, optimize
    from gallop._policy import Policy, load_policy
    from gallop._progress import Progress
    from gallop._run import Evaluation, Run, evaluate, options, train

__version__ = _core.version()


def build_info() -> dict[str, object]:
    """Version, compiler, instruction set of this processor, and whether CUDA is compiled in."""
    import json

    return json.loads(_core.build_info())


# Imported where they are first asked for: an environment alone is ready sooner.
_LATER = {
    "build_environment": "_environments",
    "get_include": "_environments",
    "discounted_returns": "_estimates",
    "gae": "_estimates",
    "Mdp": "_mdp",
    "mdp": "_mdp",
    "NumpyPolicy": "_numpy_policy",
    "Optimizer": "_optimize",
    "Optimum": "_optimize",
    "optimize": "_optimize",
    "Policy": "_policy",
    "load_policy": "_policy",
    "Progress": "_progress",
    "Evaluation": "_run",
    "Run": "_run",
    "evaluate": "_run",
    "options": "_run",
    "train": "_run",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'gallop' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"gallop.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


register_environments()

__all__ = [
    "Busy",
    "CheckFailed",
    "CheckpointError",
    "ClosedEnvironment",
    "CudaError",
    "Env",
    "EnvironmentSpec",
    "Evaluation",
    "FileError",
    "GallopError",
    "InvalidValue",
    "Mdp",
    "NonFinite",
    "NumpyPolicy",
    "Optimizer",
    "Optimum",
    "Policy",
    "ProcessorError",
    "Progress",
    "ResetNeeded",
    "Run",
    "Trajectory",
    "UnknownName",
    "VectorEnv",
    "__version__",
    "build_environment",
    "build_info",
    "check_vector_env",
    "discounted_returns",
    "evaluate",
    "gae",
    "get_include",
    "list_algorithms",
    "list_environments",
    "load_plugin",
    "load_policy",
    "make",
    "make_vec",
    "mdp",
    "optimize",
    "options",
    "spec",
    "train",
]

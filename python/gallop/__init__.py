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
from gallop._environments import build_environment, get_include
from gallop._estimates import discounted_returns, gae
from gallop._mdp import Mdp, mdp
from gallop._numpy_policy import NumpyPolicy
from gallop._optimize import Optimizer, Optimum, optimize
from gallop._policy import Policy, load_policy
from gallop._progress import Progress
from gallop._registry import (
    EnvironmentSpec,
    list_algorithms,
    list_environments,
    load_plugin,
    register_environments,
    spec,
)
from gallop._run import Evaluation, Run, evaluate, options, train
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

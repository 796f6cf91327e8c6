"""Minimising functions by the black-box algorithms: ask for points, tell their values."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable

import numpy as np

from gallop import _core
from gallop._errors import InvalidValue


@dataclasses.dataclass(frozen=True)
class Optimum:
    """What a search has found."""

    x: np.ndarray  #: the best point that was met ``[D]``, float64
    value: float  #: there
    evaluations: int
    generations: int
    stopped: str  #: why the search ended

    def __str__(self) -> str:
        return f"{self.value:.6g} after {self.evaluations} evaluations; {self.stopped}"


class Optimizer:
    """Asks for points ``[P, D]`` and is told how good each is; a pure function of what it was told.

    ``options`` are those of the algorithm, as of ``gallop optimize ... --help``.
    """

    def __init__(
        self, x0: Any, algorithm: str = "cma_es", *, seed: int = 1, **options: Any
    ) -> None:
        from gallop._run import text_of

        initial = np.asarray(x0, np.float64)
        if initial.ndim != 1 or initial.size == 0:
            raise InvalidValue(
                f"x0 has shape {initial.shape}; expected (D,) with at least one number"
            )
        texts = [f"{name}={text_of(value)}" for name, value in options.items()]
        self._core = _core.Optimizer(
            _core.Backend("cpu", 1), algorithm, initial.tolist(), int(seed), texts)  # fmt: skip
        self.dimension = int(initial.size)

    @property
    def population(self) -> int:
        return self._core.info()["population"]

    @property
    def generation(self) -> int:
        return self._core.info()["generation"]

    @property
    def stop_reason(self) -> str | None:
        """Why going on is of no use; ``None`` where it is."""
        return self._core.info()["stop_reason"]

    @property
    def center(self) -> np.ndarray:
        """Where the search stands ``[D]``."""
        return np.frombuffer(self._core.center()).copy()

    def ask(self) -> np.ndarray:
        """The points of this generation ``[P, D]``, the same until it is told of them."""
        return np.frombuffer(self._core.ask()).reshape(-1, self.dimension).copy()

    def tell(self, values: Any) -> None:
        """The values ``[P]`` of these points, the smaller the better."""
        values = np.asarray(values, np.float64)
        if values.ndim != 1:
            raise InvalidValue(f"values have shape {values.shape}; expected (P,)")
        self._core.tell((-values).tolist())

    def skip(self) -> None:
        """Goes on to the next generation without learning from this one."""
        self._core.skip()


def optimize(
    function: Callable[[np.ndarray], Any],
    x0: Any,
    algorithm: str = "cma_es",
    *,
    target: float | None = None,
    evaluations: int = 100_000,
    seed: int = 1,
    vectorized: bool = False,
    callback: Callable[[Optimizer, float], Any] | None = None,
    **options: Any,
) -> Optimum:
    """Minimises ``function(x)`` of a point ``[D]``, or where ``vectorized`` of points ``[P, D]``, which
    then gives values ``[P]``. Ends at a value of ``target`` or below, after ``evaluations``, where the
    algorithm says that going on is of no use, where all points have one value, or where
    ``callback(optimizer, best)`` after a generation returns ``False``. An exception of the function
    comes through."""
    optimizer = Optimizer(x0, algorithm, seed=seed, **options)
    best, best_x, done, stopped = np.inf, np.asarray(x0, np.float64).copy(), 0, ""
    while not stopped:
        points = optimizer.ask()
        values = _values(function, points, vectorized, target)
        done += len(values)
        if np.isfinite(values).any() and np.nanmin(values) < best:
            best, best_x = float(np.nanmin(values)), points[int(np.nanargmin(values))]
        if target is not None and best <= target:
            stopped = f"the target {target} was met"
        elif (values == values[0]).all():
            stopped = f"all points of a generation have the value {values[0]}"
        else:
            optimizer.tell(values)
            stopped = optimizer.stop_reason or ""
        if not stopped and done >= evaluations:
            stopped = f"{evaluations} evaluations were allowed"
        if callback is not None and callback(optimizer, best) is False and not stopped:
            stopped = "the callback asked to stop"
    return Optimum(best_x, best, done, optimizer.generation, stopped)


def _values(
    function: Callable[[np.ndarray], Any], points: np.ndarray, vectorized: bool, target: float | None
) -> np.ndarray:  # fmt: skip
    """Of the points, up to the first that meets the target where they are taken one by one."""
    if vectorized:
        values = np.asarray(function(points), np.float64)
        if values.shape != points.shape[:1]:
            raise InvalidValue(
                f"the function gives values of shape {values.shape} for {len(points)} points; expected "
                f"{points.shape[:1]}"
            )
        return values
    found = []
    for x in points:
        value = np.asarray(function(x), np.float64)
        if value.size != 1:
            raise InvalidValue(
                "the function gives more than one number, or none; expected its value"
            )
        found.append(value.item())
        if target is not None and found[-1] <= target:
            break
    return np.array(found)

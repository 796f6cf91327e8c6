"""Training runs: begun, watched, stopped, gone on with, looked at."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import queue
import subprocess
import threading
import time
import warnings
from pathlib import Path
from typing import Any, Callable, Mapping

import numpy as np

from gallop import _core, _environments
from gallop._errors import FileError, GallopError, InvalidValue, error_of
from gallop._given_environment import environment_name
from gallop._options import drawn_range
from gallop._policy import Policy, load_policy
from gallop._progress import Display, Progress

Callback = Callable[[Progress], Any]

_FREE = ("time_limit", "log_interval", "keep")  # change no bit of a run
_GRACE = 0.5  # seconds that an iteration has to end in after Ctrl-C
_POLL = 0.05


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Episodes of an evaluation."""

    mean: float
    std: float  #: population standard deviation
    mean_length: float
    returns: np.ndarray  #: of each episode, float64
    lengths: np.ndarray  #: int64
    nonfinite: int = 0  #: episodes that were left out

    def __str__(self) -> str:
        return f"return {self.mean:.2f} +- {self.std:.2f} over {len(self.returns)} episodes"


class Run:
    """The folder of a run: finished, stopped, or still being written by another process."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._options = _core.Options.from_run(str(self.path))  # what is no run is refused here
        self._policy: Policy | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Every option of the run with its value."""
        return {row["name"]: row["value"] for row in json.loads(self._options.json())}

    @property
    def environment(self) -> str:
        return self.options["environment"]

    @property
    def algorithm(self) -> str:
        return self.options["algorithm"]

    @property
    def result(self) -> dict[str, Any] | None:
        """What ``result.json`` says; ``None`` while the run is not finished."""
        path = self.path / "result.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def finished(self) -> bool:
        return self.result is not None

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """The columns of ``metrics.csv``, NaN where a row has no number."""
        path = self.path / "metrics.csv"
        if not path.exists():
            return {}
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        names, rows = rows[0], rows[1:]
        number = lambda text: float(text) if text else float("nan")  # noqa: E731
        return {
            name: np.array([number(row[k]) if k < len(row) else np.nan for row in rows])
            for k, name in enumerate(names)
        }

    @property
    def policy(self) -> Policy:
        """That of the newest good checkpoint, read once."""
        if self._policy is None:
            self._policy = load_policy(self.path)
        return self._policy

    def evaluate(
        self, episodes: int | None = None, *, seed: int | None = None, **more: Any
    ) -> Evaluation:
        """Plays episodes under the policy; without arguments those of ``gallop eval``."""
        return evaluate(self, episodes=episodes, seed=seed, **more)

    def render(self, path: str | os.PathLike[str] = "episode.gif", **flags: Any) -> Path:
        """Draws an episode under the policy: .gif, .html, or .mp4 where ffmpeg is installed.
        ``flags`` are those of ``gallop render``: ``fps=30``, ``size="480x360"``, ``seed=3``."""
        words = ["render", str(self.path), "--out", os.fspath(path)]
        for name, value in flags.items():
            flag = "--" + name.replace("_", "-")
            words += [flag] if value is True else [flag, str(value)]
        run_program(words + _environments.plugin_words(self.environment))
        return Path(path)

    @property
    def best_policy(self) -> Policy:
        """That of the best evaluation during training (option ``eval_interval``), read each time."""
        return load_policy(self.path / "best.safetensors")

    def resume(self, **more: Any) -> Run:
        """Goes on with the run where it was stopped, to the bits of an uninterrupted one; with more
        ``steps`` than it had, beyond its end."""
        return train(resume=self.path, **more)

    def plot(self, *names: str, axes: Any = None) -> Any:
        """Draws columns of ``metrics`` over the steps with matplotlib, by default the mean return."""
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError("Run.plot draws with matplotlib: pip install matplotlib") from error
        metrics = self.metrics
        for name in names or ("return",):
            if name not in metrics:
                raise _unknown(name, list(metrics), "metric")
            axes = axes if axes is not None else plt.subplots()[1]
            known = ~np.isnan(metrics[name])
            axes.plot(metrics["step"][known], metrics[name][known], label=name)
        axes.set_xlabel("steps")
        axes.legend()
        return axes

    def __repr__(self) -> str:
        result = self.result
        state = "not finished" if result is None else f"return {result['eval_return_mean']:.2f}"
        return f"<gallop.Run {self.path}: {self.algorithm} on {self.environment}, {state}>"


def options(environment: Any, algorithm: str | None = None) -> dict[str, dict[str, Any]]:
    """What :func:`train` can be given for a task: by name, the value that the task takes, its type,
    limits, choices, unit and help."""
    made = _core.Options.create(environment_name(environment), algorithm)
    return {row.pop("name"): row for row in json.loads(made.json())}


def train(
    environment: Any = None,
    algorithm: str | None = None,
    *,
    steps: int | None = None,
    seed: int | None = None,
    out: str | os.PathLike[str] | None = None,
    device: str | None = None,
    threads: int | None = None,
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    randomize: Mapping[str, Any] | str | None = None,
    resume: str | os.PathLike[str] | None = None,
    callback: Callback | None = None,
    progress: bool = True,
    **more: Any,
) -> Run:
    """Trains a policy: ``gallop train``, with its options by their names, its bits and its files.

    ``out``: the run's folder, which must not exist; by default a new one under ``runs/``. ``config``:
    a TOML file or a mapping of options; ``parameters``: those of the environment; ``randomize``: ranges that
    episodes draw them from, as ``VectorEnv.randomize`` takes them. ``resume``: the folder
    of a run to go on with, instead of an environment; it keeps the options that it has, but for more
    ``steps``, which extend it, and ``device``, ``threads``, ``time_limit``, ``log_interval``, ``keep``.

    ``callback(progress)`` is called after each iteration, by the calling thread: ``False`` stops the
    run, an exception stops it and comes through. Either way, and at Ctrl-C, a checkpoint is written
    and ``train(resume=...)`` goes on from it.
    """
    if (environment is None) == (resume is None):
        raise TypeError("train takes an environment, or resume=: the folder of a run; one of them")
    if resume is not None:
        may_differ = {"steps": steps, **{k: more.pop(k) for k in _FREE if k in more}}
        given = {k: v for k, v in dict(
            algorithm=algorithm, seed=seed, out=out, config=config,
            parameters=parameters, randomize=randomize, **more).items() if v is not None}  # fmt: skip
        if given:
            raise InvalidValue(
                f"{', '.join(given)} cannot be given with resume: the run keeps the options that it has"
            )
        made = _core.Options.from_run(os.fspath(resume))
        for name, value in may_differ.items():
            if value is not None:
                made.set(name, text_of(value))
        path = Path(resume)
    else:
        made = _options(environment, algorithm, config, parameters, randomize, {
            "steps": steps, "seed": seed, "device": device, "threads": threads, **more})  # fmt: skip
        path = Path(out) if out is not None else None
    values = {row["name"]: row["value"] for row in json.loads(made.json())}
    backend = _core.Backend(
        device or values["device"], values["threads"] if threads is None else threads
    )
    if path is None:
        path = _free_folder(values)
    session = _Session(backend, made, path, resume is not None, values["steps"], callback, progress)
    session.run()
    return Run(path)


class _Session:
    """A run in a thread of its own, while the calling one runs callbacks and hears of Ctrl-C."""

    def __init__(
        self, backend: _core.Backend, options: _core.Options, path: Path, resumed: bool,
        total_steps: int, callback: Callback | None, shows: bool,
    ) -> None:  # fmt: skip
        self._backend, self._options, self._path = backend, options, path
        self._resumed, self._total_steps, self._callback = resumed, total_steps, callback
        self._display = Display() if shows else None
        self._stop = _core.StopRequest()
        self._events: queue.SimpleQueue[Progress | str | None] = queue.SimpleQueue()
        self._answered = threading.Event()
        self._iteration = 0
        self._error: BaseException | None = None
        self._result: dict[str, Any] = {}

    def run(self) -> None:
        thread = threading.Thread(target=self._work, name="gallop.train")
        try:
            thread.start()
            self._watch()
        except BaseException as error:
            self._end(thread)
            if isinstance(error, KeyboardInterrupt):
                stopped = "the run was stopped"
                if self._path.exists():
                    stopped += f"; gallop.train(resume={str(self._path)!r}) goes on with it"
                raise KeyboardInterrupt(stopped) from None
            raise
        finally:
            if self._display is not None:
                self._display.end()
        thread.join()
        for note in self._backend.take_notes():
            warnings.warn(note, RuntimeWarning, stacklevel=4)
        if self._error is not None:
            raise self._error

    def _watch(self) -> None:
        while True:
            try:
                at = self._events.get(timeout=_POLL)
            except queue.Empty:
                continue
            if at is None:
                return
            if isinstance(at, str):
                warnings.warn(at, RuntimeWarning, stacklevel=5)
                continue
            if self._display is not None:
                self._display.show(at)
            if self._callback is not None and self._callback(at) is False:
                self._stop.level = max(self._stop.level, 1)
            self._answered.set()

    def _end(self, thread: threading.Thread) -> None:
        """Has the run write its checkpoint and end: after the iteration, or where that takes too
        long within it. Further Ctrl-C change nothing: the checkpoint is on its way."""
        self._stop.level = 1
        begin = time.monotonic()
        while thread.is_alive():
            try:
                self._answered.set()
                thread.join(_POLL)
                if time.monotonic() - begin > _GRACE:
                    self._stop.level = 2
            except KeyboardInterrupt:
                continue

    def _work(self) -> None:
        wanted = self._callback is not None or self._display is not None
        told = self._tell if wanted else None
        try:
            if self._resumed:
                self._result = _core.resume(
                    self._backend, self._options, str(self._path), told, self._events.put,
                    self._stop)  # fmt: skip
            else:
                self._result = _core.train(
                    self._backend, self._options, str(self._path), told, self._events.put,
                    self._stop)  # fmt: skip
        except BaseException as error:  # noqa: BLE001: raised by the calling thread
            self._error = error
        finally:
            self._events.put(None)

    def _tell(self, steps: int, mean_return: float, seconds: float) -> bool:
        self._iteration += 1
        self._answered.clear()
        self._events.put(Progress(steps, self._total_steps, mean_return, seconds, self._iteration))
        if self._callback is not None:
            while self._stop.level == 0 and not self._answered.wait(_POLL):
                pass
        return self._stop.level > 0


def text_of(value: Any) -> str:
    """An option's value as the program takes it."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, np.ndarray)):
        return ",".join(text_of(v) for v in value)
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    return str(os.fspath(value) if isinstance(value, os.PathLike) else value)


def _options(
    environment: Any, algorithm: str | None, config: Any, parameters: Mapping[str, Any] | None,
    randomize: Any, values: Mapping[str, Any],
) -> _core.Options:  # fmt: skip
    own = getattr(environment, "training_parameters", lambda: {})()  # of a process of arrays
    made = _core.Options.create(environment_name(environment), algorithm)
    if isinstance(config, Mapping):
        for name, value in config.items():
            made.set(name, text_of(value))
    elif config is not None:
        try:
            made.apply(Path(config).read_text())
        except OSError as error:
            raise FileError(f"cannot read '{config}': {error}") from error
    for name, value in {**own, **(parameters or {})}.items():
        made.set(f"parameters.{name}", text_of(value))
    if randomize is not None:
        made.set("randomize", _ranges_text(randomize))
    for name, value in values.items():
        if value is not None:
            made.set(name, text_of(value))
    return made


def _ranges_text(ranges: Any) -> str:
    """As the option randomize has it, from that text itself or a dict of ranges."""
    if isinstance(ranges, str):
        return ranges
    parts = []
    for name, given in ranges.items():
        range_ = drawn_range(name, given)
        if range_ is None:
            parts.append(f"{name}=none")
        else:
            low, high, logarithmic = range_
            parts.append(f"{name}={low!r}..{high!r}{':log' if logarithmic else ''}")
    return ",".join(parts)


def _free_folder(values: Mapping[str, Any]) -> Path:
    """As the program names a run that was given no folder."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = f"{values['environment']}-{values['algorithm']}-{values['seed']}-{stamp}"
    path, number = Path("runs") / name, 1
    while path.exists():
        number += 1
        path = Path("runs") / f"{name}-{number}"
    return path


def evaluate(
    policy: Policy | Run | str | os.PathLike[str],
    environment: Any = None,
    *,
    episodes: int | None = None,
    seed: int | None = None,
    deterministic: bool = True,
    parameters: Mapping[str, Any] | None = None,
    randomize: Mapping[str, Any] | str | None = None,
    max_steps: int | None = None,
) -> Evaluation:
    """Plays whole episodes under a policy, a run, or one of its path. A run is by default played as
    ``gallop eval`` does: as many episodes as its option ``eval_episodes`` says, by its own seed, with
    its parameters, drawn from its ranges where it has some; ``parameters`` and ``randomize`` ("none" for
    none) change those. Else 100 episodes by seed 1. ``max_steps`` bounds episodes without a time limit."""
    skips = False
    if not isinstance(policy, (Policy, Run)):
        path = Path(policy)
        policy = Run(path) if path.is_dir() else load_policy(path)
    if isinstance(policy, Run):
        values = policy.options
        episodes = values["eval_episodes"] if episodes is None else episodes
        seed = values["seed"] if seed is None else seed
        skips = values["nonfinite"] == "reset"
        policy = policy.policy
    asked = {
        "episodes": 100 if episodes is None else int(episodes), "seed": 1 if seed is None else seed,
        "sample": not deterministic, "skips_nonfinite": skips,
        "max_steps": 0 if max_steps is None else max_steps,
    }  # fmt: skip
    if asked["episodes"] < 1:
        raise InvalidValue(f"episodes is {episodes}; expected at least 1")
    name = None if environment is None else environment_name(environment)
    if name is None and policy.metadata["algorithm"] is None:
        name = policy.environment  # of a policy that is of no run
    texts = [f"{key}={text_of(value)}" for key, value in (parameters or {}).items()]
    if randomize is not None:
        texts.append(f"randomize={_ranges_text(randomize)}")
    found = _core.evaluate(policy._core.backend, policy._core, name, asked, texts)
    found["returns"] = np.array(found["returns"])
    found["lengths"] = np.array(found["lengths"], np.int64)
    return Evaluation(**found)


def run_program(words: list[str]) -> str:
    """Runs the program that came with the package; its message becomes the exception of its code."""
    program = _environments.program_path()
    done = subprocess.run([str(program), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise error_of(done.returncode, done.stderr.removeprefix("gallop: ").strip())
    return done.stdout


def _unknown(name: str, known: list[str], what: str) -> GallopError:
    import difflib

    near = difflib.get_close_matches(name, known)
    hint = (
        f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(known)}"
    )
    return error_of(2, f"unknown {what} {name!r}: {hint}")  # type: ignore[return-value]

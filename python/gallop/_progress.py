"""A line of progress: on a terminal, and in a notebook."""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from typing import Any


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a run stands after an iteration."""

    steps: int  #: done
    total_steps: int  #: asked for
    mean_return: float  #: of the episodes that ended lately, NaN where none did
    seconds: float  #: of training
    iteration: int  #: in this session, from 1

    @property
    def steps_per_second(self) -> float:
        return self.steps / self.seconds if self.seconds > 0 else math.nan

    def __str__(self) -> str:
        share = min(100, 100 * self.steps / max(self.total_steps, 1))
        left = (self.total_steps - self.steps) / max(self.steps_per_second, 1e-9)
        text = f"{share:3.0f} %  {self.steps:,} steps  {_rate(self.steps_per_second)}"
        if not math.isnan(self.mean_return):
            text += f"  return {self.mean_return:.2f}"
        return text + (f"  {left:.0f} s left" if self.steps and left >= 0.5 else "")


def _rate(per_second: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if per_second >= size:
            return f"{per_second / size:.1f} {unit}/s"
    return f"{per_second:.0f} /s"


class Display:
    """Shows the newest progress, at most five times a second; nothing where nobody looks."""

    SECONDS = 0.2

    def __init__(self) -> None:
        self._shown = 0.0
        self._handle: Any = None
        self._notebook = _in_notebook()
        self._terminal = not self._notebook and sys.stderr is not None and sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._shown < self.SECONDS and progress.steps < progress.total_steps:
            return
        self._shown = now
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{progress}")
            sys.stderr.flush()
        elif self._notebook:
            from IPython.display import display

            text = {"text/plain": str(progress)}
            if self._handle is None:
                self._handle = display(text, raw=True, display_id=True)
            else:
                self._handle.update(text, raw=True)

    def end(self) -> None:
        if self._terminal and self._shown:
            sys.stderr.write("\n")
            sys.stderr.flush()


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"

"""How things are timed, and the rows of the table.

Machines are noisy: what is compared is run in turns, the best of several counts, and how far the median lies above it is told.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
STUDY = ROOT / "benchmarks" / "study.yaml"
HEAD = ("what", "measured", "against", "ratio", "goal", "reached")


@dataclass(frozen=True)
class Goal:
    """What a ratio should reach: at least, or at most."""

    bound: float
    at_least: bool = True

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}×"

    def reached(self, ratio: float) -> bool:
        return ratio >= self.bound if self.at_least else ratio <= self.bound


@dataclass(frozen=True)
class Row:
    """A line of the table: what was measured, against what, and their ratio with its goal."""

    what: str
    measured: str
    against: str = ""
    ratio: float | None = None
    goal: Goal | None = None

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """The line of the table, as HEAD names its columns."""
        ratio = "" if self.ratio is None else f"{self.ratio:,.0f}×" if self.ratio >= 100 else f"{self.ratio:.3g}×"
        reached = ""
        if self.goal and self.ratio is not None:
            reached = "reached" if self.goal.reached(self.ratio) else "**not reached**"
        return self.what, self.measured, self.against, ratio, str(self.goal or ""), reached


@dataclass(frozen=True)
class Timing:
    """Repeated times [s] of one thing."""

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def spread(self) -> float:
        """How far the median lies above the best, as a share of it."""
        return statistics.median(self.seconds) / self.best - 1


@dataclass(frozen=True)
class Section:
    """Rows, and the timings they rest on."""

    rows: list[Row]
    timings: list[Timing]


def seconds(action: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long it takes [s]."""
    started = clock()
    action()
    return clock() - started


def in_turns(actions: Mapping[str, Callable[[], object]], rounds: int,
             clock: Callable[[], float] = time.perf_counter) -> dict[str, Timing]:
    """Each action once a round, in turns, so that a slow minute of the machine falls on all of them."""
    found = [{name: seconds(action, clock) for name, action in actions.items()} for _ in range(rounds)]
    return {name: Timing(tuple(times[name] for times in found)) for name in actions}


def process(*arguments: str, python: str = sys.executable, **environment: str) -> str:
    """Run Python in a process of its own, as installed packages run: with compiled bytecode. Returns what it printed."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([python, *arguments], capture_output=True, text=True, cwd=ROOT, env={**variables, **environment})
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)[:200]} stopped with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def last_line(printed: str) -> dict[str, Any]:
    """The JSON object that a process printed last."""
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def per_second(trials: float, seconds: float) -> str:
    """A speed."""
    return f"{trials / seconds:,.0f} trials/s"


def duration(seconds: float) -> str:
    """A time."""
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"

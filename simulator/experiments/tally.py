"""Who has done how much of some work."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """What one worker has done: how many tasks with how many trials, in how many seconds of work."""

    worker: str
    tasks: int
    trials: int
    seconds: float


class Tally:
    """What workers have done, since the first was given something to do."""

    def __init__(self) -> None:
        self._tasks: Counter[str] = Counter()
        self._trials: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        self._begun: float | None = None
        self._last = 0.0

    def begin(self) -> None:
        """Something is given out."""
        self._begun = self._begun or time.monotonic()

    def add(self, worker: str, trials: int, seconds: float) -> None:
        """A task is done. seconds: of work, without waiting"""
        self._tasks[worker] += 1
        self._trials[worker] += trials
        self._seconds[worker] = self._seconds.get(worker, 0.0) + seconds
        self._last = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds from the beginning to the last answer."""
        return self._last - self._begun if self._begun and self._last else 0.0

    @property
    def tasks(self) -> int:
        return self._tasks.total()

    @property
    def trials(self) -> int:
        return self._trials.total()

    @property
    def seconds(self) -> float:
        """Of work, of all workers."""
        return sum(self._seconds.values())

    def shares(self) -> list[Share]:
        """Of each worker, the one with the most work first."""
        found = [Share(worker, self._tasks[worker], self._trials[worker], seconds) for worker, seconds in self._seconds.items()]
        return sorted(found, key=lambda share: (-share.trials, -share.tasks, share.worker))

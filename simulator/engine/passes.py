"""One look at every trial of a run: what is to be found, and by whom the trials are looked at.

What is found of a chunk depends on the chunk and on a small `Finding` alone, so that it may be found anywhere. What consecutive
chunks give is joined where they were looked at, and whoever asked joins what comes of these: a tree, whose shape goes by where
trials stand in their replicate and by nothing else.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from simulator.engine.trials import Chunk, Trials

Array = np.ndarray[Any, np.dtype[np.float64]]
Answer = TypeVar("Answer")
_HELD = 16  # pieces


class Finding(Protocol[Answer]):
    """What is to be found of any chunk."""

    def of(self, chunk: Chunk, results: Array) -> Answer:
        """What one chunk's results, float64[rows, count], give. Must not keep them: their memory is used again."""
        ...

    def joined(self, parts: Sequence[Answer]) -> Answer:
        """What consecutive chunks gave, as if they had been one."""
        ...


class Passing(Protocol):
    """Looks at every trial; gives what is found of each chunk, of whatever size, in their order."""

    def __call__(self, trials: Trials, finding: Finding[Answer]) -> Generator[tuple[Chunk, Answer], None, None]: ...


def in_threads(trials: Trials, finding: Finding[Answer]) -> Generator[tuple[Chunk, Answer], None, None]:
    """A pass by the threads of this process."""
    return trials.each(finding.of)


def find(trials: Trials, stretch: Chunk, finding: Finding[Answer]) -> Answer:
    """What is found of a chunk of any length, piece by piece, in this thread; what few pieces gave is all that is held."""
    found: list[Answer] = []
    for piece in trials.pieces(stretch):
        found.append(trials.alone(piece, finding.of))
        if len(found) == _HELD:
            found = [finding.joined(found)]
    return finding.joined(found)

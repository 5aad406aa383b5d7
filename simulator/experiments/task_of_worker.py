"""What a worker of a cluster does with a task: nothing, if its versions would give other results; and who it is.

What many tasks are given travels packed with each of them, and is opened once. (As a result that Dask knows of, it would have
tasks wait for the few workers that hold it.)
"""

from __future__ import annotations

import hashlib
import os
import pickle
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from simulator.run_folder import versions

MUST_BE_THE_SAME = ("tco-simulator", "kernels", "numba", "numpy")
_MOST_OPENED = 4


@dataclass(frozen=True)
class Done:
    """The answers of some tasks, whose they are, and how many seconds they took."""

    worker: str
    seconds: float
    answers: list[Any]


@dataclass(frozen=True)
class Refused:
    """In place of an answer: why a worker would give none."""

    why: str


@dataclass(frozen=True)
class Raised:
    """In place of an answer: what the task has raised, where it could be taken for trouble of the network or of another task."""

    error: OSError | MemoryError


Answered = Done | Refused | Raised


@dataclass(frozen=True)
class Shared:
    """What many tasks are given, packed; known by its name."""

    name: str
    packed: bytes = field(compare=False, repr=False)

    @classmethod
    def of(cls, what: object) -> Shared:
        """Anything that can be pickled."""
        packed = zlib.compress(pickle.dumps(what), 1)
        return cls(hashlib.blake2b(packed, digest_size=16).hexdigest(), packed)

    @lru_cache(maxsize=_MOST_OPENED)  # noqa: B019  (of few, which tasks need again)
    def opened(self) -> Any:
        """The same as it was; once for all tasks of a worker that it is sent with."""
        return pickle.loads(zlib.decompress(self.packed))


def do(expected: Mapping[str, str], work: Callable[[Any, Any], Any], shared: Shared, tasks: Sequence[Any]) -> Answered:
    """Some tasks, done where this is called; their answers are a list."""
    from distributed import get_worker

    worker = get_worker()
    if differs := differing(own_versions(), expected):
        return Refused(f"a worker on {os.uname().nodename} has {differs}")
    begun = time.perf_counter()
    try:
        answers = [work(shared.opened(), task) for task in tasks]
    except (OSError, MemoryError) as error:
        return Raised(error)
    return Done(str(worker.name if worker.name not in (None, "") else worker.address), time.perf_counter() - begun, answers)


@lru_cache(maxsize=1)
def own_versions() -> dict[str, str]:
    """The versions that results depend on."""
    found = versions()
    return {name: found.get(name, "none") for name in MUST_BE_THE_SAME}


def versions_there() -> dict[str, str]:
    """As `own_versions`, to be called on a worker."""
    return own_versions()


def differing(theirs: Mapping[str, str], own: Mapping[str, str]) -> str:
    """Which versions differ, in words; nothing where none does."""
    return ", ".join(f"{name} {theirs.get(name)} and not {version}" for name, version in own.items()
                     if theirs.get(name) != version)

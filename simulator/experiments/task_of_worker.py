"""What a worker of a cluster does with a task: nothing, if its versions would give other results; and who it is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from simulator.run_folder import versions

MUST_BE_THE_SAME = ("tco-simulator", "kernels", "numba", "numpy")


@dataclass(frozen=True)
class Done:
    """A task's answer, whose it is, and how many seconds it took."""

    worker: str
    seconds: float
    answer: Any


@dataclass(frozen=True)
class Refused:
    """In place of an answer: why a worker would give none."""

    why: str


@dataclass(frozen=True)
class Raised:
    """In place of an answer: what the task has raised, where it could be taken for trouble of the network or of another task."""

    error: OSError | MemoryError


def do(expected: Mapping[str, str], work: Callable[..., Any], *arguments: Any) -> Done | Refused | Raised:
    """A task, done where this is called."""
    from distributed import get_worker

    worker = get_worker()
    if differs := differing(own_versions(), expected):
        return Refused(f"a worker on {os.uname().nodename} has {differs}")
    begun = time.perf_counter()
    try:
        answer = work(*arguments)
    except (OSError, MemoryError) as error:
        return Raised(error)
    return Done(str(worker.name if worker.name not in (None, "") else worker.address), time.perf_counter() - begun, answer)


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

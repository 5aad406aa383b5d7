"""Where an input's random numbers come from: a stream, named by the input, and a fixed Sobol' dimension.

An address depends on the input's own path alone, so that adding, removing or reordering other inputs moves no draw.
Dimensions are dealt out in rooms: shared inputs in the registry's order, then shared price paths, then one column for
each platform (chosen by the hash of its name), then named things (throughput factors, parameters of processes), then
price paths that belong to one platform. Where two names fall on one place, the later in the alphabet moves on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from simulator.engine.sobol_directions import MAX_DIMENSIONS
from simulator.quantities import SLOT
from simulator.units import MONTHS

SHARED_ROOM = 64  # registry entries
PLATFORM_COLUMNS = 256
PLATFORM_INPUTS = 40  # the first entries of the registry; the later ones of a platform are named things
NAMED_ROOM = 4096
SHARED_PROCESSES = ("shared.energy_price", "shared.rental_price")

_PLATFORMS_FROM = SHARED_ROOM + MONTHS * len(SHARED_PROCESSES)
_NAMED_FROM = _PLATFORMS_FROM + PLATFORM_COLUMNS * PLATFORM_INPUTS
_PROCESSES_FROM = _NAMED_FROM + NAMED_ROOM
PROCESS_ROOM = (MAX_DIMENSIONS - _PROCESSES_FROM) // MONTHS

assert max(SLOT.values()) < SHARED_ROOM


def stream(path: str) -> int:
    """The 64-bit name of an input's random numbers."""
    return int.from_bytes(hashlib.blake2b(path.encode(), digest_size=8).digest(), "big")


def places(names: Iterable[str], room: int) -> dict[str, int]:
    """A place for each name, 0 ≤ place < room: its hash, or the next free one in alphabetical order of claims."""
    taken: dict[int, str] = {}
    for name in sorted(set(names)):
        if len(taken) == room:
            raise ValueError(f"more than {room} names need a dimension of their own")
        place = stream(name) % room
        while place in taken:
            place = (place + 1) % room
        taken[place] = name
    return {name: place for place, name in taken.items()}


def dimensions(scalars: Iterable[str], processes: Iterable[str]) -> dict[str, int]:
    """The Sobol' dimension of each scalar path, and the first of the MONTHS dimensions of each process path.

    Paths are as in a study; parameters of a process stand below its path (`shared.energy_price.median`).
    """
    scalars, processes = list(scalars), list(processes)
    columns = places((path.split(".")[1] for path in scalars if _is_platform_input(path)), PLATFORM_COLUMNS)
    named = places((path for path in scalars if not _is_platform_input(path) and not _is_shared_input(path)), NAMED_ROOM)
    own = places((path for path in processes if path not in SHARED_PROCESSES), PROCESS_ROOM)
    found: dict[str, int] = {}
    for path in scalars:
        parts = path.split(".")
        if _is_shared_input(path):
            found[path] = SLOT[parts[1]]
        elif _is_platform_input(path):
            found[path] = _PLATFORMS_FROM + SLOT[parts[2]] * PLATFORM_COLUMNS + columns[parts[1]]
        else:
            found[path] = _NAMED_FROM + named[path]
    for path in processes:
        if path in SHARED_PROCESSES:
            found[path] = SHARED_ROOM + MONTHS * SHARED_PROCESSES.index(path)
        else:
            found[path] = _PROCESSES_FROM + MONTHS * own[path]
    return found


def _is_shared_input(path: str) -> bool:
    parts = path.split(".")
    return parts[0] == "shared" and len(parts) == 2


def _is_platform_input(path: str) -> bool:
    parts = path.split(".")
    return parts[0] == "platforms" and len(parts) == 3 and SLOT[parts[2]] < PLATFORM_INPUTS

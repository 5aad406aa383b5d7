"""The reported numbers of a run, each with its error; thousands of what-ifs of them in little memory."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate

Name = tuple[str, str, str, str, str, str]  # kind, owner, group, quantity, statistic, unit


@dataclass(frozen=True)
class Record:
    """One reported number: of which scenario, platform or pair (`kind`), quantity and statistic, with its error.

    group  "parts" for a part of the cost, "dominance" for what violates it (by the later or the earlier of a pair), "change" for
           that against the base, "change_per_dollar" for the same for each dollar that a what-if costs, else ""
    """

    scenario: str
    kind: str
    owner: str
    group: str
    quantity: str
    statistic: str
    unit: str
    estimate: Estimate

    @property
    def name(self) -> Name:
        """What it is, whatever the scenario."""
        return self.kind, self.owner, self.group, self.quantity, self.statistic, self.unit


@dataclass(frozen=True)
class Packed:
    """The records of one scenario without their replicates: 8 kB where records take 100.

    names    which numbers; the scenarios that have the same share them
    numbers  float64[names, 4]: value, standard error, low, high
    """

    scenario: str
    names: tuple[Name, ...]
    numbers: np.ndarray[Any, np.dtype[np.float64]]

    def __iter__(self) -> Iterator[Record]:
        for name, numbers in zip(self.names, self.numbers.tolist(), strict=True):
            yield Record(self.scenario, *name, Estimate(*numbers))


def pack(scenario: str, records: Iterable[Record], names: dict[tuple[Name, ...], tuple[Name, ...]]) -> Packed:
    """Records as those of a scenario, packed. `names`: those of other scenarios, to be shared; filled."""
    listed = list(records)
    own = tuple(record.name for record in listed)
    numbers = [(e.value, e.standard_error, e.low, e.high) for e in (record.estimate for record in listed)]
    return Packed(scenario, names.setdefault(own, own), np.array(numbers).reshape(len(listed), 4))


class OnDisk(Mapping[str, Packed]):
    """Packed records by scenario, whose numbers are in a temporary file: it is gone when nobody refers to them any more.

    Another process is sent them all, and has them in memory.
    """

    def __init__(self) -> None:
        """Raises OSError where no temporary file can be made."""
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # it is closed when nobody refers to this
        self._places: dict[str, tuple[tuple[Name, ...], int]] = {}
        self._end = 0
        weakref.finalize(self, self._file.close)

    def add(self, packed: Packed) -> None:
        """Keep those of one scenario. Raises OSError where the file cannot be written."""
        left = memoryview(packed.numbers.tobytes())
        self._places[packed.scenario] = packed.names, self._end
        self._end += len(left)
        while left:
            left = left[self._file.write(left):]

    def __getitem__(self, scenario: str) -> Packed:
        names, begin = self._places[scenario]
        if not names:
            return Packed(scenario, names, np.empty((0, 4)))
        # Mapped, since threads and forked processes would share the place up to which a file is read.
        return Packed(scenario, names, np.array(np.memmap(self._file, np.float64, "r", begin, (len(names), 4))))

    def __contains__(self, scenario: object) -> bool:
        return scenario in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __reduce__(self) -> tuple[type[dict[str, Packed]], tuple[dict[str, Packed]]]:
        return dict, (dict(self),)


class Records(Collection[Record]):
    """Records of several scenarios, one scenario after the other: of the first ones whole, then the packed ones by name."""

    def __init__(self, whole: Iterable[Record], packed: Mapping[str, Packed] | None = None) -> None:
        self._whole = tuple(whole)
        self._packed = {} if packed is None else packed

    @property
    def scenarios(self) -> list[str]:
        """Names of the scenarios, in their order."""
        return [*dict.fromkeys(record.scenario for record in self._whole), *self._packed]

    def of(self, scenario: str) -> Iterator[Record]:
        """Those of one scenario."""
        if scenario in self._packed:
            return iter(self._packed[scenario])
        return (record for record in self._whole if record.scenario == scenario)

    def by_scenario(self) -> Iterator[Packed]:
        """Those of each scenario, packed."""
        whole = dict.fromkeys(record.scenario for record in self._whole)
        return chain((pack(scenario, self.of(scenario), {}) for scenario in whole), self._packed.values())

    def __iter__(self) -> Iterator[Record]:
        return chain(self._whole, chain.from_iterable(self._packed.values()))

    def __len__(self) -> int:
        return len(self._whole) + sum(len(packed.names) for packed in self._packed.values())

    def __contains__(self, record: object) -> bool:
        return any(other == record for other in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Records) and len(self) == len(other) and all(map(Record.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]

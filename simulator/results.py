"""What a run gives: records, and from them the summary document, the tidy table and the Dataset."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.dominance import verdict
from simulator.analysis.intervals import Estimate
from simulator.analysis.published import compare_published
from simulator.dataset import dataset_of
from simulator.records import Record, Records
from simulator.study.model import Study
from simulator.study.schema import header

if TYPE_CHECKING:
    import pandas
    import xarray

PERCENTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
OTHER_OF_PAIR = {"later": "earlier", "earlier": "later"}
CHANGE = "change"  # the group of how far a what-if moves a number of the base
_SCENARIOS_AT_HAND = 8  # whose records are found by name without looking through them again
CHANGE_PER_DOLLAR = "change_per_dollar"  # the same, for each dollar that the what-if costs beyond its inputs


@dataclass(frozen=True)
class Sample:
    """Some single trials: inputs by path and outputs by (platform's position, quantity), float64[trials] each."""

    inputs: dict[str, np.ndarray[Any, np.dtype[np.float64]]]
    outputs: dict[tuple[int, str], np.ndarray[Any, np.dtype[np.float64]]]


@dataclass(frozen=True)
class Watched:
    """What a stop rule looked at: of which platform or pair (`kind`) and statistic, and its standard error ÷ |value|.

    is_hopeless  whether more trials would change nothing: a difference that is 0 in all of them
    """

    kind: str
    owner: str
    statistic: str
    relative_error: float
    is_hopeless: bool = False


@dataclass(frozen=True)
class Stopped:
    """Why a run has the trials that it has: the relative error that was asked for (None: a sure ranking), whether it was
    reached, and where the relative error is largest."""

    target: float | None
    reached: bool
    worst: Watched

    def document(self, trials: int) -> dict[str, Any]:
        """As it stands in the summary; the relative error of a difference of 0 is absent."""
        error = {} if math.isinf(self.worst.relative_error) else {"relative_error": self.worst.relative_error}
        return {"target": self.target or "ranking", "reached": self.reached, "trials": trials,
                "worst": {self.worst.kind: self.worst.owner, "statistic": self.worst.statistic, **error}}


@dataclass(frozen=True)
class Run:
    """A finished simulation.

    stopped   what came of a stop rule, where there was one
    what_ifs  the digest of the study as each what-if that was run has it, by name
    """

    study: Study
    records: Records
    warnings: tuple[str, ...]
    sample: Sample = field(repr=False)
    stopped: Stopped | None = None
    what_ifs: Mapping[str, str] = field(default_factory=dict)

    def estimate(self, owner: str, quantity: str, statistic: str = "", scenario: str = "base") -> Estimate:
        """One number, by platform (or pair `later/earlier`), quantity and statistic. Raises KeyError."""
        return self._named(scenario)[owner, quantity, statistic].estimate

    def find(self, owner: str, quantity: str, statistic: str = "", scenario: str = "base") -> Estimate | None:
        """As `estimate`; None where the number does not apply."""
        record = self._named(scenario).get((owner, quantity, statistic))
        return record.estimate if record else None

    def _named(self, scenario: str) -> dict[tuple[str, str, str], Record]:
        if scenario not in self._by_name:
            found = {(r.owner, f"{r.group}.{r.quantity}" if r.group else r.quantity, r.statistic): r
                     for r in self.records.of(scenario)}
            if len(self._by_name) > _SCENARIOS_AT_HAND:
                self._by_name.popitem()  # the base, which is asked for first, stays
            self._by_name[scenario] = found
        return self._by_name[scenario]

    @cached_property
    def _by_name(self) -> dict[str, dict[tuple[str, str, str], Record]]:
        return {}

    @cached_property
    def summary(self) -> Summary:
        return Summary(self)

    @cached_property
    def dataset(self) -> xarray.Dataset:
        return dataset_of(self)


class Summary:
    """The summary: as the document that `--json` prints, and as rows of a table, one a number."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @cached_property
    def document(self) -> dict[str, Any]:
        return {key: dict(value) if key == "scenarios" else value for key, value in self.parts().items()}

    def parts(self) -> dict[str, Any]:
        """The document with an iterator of names and values in place of the mapping of scenarios, each made when it is asked
        for."""
        run = self._run
        published = [{"quantity": c.figure.quantity, "of": c.figure.of, "published": c.figure.value,
                      "computed": c.computed.as_dict(), "unit": c.unit, "source": c.figure.source, "note": c.figure.note}
                     for c in compare_published(run.study, run.records.of("base"))]
        until = {"until": run.stopped.document(run.study.simulation.trials)} if run.stopped else {}
        return {**header(run.study), **until, "scenarios": ((name, _scenario(run, name)) for name in run.records.scenarios),
                "warnings": list(run.warnings), **({"published": published} if published else {})}

    def rows(self) -> Iterator[dict[str, Any]]:
        """A number each: study, scenario, platform, quantity, statistic, value, standard_error, low, high, unit."""
        for record in self._run.records:
            yield {"study": self._run.study.name, "scenario": record.scenario, "platform": record.owner,
                   "quantity": f"{record.group}.{record.quantity}" if record.group else record.quantity,
                   "statistic": record.statistic or "value", "value": record.estimate.value,
                   "standard_error": record.estimate.standard_error, "low": record.estimate.low, "high": record.estimate.high,
                   "unit": record.unit}

    def to_dataframe(self) -> pandas.DataFrame:
        """The rows: study, scenario, platform, quantity, statistic, value, standard_error, low, high, unit."""
        import pandas

        return pandas.DataFrame(list(self.rows()))


def _scenario(run: Run, name: str) -> dict[str, Any]:
    """The numbers of one scenario as they stand in the document."""
    found: dict[str, Any] = {"platforms": {}, "pairs": {}}
    platforms = {platform.name: platform for platform in run.study.platforms}
    records = list(run.records.of(name))
    violations = {(r.owner, r.quantity, r.statistic): r.estimate for r in records if r.group == "dominance"}
    for record in records:
        if record.kind == "pair":
            owner = found["pairs"].setdefault(record.owner, {})
        else:
            owner = found["platforms"].setdefault(record.owner, {"label": platforms[record.owner].label})
        value: dict[str, Any] = record.estimate.as_dict()
        if record.group == "dominance":
            reverse = violations[record.owner, record.quantity, OTHER_OF_PAIR[record.statistic]]
            value = {"verdict": verdict(record.estimate, reverse), "violation": value}
        around = owner.setdefault(record.group, {}) if record.group else owner
        if record.statistic:
            around.setdefault(record.quantity, {"unit": record.unit})[record.statistic] = value
        else:
            around[record.quantity] = value
    what_if = run.study.what_ifs_by_name.get(name) if name in run.what_ifs else None
    if what_if:
        found |= {"description": what_if.description, "digest": run.what_ifs[name],
                  **({"cost": dict(what_if.costs)} if what_if.costs else {})}
    for platform in platforms.values():
        found["platforms"][platform.name]["not_modelled"] = list(platform.not_modelled())
    return found

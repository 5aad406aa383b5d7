"""Published figures beside computed ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.analysis.intervals import Estimate, with_normal_bounds
from simulator.quantities import INPUT, RESULT
from simulator.study.families import Marginal

if TYPE_CHECKING:
    from simulator.records import Record
    from simulator.study.model import Study
    from simulator.study.published import Published


@dataclass(frozen=True)
class Compared:
    """A published figure and the same from the study: the median, or the ratio of two medians."""

    figure: Published
    computed: Estimate
    unit: str


def compare_published(study: Study, records: Iterable[Record], scenario: str = "base") -> Iterator[Compared]:
    """Each published figure whose quantity the study gives, in the order of the study."""
    wanted = {(owner, figure.quantity) for figure in study.published for owner in figure.of.split("/")}
    medians = {key: r.estimate for r in records
               if r.statistic == "p50" and r.scenario == scenario and (key := (r.owner, r.quantity)) in wanted}
    for platform in study.platforms:
        for name, given in platform.inputs.items():
            key = (platform.name, name)
            if key in wanted and key not in medians and isinstance(given.value, Marginal):
                median = given.value.quantile(0.5)
                medians[key] = Estimate(median, 0.0, median, median)
    for figure in study.published:
        found = [medians.get((owner, figure.quantity)) for owner in figure.of.split("/")]
        known = [estimate for estimate in found if estimate is not None]
        if len(known) == len(found) and not (len(known) == 2 and known[1].value == 0):
            unit = RESULT[figure.quantity].unit if figure.quantity in RESULT else INPUT[figure.quantity].unit
            yield Compared(figure, _ratio(*known) if len(known) == 2 else known[0], "1" if len(known) == 2 else unit)


def _ratio(this: Estimate, that: Estimate) -> Estimate:
    """this ÷ that, errors added as if independent (common draws make it less)."""
    value = this.value / that.value
    error = math.hypot(this.standard_error, value * that.standard_error) / abs(that.value)
    return with_normal_bounds(value, error)

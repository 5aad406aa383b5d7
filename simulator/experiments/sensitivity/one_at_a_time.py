"""One input at a time over its percentiles, all others at their medians: spiders, and tornados as two points of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.engine.evaluate import evaluate, medians, quantiles
from simulator.engine.factors import Factor, factors
from simulator.engine.parameters import Compiled, compile_study
from simulator.experiments.sensitivity.price_levels import price_levels
from simulator.kernels.platform import HAS_FLEET
from simulator.study.model import Study
from simulator.study.processes import units_of

Array = np.ndarray[Any, np.dtype[np.float64]]
PERCENTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
LOW, HIGH = 0.1, 0.9  # the ends of a tornado's bars


@dataclass(frozen=True)
class Line:
    """One input over its percentiles.

    values  float64[k] in `unit`; of a process the mean of its price over 60 months
    costs   float64[platforms, k]: cost of a million tokens [USD]
    """

    input: str
    group: str
    unit: str
    values: Array
    costs: Array


@dataclass(frozen=True)
class Bar:
    """A tornado's bar: the result with the input at its P10 and at its P90; the swing is how far these lie apart."""

    input: str
    group: str
    at_p10: float
    at_p90: float
    swing: float


@dataclass(frozen=True)
class OneAtATime:
    """What each input does alone.

    probabilities  float64[k], rising, with 0.1 and 0.9 among them
    at_medians     float64[platforms]: costs with all inputs at their medians and all monthly shocks 0
    notes          what is left out, and why
    """

    probabilities: Array
    at_medians: Array
    lines: tuple[Line, ...]
    notes: tuple[str, ...]

    def tornado(self, platform: int, against: int | None = None) -> tuple[Bar, ...]:
        """Bars of a platform's cost [USD], or of its ratio to another's; the longest first. Without inputs that do nothing."""
        bars = []
        for line in self.lines:
            costs = line.costs[platform] / (1.0 if against is None else line.costs[against])
            middle = self.at_medians[platform] / (1.0 if against is None else self.at_medians[against])
            if np.any(np.abs(costs - middle) > _ROUNDING * abs(middle)):
                low, high = (float(costs[int(np.argmin(np.abs(self.probabilities - p)))]) for p in (LOW, HIGH))
                bars.append(Bar(line.input, line.group, low, high, abs(high - low)))
        return tuple(sorted(bars, key=lambda bar: (-bar.swing, bar.input)))


_ROUNDING = 1e-13


def one_at_a_time(study: Study, probabilities: Sequence[float] = PERCENTILES) -> OneAtATime:
    """Each uncertain input at each of its percentiles, with the others at their medians, whatever correlations say.

    A price process counts as its path, with its parameters at their medians: at a percentile it is the path whose monthly
    shocks are all equal and whose mean over 60 months stands there. Its uncertain parameters are inputs of their own here.
    Single failures of GPUs are as expected.
    """
    chosen = np.array(sorted({*probabilities, LOW, HIGH}))
    compiled = compile_study(study, [], [])
    middle = medians(compiled)
    found = factors(study, compiled)
    levels = price_levels(compiled, study.simulation, chosen) if any(factor.market >= 0 for factor in found) else ()
    units, notes = units_of(study.inputs()), []
    variants: list[tuple[str, str, int, int, Array, Array]] = []  # input, group, row, market, values, shocks
    for factor in found:
        if factor.market >= 0:
            level = levels[factor.market]
            if level.reached.all():
                variants.append((factor.path, factor.group, -1, factor.market, level.levels, level.shocks))
            else:
                notes.append(f"{factor.path} is left out: its jumps take its price where equal monthly shocks cannot")
        for path, row in _rows(compiled, factor):
            values = quantiles(compiled, row, chosen)
            variants.append((path, factor.group, row, -1, values, np.zeros(chosen.size)))
    notes += [f"single failures of GPUs of {platform.label} are as expected: they have no percentile at which all could be held"
              for position, platform in enumerate(study.platforms) if compiled.plan.features[position] & HAS_FLEET]

    count, k = len(variants), chosen.size
    values = np.repeat(middle[:, None], 1 + count * k, axis=1)
    shocks = np.zeros((len(compiled.markets), 1 + count * k))
    for position, (_, _, row, market, of_row, of_market) in enumerate(variants):
        lanes = slice(1 + position * k, 1 + (position + 1) * k)
        if market >= 0:
            shocks[market, lanes] = of_market
        else:
            values[row, lanes] = of_row
    costs = evaluate(compiled, values, shocks)
    lines = tuple(Line(path, group, units[path], of_row, costs[:, 1 + position * k:1 + (position + 1) * k])
                  for position, (path, group, _, _, of_row, _) in enumerate(variants))
    return OneAtATime(chosen, costs[:, 0], lines, tuple(notes))


def _rows(compiled: Compiled, factor: Factor) -> Iterator[tuple[str, int]]:
    """Rows of a factor that the study gives, and not such as a drawn start."""
    for row in factor.rows:
        if compiled.rows[row]:
            yield compiled.rows[row], row

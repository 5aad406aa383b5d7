"""What one ordinary sample of trials says of each input: rank correlation, standardised regression, first-order index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.conditional_means import Fit
from simulator.analysis.intervals import Estimate, dominated_by_one_trial, largest_share
from simulator.analysis.ranks import rank_correlations, ranked, regression_coefficients
from simulator.experiments.sensitivity.outputs import Output
from simulator.experiments.sensitivity.ranked_sample import RankedSample
from simulator.quantities import COST

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Measured:
    """One input (or group) and its measure."""

    input: str
    value: Estimate


@dataclass(frozen=True)
class OutputMeasures:
    """What moves one output.

    rank_correlation  by input: Spearman's coefficient, −1..1
    regression        by input: standardised coefficients, by how many sd the output moves with one sd of the input alone
    linear_share      share of the variance that the regression explains, its coefficient of determination; None where withheld
    first_order       by input: share of the variance that its conditional mean has; `groups` the same of groups of inputs
    withheld          why what rests on the variance is absent, else ""
    """

    output: Output
    rank_correlation: tuple[Measured, ...]
    regression: tuple[Measured, ...]
    linear_share: Estimate | None
    first_order: tuple[Measured, ...]
    groups: tuple[Measured, ...]
    withheld: str


def measure_outputs(ready: RankedSample, fits: Mapping[str, Fit]) -> tuple[OutputMeasures, ...]:
    """Every output's measures, of largest size first. `fits`: of `regressions(ready, ready.values)`, output by output."""
    replicates = ready.sample.replicates
    first = [subject.columns[0] for subject in ready.inputs]
    names = [subject.name for subject in ready.inputs]
    order = ranked(ready.values, ready.threads).ranks
    if first:
        spearman = rank_correlations(ready.ranked.ranks[first], order, replicates)
        linear = regression_coefficients(ready.sample.values[first], ready.values, replicates)
    else:
        spearman, linear = [[] for _ in ready.outputs], []
    shares = {name: found.explained() for name, found in fits.items()}
    measured = []
    for o, output in enumerate(ready.outputs):
        by_rank = _sorted(names, spearman[o])
        withheld = _withheld(output, ready.values[o])
        if withheld or not first:
            measured.append(OutputMeasures(output, by_rank, (), None, (), (), withheld))
            continue
        coefficients, explained = linear[o]
        measured.append(OutputMeasures(
            output, by_rank, _sorted(names, coefficients), explained, _sorted(names, [shares[name][o] for name in names]),
            _sorted([group.name for group in ready.groups], [shares[group.name][o] for group in ready.groups]), ""))
    return tuple(measured)


def _sorted(names: list[str], estimates: list[Estimate]) -> tuple[Measured, ...]:
    found = [Measured(name, estimate) for name, estimate in zip(names, estimates, strict=True)]
    return tuple(sorted(found, key=lambda measured: -abs(measured.value.value)))


def _withheld(output: Output, values: Array) -> str:
    """Why shares of an output's variance would mislead; nothing where they do not."""
    deviations = (values - values.mean()) ** 2
    if not dominated_by_one_trial(len(values), float(deviations.sum()), float(deviations.max())):
        return ""
    instead = "; take the log of the cost, which has no such trial" if output.quantity == COST.name else ""
    return (f"one trial of {output.of} carries over {largest_share(len(values)):.1%} of the sum of squared deviations: its "
            f"variance is too unsure to be shared out{instead}")

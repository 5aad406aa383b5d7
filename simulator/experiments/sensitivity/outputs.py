"""What a decision looks at: each platform's cost, its logarithm, and the log ratio of each pair, with why some are withheld."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import dominated_by_one_trial, largest_share
from simulator.quantities import COST
from simulator.study.model import Study

Array = np.ndarray[Any, np.dtype[np.float64]]
LOG_COST, LOG_RATIO = "log_cost", "log_ratio"
_ROUNDING = 1e-12  # relative: less is no variation, but what is left of rounding where all that varies cancels out


@dataclass(frozen=True)
class Output:
    """A number of a trial.

    quantity  cost_per_million_tokens, log_cost, or log_ratio: log(cost of the one / cost of the other)
    of        a platform, or a pair as later/earlier
    """

    quantity: str
    of: str


def settled(values: Array) -> Array:
    """Logarithms as they are, or all equal where they differ by rounding alone."""
    return np.full_like(values, values.flat[0]) if np.ptp(values) < _ROUNDING else values


def outputs(study: Study, costs: Array) -> Iterator[tuple[Output, Array, str]]:
    """Every output under every set of kept inputs, float64[sets, replicates, trials], and why it has no variance, or "".

    costs  float64[replicates, sets, platforms, trials] of `PickFreeze.costs`, overwritten
    All costs come first, then their logarithms, then pairs. An output whose variance is withheld is not to be used.
    """
    def of(platform: int) -> Array:
        return np.ascontiguousarray(np.moveaxis(costs[:, :, platform], 0, 1))

    names = [platform.name for platform in study.platforms]
    for k, name in enumerate(names):
        cost = of(k)
        yield Output(COST.name, name), cost, _why_no_variance(cost)
    why_not = ["" if costs[:, :, k].min() > 0 else f"the cost of {name} is not positive in some trials, and has no logarithm"
               for k, name in enumerate(names)]
    np.log(costs, out=costs, where=costs > 0)
    for k, name in enumerate(names):
        yield Output(LOG_COST, name), of(k), why_not[k]
    for this, that in study.pairs:
        yield Output(LOG_RATIO, study.pair_name((this, that))), settled(of(this) - of(that)), why_not[this] or why_not[that]


def _why_no_variance(cost: Array) -> str:
    """Judged by the first and the last set, which are independent samples of the cost."""
    sample = np.concatenate([cost[0].ravel(), cost[-1].ravel()])
    squares = (sample - sample.mean()) ** 2
    if dominated_by_one_trial(sample.size, float(squares.sum()), float(squares.max())):
        return (f"a single trial carries over {largest_share(sample.size):.1%} of the sum of squares, so that the variance "
                f"says little; see {LOG_COST}")
    return ""

"""What a decision looks at: each platform's cost, its logarithm, and the log ratio of each pair, with why some are withheld."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import dominated_by_one_trial, largest_share
from simulator.engine.layout import layout
from simulator.quantities import COST
from simulator.study.model import Study

Array = np.ndarray[Any, np.dtype[np.float64]]
LOG_COST, LOG_RATIO = "log_cost", "log_ratio"


@dataclass(frozen=True)
class Output:
    """A number of a trial.

    quantity  cost_per_million_tokens, log_cost, or log_ratio: log(cost of the one / cost of the other)
    of        a platform, or a pair as later/earlier
    """

    quantity: str
    of: str


def outputs(study: Study, costs: Array) -> Iterator[tuple[Output, Array, str]]:
    """Every output under every set of kept inputs, float64[sets, replicates, trials], and why it has no variance, or "".

    costs  float64[replicates, sets, platforms, trials] of `PickFreeze.costs`
    Costs whose variance one trial dominates say nothing; their logarithms may. A cost that is not positive has no logarithm, and
    then the output is NaN.
    """
    by_platform = [np.ascontiguousarray(np.moveaxis(costs[:, :, k], 0, 1)) for k in range(len(study.platforms))]
    positive = [bool(cost.min() > 0) for cost in by_platform]
    logs = [np.log(cost) if fine else np.full_like(cost, np.nan) for cost, fine in zip(by_platform, positive, strict=True)]
    for platform, cost, log_cost, fine in zip(study.platforms, by_platform, logs, positive, strict=True):
        yield Output(COST.name, platform.name), cost, _why_no_variance(cost)
        yield Output(LOG_COST, platform.name), log_cost, _why_no_logarithm(platform.name, fine)
    for this, that in layout(study).pairs:
        names = study.platforms[this].name, study.platforms[that].name
        why = _why_no_logarithm(names[0], positive[this]) or _why_no_logarithm(names[1], positive[that])
        yield Output(LOG_RATIO, "/".join(names)), logs[this] - logs[that], why


def _why_no_variance(cost: Array) -> str:
    """Judged by the first and the last set, which are independent samples of the cost."""
    sample = np.concatenate([cost[0].ravel(), cost[-1].ravel()])
    squares = (sample - sample.mean()) ** 2
    if dominated_by_one_trial(sample.size, float(squares.sum()), float(squares.max())):
        return (f"a single trial carries over {largest_share(sample.size):.1%} of the sum of squares, so that the variance "
                f"says little; see {LOG_COST}")
    return ""


def _why_no_logarithm(name: str, positive: bool) -> str:
    return "" if positive else f"the cost of {name} is not positive in some trials, and has no logarithm"

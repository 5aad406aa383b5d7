"""What it is worth to know more before choosing: the expected value of perfect and of partial information.

The decision is the platform of the least expected cost. Who could look into the future first would choose trial by trial, and
who could learn one input first would choose by it; what that saves on average is the most that learning can be worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.conditional_means import Fit
from simulator.analysis.intervals import Estimate, sectioning
from simulator.experiments.sensitivity.ranked_sample import RankedSample
from simulator.study.plan import TokenPlan
from simulator.units import MONTHS_PER_YEAR, TOKENS_PER_MILLION

Array = np.ndarray[Any, np.dtype[np.float64]]
FOLDS = 8


@dataclass(frozen=True)
class Known:
    """What it is worth to learn one input or group."""

    input: str
    value: Estimate


@dataclass(frozen=True)
class Decision:
    """A choice among platforms.

    unit      USD: per million tokens, or for the whole plan
    choice    the platform of the least expected cost; `expected` costs by platform
    evpi      expected value of perfect information, which is the expected regret of the choice
    evppi     of learning one input, the largest first; `groups` of learning all inputs of a group
    """

    unit: str
    choice: str
    expected: Mapping[str, Estimate]
    evpi: Estimate
    evppi: tuple[Known, ...]
    groups: tuple[Known, ...]


def value_of_information(ready: RankedSample, costs: Array, fits: Mapping[str, Fit], first: int = 0) -> Decision:
    """EVPI = min_a E[C_a] − E[min_a C_a], and EVPPI = min_a E[C_a] − E[min_a E[C_a | x]] for each input and group x.

    costs  float64[platforms, n] of `ready.sample`: per million tokens, or of a plan (`plan_costs`)
    fits   of `regressions`, whose outputs from `first` on are these costs
    E[C_a | x] is a regression to the trials of other replicates (folds), and what is averaged is the cost of the platform that it
    says to choose, not the fitted cost: so chance gains nothing, and a poor fit can only make the value too low. A value is never
    above EVPI, since it is that of choices in the same trials.
    Sources: Strong, Oakley and Brennan, Medical Decision Making 34 (2014); Heath, Manolopoulou and Baio, ibid. 37 (2017).
    """
    replicates, trials = ready.sample.replicates, np.arange(costs.shape[1])
    chosen = int(np.argmin(costs.mean(axis=1)))

    def saved(by: Array) -> Estimate:
        """What choosing by other numbers saves, float64[platforms, n]."""
        saving = (costs[chosen] - costs[np.argmin(by, axis=0), trials]).reshape(replicates, -1).mean(axis=1)
        found = sectioning(float(saving.mean()), saving)
        return Estimate(max(found.value, 0.0), found.standard_error, max(found.low, 0.0), max(found.high, 0.0))

    evpi = saved(costs)
    cache: dict[int, Estimate] = {}

    def partial(name: str) -> Known:
        fit = fits[name]
        if id(fit) not in cache:
            cache[id(fit)] = saved(fit.out_of_fold(slice(first, first + len(costs)), FOLDS)) if evpi.value > 0 else evpi
        return Known(name, cache[id(fit)])

    def largest_first(names: list[str]) -> tuple[Known, ...]:
        return tuple(sorted((partial(name) for name in names), key=lambda known: -known.value.value))

    by_replicate = costs.reshape(len(costs), replicates, -1).mean(axis=2)
    expected = {name: sectioning(float(rows.mean()), rows) for name, rows in zip(ready.platforms, by_replicate, strict=True)}
    return Decision("USD", ready.platforms[chosen], expected, evpi, largest_first([subject.name for subject in ready.inputs]),
                    largest_first([group.name for group in ready.groups]))


def plan_costs(ready: RankedSample, plan: TokenPlan) -> Array:
    """Present value of what the tokens of a plan cost on each platform [USD], float64[platforms, n], trial by trial.

    Cost per token times the plan's tokens of each month, discounted from its middle at the trial's own rate.
    """
    growth = -np.log1p(ready.sample.discount_rate) / MONTHS_PER_YEAR
    months = int(np.ceil(MONTHS_PER_YEAR * plan.years - 1e-9))
    discounted = np.zeros_like(growth)
    for month in range(months):
        discounted += min(MONTHS_PER_YEAR * plan.years - month, 1.0) * np.exp(growth * (month + 0.5))
    found: Array = ready.sample.costs * (plan.tokens_per_year / MONTHS_PER_YEAR / TOKENS_PER_MILLION * discounted)
    return found

"""How the cost of tokens, and the prices paid, go from one year of service to the next: percentiles over trials of a run.

A trial's cost of a million tokens is one number for its whole life. Here it is told by year. What is paid once (the capital, with
its tax, less what the hardware is sold for) is spread over the months in use as an equal real annuity; every month then costs
that and what it costs itself, and a year costs what its months do. Weighted by discount, the months divide to the trial's one
number again, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.analysis.intervals import quantile_rank
from simulator.analysis.monthly_flows import MonthlyFlows
from simulator.engine.parameters import Compiled, compile_study
from simulator.engine.replay import Replayed, replay
from simulator.engine.trials import Trials
from simulator.experiments.explain import flows_of
from simulator.experiments.trial_inputs import market_of
from simulator.kernels.platform import GPU_LIFETIME
from simulator.kernels.trajectories import BLOCK
from simulator.study.model import Study
from simulator.units import MONTHS, MONTHS_PER_YEAR, TOKENS_PER_MILLION

Array = np.ndarray[Any, np.dtype[np.float64]]
Years = np.ndarray[Any, np.dtype[np.int64]]
PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
_YEARS = MONTHS // MONTHS_PER_YEAR
_ONE_IN = 10  # trials: where fewer are in service, a year says more of long lives than of time


@dataclass(frozen=True)
class LevelledMonths:
    """The months of one trial with its capital spread over them, arrays float64[months].

    discount  factor to the day of payment;  in_use  share of the month in which the hardware is in service
    tokens    [token/GPU];  cost  the annuity of the capital, and what the month costs itself [USD/GPU]
    """

    discount: Array
    in_use: Array
    tokens: Array
    cost: Array


@dataclass(frozen=True)
class Fan:
    """Percentiles by year of service, for the years in which at least 10 % of the trials are in service.

    years       1, 2, …, int64[k]
    values      float64[k, probabilities]: the order statistics x_(⌈np⌉) of the n trials in service
    in_service  the share of the trials that are, float64[k]
    """

    years: Years
    values: Array
    in_service: Array


@dataclass(frozen=True)
class ThroughTime:
    """Costs and prices by year of service, over the first trials of each replicate of a run.

    trials         how many there are, all replicates together
    probabilities  of the percentiles, in the order of `Fan.values`
    costs          of a million tokens [USD], by platform's name in the study's order; a platform is in service in a year if it is
                   in use in any of its months, and gives tokens
    prices         those that move in time, by path of the input and in its unit: the mean of what the market asks (delivery and
                   hedge included) over the months of the year in which a platform that pays it is in use
    """

    trials: int
    probabilities: tuple[float, ...]
    costs: Mapping[str, Fan]
    prices: Mapping[str, Fan]

    def up_to(self, in_service: float) -> ThroughTime:
        """Without the years in which fewer than such a share of the trials are in service."""
        def shorter(fan: Fan) -> Fan:
            last = int(np.count_nonzero(np.cumprod(fan.in_service >= in_service)))
            return Fan(fan.years[:last], fan.values[:last], fan.in_service[:last])

        return replace(self, costs={name: shorter(fan) for name, fan in self.costs.items()},
                       prices={path: short for path, fan in self.prices.items() if len((short := shorter(fan)).years)})


def through_time(study: Study, trials: int = 1024, threads: int = 0) -> ThroughTime:
    """Costs and prices by year of service.

    trials   about so many, as many of each replicate of the study's own run: at least one, at most all
    threads  worker threads, all available cores where 0; results do not depend on it
    """
    compiled = compile_study(study, [], [])
    replicates, platforms = study.simulation.replicates, range(len(study.platforms))
    each = min(max(trials // replicates, 1), study.simulation.trials_per_replicate)
    engine = Trials(compiled, study.simulation, 2 * len(platforms), threads)
    payers = _payers(compiled, len(platforms))
    costs = np.full((len(platforms), _YEARS, replicates * each), np.nan)
    prices = {market: np.full(costs.shape[1:], np.nan) for market in payers}

    def fill(replicate: int) -> None:
        for first in range(0, each, BLOCK):
            block = replay(engine, replicate, first)
            count, start = min(BLOCK, each - first), replicate * each + first
            for market, of_market in payers.items():
                prices[market][:, start:start + count] = _prices_by_year(block, market, of_market)[:, :count]
            for lane in range(count):
                trial = replace(block, trial=first + lane)
                for position in platforms:
                    by_year = costs_by_year(levelled(flows_of(study, trial, position)))
                    costs[position, :len(by_year), start + lane] = by_year

    with ThreadPoolExecutor(engine.threads, thread_name_prefix="tco") as pool:
        list(pool.map(fill, range(replicates)))
    # Who pays nothing in a year, since nothing runs any more, is no witness of its price.
    served = {market: ~np.isnan(costs[of_market]).all(axis=0) for market, of_market in payers.items()}
    return ThroughTime(
        replicates * each, PROBABILITIES,
        {platform.name: _fan(by_year) for platform, by_year in zip(study.platforms, costs, strict=True)},
        {compiled.markets[market]: _fan(np.where(served[market], by_year, np.nan)) for market, by_year in prices.items()})


def levelled(flows: MonthlyFlows) -> LevelledMonths:
    """The months of a trial, each with an equal real part of what is paid in no month: at payment, first token and retirement.

    The part of a whole month is A = Σ discount · cost (of what is no month) ÷ Σ discount · in_use, so that present values stay.
    """
    in_month = flows.month > 0
    once = np.sum((flows.discount * flows.cost)[~in_month])
    annuity = once / np.sum((flows.discount * flows.in_use)[in_month])
    cost = annuity * flows.in_use + flows.cost
    return LevelledMonths(flows.discount[in_month], flows.in_use[in_month], flows.tokens[in_month], cost[in_month])


def costs_by_year(months: LevelledMonths) -> Array:
    """The cost of a million tokens [USD] in each year of service, float64[years]; NaN in one that gives no tokens."""
    begins = np.arange(0, len(months.tokens), MONTHS_PER_YEAR)
    tokens = np.add.reduceat(months.tokens, begins)
    cost = np.add.reduceat(months.cost, begins)
    return _divided(TOKENS_PER_MILLION * cost, tokens)


def _payers(compiled: Compiled, platforms: int) -> dict[int, list[int]]:
    """The positions of the platforms that pay on each market, for the markets on which one does."""
    found: dict[int, list[int]] = {}
    for position in range(platforms):
        for market in market_of(compiled.plan, position).values():
            found.setdefault(market, []).append(position)
    return found


def _prices_by_year(block: Replayed, market: int, platforms: Sequence[int]) -> Array:
    """Mean prices of a market by year over the months in which any of some platforms is in use, float64[years, BLOCK].

    NaN in the years after the last of them has retired; a month in part counts with its part.
    """
    plan, work = block.compiled.plan, block.work
    life = np.minimum(work.values[plan.platform_rows[platforms, GPU_LIFETIME]].max(axis=0), plan.horizon)
    in_use = np.clip(MONTHS_PER_YEAR * life - np.arange(MONTHS)[:, None], 0, 1)
    paid = in_use * np.where(in_use > 0, work.prices[market], 0.0)  # no price is drawn for the months after all lives
    used, total = (rows.reshape(_YEARS, MONTHS_PER_YEAR, BLOCK).sum(axis=1) for rows in (in_use, paid))
    return _divided(total, used)


def _divided(above: Array, below: Array) -> Array:
    """above ÷ below, NaN where that is 0."""
    found: Array = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    return found


def _fan(by_year: Array) -> Fan:
    """Percentiles of each year, float64[years, trials]; NaN in the trials that are out of service in it."""
    years, values, shares = [], [], []
    for year, row in enumerate(by_year, 1):
        served = np.sort(row[~np.isnan(row)])
        if _ONE_IN * len(served) >= len(row):
            years.append(year)
            values.append([served[quantile_rank(len(served), p) - 1] for p in PROBABILITIES])
            shares.append(len(served) / len(row))
    return Fan(np.array(years, np.int64), np.array(values).reshape(-1, len(PROBABILITIES)), np.array(shares))

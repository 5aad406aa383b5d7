"""From sums and order statistics to records: every number that is reported, with its error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import (
    Estimate,
    dominated_by_one_trial,
    largest_share,
    order_statistic_interval,
    order_statistic_ranks,
    plain_mean,
    probability,
    sectioning,
)
from simulator.engine.exceedances import Exceedances
from simulator.engine.layout import Layout, Row
from simulator.engine.selection import Selected, Wanted
from simulator.kernels.platform import NEVER
from simulator.quantities import BREAK_EVEN_PRICE, COST, DOMINANCE, RATIO, RESULT, Result
from simulator.records import Record
from simulator.results import PERCENTILES
from simulator.study.model import Platform, Study
from simulator.units import TOKENS_PER_MILLION

Array = np.ndarray[Any, np.dtype[np.float64]]
_TAIL = 0.05  # the share of outcomes that expected shortfall is the mean of
# What is divided by a cost, and means nothing where a cost is not positive.
_PER_COST = frozenset({"tokens_per_dollar", "flops_per_dollar", RATIO.name})


@dataclass(frozen=True)
class Moments:
    """Sums of a row over all trials: mean and variance by replicate float64[replicates], pooled; least and most."""

    mean: float
    mean_by_replicate: Array
    variance: float
    variance_by_replicate: Array
    sum_of_squares: float
    largest_square: float
    least: float
    most: float


def wanted_quantiles(study: Study, rows: Layout) -> list[Wanted]:
    """The quantiles to select; with the order statistics around them where trials are independent."""
    ranks: dict[float, tuple[int, ...]] = {}
    if study.simulation.independent:
        ranks = {p: order_statistic_ranks(study.simulation.trials, p) for p in PERCENTILES}
    return [Wanted(position, p, ranks.get(p, ()), _tail(row, p))
            for position, row in enumerate(rows.rows) if row.ranked for p in PERCENTILES]


def _tail(row: Row, p: float) -> str:
    if row.kind != "output":
        return ""
    better = RESULT[row.quantity].more_is_better
    return "low" if better and p == _TAIL else "high" if not better and p == 1 - _TAIL else ""


def estimates(study: Study, rows: Layout, moments: list[Moments],
              selected: dict[Wanted, Selected]) -> tuple[list[Record], list[str]]:
    """Every number that is reported, and what has to be said about them."""
    picks: dict[int, list[tuple[Wanted, Selected]]] = {}
    for want, pick in selected.items():
        picks.setdefault(want.row, []).append((want, pick))
    records: list[Record] = []
    withheld: dict[str, list[str]] = {}
    unpaid: list[str] = []
    costs = [moments[rows.find("output", owner, COST.name)].least for owner in range(len(study.platforms))]
    for position, row in enumerate(rows.rows):
        if row.kind in ("present_cost", "present_tokens"):
            continue
        paid = rows.pairs[row.owner] if row.kind == "ratio" else (row.owner,)
        if row.quantity in _PER_COST and min(costs[platform] for platform in paid) <= 0:
            continue
        owner = owner_name(study, rows, row)
        kind, group = "pair" if row.of_a_pair else "platform", "parts" if row.kind == "part" else ""
        records += [Record("base", kind, owner, group, row.quantity, statistic, row.unit, estimate)
                    for statistic, estimate in _statistics(study, row, moments[position], picks.get(position, []))]
        if _is_never(row, moments[position].most):
            unpaid.append(study.platforms[row.owner].label)
        elif row.ranked and _one_trial_dominates(study, moments[position]):
            withheld.setdefault(row.quantity, []).append(owner)
    for position, platform in enumerate(study.platforms):
        price = _break_even_price(moments[rows.find("present_cost", position)], moments[rows.find("present_tokens", position)])
        records.append(Record("base", "platform", platform.name, "", BREAK_EVEN_PRICE.name, "", BREAK_EVEN_PRICE.unit, price))
        records += _output_token_records(platform, records)
    share = largest_share(study.simulation.trials)
    warnings = [f"the sd of {quantity} is withheld for {', '.join(owners)}: a single trial carries over {share:.1%} of the "
                "variance, too much to rely on; percentiles stand. If it stays so with more trials, an input comes close to 0"
                for quantity, owners in withheld.items()]
    free = [platform.label for platform, least in zip(study.platforms, costs, strict=True) if least <= 0]
    if free:
        warnings.append(f"in some trials {', '.join(free)} costs nothing or less (a negative price of energy?): ratios with it "
                        "and what a dollar buys are left out; the difference of costs stands")
    if unpaid:
        warnings.append(f"in some trials the money is not back by the end ({', '.join(unpaid)}): the percentiles of the payback "
                        "that this reaches, and its mean, are left out; probability_of_payback says how often it is")
    return records, warnings


def dominance(study: Study, rows: Layout, exceedances: Exceedances) -> list[Record]:
    """By how much, at the worst, either of each pair misses dominating the other, at first and at second order."""
    found = []
    for later, earlier in rows.pairs:
        owner = study.pair_name((later, earlier))
        for statistic, this, that in (("later", later, earlier), ("earlier", earlier, later)):
            for result, violation in zip(DOMINANCE, exceedances.violations(this, that), strict=True):
                found.append(Record("base", "pair", owner, "dominance", result.name, statistic, result.unit, violation))
    return found


def _statistics(study: Study, row: Row, moments: Moments,
                picks: list[tuple[Wanted, Selected]]) -> Iterator[tuple[str, Estimate]]:
    """The statistics of one row, by name; "" where the row has but one."""
    n, independent = study.simulation.trials, study.simulation.independent
    mean = (plain_mean(moments.mean, moments.variance**0.5, n, moments.mean_by_replicate) if independent
            else sectioning(moments.mean, moments.mean_by_replicate))
    if row.kind in ("cheaper", "cheapest", "chance"):
        yield "", probability(mean, n, independent)
    elif row.kind == "regret":
        yield "", mean
    elif not _is_never(row, moments.most):
        yield "mean", mean
    if row.ranked and not _is_never(row, moments.most) and not _one_trial_dominates(study, moments):
        yield "sd", sectioning(moments.variance**0.5, moments.variance_by_replicate**0.5)
    for want, pick in picks:
        if not _is_never(row, max(pick.pooled, *pick.more, *pick.by_replicate)):
            yield f"p{want.p * 100:g}", (order_statistic_interval(pick.pooled, pick.more, pick.by_replicate) if independent
                                         else sectioning(pick.pooled, pick.by_replicate))
    for want, pick in picks:
        if want.tail and not _is_never(row, moments.most):
            # The mean of equal values is that value: the rounding of their sum is no error.
            yield "cvar95", (sectioning(pick.tail_pooled, pick.tail_by_replicate) if moments.least < moments.most else mean)


def _is_never(row: Row, largest: float) -> bool:
    """Whether a payback is among some trials that never comes."""
    return row.quantity == "payback" and largest >= NEVER


def _one_trial_dominates(study: Study, moments: Moments) -> bool:
    return dominated_by_one_trial(study.simulation.trials, moments.sum_of_squares, moments.largest_square)


def _break_even_price(cost: Moments, tokens: Moments) -> Estimate:
    """E[cost] / E[tokens] per million tokens."""
    return sectioning(TOKENS_PER_MILLION * cost.mean / tokens.mean,
                      TOKENS_PER_MILLION * cost.mean_by_replicate / tokens.mean_by_replicate)


def owner_name(study: Study, rows: Layout, row: Row) -> str:
    """The name of the platform of a row, or of its pair."""
    return study.pair_name(rows.pairs[row.owner]) if row.of_a_pair else study.platforms[row.owner].name


def _output_token_records(platform: Platform, records: list[Record]) -> list[Record]:
    """The cost borne by output tokens alone: a constant multiple of the cost of all tokens."""
    factor = platform.tokens_per_output_token
    if factor is None:
        return []
    result: Result = RESULT["cost_per_million_output_tokens"]
    return [Record(record.scenario, record.kind, record.owner, "", result.name, record.statistic, result.unit,
                   record.estimate.scaled(factor))
            for record in records if record.owner == platform.name and record.quantity == COST.name]

"""Stochastic dominance in words: which of two platforms is the better choice whatever one thinks of risk."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.analysis.dominance import DOES_NOT, DOMINATES, EQUAL, UNDECIDED, verdict
from simulator.analysis.intervals import Estimate
from simulator.quantities import DOMINANCE
from simulator.reporting.wording import is_certain, listed, plain_number
from simulator.results import Run

NOT_SETTLED = "not settled"
FIRST, SECOND = (result.name for result in DOMINANCE)
_WHERE = {FIRST: "at every percentile", SECOND: "on average over every worst tail"}
_CALLED = {FIRST: "first-order dominance", SECOND: "second-order dominance"}


@dataclass(frozen=True)
class _Relation:
    """What may be said of a pair: of which platform over the other, at which order, and how firmly.

    kind   DOMINATES, UNDECIDED (as far as the trials can tell it does), EQUAL, DOES_NOT (neither does) or NOT_SETTLED
    bound  what violates it at most
    """

    kind: str
    best: str
    other: str
    order: str = FIRST
    bound: float = 0.0


def dominance_in_words(run: Run, pairs: list[tuple[str, str]], scenario: str = "base") -> list[str]:
    """Sentences on pairs of platforms (dearer, cheaper); those that one platform dominates in the same way stand in one.

    Where no cost varies there is nothing to say but that two are equal.
    """
    labels = run.study.labels
    certain = is_certain(run, scenario)
    said: dict[tuple[str, ...], list[_Relation]] = {}
    for dearer, cheaper in pairs:
        found = _relation(run, cheaper, dearer, scenario)
        if found.kind == EQUAL or not certain:
            alone = () if found.kind in (DOMINATES, UNDECIDED) else (found.other,)
            said.setdefault((found.kind, found.best, found.order, *alone), []).append(found)
    return [_sentence(together, labels) for together in said.values()]


def _sentence(relations: list[_Relation], labels: dict[str, str]) -> str:
    """What is said of relations that differ in the other platform alone."""
    one = relations[0]
    best, others = labels[one.best], listed([labels[relation.other] for relation in relations])
    if one.kind == EQUAL:
        return f"{best} and {others} are equal: they cost the same at every percentile."
    if one.kind == DOES_NOT:
        return (f"Between {best} and {others} it depends on how much bad outcomes weigh: neither costs less on average over "
                "every worst tail (no dominance).")
    if one.kind == NOT_SETTLED:
        return f"Whether {best} or {others} is better for whoever dislikes risk, these trials do not settle (dominance)."
    bound = max(relation.bound for relation in relations)
    error = f"{_rounded_up(100 * bound)} % of probability" if one.order == FIRST else f"{_rounded_up(bound)} USD"
    hedge = "As far as the simulation error can tell, " if one.kind == UNDECIDED else ""
    return (f"{hedge}{best} costs less than {others}, or the same, {_WHERE[one.order]} "
            f"({_CALLED[one.order]}; simulation error up to {error}).")


def _rounded_up(bound: float) -> str:
    """A bound with one digit, never below itself."""
    if bound <= 0:
        return "0"
    decimals = -math.floor(math.log10(bound))
    return plain_number(math.ceil(bound * 10.0**decimals) / 10.0**decimals, decimals)


def _relation(run: Run, this: str, that: str, scenario: str) -> _Relation:
    """The strongest that the trials support; first order before second, since it says more."""
    both_ways = ((this, that), (that, this))
    missed = {(order, *pair): _violation(run, *pair, order, scenario) for order in (FIRST, SECOND) for pair in both_ways}
    if all(violation.value == 0 for violation in missed.values()):
        return _Relation(EQUAL, this, that)
    for order in (FIRST, SECOND):
        for best, other in both_ways:
            violation, reverse = missed[order, best, other], missed[order, other, best]
            if violation.low == 0 < reverse.low:
                return _Relation(verdict(violation, reverse), best, other, order, violation.high)
    neither = all(missed[SECOND, *pair].low > 0 for pair in both_ways)
    return _Relation(DOES_NOT if neither else NOT_SETTLED, this, that)


def _violation(run: Run, this: str, that: str, order: str, scenario: str) -> Estimate:
    """By how much a platform misses dominating another, whichever way round the results name the pair."""
    names = [platform.name for platform in run.study.platforms]
    later = names.index(this) > names.index(that)
    pair, statistic = (f"{this}/{that}", "later") if later else (f"{that}/{this}", "earlier")
    return run.estimate(pair, f"dominance.{order}", statistic, scenario)

"""What cost against interactivity says, in sentences that the numbers support."""

from __future__ import annotations

import math
from itertools import pairwise

from simulator.analysis.intervals import Estimate
from simulator.experiments.frontier import Flip, FrontierResult, Pair
from simulator.reporting.wording import digits, listed, number, percent, to_digits
from simulator.study.model import Study

UNIT = "token/s/user"


def workload(study: Study) -> str:
    """At what the platforms serve but for the interactivity, in one line; nothing where none says so."""
    point = next((p.operating_point for p in study.platforms if p.operating_point), None)
    if point is None:
        return ""
    known = point.input_tokens and point.output_tokens
    lengths = f"{point.input_tokens:,} tokens in and {point.output_tokens:,} out" if known else ""
    basis = {"total": "input and output tokens counted", "output": "output tokens counted"}.get(point.token_basis, "")
    return f"Work: {', '.join(filter(None, (point.model, lengths, basis)))}." if point.model or lengths else ""


def speed(interactivity: float) -> str:
    """An interactivity to three digits."""
    return to_digits(interactivity)


def findings(result: FrontierResult) -> list[str]:
    """A sentence or more for each pair: who costs less where, and where the ranking flips."""
    labels = result.study.labels
    return [_pair_in_words(result, pair, labels) for pair in drawn_pairs(result)]


def drawn_pairs(result: FrontierResult) -> list[Pair]:
    """Pairs of which there is something to say, if only that they have nothing in common."""
    return [pair for pair in result.pairs if all(result.rows_of(name) for name in (pair.first, pair.second))]


def _pair_in_words(result: FrontierResult, pair: Pair, labels: dict[str, str]) -> str:
    first, second = labels[pair.first], labels[pair.second]
    if not pair.rows:
        return f"{first} and {second} were measured at no common interactivity, and are not compared."
    low, high = pair.rows[0].interactivity, pair.rows[-1].interactivity
    cheaper, other = cheaper_at(result, pair, low)
    costs_less = f"{labels[cheaper]} costs less than {labels[other]}"
    share = chances_in_words(pair, cheaper)
    if low == high:
        return f"{costs_less} in {share} of futures at {speed(low)} {UNIT}, the only interactivity at which both are known."
    if flips_of(pair, "median"):
        return _flipping(pair, labels)
    return (f"{costs_less} wherever both were measured, from {speed(low)} to {speed(high)} {UNIT}, and in {share} of futures: "
            f"the ranking never flips there.{_even(pair)}")


def _flipping(pair: Pair, labels: dict[str, str]) -> str:
    flips = flips_of(pair, "median")
    stretch, *further = stretches(pair)
    parts = [f"{labels[stretch[0]]} costs less (medians) from {stretch[1]} to {stretch[2]} {UNIT}",
             *(f"{labels[name]} from there to {end}" for name, _, end in further)]
    edges = [pair.rows[0].interactivity, *(flip.interactivity.value for flip in flips), pair.rows[-1].interactivity]
    widest = max(pairwise(edges), key=lambda ends: math.log(ends[1] / ends[0]))
    times = {1: "once", 2: "twice"}.get(len(flips), f"{len(flips)} times")
    return (f"The ranking of {labels[flips[0].cheaper_below]} and {labels[flips[0].cheaper_above]} flips {times}: "
            f"{', '.join(parts)}. It never flips between {speed(widest[0])} and {speed(widest[1])} {UNIT}.{_even(pair)}")


def stretches(pair: Pair) -> list[tuple[str, str, str]]:
    """Who has the lower median, from where, to where (in words), between the flips of a pair that has some."""
    flips = flips_of(pair, "median")
    edges = [speed(pair.rows[0].interactivity), *(_at(flip.interactivity) for flip in flips), speed(pair.rows[-1].interactivity)]
    cheaper = [flips[0].cheaper_below, *(flip.cheaper_above for flip in flips)]
    return [(name, start, end) for name, (start, end) in zip(cheaper, pairwise(edges), strict=True)]


def flips_of(pair: Pair, of: str) -> list[Flip]:
    """The flips of the medians, or of the probability, by rising interactivity."""
    return [flip for flip in pair.flips if flip.of == of]


def _even(pair: Pair) -> str:
    """Where each costs less in half of the futures; nothing where one always leads."""
    at = [_at(flip.interactivity) for flip in flips_of(pair, "probability")]
    return f" Each costs less in half of the futures at {listed(at)} {UNIT}." if at else ""


def _at(interactivity: Estimate) -> str:
    """A flip, with its simulation error where the digits do not already say that: "35.2", "40 (± 1)"."""
    half, decimals = interactivity.high - interactivity.value, digits(interactivity.value, interactivity.standard_error)
    error = f" (± {to_digits(half, 1)})" if half >= 0.5 * 10.0**-decimals else ""
    return number(interactivity) + error


def largest_error(result: FrontierResult) -> float:
    """The largest simulation error (95 %) of a flip, token/s/user; 0 where there are none."""
    return max((flip.interactivity.high - flip.interactivity.value for pair in result.pairs for flip in pair.flips), default=0.0)


def cheaper_at(result: FrontierResult, pair: Pair, x: float) -> tuple[str, str]:
    """The two platforms, the one of lower median cost at an interactivity first."""
    cost = {row.platform: row.cost["p50"].value for row in result.rows if row.interactivity == x}
    return (pair.first, pair.second) if cost[pair.first] <= cost[pair.second] else (pair.second, pair.first)


def chances_in_words(pair: Pair, cheaper: str) -> str:
    """In how many of the futures one of a pair costs less, from the least to the most along the common range."""
    chances = sorted((_chance(pair, k, cheaper) for k in range(len(pair.rows))), key=lambda chance: chance.value)
    least, most = percent(chances[0]), percent(chances[-1])
    return least if least == most else f"{least} to {most}"


def _chance(pair: Pair, position: int, cheaper: str) -> Estimate:
    """How often one of the pair costs less; ties, which continuous costs do not have, count for the second."""
    chance = pair.rows[position].probability_cheaper
    if cheaper == pair.first:
        return chance
    return Estimate(1 - chance.value, chance.standard_error, 1 - chance.high, 1 - chance.low)

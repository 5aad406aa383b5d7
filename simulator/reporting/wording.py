"""Numbers and sentences. One function decides how many digits a number has."""

from __future__ import annotations

import math
from collections.abc import Sequence

from simulator.analysis.intervals import Estimate
from simulator.quantities import COST, INPUT, RESULT
from simulator.results import Run

MOST_DIGITS = 3
# Below this chance of being cheapest nobody is called the winner.
CLEAR_WIN = 0.6
_NEVER_LISTED = 4


def digits(value: float, standard_error: float, most: int = MOST_DIGITS) -> int:
    """Decimals with which a number may be printed: at most `most` significant digits, none that its error blurs.

    A digit is kept while one unit of it is at least the half-width of the 95 % interval. May be negative (tens, hundreds).
    """
    if value == 0 or not math.isfinite(value):
        return 0
    wanted = most - 1 - math.floor(math.log10(abs(value)))
    if abs(round(value, wanted)) >= 10.0 ** (most - wanted):
        wanted -= 1  # 9.996 becomes 10.0
    if standard_error > 0:
        wanted = min(wanted, math.floor(-math.log10(1.96 * standard_error)))
    # At least the leading digit: where even that is uncertain, the error beside it says so.
    return max(wanted, -math.floor(math.log10(abs(value))))


def number(estimate: Estimate, most: int = MOST_DIGITS) -> str:
    """An estimate with the digits that it supports."""
    return plain_number(estimate.value, digits(estimate.value, estimate.standard_error, most))


def plain_number(value: float, decimals: int) -> str:
    """A number with so many decimals, thousands set apart; negative decimals round to tens, hundreds …"""
    rounded = round(value, decimals)
    return f"{rounded:,.{max(decimals, 0)}f}"


def percent(estimate: Estimate) -> str:
    """A probability. What never happened in the simulated trials is not called impossible."""
    value, error = estimate.value, max(estimate.standard_error, 0.0)
    if value <= 0.0005:
        return "0 %" if estimate.high < 0.0005 and value == 0 else "under 0.1 %"
    if value >= 0.9995:
        return "100 %" if estimate.low > 0.9995 and value == 1 else "over 99.9 %"
    decimals = 1 if error < 0.0003 and (value < 0.1 or value > 0.9) else 0
    return f"{100 * value:.{decimals}f} %"


def money(estimate: Estimate, unit: str = "USD") -> str:
    """An amount with its unit."""
    return f"{number(estimate)} {unit}"


def listed(words: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def label_of(name: str) -> str:
    """The name of an input or a result as it is read: `gpu_lifetime` as "GPU lifetime"."""
    known = INPUT.get(name) or RESULT.get(name)
    return known.label if known else name.replace("_", " ")


def _in_sentence(name: str) -> str:
    label = label_of(name)
    return label if label.startswith(("GPU", "PUE", "FLOPS")) else label[0].lower() + label[1:]


def headline(run: Run, scenario: str = "base") -> str:
    """Who wins, how surely and by how much: one or two sentences that the numbers support."""
    labels = {platform.name: platform.label for platform in run.study.platforms}

    def cost(name: str, statistic: str) -> Estimate:
        return run.estimate(name, COST.name, statistic, scenario)

    def cost_in_words(name: str) -> str:
        low, high = cost(name, "p5"), cost(name, "p95")
        spread = "" if low.value == high.value else f" (90 % of outcomes: {number(low)} to {number(high)})"
        return f"{money(cost(name, 'p50'))} per million tokens{spread}"

    names = list(labels)
    if len(names) == 1:
        return f"{labels[names[0]]} costs {cost_in_words(names[0])}."
    chance = {name: run.estimate(name, "probability_cheapest", scenario=scenario) for name in names}
    best = max(names, key=lambda name: chance[name].value)
    second = max((name for name in names if name != best), key=lambda name: chance[name].value)
    if chance[best].low < CLEAR_WIN or chance[best].low <= chance[second].high:
        return (f"No clear winner: {labels[best]} is cheapest in {percent(chance[best])} of simulated futures, "
                f"{labels[second]} in {percent(chance[second])}. {labels[best]} costs {cost_in_words(best)}.")
    certain = all(cost(name, "p5").value == cost(name, "p95").value for name in names)
    how_often = "" if certain else f" in {percent(chance[best])} of simulated futures"
    sentence = f"{labels[best]} is cheapest{how_often}. It costs {cost_in_words(best)}"
    if len(names) == 2:
        sentence += f"; {labels[second]} costs {_times(run, second, best, scenario)}"
    return sentence + "."


def ratio(run: Run, this: str, that: str, scenario: str = "base") -> tuple[Estimate, Estimate, Estimate]:
    """P5, P50 and P95 of one platform's cost ÷ another's, whichever way round the results have it."""
    names = [platform.name for platform in run.study.platforms]
    if names.index(this) > names.index(that):
        low, middle, high = (run.estimate(f"{this}/{that}", "ratio", p, scenario) for p in ("p5", "p50", "p95"))
        return low, middle, high
    low, middle, high = (_inverse(run.estimate(f"{that}/{this}", "ratio", p, scenario)) for p in ("p95", "p50", "p5"))
    return low, middle, high


def _times(run: Run, dear: str, cheap: str, scenario: str) -> str:
    """How many times as much the dearer one costs."""
    low, middle, high = ratio(run, dear, cheap, scenario)
    spread = "" if low.value == high.value else f" ({number(low)} to {number(high)})"
    return f"{number(middle)} times as much{spread}"


def _inverse(e: Estimate) -> Estimate:
    """1 ÷ a positive estimate."""
    return Estimate(1 / e.value, e.standard_error / e.value**2, 1 / e.high, 1 / e.low)


def operating_points(run: Run) -> str:
    """At what the platforms serve, in one line; nothing where no platform says so."""
    described: dict[str, list[str]] = {}
    for platform in run.study.platforms:
        point = platform.operating_point
        if point is not None:
            lengths = ""
            if point.input_tokens and point.output_tokens:
                lengths = f"{point.input_tokens:,} tokens in and {point.output_tokens:,} out"
            basis = {"total": "input and output tokens counted", "output": "output tokens counted"}.get(point.token_basis, "")
            speed = f"{point.interactivity:g} token/s/user" if point.interactivity else ""
            words = ", ".join(filter(None, (point.model, lengths, basis, speed)))
            described.setdefault(words, []).append(platform.label)
    if len(described) == 1:
        return f"Operating point: {next(iter(described))}."
    return " ".join(f"Operating point of {listed(labels)}: {words}." for words, labels in described.items())


def not_modelled(run: Run) -> str:
    """What the study leaves out, in one sentence; nothing where it leaves out nothing."""
    by_platform = {platform.label: platform.not_modelled() for platform in run.study.platforms}
    first = next(iter(by_platform.values()))
    everywhere = [name for name in first if all(name in names for names in by_platform.values())]
    parts = [", ".join(map(_in_sentence, everywhere))] if everywhere else []
    for label, names in by_platform.items():
        own = [_in_sentence(name) for name in names if name not in everywhere]
        if own:
            parts.append(f"for {label}: {', '.join(own)}")
    return f"Not modelled (taken as neutral): {'; '.join(parts)}." if parts else ""

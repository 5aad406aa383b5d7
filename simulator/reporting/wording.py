"""Numbers and sentences. One function decides how many digits a number has."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from simulator.analysis.intervals import NORMAL_QUANTILE, Estimate
from simulator.quantities import COST, DIFFERENCE, INPUT, RATIO, RESULT
from simulator.results import Run
from simulator.study.model import OperatingPoint, Simulation

MOST_DIGITS = 3
# Below this chance of being cheapest nobody is called the winner.
CLEAR_WIN = 0.6
# What each scenario of the other kind of evidence rests on, wherever a study has two.
EVIDENCE_OF = {"with_claims": "vendors' claims", "with_measurements": "measurements"}


def digits(value: float, standard_error: float, most: int = MOST_DIGITS) -> int:
    """Decimals with which a number may be printed: at most `most` significant digits, none that its error blurs.

    A digit is kept while one unit of it is at least 1.96 standard errors. May be negative (tens, hundreds).
    """
    if value == 0 or not math.isfinite(value):
        return 0
    wanted = most - 1 - math.floor(math.log10(abs(value)))
    if abs(round(value, wanted)) >= 10.0 ** (most - wanted):
        wanted -= 1  # 9.996 becomes 10.0
    if standard_error > 0:
        wanted = min(wanted, math.floor(-math.log10(NORMAL_QUANTILE * standard_error)))
    # At least the leading digit: where even that is uncertain, the error beside it says so.
    return max(wanted, -math.floor(math.log10(abs(value))))


def number(estimate: Estimate, most: int = MOST_DIGITS) -> str:
    """An estimate with the digits that it supports."""
    return plain_number(estimate.value, digits(estimate.value, estimate.standard_error, most))


def with_error(value: float, standard_error: float) -> str:
    """A number with its standard error beside it, both down to the error's second digit: "2.64 ± 0.15"."""
    if not 0 < standard_error < math.inf:
        return to_digits(value)
    decimals = digits(standard_error, 0.0, 2)
    return f"{plain_number(value, decimals)} ± {plain_number(standard_error, decimals)}"


def to_digits(value: float, most: int = MOST_DIGITS) -> str:
    """A number without an error of its own, to so many significant digits."""
    return plain_number(value, digits(value, 0.0, most))


def as_given(value: float, thousands: bool = True) -> str:
    """A number as somebody wrote it, or a tick of an axis, without the digits of binary rounding."""
    return f"{value:,.10g}" if thousands else f"{value:.10g}"


def short(value: float, most: int = MOST_DIGITS + 1) -> str:
    """A number as somebody would write it, to so many significant digits at most: "1.5", "0.03667"."""
    return as_given(round(value, digits(value, 0.0, most)))


def tiny(value: float) -> str:
    """A difference that may be of rounding alone, to two digits: 0.031, 2.2e-16."""
    return f"{value:.2g}"


def plural(count: int, word: str, words: str = "") -> str:
    """1 number, 2,048 numbers."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def plain_number(value: float, decimals: int) -> str:
    """A number with so many decimals, thousands set apart; negative decimals round to tens, hundreds …"""
    rounded = round(value, decimals) + 0.0  # no minus before a zero
    return f"{rounded:,.{max(decimals, 0)}f}"


def percent(estimate: Estimate) -> str:
    """A probability, with digits that its rarer side supports.

    Only what always happened is 100 %, only what never did 0 %, and then only if trials were enough.
    """
    common = estimate.value > 0.5
    rare, bound = (1 - estimate.value, 1 - estimate.low) if common else (estimate.value, estimate.high)
    decimals = min(digits(100 * rare, 100 * estimate.standard_error),
                   1 if rare < 0.1 and estimate.standard_error < 0.0003 else 0)
    if round(100 * rare, decimals) > 0:
        return f"{plain_number(100 * estimate.value, decimals)} %"
    if rare == 0 and bound < 0.0005:
        return "100 %" if common else "0 %"
    limit = next((limit for limit in (0.1, 1.0) if 100 * bound < limit), 5.0)
    return f"over {as_given(100 - limit)} %" if common else f"under {as_given(limit)} %"


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


def sampler_in_words(simulation: Simulation) -> str:
    """How trials are drawn."""
    return {"sobol": "scrambled Sobol' points", "latin_hypercube": "Latin hypercubes",
            "random": "antithetic pairs" if simulation.antithetic else "independent random trials"}[simulation.sampler]


def leaders(run: Run, scenario: str = "base") -> tuple[str, str | None, bool]:
    """The platform that is cheapest most often, the next one (None where there is one platform), and whether the first is the
    clear winner: surely ahead, and in CLEAR_WIN of the futures."""
    names = [platform.name for platform in run.study.platforms]
    if len(names) == 1:
        return names[0], None, True
    chances = {name: run.estimate(name, "probability_cheapest", scenario=scenario) for name in names}
    best = max(names, key=lambda name: chances[name].value)
    second = max((name for name in names if name != best), key=lambda name: chances[name].value)
    return best, second, chances[best].low >= CLEAR_WIN and chances[best].low > chances[second].high


def headline(run: Run, scenario: str = "base") -> str:
    """Who wins, how surely and by how much: one or two sentences that the numbers support."""
    labels = run.study.labels

    def cost(name: str, statistic: str) -> Estimate:
        return run.estimate(name, COST.name, statistic, scenario)

    def cost_in_words(name: str) -> str:
        low, high = cost(name, "p5"), cost(name, "p95")
        spread = "" if low.value == high.value else f" (90 % of outcomes: {number(low)} to {number(high)})"
        return f"{money(cost(name, 'p50'))} per million tokens{spread}"

    best, second, is_clear = leaders(run, scenario)
    if second is None:
        return f"{labels[best]} costs {cost_in_words(best)}."
    chances = {name: run.estimate(name, "probability_cheapest", scenario=scenario) for name in (best, second)}
    if not is_clear:
        return (f"No clear winner: {labels[best]} is cheapest in {percent(chances[best])} of simulated futures, "
                f"{labels[second]} in {percent(chances[second])}. {labels[best]} costs {cost_in_words(best)}.")
    how_often = "" if is_certain(run, scenario) else f" in {percent(chances[best])} of simulated futures"
    sentence = f"{labels[best]} is cheapest{how_often}. It costs {cost_in_words(best)}"
    if len(labels) == 2:
        times = ratio(run, second, best, scenario)
        sentence += f"; {labels[second]} costs {_times(times)}" if times else ""
    return sentence + "."


def why_stopped(run: Run) -> str:
    """What a stop rule asked for and whether it was reached, in a sentence; nothing where there was none."""
    if run.stopped is None:
        return ""
    labels = run.study.labels
    worst, trials = run.stopped.worst, f"{run.study.simulation.trials:,} trials"
    if run.stopped.target is None:
        pair = listed([labels[name] for name in reversed(worst.owner.split("/"))])
        if run.stopped.reached:
            return f"The ranking by mean cost is sure (95 %) after {trials}."
        if worst.is_hopeless:
            return f"The ranking by mean cost is not sure after {trials}, nor will be: {pair} cost the same in every one."
        return f"The ranking by mean cost is not sure after {trials}, the most allowed: {pair} are too close to be told apart."
    of = " ÷ ".join(labels[name] for name in worst.owner.split("/"))
    largest = f"the largest relative error is {error_share(worst.relative_error)}, of {worst.statistic} of {of}"
    asked = error_share(run.stopped.target)
    if run.stopped.reached:
        return f"Relative errors are at most {asked} after {trials}: {largest}."
    return f"Relative errors are not down to {asked} after {trials}, the most allowed: {largest}."


def error_share(share: float) -> str:
    """A relative error in percent, to two digits."""
    return f"{to_digits(100 * share, 2)} %"


def share(part: Estimate, whole: float) -> str:
    """A part in whole percent of what it is a part of, or in tens where its error blurs more."""
    percentage = part.scaled(100 / whole)
    return f"{plain_number(percentage.value, min(digits(percentage.value, percentage.standard_error), 0))}%"


def is_certain(run: Run, scenario: str = "base") -> bool:
    """Whether no platform's cost varies."""
    def values(name: str) -> set[float]:
        return {run.estimate(name, COST.name, statistic, scenario).value for statistic in ("mean", "p5", "p95")}

    return all(len(values(platform.name)) == 1 for platform in run.study.platforms)


def chance(run: Run, estimate: Estimate, scenario: str = "base") -> str:
    """A probability of a run: without reserve where nothing is uncertain."""
    return f"{plain_number(100 * estimate.value, 0)} %" if is_certain(run, scenario) else percent(estimate)


def ratio(run: Run, this: str, that: str, scenario: str = "base") -> tuple[Estimate, Estimate, Estimate] | None:
    """P5, P50 and P95 of one platform's cost ÷ another's, whichever way round the results have it; None where they have none."""
    return _turned(run, this, that, RATIO.name, Estimate.inverse, scenario)


def difference(run: Run, this: str, that: str, scenario: str = "base") -> tuple[Estimate, Estimate, Estimate] | None:
    """As `ratio`, of one platform's cost − another's."""
    return _turned(run, this, that, DIFFERENCE.name, Estimate.negative, scenario)


def _turned(run: Run, this: str, that: str, quantity: str, turn: Callable[[Estimate], Estimate],
            scenario: str) -> tuple[Estimate, Estimate, Estimate] | None:
    """P5, P50 and P95 of a quantity of a pair that `turn` makes that of the pair the other way round."""
    names = [platform.name for platform in run.study.platforms]
    turned = names.index(this) < names.index(that)
    pair = f"{that}/{this}" if turned else f"{this}/{that}"
    found = [estimate for p in ("p5", "p50", "p95") if (estimate := run.find(pair, quantity, p, scenario))]
    if len(found) < 3:
        return None
    low, middle, high = map(turn, reversed(found)) if turned else found
    return low, middle, high


def _times(ratios: tuple[Estimate, Estimate, Estimate]) -> str:
    low, middle, high = ratios
    spread = "" if low.value == high.value else f" ({number(low)} to {number(high)})"
    return f"{number(middle)} times as much{spread}"


def operating_points(run: Run) -> str:
    """At what the platforms serve, in one line; nothing where no platform says so."""
    described: dict[str, list[str]] = {}
    precisions = {p.operating_point.precision if p.operating_point else "" for p in run.study.platforms}
    for platform in run.study.platforms:
        point = platform.operating_point or OperatingPoint()
        lengths = ""
        if point.input_tokens and point.output_tokens:
            lengths = f"{point.input_tokens:,} tokens in and {point.output_tokens:,} out"
        basis = {"total": "input and output tokens counted", "output": "output tokens counted"}.get(point.token_basis, "")
        speed = f"{as_given(point.interactivity)} token/s/user" if point.interactivity else ""
        precision = point.precision if len(precisions) == 1 else ""  # a note says where precisions differ
        words = ", ".join(filter(None, (point.model, precision, lengths, basis, speed)))
        described.setdefault(words, []).append(platform.label)
    if len(described) == 1 and "" not in described:
        return f"Operating point: {next(iter(described))}."
    return " ".join(f"Operating point of {listed(labels)}: {words}." for words, labels in described.items() if words)


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

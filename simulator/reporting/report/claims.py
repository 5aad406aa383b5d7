"""What a page claims: sentences that the numbers support, and no others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from simulator.analysis.intervals import NORMAL_QUANTILE, Estimate
from simulator.experiments.exceedance import Exceedance
from simulator.experiments.sensitivity.break_even import BreakEven, Flip
from simulator.experiments.sensitivity.everything import Sensitivity
from simulator.experiments.through_time import Fan
from simulator.quantities import COST, PART_MEANINGS, PARTS
from simulator.reporting.input_names import in_sentence, input_name
from simulator.reporting.report.earnings import earnings_claim, losses
from simulator.reporting.sensitivity_rows import drivers_of_pair, drivers_of_platform, own_rows
from simulator.reporting.sensitivity_wording import never_flips, short_value, whole_percentage
from simulator.reporting.wording import (
    as_given,
    chance,
    headline,
    is_certain,
    leaders,
    listed,
    number,
    percent,
    plural,
    share,
    to_digits,
)
from simulator.results import Run
from simulator.study.correlations import tied
from simulator.study.model import Study

PER_MILLION = "USD per million tokens"
_MEDIAN, LEAST_SHARE = 2, 0.005  # place of P50 in a fan; a share of the spread that is worth a word
_ABOUT = 0.12  # numbers that differ by less are about the same


def front_headline(run: Run, asked: Sensitivity) -> str:
    """Claim, number, range, whether it pays, what drives it and where it flips."""
    best, second, _ = leaders(run)
    pays = f"{earnings_claim(run)}." if losses(run) else ""
    return " ".join(filter(None, (headline(run), pays, driver(asked, best), flip(asked, best, second) if second else "")))


def driver(asked: Sensitivity, name: str) -> str:
    """What drives the spread of a platform's cost; nothing where no method says so."""
    study = asked.study
    drivers = drivers_of_platform(asked, _position(study, name))
    own, _ = own_rows(asked, drivers, name)
    rows = [row for row in own if row.variance and row.variance.value > LEAST_SHARE]
    if not rows:
        return ""
    spread = "the spread of the logarithm of its cost" if drivers.of_log else "the spread of its cost"
    first, shares = rows[0], [row.variance for row in rows if row.variance]
    if len(rows) == 1 or _surely_above(shares[0], shares[1]):
        return f"{input_name(study, first.input, name)} drives {whole_percentage(shares[0].value)} of {spread}."
    names = [input_name(study, row.input, name) for row in rows[:2]]
    names = [names[0], in_sentence(names[1])]
    return f"{listed(names)} drive most of {spread}: about {listed([whole_percentage(one.value) for one in shares[:2]])}."


def _surely_above(this: Estimate, that: Estimate) -> bool:
    return this.value - that.value > NORMAL_QUANTILE * math.hypot(this.standard_error, that.standard_error)


def flip(asked: Sensitivity, best: str, second: str) -> str:
    """Which value of one uncertain input turns the ranking of the two that are cheapest most often; or that none does."""
    found = turning_points(asked, best, second)
    study, pair = asked.study, _pair(asked.study, best, second)
    if found:
        one, turn = found[0]
        return flip_in_words(study, pair, best, one, turn)
    values = (asked.break_even or {}).get(pair)
    return never_flips(study, pair, values) if values and all(one.never for one in values) else ""


def turning_points(asked: Sensitivity, best: str, second: str) -> list[tuple[BreakEven, Flip]]:
    """Where one uncertain input alone turns the ranking of two platforms, that of the input that matters most first."""
    pair = _pair(asked.study, best, second)
    order = {row.input: place for place, row in enumerate(drivers_of_pair(asked, pair).rows)}
    together = tied(asked.study.correlations)  # an input that cannot move without another one turns nothing by itself
    found = [(one, turn) for one in (asked.break_even or {}).get(pair, ()) if one.uncertain and one.input not in together
             for turn in one.on_draws]
    return sorted(found, key=lambda pick: order.get(pick[0].input, len(order)))


def flip_in_words(study: Study, pair: tuple[int, int], best: str, one: BreakEven, turn: Flip) -> str:
    """"With utilization below 38 %, NVIDIA HGX H200 is the cheaper one of the two in most futures." """
    later, earlier = (study.platforms[position] for position in pair)
    other = earlier if later.name == best else later
    other_wins_above = turn.later_is_cheaper_above == (other is later)
    side = "above" if other_wins_above else "below"
    value = short_value(study, one.input, turn.value)
    return f"With {in_sentence(input_name(study, one.input))} {side} {value}, {other.label} costs less in most futures."


def ranges_claim(run: Run) -> str:
    """What costs are, in nine of ten futures."""
    best, second, _ = leaders(run)
    labels = run.study.labels
    if is_certain(run):
        return f"{labels[best]} costs {number(_cost(run, best, 'p50'))} {PER_MILLION}; nothing is uncertain"
    says = f"{labels[best]} costs {_span(run, best)} {PER_MILLION} in nine of ten futures"
    return f"{says}, {labels[second]} {_span(run, second)}" if second else says


def exceedance_claim(run: Run, found: Exceedance) -> str:
    """How sure it is that the budget holds, or how bad the worst of twenty futures is."""
    best, _, _ = leaders(run)
    label = run.study.labels[best]
    if found.at:
        often = percent(found.estimates[best][0])
        return f"{label} costs more than the budget of {as_given(found.at[0])} USD in {often} of futures"
    if is_certain(run):
        return f"{label} costs the same in every future: {number(_cost(run, best, 'p50'))} {PER_MILLION}"
    return f"In one future of twenty, {label} costs more than {number(_cost(run, best, 'p95'))} {PER_MILLION}"


def ranking_claim(run: Run) -> str:
    """Who is cheapest, and how often."""
    best, second, is_clear = leaders(run)
    labels = run.study.labels
    how_often = chance(run, run.estimate(best, "probability_cheapest"))
    if is_clear or second is None:
        return f"{labels[best]} is the cheapest in {how_often} of futures"
    other = chance(run, run.estimate(second, "probability_cheapest"))
    return f"No clear winner: {labels[best]} is the cheapest in {how_often} of futures, {labels[second]} in {other}"


def parts_claim(run: Run) -> str:
    """What most of the money is spent on."""
    best, _, _ = leaders(run)
    parts = {part: estimate for part in PARTS if (estimate := run.find(best, f"parts.{part}", "mean")) and estimate.value > 0}
    mean, label = _cost(run, best, "mean"), run.study.labels[best]
    if not parts or mean.value <= 0:
        return f"What the cost of {label} is made of"
    largest = max(parts, key=lambda part: parts[part].value)
    if len(parts) == 1:
        return f"{_capital(PART_MEANINGS[largest])}: that is all that {label} costs"
    return f"{_capital(PART_MEANINGS[largest])}: {share(parts[largest], mean.value).replace('%', ' %')} of what {label} costs"


def drivers_claim(asked: Sensitivity, run: Run) -> str:
    """What drives the cost of the platform that is cheapest most often."""
    best, _, _ = leaders(run)
    says, label = driver(asked, best), run.study.labels[best]
    if says:
        return says.replace("its cost", f"the cost of {label}").rstrip(".")
    bars = asked.tornado(_position(asked.study, best))
    if not bars:
        return f"No input moves the cost of {label}"
    return f"{input_name(asked.study, bars[0].input, best)} moves the cost of {label} most, by itself"


def flips_claim(asked: Sensitivity, run: Run) -> str:
    """Where the ranking of the two that are cheapest most often turns."""
    best, second, _ = leaders(run)
    assert second
    says = flip(asked, best, second).rstrip(".")
    labels = run.study.labels
    return says or f"No single uncertain input, within its range, turns the ranking of {labels[best]} and {labels[second]}"


def time_claim(run: Run, fans: Mapping[str, Fan]) -> str:
    """How the cost of the platform that is cheapest most often moves over its life."""
    best, _, _ = leaders(run)
    label, fan = run.study.labels[best], fans.get(best)
    if fan is None or not len(fan.years):
        return f"What {label} costs from year to year"
    medians = [float(median) for median in fan.values[:, _MEDIAN]]
    first, *others = (to_digits(median, 2) for median in medians)
    low, high = min(medians), max(medians)
    if not others or high - low <= _ABOUT * high:
        return f"{label} costs about as much in each year of service: {first} {PER_MILLION} (median)"
    if len(others) > 1 and max(medians[1:]) - min(medians[1:]) <= _ABOUT * max(medians[1:]):
        then = f"about {others[0]} from the second on"
    else:
        then = f"{others[-1]} in year {int(fan.years[-1])}"
    return f"{label} costs {first} {PER_MILLION} in its first year of service, {then} (medians)"


def what_ifs_claim(run: Run, names: Sequence[str]) -> str:
    """Which other world moves the cost of the platform that is cheapest most often farthest; or which turn the ranking."""
    best, _, _ = leaders(run)
    label = run.study.labels[best]
    base = _cost(run, best, "mean")
    moved = {name: _cost(run, best, "mean", name).value - base.value for name in names}
    turned = [name for name in names if leaders(run, name)[0] != best]
    if turned:
        others = listed([f"{run.study.labels[leaders(run, name)[0]]} under “{world_name(name)}”" for name in turned[:3]])
        return f"The ranking turns in {len(turned)} of {plural(len(names), 'other world')}: {others}"
    stays = "" if len(run.study.platforms) == 1 else f"{label} stays the one that is cheapest most often; "
    farthest = max(moved, key=lambda name: abs(moved[name]))
    whose = "its mean cost" if stays else f"the mean cost of {label}"
    return (f"{stays}“{world_name(farthest)}” moves {whose} most, from {number(base)} to "
            f"{number(_cost(run, best, 'mean', farthest))} {PER_MILLION}")


def _span(run: Run, name: str) -> str:
    return f"{number(_cost(run, name, 'p5'))} to {number(_cost(run, name, 'p95'))}"


def world_name(scenario: str) -> str:
    """A scenario as it is read."""
    return scenario.replace("_", " ")


def _cost(run: Run, name: str, statistic: str, scenario: str = "base") -> Estimate:
    return run.estimate(name, COST.name, statistic, scenario)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _position(study: Study, name: str) -> int:
    return [platform.name for platform in study.platforms].index(name)


def _pair(study: Study, one: str, other: str) -> tuple[int, int]:
    first, second = _position(study, one), _position(study, other)
    return max(first, second), min(first, second)

"""The front page: the headline, three numbers, what a board should know, and how good the evidence is."""

from __future__ import annotations

from functools import partial

from simulator.experiments.report_numbers import ReportNumbers
from simulator.quantities import COST
from simulator.reporting.report.claims import front_headline
from simulator.reporting.report.cost_charts import Row, ranges_chart
from simulator.reporting.report.document import Chart, Fact, Front
from simulator.reporting.report.earnings import losses
from simulator.reporting.reverse_stress_wording import reverse_stress_in_words
from simulator.reporting.robustness_wording import robustness_in_words
from simulator.reporting.sensitivity_wording import value_of_information_in_words
from simulator.reporting.terminal import by_median
from simulator.reporting.wording import (
    EVIDENCE_OF,
    as_given,
    chance,
    is_certain,
    leaders,
    listed,
    money,
    not_modelled,
    number,
    operating_points,
    percent,
    plural,
    ratio,
)
from simulator.results import Run
from simulator.study.inputs import GRADES

_MOST_ROWS = 6
_RARE = 0.05  # share of futures of which a front page need not speak


def front_of(numbers: ReportNumbers, title: str = "") -> Front:
    """The front page of a report; `title` in place of the study's name."""
    run, study = numbers.run, numbers.run.study
    rows = [Row(study.labels[name], name) for name in by_median(run)[:_MOST_ROWS]]
    count = len(study.platforms)
    which = f", the {_MOST_ROWS} cheapest medians of {count}" if count > _MOST_ROWS else ""
    chart = Chart("overview", f"Ranges of the cost of a million tokens{which}: medians, P10 to P90 and P5 to P95.",
                  partial(ranges_chart, run, rows, None, 0.42), f"Cost of a million tokens{which}")
    return Front(title or study.name, study.name, tuple(filter(None, (study.description, operating_points(run)))),
                 front_headline(run, numbers.sensitivity), _facts(numbers), _points(numbers),
                 str(numbers.finished.manifest["finished"])[:10], (chart,))


def _facts(numbers: ReportNumbers) -> tuple[Fact, ...]:
    """Three numbers: the cost, how often it is the lowest, and what the next one costs; else how bad it may get."""
    run = numbers.run
    best, second, is_clear = leaders(run)
    labels = run.study.labels
    cost = {p: run.estimate(best, COST.name, p) for p in ("p5", "p50", "p95")}
    spread = "" if is_certain(run) else f"; nine of ten futures: {number(cost['p5'])} to {number(cost['p95'])}"
    facts = [Fact(f"{number(cost['p50'])} USD", f"per million tokens on {labels[best]}, median{spread}")]
    if second:
        word = "" if is_clear else " (no clear winner)"
        facts.append(Fact(chance(run, run.estimate(best, "probability_cheapest")),
                          f"of simulated futures in which {labels[best]} is the cheapest{word}"))
        times = ratio(run, second, best)
        if times:
            low, middle, high = times
            wide = "" if low.value == high.value else f"; {number(low)} to {number(high)} times in nine of ten futures"
            facts.append(Fact(f"{number(middle)}×", f"what {labels[second]} costs beside it, median{wide}"))
    elif not is_certain(run):
        facts.append(Fact(f"{number(run.estimate(best, COST.name, 'cvar95'))} USD", "mean of the dearest 5 % of futures"))
    loss = losses(run).get(best)
    if loss:
        facts = [*facts[:2], Fact(chance(run, loss), f"of futures in which {labels[best]} loses money at these prices")]
    if numbers.exceedance.at:
        often = numbers.exceedance.estimates[best][0]
        budget = Fact(percent(often), f"chance that {labels[best]} costs more than {as_given(numbers.exceedance.at[0])} USD")
        facts = [*facts[:2], budget]
    return tuple(facts[:3])


def _points(numbers: ReportNumbers) -> tuple[str, ...]:
    """What else a board should know, in sentences."""
    run, asked = numbers.run, numbers.sensitivity
    points = [evidence_in_words(run)]
    points += [_sentence(warning) for warning in run.warnings if warning.startswith("operating points differ")]
    points += _by_claims(run)
    stress = asked.reverse_stress
    if stress and len(run.study.platforms) > 1 and (stress.loses.value == 0 or (stress.box and stress.box.support.value > _RARE)):
        points.append(reverse_stress_in_words(run.study, stress))
    if asked.robustness:
        points.append(robustness_in_words(run.study, asked.robustness, money))
    points += value_of_information_in_words(asked, money)[1:2]
    points.append(not_modelled(run))
    return tuple(filter(None, points))


def _by_claims(run: Run) -> list[str]:
    """What costs would be with the other kind of evidence throughout, where the study has two."""
    best, _, _ = leaders(run)
    label, base = run.study.labels[best], run.estimate(best, COST.name, "p50")
    return [f"With {EVIDENCE_OF[scenario]} wherever there are two kinds of evidence, {label} costs in the median "
            f"{number(run.estimate(best, COST.name, 'p50', scenario))} USD per million tokens, in place of {number(base)}."
            for scenario in run.records.scenarios if scenario in EVIDENCE_OF]


def _sentence(warning: str) -> str:
    return f"{warning[:1].upper()}{warning[1:].rstrip('.')}."


def evidence_in_words(run: Run) -> str:
    """How many of the inputs that the study states rest on evidence of which grade."""
    stated = [given for given in run.study.inputs().values() if given.is_stated]
    counts = {grade: sum(given.evidence.grade == grade for given in stated) for grade in GRADES}
    known = [f"{count} {grade}" for grade, count in counts.items() if count]
    without = len(stated) - sum(counts.values())
    if not known:
        return f"Evidence: none of {plural(len(stated), 'input')} states a grade."
    ungraded = [f"{without} without a grade"] if without else []
    return f"Evidence of {plural(len(stated), 'input')}: {listed([*known, *ungraded])}."

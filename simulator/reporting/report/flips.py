"""The page of where the ranking turns."""

from __future__ import annotations

from functools import partial

from simulator.experiments.report_numbers import ReportNumbers
from simulator.experiments.sensitivity.robustness import Robustness
from simulator.reporting.crossover_chart import map_chart
from simulator.reporting.input_names import input_name
from simulator.reporting.report import claims
from simulator.reporting.report.document import Chart, Page, Table
from simulator.reporting.reverse_stress_wording import reverse_stress_in_words
from simulator.reporting.robustness_wording import robustness_in_words
from simulator.reporting.sensitivity_wording import map_in_words, never_flips, range_in_words, short_value
from simulator.reporting.wording import listed, money, number, percent, plural
from simulator.results import Run
from simulator.study.correlations import tied


def flips_page(numbers: ReportNumbers) -> Page | None:
    """Break-even values, the map, when the choice loses, and other worlds; nothing where no method says anything."""
    run, asked = numbers.run, numbers.sensitivity
    study, text, tables, charts = run.study, [], [], []
    together = tied(study.correlations)
    for pair, values in (asked.break_even or {}).items():
        later, earlier = (study.platforms[place].label for place in pair)
        rows = tuple((input_name(study, one.input), short_value(study, one.input, turn.value),
                      later if turn.later_is_cheaper_above else earlier, earlier if turn.later_is_cheaper_above else later,
                      range_in_words(study, one)) for one in values if one.input not in together for turn in one.on_draws)
        left = sum(one.input in together and not one.never for one in values)
        if rows:
            tables.append(Table(f"{later} and {earlier} cost the same (in half of futures each is cheaper)",
                                ("Input", "at", "cheaper above it", "cheaper below it", "looked at"), rows, frozenset({1}),
                                f"{plural(left, 'input')} that cannot move without another one left out." if left else ""))
        never = never_flips(study, pair, values)
        text += [never] if never and not rows else []
    text = _by_winner(text)
    if asked.crossover:
        charts.append(Chart("crossover", map_in_words(study, asked.crossover), partial(map_chart, asked, asked.crossover)))
        text.insert(0, map_in_words(study, asked.crossover))
    if asked.reverse_stress and (asked.reverse_stress.box or asked.reverse_stress.loses.value == 0):
        text.append(reverse_stress_in_words(study, asked.reverse_stress))
    if asked.robustness:
        text.append(robustness_in_words(study, asked.robustness, money))
        tables.append(_alternatives(run, asked.robustness))
    if not (text or tables or charts):
        return None
    reading = ("Each point is a world with these two inputs: the colour, and the words, say which platform costs less there. "
               "The cross: the study's medians." if charts else "")
    return Page("flips", "Where it flips", claims.flips_claim(asked, run), tuple(charts), reading, tuple(text), tuple(tables))


def _by_winner(sentences: list[str]) -> list[str]:
    """Sentences that say the same of one platform and several others, as one."""
    said: dict[tuple[str, str], list[str]] = {}
    for sentence in sentences:
        winner, than, rest = sentence.partition(" stays cheaper than ")
        other, whatever, where = rest.partition(" whatever value any one of ")
        if than and whatever:
            said.setdefault((winner, where.partition("inputs")[2]), []).append(other)
        else:
            said[sentence, ""] = []
    return [f"{winner} stays cheaper than {listed(others)} whatever value any one input{where}" if others else winner
            for (winner, where), others in said.items()]


def _alternatives(run: Run, found: Robustness) -> Table:
    labels = run.study.labels
    rows = tuple((world.words, labels[world.ranking[0]], number(world.cost), percent(world.probability_cheapest),
                  number(world.expected_regret)) for world in found.worlds)
    choice = labels[found.choice]
    return Table(f"In other worlds than the study's: the choice by mean cost, and how {choice} fares", (
        "If the world is …", "Choice", f"Mean cost of {choice}", "Cheapest in", "Regret"), rows, frozenset((2, 3, 4)))

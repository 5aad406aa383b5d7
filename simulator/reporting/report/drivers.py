"""The page of what drives costs, and its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from simulator.experiments.report_numbers import ReportNumbers
from simulator.experiments.sensitivity.everything import Sensitivity
from simulator.reporting.input_names import input_name
from simulator.reporting.report import claims
from simulator.reporting.report.document import Chart, Page, Table
from simulator.reporting.sensitivity_charts import shares_chart, tornado_chart
from simulator.reporting.sensitivity_rows import InputRow, drivers_of_platform, own_rows
from simulator.reporting.sensitivity_wording import COLUMNS, percentage, value_of_information_in_words
from simulator.reporting.terminal import by_median
from simulator.reporting.wording import leaders, money, plural, to_digits

MOST_DETAILED = 2  # platforms whose drivers have charts of their own
_MOST_ROWS = 12
_HOW_TO_READ_DRIVERS = (
    "Bars of the first chart: the cost with one input at its P10 and at its P90, all others at their medians. Bars of the "
    "second: how much of the spread, and of the tail, is owed to the input (Shapley effects, which count what goes with it; they "
    "add to 100 %). ±: standard error.")
_OF_INPUT: tuple[tuple[str, Callable[[InputRow], str]], ...] = (
    ("P10 → P90", lambda row: f"{to_digits(row.bar.at_p10)} → {to_digits(row.bar.at_p90)}" if row.bar else ""),
    ("Share of spread", lambda row: percentage(row.variance) if row.variance else ""),
    ("Share of tail", lambda row: percentage(row.tail) if row.tail else ""),
    ("Sobol' total", lambda row: percentage(row.total) if row.total else ""))


def drivers_page(numbers: ReportNumbers) -> Page | None:
    """Tornados and shares of the two platforms that matter most; nothing where nothing is uncertain."""
    run, asked = numbers.run, numbers.sensitivity
    found = driven(numbers)
    if not found:
        return None
    labels = run.study.labels
    charts = [chart for name, position in found[:MOST_DETAILED] for chart in _driver_charts(asked, position, name, labels[name])]
    tables = [driver_table(asked, position, name, labels[name]) for name, position in found[:MOST_DETAILED]]
    notes = tuple(text.replace("Share of variance", "Share of spread") for column, text in COLUMNS.items()
                  if column in ("variance", "tail"))
    if len(found) > MOST_DETAILED:
        notes += (f"What drives the other {plural(len(found) - MOST_DETAILED, 'platform')} stands in the appendix.",)
    return Page("drivers", "What drives it", claims.drivers_claim(asked, run), tuple(charts), _HOW_TO_READ_DRIVERS,
                tuple(value_of_information_in_words(asked, money)), tuple(tables), notes)


def driven(numbers: ReportNumbers) -> list[tuple[str, int]]:
    """Platforms with a cost that something drives, and their positions: the one cheapest most often, then by median."""
    run = numbers.run
    position = {platform.name: place for place, platform in enumerate(run.study.platforms)}
    return [(name, position[name]) for name in dict.fromkeys((leaders(run)[0], *by_median(run)))
            if drivers_of_platform(numbers.sensitivity, position[name]).rows]


def _driver_charts(asked: Sensitivity, position: int, name: str, label: str) -> Iterator[Chart]:
    drivers = drivers_of_platform(asked, position)
    if asked.tornado(position):
        ends = "; ".join(f"{input_name(asked.study, bar.input, name)} {to_digits(bar.at_p10)} to {to_digits(bar.at_p90)}"
                         for bar in asked.tornado(position)[:5])
        yield Chart(f"tornado-{name}", f"Tornado of the cost of {label}, USD per million tokens: {ends}.",
                    partial(tornado_chart, asked, position), f"{label}: one input at a time")
    if any(row.variance for row in drivers.rows):
        shares = "; ".join(f"{input_name(asked.study, row.input, name)} {percentage(row.variance)}"
                           for row in own_rows(asked, drivers, name)[0][:5] if row.variance)
        yield Chart(f"shapley-{name}", f"Shares of the spread of the cost of {label}: {shares}.",
                    partial(shares_chart, asked, position), f"{label}: shares of the spread and of the tail")


def driver_table(asked: Sensitivity, position: int, name: str, label: str) -> Table:
    """What each method says of the inputs that a platform has, the one that matters most first."""
    drivers = drivers_of_platform(asked, position)
    own, foreign = own_rows(asked, drivers, name)
    columns = [(heading, cell) for heading, cell in _OF_INPUT if any(map(cell, drivers.rows))]
    rows = tuple((input_name(asked.study, row.input, name), *(cell(row) for _, cell in columns))
                 for row in own[:_MOST_ROWS])
    more = len(own) - len(rows)
    says = [f"{plural(more, 'more input')} {'matters' if more == 1 else 'matter'} less."] if more > 0 else []
    if any(row.variance and row.variance.value > claims.LEAST_SHARE for row in foreign):
        says.append("What is missing to 100 % is owed to inputs of other platforms, which go together with these.")
    return Table(f"What drives the cost of {label}, {claims.PER_MILLION}", ("Input", *(heading for heading, _ in columns)), rows,
                 frozenset(range(1, 1 + len(columns))), " ".join(says))

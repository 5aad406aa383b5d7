"""Sheets of what a run reported: the summary, parts of costs, every number, pairs and what-ifs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from simulator.experiments.report_numbers import ReportNumbers
from simulator.quantities import COST, DIFFERENCE, PARTS, RATIO
from simulator.records import Record
from simulator.reporting.ranges import shortened
from simulator.reporting.report.claims import front_headline
from simulator.reporting.report.front import evidence_in_words
from simulator.reporting.report.workbook_cells import Cell, Shown, error_of, shown, with_bounds
from simulator.reporting.report.workbook_charts import Axis, Series, bars, filled, unseen, whiskers
from simulator.reporting.report.workbook_sheets import Book, Chart, Sheet
from simulator.reporting.terminal import by_median
from simulator.reporting.wording import label_of, not_modelled, operating_points, why_stopped
from simulator.results import CHANGE, CHANGE_PER_DOLLAR, Run

USD = "USD per million tokens"
MOST_ROWS = 1_000_000  # of a sheet that has 1,048,576
_PERCENTILES = ("p5", "p10", "p25", "p50", "p75", "p90", "p95")
_STATISTICS = ("p5", "p50", "p95", "mean")  # of tables that do not show all
_BY_PERCENT = ("gross_margin", "probability_")  # what quantities begin with that are read in percent
_SUMMARY_COLUMNS = 12
_GREY = {"font_color": "#555555"}
_CHANGE_OF_COST = f"{CHANGE}.{COST.name}"


def summary(book: Book, numbers: ReportNumbers, title: str, date: str) -> None:
    """What a board reads first. `date`: of the run, in words."""
    run, sheet = numbers.run, book.sheet("Summary")
    names = by_median(run)
    several = len(names) > 1
    headings = ["Platform", *(f"{p.upper()} [{USD}]" for p in _PERCENTILES), f"Mean [{USD}]",
                f"Standard error of the mean [{USD}]",
                *(("Probability of being cheapest [%]", f"Expected regret [{USD}]") if several else ())]
    above = [(text, style) for text, style in _texts(numbers, title, date) if text]
    header = len(above) + 1
    last, last_column = header + len(names), len(headings) - 1
    sheet.table(header, 0, headings, (_of_platform(run, name, several) for name in names))
    for row, (text, style) in enumerate(above):  # after the table, which gives columns their widths
        sheet.paragraph(row, last_column, text, **style)
    sheet.head(1, printed=False)
    below = sheet.place(last + 2, 0, _ranges(book, sheet, run, names, header),
                        "Cost per million tokens of each platform: P5 to P95, P10 to P90 and the median")
    for line, style in _foot(run):
        sheet.paragraph(below, last_column, line, **style)
        below += 1
    sheet.print_only(below, last_column)


def _texts(numbers: ReportNumbers, title: str, date: str) -> Iterator[tuple[str, dict[str, Any]]]:
    run = numbers.run
    simulation = run.study.simulation
    yield title, {"bold": True, "font_size": 16}
    yield run.study.name if title != run.study.name else "", {"bold": True}
    yield run.study.description, {}
    yield front_headline(run, numbers.sensitivity), {"bold": True, "font_size": 12}
    yield operating_points(run), {}
    made = f"{simulation.trials:,} trials, seed {simulation.seed}, digest of the study {run.study.digest}."
    yield ". ".join(filter(None, (date, made))), _GREY


def _foot(run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    yield ("P5 to P95 say what the world may do; standard errors say what more trials would change. Cells hold numbers in full; "
           "digits that the simulation error blurs are not shown."), _GREY
    for line in (evidence_in_words(run), not_modelled(run), why_stopped(run)):
        if line:
            yield line, {}
    if run.warnings:
        yield "Warnings", {"bold": True}
    for warning in run.warnings:
        yield warning, {}


def _of_platform(run: Run, name: str, several: bool) -> list[Cell]:
    mean = run.find(name, COST.name, "mean")
    cells: list[Cell] = [run.study.labels[name], *(shown(run.find(name, COST.name, p)) for p in _PERCENTILES), shown(mean),
                         error_of(mean)]
    if several:
        cells += [shown(run.find(name, "probability_cheapest"), True), shown(run.find(name, "expected_regret"))]
    return cells


def _ranges(book: Book, sheet: Sheet, run: Run, names: Sequence[str], header: int) -> Chart:
    """Bars from P10 to P90 with whiskers to P5 and P95; where a cost is negative, which bars end to end cannot show, percentiles
    beside one another."""
    # What only charts need stands beside the table, beyond what is printed: names that fit, and lengths of bars.
    first, last, beside, labels = header + 1, header + len(names), _SUMMARY_COLUMNS + 1, run.study.labels
    sheet.table(header, beside, ["For charts: platform"], ([shortened(labels[name])] for name in names))
    book.names = sheet.column_of(beside, first, last)
    values = {p: [run.estimate(name, COST.name, p).value for name in names] for p in _PERCENTILES}
    title = "Cost per million tokens"
    if min(values["p5"]) < 0:
        series = [Series(p.upper(), book.names, sheet.column_of(1 + _PERCENTILES.index(p), first, last), filled(position))
                  for position, p in enumerate(("p5", "p50", "p95"))]
        return bars(book, title, series, len(names), "Platform", Axis(f"Cost [{USD}]"), labels_low=True)
    steps = (("p10", "p50"), ("p50", "p90"), ("p5", "p10"), ("p90", "p95"))
    lengths = [[values[high][k] - values[low][k] for k in range(len(names))] for low, high in steps]
    sheet.table(header, beside + 1, [f"For charts: {low.upper()} to {high.upper()} [{USD}]" for low, high in steps],
                ([Shown(of_step[k]) for of_step in lengths] for k in range(len(names))))
    at = [sheet.column_of(beside + 1 + k, first, last) for k in range(len(steps))]
    series = [Series("P10", book.names, sheet.column_of(2, first, last), {**unseen(), **whiskers("minus", at[2], lengths[2])}),
              Series("P10 to P50", book.names, at[0], filled(0)),
              Series("P50 to P90", book.names, at[1], {**filled(5), **whiskers("plus", at[3], lengths[3])})]
    axis = Axis(f"Cost [{USD}]; bar: P10 to P90, its colours meet at P50; line: P5 to P95")
    return bars(book, title, series, len(names), "Platform", axis, stacked=True, legend=False)


def costs_by_part(book: Book, numbers: ReportNumbers) -> None:
    """Means of the parts, which add up to the mean cost."""
    run, sheet = numbers.run, book.sheet("Costs by part")
    names = by_median(run)
    parts = [part for part in PARTS if any(run.find(name, f"parts.{part}", "mean") for name in names)]
    labels = run.study.labels
    headings = ["Platform", *(f"{part.capitalize()}, mean [{USD}]" for part in parts), f"All, mean [{USD}]"]
    quantities = [*(f"parts.{part}" for part in parts), COST.name]
    last = sheet.table(0, 0, headings, (
        [labels[name], *(shown(run.find(name, quantity, "mean")) for quantity in quantities)] for name in names))
    sheet.head(1, 1)
    series = [Series(part.capitalize(), book.names, sheet.column_of(1 + position, 1, last), filled(position, pattern=True))
              for position, part in enumerate(parts)]
    if series:
        chart = bars(book, "Where the money goes", series, len(names), "Platform", Axis(f"Mean cost [{USD}]"), stacked=True,
                     labels_low=True)
        sheet.place(last + 2, 0, chart, "Mean parts of the cost of each platform, end to end")


def percentiles(book: Book, numbers: ReportNumbers) -> None:
    """Every reported number, one a row."""
    run, sheet = numbers.run, book.sheet("Percentiles")
    labels = run.study.labels
    headings = ["Scenario", "Platform, or pair (first / second)", "Quantity", "Statistic", "Value [unit]",
                "Standard error [unit]", "Low (95 %) [unit]", "High (95 %) [unit]", "Unit (1: a share or a ratio)"]
    last = sheet.table(0, 0, headings, islice((_of_record(record, labels) for record in run.records), MOST_ROWS))
    sheet.head()
    sheet.filter(last, len(headings) - 1)
    if len(run.records) > MOST_ROWS:
        sheet.note(last + 1, f"{len(run.records) - MOST_ROWS:,} more are in summary.parquet of the run.")


def _of_record(record: Record, labels: dict[str, str]) -> list[Cell]:
    owner = " / ".join(labels.get(name, name) for name in record.owner.split("/"))
    in_percent = record.unit == "1" and record.quantity.startswith(_BY_PERCENT) and record.group != CHANGE_PER_DOLLAR
    return [record.scenario, owner, _quantity(record), record.statistic or "value", *with_bounds(record.estimate, in_percent),
            record.unit]


def _quantity(record: Record) -> str:
    name = label_of(record.quantity)
    name = name[:1].upper() + name[1:]
    return {"parts": f"Part of the cost: {name}", "dominance": f"{name}-order dominance, violated by", CHANGE: f"Change: {name}",
            CHANGE_PER_DOLLAR: f"Change per dollar: {name}"}.get(record.group, name)


def pairs(book: Book, numbers: ReportNumbers) -> None:
    """Each platform against each that stands before it in the study."""
    run, sheet = numbers.run, book.sheet("Pairs")
    labels = [platform.label for platform in run.study.platforms]
    headings = ["Platform", "Against", *(f"Cost ÷ cost of the other: {s.capitalize()} [1]" for s in _STATISTICS),
                *(f"Cost − cost of the other: {s.capitalize()} [{USD}]" for s in _STATISTICS),
                "Probability that the platform is cheaper [%]", "Standard error [%]", "Low (95 %) [%]", "High (95 %) [%]"]

    def rows() -> Iterator[list[Cell]]:
        for pair in run.study.pairs:
            name = run.study.pair_name(pair)
            found = [shown(run.find(name, quantity, s)) for quantity in (RATIO.name, DIFFERENCE.name) for s in _STATISTICS]
            yield [*(labels[position] for position in pair), *found, *with_bounds(run.find(name, "probability_cheaper"), True)]

    last = sheet.table(0, 0, headings, rows())
    sheet.head(1, 2)
    sheet.filter(last, len(headings) - 1)


def what_ifs(book: Book, numbers: ReportNumbers) -> None:
    """The base and each what-if that was run."""
    run, sheet = numbers.run, book.sheet("What-ifs")
    there = [what_if for what_if in run.study.what_ifs if what_if.name in run.what_ifs]
    descriptions = {"base": "", **{what_if.name: what_if.description for what_if in there}}
    paid = {what_if.name: what_if.costs for what_if in there}
    headings = ["Scenario", "What it is", "Platform", *(f"{s.capitalize()} [{USD}]" for s in _STATISTICS),
                f"Change of the mean [{USD}]", f"Standard error of the change [{USD}]",
                f"Change of the mean of the dearest 5 % [{USD}]", f"Standard error of the change [{USD}]",
                "Probability of being cheapest [%]", "Change of the probability [percentage points]",
                "Standard error of the change [percentage points]", f"What the what-if costs beside [{USD}]"]

    def rows() -> Iterator[list[Cell]]:
        for scenario, description in descriptions.items():
            for platform in run.study.platforms:
                changes: list[Cell] = []
                for statistic in ("mean", "cvar95"):
                    moved = run.find(platform.name, _CHANGE_OF_COST, statistic, scenario)
                    changes += [shown(moved), error_of(moved)]
                chance = run.find(platform.name, f"{CHANGE}.probability_cheapest", scenario=scenario)
                price = paid.get(scenario, {}).get(platform.name)
                yield [scenario, description, platform.label,
                       *(shown(run.find(platform.name, COST.name, s, scenario)) for s in _STATISTICS), *changes,
                       shown(run.find(platform.name, "probability_cheapest", scenario=scenario), True), shown(chance, True),
                       error_of(chance, True), None if price is None else Shown(price)]

    last = sheet.table(0, 0, headings, islice(rows(), MOST_ROWS))
    sheet.head(1, 3)
    sheet.filter(last, len(headings) - 1)

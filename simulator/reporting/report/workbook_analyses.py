"""Sheets of what was asked beside the run: exceedance, sensitivities, value of information, break-even values, years."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.analysis.intervals import Estimate
from simulator.experiments.report_numbers import ReportNumbers
from simulator.experiments.sensitivity.break_even import BreakEven
from simulator.experiments.sensitivity.value_of_information import Decision
from simulator.experiments.through_time import Fan
from simulator.reporting.input_names import input_name, unit_and_scale
from simulator.reporting.ranges import shortened
from simulator.reporting.report.workbook_cells import Cell, Shown, error_of, shown, with_bounds
from simulator.reporting.report.workbook_charts import INK, Axis, Series, at, bars, filled, lines, percentile, stroke
from simulator.reporting.report.workbook_results import USD
from simulator.reporting.report.workbook_sheets import Area, Book, Chart, Sheet
from simulator.reporting.sensitivity_rows import InputRow, drivers_of_platform
from simulator.reporting.sensitivity_wording import COLUMNS, NOTHING_UNCERTAIN, left_out_in_words
from simulator.reporting.terminal import by_median
from simulator.study.model import Study
from simulator.study.processes import units_of

_MOST_BARS = 10  # of a tornado
_FAR_APART = 50.0  # costs so many times apart: a logarithmic axis


def exceedance(book: Book, numbers: ReportNumbers) -> None:
    """How likely each platform's cost exceeds a level: the chart at the left, the curves in blocks beside one another."""
    sheet, names, labels = book.sheet("Exceedance"), by_median(numbers.run), numbers.run.study.labels
    found = numbers.exceedance
    headings = ["Platform", f"Budget line [{USD}]", "Probability of costing more [%]", "Standard error [%]", "Low (95 %) [%]",
                "High (95 %) [%]"]
    asked = ([labels[name], Shown(level), *with_bounds(estimate, True)] for name in names
             for level, estimate in zip(found.at, found.estimates[name], strict=True))
    below = sheet.table(0, 0, headings, asked) + 2
    column, series = len(headings) + 1, []
    for position, name in enumerate(names):
        curve, of = found.curves[name], shortened(labels[name])
        rows = zip(curve.levels.tolist(), curve.probability.tolist(), curve.standard_error.tolist(), strict=True)
        last = sheet.table(0, column, [f"Cost of {of} [{USD}]", f"Probability of more, {of} [%]", "Standard error [%]"], (
            [Shown(level), Shown(p, error, True), Shown(error, is_share=True, most=2)] for level, p, error in rows))
        series.append(Series(at(book.names, position), sheet.column_of(column, 1, last), sheet.column_of(column + 1, 1, last),
                             stroke(position)))
        column += 4
    if found.at:
        below = _budget_line(sheet, below, found.at[0], series)
    ends = [float(curve.levels[end]) for curve in found.curves.values() for end in (0, -1)]
    far = min(ends) > 0 and max(ends) > _FAR_APART * min(ends)
    x = Axis(f"Cost [{USD}]", {"log_base": 10} if far else {})
    chart = lines(book, "Probability that the cost exceeds a level", series, x,
                  Axis("Probability of costing more [%]", {"min": 0, "max": 1}, in_percent=True))
    sheet.place(below + 1, 0, chart, "Probability that a million tokens cost more than a level, by platform")
    sheet.head()
    sheet.spread(column)


def _budget_line(sheet: Sheet, row: int, level: float, series: list[Series]) -> int:
    """The ends of the line that the chart shows; gives the row below them."""
    sheet.put(row, 0, "Budget line")
    for end in (0, 1):
        sheet.put(row + end, 1, Shown(level))
        sheet.put(row + end, 2, Shown(float(end), is_share=True))
    series.append(Series("Budget line", sheet.column_of(1, row, row + 1), sheet.column_of(2, row, row + 1),
                         {"line": {"color": INK, "width": 1.5, "dash_type": "square_dot"}, "marker": {"type": "none"}}))
    return row + 2


def sensitivities(book: Book, numbers: ReportNumbers) -> None:
    """What drives the cost of each platform, the most important input first; tornados beside it."""
    study, found, sheet = numbers.run.study, numbers.sensitivity, book.sheet("Sensitivities")
    positions = {platform.name: position for position, platform in enumerate(study.platforms)}
    headings = ["Platform", "Input", f"Cost with the input at its P10, others at medians [{USD}]", f"Cost at its P90 [{USD}]",
                f"Swing [{USD}]", f"At P10 less cost at medians [{USD}]", f"At P90 less cost at medians [{USD}]",
                "Share of the variance [%]", "Standard error [%]", "Share of the tail, the dearest 5 % [%]", "Standard error [%]",
                "Rank correlation [1]", "Standard error [1]", "Variance is that of"]
    counts: list[int] = []
    rows: list[list[Cell]] = []
    for name in by_median(numbers.run):
        drivers = drivers_of_platform(found, positions[name])
        counts.append(len(drivers.rows))
        middle = float(found.one_at_a_time.at_medians[positions[name]]) if found.one_at_a_time else 0.0
        rows += [[study.platforms[positions[name]].label, input_name(study, row.input, name), *_of_bar(row, middle),
                  *_with_error(row.variance, True), *_with_error(row.tail, True), *_with_error(row.rank_correlation),
                  "logarithm of the cost" if drivers.of_log else "cost"] for row in drivers.rows]
    last = sheet.table(0, 0, headings, rows)
    sheet.head(1, 2)
    sheet.filter(last, len(headings) - 1)
    for row, line in enumerate([*([NOTHING_UNCERTAIN] if found.is_certain else []), *COLUMNS.values(), *left_out_in_words(found),
                                *found.notes], last + 2):
        sheet.note(row, line)
    sheet.print_only(row, len(headings) - 1)
    first, beside = 1, 0
    for position, count in enumerate(counts):
        shown_rows = min(count, _MOST_BARS)
        if any(isinstance(row[2], Shown) for row in rows[first - 1:first - 1 + shown_rows]):
            chart = _tornado(book, sheet, at(book.names, position), first, first + shown_rows - 1)
            beside = sheet.place(beside, len(headings) + 1, chart,
                                 "Cost with each input alone at its P10 and at its P90, less the cost at medians")
        first += count


def _with_error(estimate: Estimate | None, is_share: bool = False) -> list[Cell]:
    return [shown(estimate, is_share), error_of(estimate, is_share)]


def _of_bar(row: InputRow, middle: float) -> list[Cell]:
    bar = row.bar
    if bar is None:
        return [None] * 5
    return [Shown(value) for value in (bar.at_p10, bar.at_p90, bar.swing, bar.at_p10 - middle, bar.at_p90 - middle)]


def _tornado(book: Book, sheet: Sheet, title: Area, first: int, last: int) -> Chart:
    """The rows of a platform as bars from what it costs at medians."""
    categories = sheet.column_of(1, first, last)
    series = [Series(name, categories, sheet.column_of(column, first, last), {**filled(position), "overlap": 100})
              for position, (name, column) in enumerate((("Input at its P10", 5), ("Input at its P90", 6)))]
    return bars(book, title, series, last - first + 1, "Input", Axis(f"Cost less that at medians [{USD}]"), labels_low=True)


def value_of_information(book: Book, numbers: ReportNumbers) -> None:
    """What it is worth at most to know everything, one input or a group of them before choosing."""
    found, sheet = numbers.sensitivity, book.sheet("Value of information")
    headings = ["Basis", "What is learned before choosing", "Kind", "Worth at most [unit]", "Standard error [unit]",
                "Low (95 %) [unit]", "High (95 %) [unit]", "Unit"]
    decisions = [(decision, basis, unit) for decision, basis, unit in (
        (found.decision, "million tokens", USD), (found.plan, "whole plan", "USD")) if decision]
    last = sheet.table(0, 0, headings, (row for one in decisions for row in _of_decision(numbers.run.study, *one)))
    sheet.head()
    sheet.filter(last, len(headings) - 1)
    # The row of everything comes first, then inputs, those that are worth most before the others.
    count = min(sum(one.value.value > 0 for one in decisions[0][0].evppi), _MOST_BARS) if decisions else 0
    if count:
        series = [Series("Worth at most", sheet.column_of(1, 2, 1 + count), sheet.column_of(3, 2, 1 + count), filled(0))]
        chart = bars(book, "What it is worth to learn one input before choosing", series, count, "Input",
                     Axis(f"Worth at most [{decisions[0][2]}]"))
        sheet.place(0, len(headings) + 1, chart, "Expected value of partial information of the inputs that are worth most")


def _of_decision(study: Study, decision: Decision, basis: str, unit: str) -> Iterator[list[Cell]]:
    yield [basis, "Everything", "all (EVPI)", *with_bounds(decision.evpi), unit]
    for one in decision.evppi:
        yield [basis, input_name(study, one.input), "one input", *with_bounds(one.value), unit]
    for one in decision.groups:
        yield [basis, one.input.capitalize(), "group of inputs", *with_bounds(one.value), unit]


def break_even(book: Book, numbers: ReportNumbers) -> None:
    """The values of inputs at which two platforms cost the same."""
    study, sheet = numbers.run.study, book.sheet("Break-even")
    headings = ["Platform", "Against", "Input", "Unit", "Both cost the same in half of the trials at [unit]",
                "Standard error [unit]", "Low (95 %) [unit]", "High (95 %) [unit]", "Cheaper above it",
                "The same, all else at medians, at [unit]", "Looked at from [unit]", "Looked at to [unit]",
                "Cheaper in all of it, where nothing flips"]
    labels = [platform.label for platform in study.platforms]
    rows = [row for pair, values in (numbers.sensitivity.break_even or {}).items() for one in values
            for row in _of_break_even(study, (labels[pair[0]], labels[pair[1]]), one)]
    last = sheet.table(0, 0, headings, rows)
    sheet.head(1, 3)
    sheet.filter(last, len(headings) - 1)


def _of_break_even(study: Study, pair: tuple[str, str], one: BreakEven) -> Iterator[list[Cell]]:
    """A row for each value, or one where there is none."""
    in_percent = unit_and_scale(study, one.input)[1] != 1
    stays = study.labels.get(one.cheaper_on_draws, one.cheaper_on_draws)
    ends = [Shown(end, is_share=in_percent) for end in (one.low, one.high)]
    for k in range(max(len(one.on_draws), len(one.at_medians), 1)):
        flip = one.on_draws[k] if k < len(one.on_draws) else None
        exact = one.at_medians[k].value if k < len(one.at_medians) else None
        above = "" if flip is None else pair[0] if flip.later_is_cheaper_above else pair[1]
        yield [*pair, input_name(study, one.input), one.unit, *with_bounds(flip.value if flip else None, in_percent), above,
               shown(exact, in_percent), *ends, stays if not one.on_draws else ""]


def through_time(book: Book, numbers: ReportNumbers) -> None:
    """Costs and prices by year of service, with a chart of each."""
    study, found, sheet = numbers.run.study, numbers.through_time, book.sheet("Through time")
    labels, units = study.labels, units_of(study.inputs())
    headings = ["Cost of, or price", "Year of service", *(f"P{100 * p:g} [unit]" for p in found.probabilities),
                "Share of trials in service [%]", "Unit"]
    fans: list[tuple[str, Fan, str]] = [(labels[name], found.costs[name], USD) for name in by_median(numbers.run)]
    fans += [(input_name(study, path), fan, units.get(path, "")) for path, fan in found.prices.items()]
    rows = [row for name, fan, unit in fans for row in _of_fan(name, fan, unit)]
    last = sheet.table(0, 0, headings, rows)
    sheet.head(1, 2)
    sheet.filter(last, len(headings) - 1)
    first, below = 1, 0
    for position, (_, fan, unit) in enumerate(fans):
        end = first + len(fan.years) - 1
        if len(fan.years):
            series = [Series(f"P{100 * p:g}", sheet.column_of(1, first, end), sheet.column_of(2 + k, first, end), percentile(p))
                      for k, p in enumerate(found.probabilities)]
            title = at(book.names, position) if position < len(found.costs) else sheet.column_of(0, first, first)
            chart = lines(book, title, series,
                          Axis("Year of service", {"min": 0, "max": int(fan.years[-1]) + 1, "major_unit": 1}),
                          Axis(f"[{unit}]", {"min": 0} if fan.values.min() >= 0 else {}), (640, 320))
            below = sheet.place(below, len(headings) + 1, chart, "Percentiles by year of service")
        first = end + 1


def _of_fan(name: str, fan: Fan, unit: str) -> Iterator[list[Cell]]:
    for year, values, share in zip(fan.years.tolist(), fan.values.tolist(), fan.in_service.tolist(), strict=True):
        yield [name, int(year), *map(Shown, values), Shown(share, is_share=True), unit]

"""The eight pages of a report, each made of a run's numbers: a claim, a chart, how to read it, and the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from simulator.analysis.intervals import Estimate
from simulator.experiments.report_numbers import ReportNumbers
from simulator.experiments.sensitivity.everything import Sensitivity
from simulator.experiments.through_time import Fan
from simulator.quantities import COST, INPUT, PARTS
from simulator.reporting.crossover_chart import map_chart
from simulator.reporting.dominance_wording import dominance_in_words
from simulator.reporting.input_names import input_name
from simulator.reporting.report import claims
from simulator.reporting.report.cost_charts import Row, exceedance_chart, parts_chart, ranges_chart
from simulator.reporting.report.document import Chart, Page, Table
from simulator.reporting.report.labels import labels_of, letters
from simulator.reporting.report.other_charts import MOST_PRICES, matrix_chart, time_chart
from simulator.reporting.reverse_stress_wording import reverse_stress_in_words
from simulator.reporting.robustness_wording import robustness_in_words
from simulator.reporting.sensitivity_charts import shares_chart, tornado_chart
from simulator.reporting.sensitivity_rows import InputRow, drivers_of_platform
from simulator.reporting.sensitivity_wording import (
    COLUMNS,
    map_in_words,
    never_flips,
    percentage,
    range_in_words,
    value_in_words,
    value_of_information_in_words,
)
from simulator.reporting.terminal import by_median
from simulator.reporting.what_ifs import signed
from simulator.reporting.wording import (
    as_given,
    chance,
    difference,
    is_certain,
    label_of,
    leaders,
    money,
    number,
    percent,
    ratio,
    share,
    to_digits,
)
from simulator.results import CHANGE, PERCENTILES, Run
from simulator.study.families import Marginal

MOST_ROWS, MOST_DETAILED = 12, 2  # inputs of a table; platforms whose drivers have charts of their own
_HOW_TO_READ_DRIVERS = (
    "Bars of the first chart: the cost with one input at its P10 and at its P90, all others at their medians. Bars of the "
    "second: how much of the spread, and of the tail, is owed to the input (Shapley effects, which count what goes with it; they "
    "add to 100 %). ±: standard error.")
_OF_INPUT: tuple[tuple[str, Callable[[InputRow], str]], ...] = (
    ("P10 → P90", lambda row: f"{to_digits(row.bar.at_p10)} → {to_digits(row.bar.at_p90)}" if row.bar else ""),
    ("Share of spread", lambda row: percentage(row.variance) if row.variance else ""),
    ("Share of tail", lambda row: percentage(row.tail) if row.tail else ""),
    ("Sobol' total", lambda row: percentage(row.total) if row.total else ""))
_SHOWN = tuple(f"p{round(100 * p)}" for p in PERCENTILES)


def pages_of(numbers: ReportNumbers) -> tuple[Page, ...]:
    """The pages after the front, in their order; one that has nothing to say of this run is left out."""
    several = len(numbers.run.study.platforms) > 1
    made = (_ranges(numbers), _exceedance(numbers), _ranking(numbers) if several else None, _parts(numbers), _drivers(numbers),
            _flips(numbers) if several else None, _time(numbers), _what_ifs(numbers.run))
    return tuple(page for page in made if page is not None)


def market_price(numbers: ReportNumbers) -> float | None:
    """The median of the price of tokens, where the study gives one for all platforms alike."""
    prices = set()
    for platform in numbers.run.study.platforms:
        given = platform.inputs.get("token_price")
        if given is None or not isinstance(given.value, Marginal):
            return None
        prices.add(given.value.quantile(0.5))
    return prices.pop() if len(prices) == 1 else None


def _ranges(numbers: ReportNumbers) -> Page:
    run = numbers.run
    names, labels, price = by_median(run), labels_of(run.study), market_price(numbers)
    rows = [Row(labels[name], name) for name in names]
    several = len(names) > 1
    headings = ("Platform", *(p.upper() for p in _SHOWN), "Mean", *(("Cheapest", "Regret") if several else ()))
    cells = tuple((labels[name], *(number(run.estimate(name, COST.name, p)) for p in (*_SHOWN, "mean")),
                   *((chance(run, run.estimate(name, "probability_cheapest")),
                      number(run.estimate(name, "expected_regret"))) if several else ())) for name in names)
    spread = "bars hold 80 % of futures, thin lines 90 %" if not is_certain(run) else "nothing is uncertain, so there are no bars"
    more = "Regret: mean cost above that of the cheapest platform of the same future." if several else ""
    line = " Dashed line: the market price of tokens." if price else ""
    return Page("ranges", "Ranges", claims.ranges_claim(run), (Chart(
        "ranges", f"Ranges of the cost of a million tokens. {_in_words(run)}", partial(ranges_chart, run, rows, price)),),
        f"Dots are medians; {spread}. The cheapest median stands on top.{line}",
        tables=(Table(f"Cost, {claims.PER_MILLION}", headings, cells, frozenset(range(1, len(headings))), more),))


def _in_words(run: Run) -> str:
    """Medians and ranges as a sentence for each platform."""
    labels = labels_of(run.study)
    return " ".join(f"{labels[name]}: median {number(run.estimate(name, COST.name, 'p50'))}, P5 "
                    f"{number(run.estimate(name, COST.name, 'p5'))}, P95 {number(run.estimate(name, COST.name, 'p95'))} USD."
                    for name in by_median(run))


def _exceedance(numbers: ReportNumbers) -> Page:
    run, found = numbers.run, numbers.exceedance
    names, labels = by_median(run), labels_of(run.study)
    tables = [Table(f"Cost that is exceeded with a chance of …, {claims.PER_MILLION}",
                    ("Platform", *(f"{100 - int(p[1:])} %" for p in _SHOWN)),
                    tuple((labels[name], *(number(run.estimate(name, COST.name, p)) for p in _SHOWN)) for name in names),
                    frozenset(range(1, 1 + len(_SHOWN))))]
    if found.at:
        tables.insert(0, Table("Chance of costing more than the budget", ("Platform", *(f"{as_given(x)} USD" for x in found.at)),
                               tuple((labels[name], *map(percent, found.estimates[name])) for name in names),
                               frozenset(range(1, 1 + len(found.at)))))
    budget = " The upright line is the budget; its dots say how likely each platform is to cost more." if found.at else ""
    return Page("exceedance", "Exceedance", claims.exceedance_claim(run, found), (Chart(
        "exceedance", f"Chance that the cost of a million tokens exceeds a level, falling from 100 to 0 %. {_in_words(run)}",
        partial(exceedance_chart, run.study, found, names)),),
        f"Go up from a cost to a line, and left: so likely is it to cost more than that.{budget}", tables=tuple(tables))


def _ranking(numbers: ReportNumbers) -> Page:
    run = numbers.run
    names, labels = by_median(run), labels_of(run.study)
    letter = letters(names)
    beats = _beats(run, names)
    bases = names if len(names) <= 4 else names[:1]
    pairs = [(this, that) for place, that in enumerate(bases) for this in names[place + 1:]]
    by_ratio = all(ratio(run, this, that) for this, that in pairs)
    sign, mark = ("÷", "×") if by_ratio else ("−", "")
    cells = []
    for this, that in pairs:
        found = (ratio if by_ratio else difference)(run, this, that)
        if found:
            cells.append((f"{labels[this]} {sign} {labels[that]}", *(f"{number(estimate)}{mark}" for estimate in found),
                          chance(run, beats[that, this]) if (that, this) in beats else "the same"))
    unit = "" if by_ratio else f", {claims.PER_MILLION}"
    table = Table(f"Cost of one {sign} cost of the other, future by future{unit}",
                  ("Pair", "P5", "P50", "P95", "Second is cheaper"), tuple(cells), frozenset(range(1, 5)))
    key = "; ".join(f"{letter[name]}: {labels[name]}" for name in names)
    says = "; ".join(f"{labels[row]} costs less than {labels[column]} in {chance(run, estimate)}"
                     for (row, column), estimate in beats.items() if names.index(row) < names.index(column))
    return Page("ranking", "Who beats whom", claims.ranking_claim(run), (Chart(
        "ranking", f"Matrix of platforms: {says}.", partial(matrix_chart, run, names, beats)),),
        "Each number is the share of futures in which the platform of its row costs less than that of its column, on the same "
        f"draws; bars: how often each is the cheapest of all. {key}.",
        tuple(dominance_in_words(run, pairs)), (table,))


def _beats(run: Run, names: list[str]) -> dict[tuple[str, str], Estimate]:
    """How often the first of two platforms costs less than the second, both ways round; not of two that always cost the same.

    The results know how often the later one of a pair is strictly cheaper: where they tie now and then, that counts for the
    earlier one.
    """
    found = {}
    for row in names:
        for column in names:
            later = run.find(f"{row}/{column}", "probability_cheaper")
            if later and any(estimate.value for estimate in difference(run, row, column) or ()):
                found[row, column] = later
                found[column, row] = Estimate(1 - later.value, later.standard_error, 1 - later.high, 1 - later.low)
    return found


def _parts(numbers: ReportNumbers) -> Page:
    run = numbers.run
    names, labels = by_median(run), labels_of(run.study)
    there = [part for part in PARTS if any((found := run.find(name, f"parts.{part}", "mean")) and found.value for name in names)]
    cells = []
    for name in names:
        mean = run.estimate(name, COST.name, "mean")
        parts = [run.find(name, f"parts.{part}", "mean") for part in there]
        shares = all(part is None or part.value >= 0 for part in parts) and mean.value > 0
        cells.append((labels[name], *("" if part is None or not part.value else number(part, 2) + (
            f" ({share(part, mean.value).replace('%', ' %')})" if shares else "") for part in parts), number(mean)))
    headings = ("Platform", *(label_of(part).capitalize() for part in there), "Total")
    what = "; ".join(f"{labels[row[0]] if row[0] in labels else row[0]}: " + ", ".join(
        f"{heading.lower()} {cell}" for heading, cell in zip(headings[1:], row[1:], strict=True) if cell) for row in cells)
    return Page("money", "Where the money goes", claims.parts_claim(run), (Chart(
        "money", f"Stacked bars of the mean parts of each cost. {what}.", partial(parts_chart, run, names)),),
        "Each bar is the mean cost of a platform, made of the means of its parts (means add, medians do not). Capex is less what "
        "the hardware is sold for.", tables=(Table(f"Mean, {claims.PER_MILLION}, and share", headings, tuple(cells),
                                               frozenset(range(1, len(headings)))),))


def _drivers(numbers: ReportNumbers) -> Page | None:
    run, asked = numbers.run, numbers.sensitivity
    order = list(dict.fromkeys((leaders(run)[0], *by_median(run))))
    position = {platform.name: place for place, platform in enumerate(run.study.platforms)}
    labels = labels_of(run.study)
    charts: list[Chart] = []
    tables: list[Table] = []
    for name in order:
        drivers = drivers_of_platform(asked, position[name])
        if not drivers.rows:
            continue
        if len(tables) < MOST_DETAILED:
            charts += _driver_charts(asked, position[name], name, labels[name])
        tables.append(_driver_table(asked, position[name], name, labels[name]))
    if not tables:
        return None
    notes = tuple(text for column, text in COLUMNS.items() if column in ("variance", "tail"))
    return Page("drivers", "What drives it", claims.drivers_claim(asked, run), tuple(charts), _HOW_TO_READ_DRIVERS,
                tuple(value_of_information_in_words(asked, money)), tuple(tables), notes)


def _driver_charts(asked: Sensitivity, position: int, name: str, label: str) -> Iterator[Chart]:
    drivers = drivers_of_platform(asked, position)
    if asked.tornado(position):
        ends = "; ".join(f"{input_name(asked.study, bar.input, name)} {to_digits(bar.at_p10)} to {to_digits(bar.at_p90)}"
                         for bar in asked.tornado(position)[:5])
        yield Chart(f"tornado-{name}", f"Tornado of the cost of {label}, USD per million tokens: {ends}.",
                    partial(tornado_chart, asked, position), f"{label}: one input at a time")
    if any(row.variance for row in drivers.rows):
        shares = "; ".join(f"{input_name(asked.study, row.input, name)} {percentage(row.variance)}"
                           for row in drivers.rows[:5] if row.variance)
        yield Chart(f"shapley-{name}", f"Shares of the spread of the cost of {label}: {shares}.",
                    partial(shares_chart, asked, position), f"{label}: shares of the spread and of the tail")


def _driver_table(asked: Sensitivity, position: int, name: str, label: str) -> Table:
    drivers = drivers_of_platform(asked, position)
    columns = [(heading, cell) for heading, cell in _OF_INPUT if any(map(cell, drivers.rows))]
    rows = tuple((input_name(asked.study, row.input, name), *(cell(row) for _, cell in columns))
                 for row in drivers.rows[:MOST_ROWS])
    more = len(drivers.rows) - len(rows)
    return Table(f"What drives the cost of {label}, {claims.PER_MILLION}", ("Input", *(heading for heading, _ in columns)), rows,
                 frozenset(range(1, 1 + len(columns))), f"{more} more inputs matter less." if more > 0 else "")


def _flips(numbers: ReportNumbers) -> Page | None:
    run, asked = numbers.run, numbers.sensitivity
    study, text, tables, charts = run.study, [], [], []
    for pair, values in (asked.break_even or {}).items():
        later, earlier = (study.platforms[place].label for place in pair)
        rows = tuple((input_name(study, one.input),
                      value_in_words(study, one.input, turn.value.value, turn.value.standard_error),
                      later if turn.later_is_cheaper_above else earlier, earlier if turn.later_is_cheaper_above else later,
                      range_in_words(study, one)) for one in values for turn in one.on_draws)
        if rows:
            tables.append(Table(f"{later} and {earlier} cost the same (in half of futures each is cheaper)",
                                ("Input", "at", "cheaper above it", "cheaper below it", "looked at"), rows, frozenset({1})))
        never = never_flips(study, pair, values)
        text += [never] if never else []
    if asked.crossover:
        charts.append(Chart("crossover", map_in_words(study, asked.crossover), partial(map_chart, asked, asked.crossover)))
        text.insert(0, map_in_words(study, asked.crossover))
    if asked.reverse_stress:
        text.append(reverse_stress_in_words(study, asked.reverse_stress))
    if asked.robustness:
        text.append(robustness_in_words(study, asked.robustness, money))
    if not (text or tables or charts):
        return None
    reading = ("Each point is a world with these two inputs: the colour, and the words, say which platform costs less there. "
               "The cross: the study's medians." if charts else "")
    return Page("flips", "Where it flips", claims.flips_claim(asked, run), tuple(charts), reading, tuple(text), tuple(tables))


def _time(numbers: ReportNumbers) -> Page | None:
    run, found = numbers.run, numbers.through_time
    names, labels = [name for name in by_median(run) if len(found.costs[name].years)], labels_of(run.study)
    if not names:
        return None
    tables = [_fan_table(f"{labels[name]}: cost by year of service, {claims.PER_MILLION}", found.costs[name]) for name in names]
    for path, fan in list(found.prices.items())[:MOST_PRICES]:
        given = run.study.inputs().get(path)
        unit = given.quantity.unit if given else INPUT["energy_price"].unit
        tables.append(_fan_table(f"{input_name(run.study, path)} by year, {unit}", fan))
    ends = "; ".join(f"{labels[name]} {to_digits(float(found.costs[name].values[0, 2]), 2)} in year 1 and "
                     f"{to_digits(float(found.costs[name].values[-1, 2]), 2)} in year {int(found.costs[name].years[-1])}"
                     for name in names)
    left = len(found.prices) - MOST_PRICES
    return Page("time", "Through time", claims.time_claim(run, found.costs), (Chart(
        "time", f"Fans of the cost of a million tokens by year of service, medians: {ends}.",
        partial(time_chart, run.study, found, names)),),
        "The line is the median; the dark band holds half of futures, the light one 90 %. The capital is spread evenly over the "
        "life of the hardware; a year counts the futures in which it still runs.",
        tables=tuple(tables),
        notes=(f"From {found.trials:,} trials of the run; years in which fewer than one in ten still run are left out.",
               *((f"{left} more prices that move are not shown.",) if left > 0 else ())))


def _fan_table(caption: str, fan: Fan) -> Table:
    rows = tuple((f"{int(year)}", *(to_digits(float(value), 2) for value in values), f"{as_given(round(100 * float(there)))} %")
                 for year, values, there in zip(fan.years, fan.values, fan.in_service, strict=True))
    return Table(caption, ("Year", "P5", "P25", "P50", "P75", "P95", "in service"), rows, frozenset(range(1, 7)))


def _what_ifs(run: Run) -> Page | None:
    there = [what_if for what_if in run.study.what_ifs if what_if.name in run.what_ifs]
    if not there:
        return None
    best, second, _ = leaders(run)
    labels = labels_of(run.study)
    shown = [name for name in by_median(run) if name in (best, second)]
    scenarios = ["base", *(what_if.name for what_if in there)]
    rows = [Row(f"{scenario}\n{labels[name]}" if len(shown) > 1 else scenario, name, scenario)
            for scenario in scenarios[:MOST_ROWS] for name in shown]
    several = len(labels) > 1
    cells = tuple(_what_if_cells(run, scenario, name, labels[name]) for scenario in scenarios for name in by_median(run))
    headings = ("What-if", "Platform", "P5", "P50", "P95", "Mean", "Change of mean", *(("Cheapest",) if several else ()))
    more = len(scenarios) - MOST_ROWS
    return Page("what-ifs", "What if", claims.what_ifs_claim(run, scenarios[1:]), (Chart(
        "what-ifs", "Ranges of cost in the base and in each what-if; the table has the numbers.",
        partial(ranges_chart, run, rows, None, 0.42)),),
        "As on the page of ranges, for the base and for each what-if, on the same draws: differences are those of the world.",
        tuple(f"{what_if.name}: {what_if.description}" for what_if in there if what_if.description),
        (Table(f"Cost, {claims.PER_MILLION}, and what each what-if moves", headings, cells, frozenset(range(2, len(headings)))),),
        ("±: simulation error of the change at 95 %.", *((f"The chart shows the first {MOST_ROWS - 1} what-ifs of "
                                                          f"{len(scenarios) - 1}.",) if more > 0 else ())))


def _what_if_cells(run: Run, scenario: str, name: str, label: str) -> tuple[str, ...]:
    moved = run.find(name, f"{CHANGE}.{COST.name}", "mean", scenario)
    chances = run.find(name, "probability_cheapest", scenario=scenario)
    return (scenario, label, *(number(run.estimate(name, COST.name, p, scenario)) for p in ("p5", "p50", "p95", "mean")),
            signed(moved) if moved else "", *((chance(run, chances, scenario),) if chances else ()))

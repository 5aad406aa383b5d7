"""The eight pages of a report, each made of a run's numbers: a claim, a chart, how to read it, and the table behind it."""

from __future__ import annotations

from functools import partial

from simulator.analysis.intervals import Estimate
from simulator.experiments.report_numbers import ReportNumbers
from simulator.experiments.through_time import Fan
from simulator.quantities import COST, INPUT, PARTS
from simulator.reporting.dominance_wording import dominance_in_words
from simulator.reporting.input_names import input_name
from simulator.reporting.report import claims
from simulator.reporting.report.cost_charts import Row, exceedance_chart, parts_are_shares, parts_chart, ranges_chart
from simulator.reporting.report.document import Chart, Page, Table
from simulator.reporting.report.drivers import drivers_page
from simulator.reporting.report.earnings import earnings_page
from simulator.reporting.report.flips import flips_page
from simulator.reporting.report.labels import letters
from simulator.reporting.report.other_charts import MOST_PRICES, matrix_chart, time_chart
from simulator.reporting.report.worlds import what_ifs_page
from simulator.reporting.terminal import by_median
from simulator.reporting.wording import (
    as_given,
    chance,
    difference,
    is_certain,
    label_of,
    number,
    percent,
    plural,
    ratio,
    share,
    to_digits,
)
from simulator.results import PERCENTILES, Run
from simulator.study.families import Marginal

_LEAST_IN_SERVICE, _TABLED = 0.5, 3  # of the trials; platforms whose years have a table
_NOT_EACH = "At every percentile is not in every future: how often one costs less than the other, the matrix says."
_SHOWN = tuple(f"p{round(100 * p)}" for p in PERCENTILES)


def pages_of(numbers: ReportNumbers) -> tuple[Page, ...]:
    """The pages after the front, in their order; one that has nothing to say of this run is left out."""
    several = len(numbers.run.study.platforms) > 1
    made = (_ranges(numbers), _exceedance(numbers), _ranking(numbers) if several else None, _parts(numbers),
            drivers_page(numbers), flips_page(numbers) if several else None, _time(numbers), earnings_page(numbers.run),
            what_ifs_page(numbers.run))
    return tuple(page for page in made if page is not None)


def market_price(numbers: ReportNumbers) -> float | None:
    """The median of the price of tokens, where the study gives one for all platforms alike that does not change in time: only
    that can be compared with a cost over a life."""
    prices = set()
    for platform in numbers.run.study.platforms:
        given = platform.inputs.get("token_price")
        if given is None or not isinstance(given.value, Marginal) or "token_price_decline" in platform.inputs:
            return None
        prices.add(given.value.quantile(0.5))
    return prices.pop() if len(prices) == 1 else None


def _ranges(numbers: ReportNumbers) -> Page:
    run = numbers.run
    names, labels, price = by_median(run), run.study.labels, market_price(numbers)
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
        f"Dots are medians; {spread}.{' The cheapest median stands on top.' if several else ''}{line}",
        tables=(Table(f"Cost, {claims.PER_MILLION}", headings, cells, frozenset(range(1, len(headings))), more),))


def _in_words(run: Run) -> str:
    """Medians and ranges as a sentence for each platform."""
    labels = run.study.labels
    return " ".join(f"{labels[name]}: median {number(run.estimate(name, COST.name, 'p50'))}, P5 "
                    f"{number(run.estimate(name, COST.name, 'p5'))}, P95 {number(run.estimate(name, COST.name, 'p95'))} USD."
                    for name in by_median(run))


def _exceedance(numbers: ReportNumbers) -> Page:
    run, found = numbers.run, numbers.exceedance
    names, labels = by_median(run), run.study.labels
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
    names, labels = by_median(run), run.study.labels
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
        (*dominance_in_words(run, pairs), *((_NOT_EACH,) if len(pairs) > 1 else ())), (table,))


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
    names, labels = by_median(run), run.study.labels
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
    reading = "Each bar is the mean cost of a platform, made of the means of its parts (means add, medians do not)."
    reading += " Capex is less what the hardware is sold for." if "capex" in there else ""
    reading += " Bars are shares, since the costs lie far apart." if parts_are_shares(run, names) else ""
    chart = Chart("money", f"Stacked bars of the mean parts of each cost. {what}.", partial(parts_chart, run, names))
    table = Table(f"Mean, {claims.PER_MILLION}, and share", headings, tuple(cells), frozenset(range(1, len(headings))))
    return Page("money", "Where the money goes", claims.parts_claim(run), (chart,), reading, tables=(table,))


def _time(numbers: ReportNumbers) -> Page | None:
    run, labels = numbers.run, numbers.run.study.labels
    found = numbers.through_time.up_to(_LEAST_IN_SERVICE)
    names = [name for name in by_median(run) if len(found.costs[name].years)]
    if not names or all(len(found.costs[name].years) == 1 for name in names):
        return None
    tabled = names[:_TABLED]
    tables = [_fan_table(f"{labels[name]}: cost by year of service, {claims.PER_MILLION}", found.costs[name]) for name in tabled]
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
        notes=(f"From {found.trials:,} trials of the run, so that two digits are told; years in which fewer than half still run "
               "are left out.",
               *((f"Tables of the {len(tabled)} cheapest medians.",) if len(names) > len(tabled) else ()),
               *((f"{plural(left, 'more price that moves is', 'more prices that move are')} not shown.",) if left > 0 else ())))


def _fan_table(caption: str, fan: Fan) -> Table:
    rows = tuple((f"{int(year)}", *(to_digits(float(value), 2) for value in values), f"{as_given(round(100 * float(there)))} %")
                 for year, values, there in zip(fan.years, fan.values, fan.in_service, strict=True))
    return Table(caption, ("Year", "P5", "P25", "P50", "P75", "P95", "in service"), rows, frozenset(range(1, 7)))

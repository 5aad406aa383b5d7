"""The page of a study with prices of tokens: whether it pays."""

from __future__ import annotations

from functools import partial

from simulator.analysis.intervals import Estimate
from simulator.quantities import BREAK_EVEN_PRICE, RESULT
from simulator.reporting.report.cost_charts import Row, ranges_chart
from simulator.reporting.report.document import Chart, Page, Table
from simulator.reporting.wording import chance, label_of, number
from simulator.results import Run

_VALUE = RESULT["net_present_value"]
_LOSS, _PAYS_BACK = "probability_of_loss", "probability_of_payback"
_RANGES = ("net_present_value", "gross_margin", "payback")
_SINGLE = (BREAK_EVEN_PRICE.name, "minimum_price", "first_year_break_even_price")
_EVEN = 0.5


def losses(run: Run) -> dict[str, Estimate]:
    """How likely each platform loses money, the least first; nothing without prices."""
    found = {platform.name: run.find(platform.name, _LOSS) for platform in run.study.platforms}
    return dict(sorted(((name, loss) for name, loss in found.items() if loss), key=lambda pair: pair[1].value))


def earnings_claim(run: Run) -> str:
    """Who earns money, and how surely."""
    (name, loss), *others = losses(run).items()
    label, often = run.study.labels[name], chance(run, loss)
    if loss.low > _EVEN:
        return (f"At these prices every platform loses money in most futures: {label} least often, in {often}" if others else
                f"At these prices {label} loses money in {often} of futures")
    return f"At these prices {label} loses money in {often} of futures" + (", the others more often" if others else "")


def earnings_page(run: Run) -> Page | None:
    """Nothing where the study has no prices of tokens."""
    names, labels = list(losses(run)), run.study.labels
    if not names:
        return None
    rows = [Row(labels[name], name) for name in names if all(run.find(name, _VALUE.name, p) for p in ("p5", "p10", "p90", "p95"))]
    chances = Table("How often", ("Platform", "Loses money", "Is paid back by the end"), tuple(
        (labels[name], _chance(run, name, _LOSS), _chance(run, name, _PAYS_BACK)) for name in names), frozenset((1, 2)))
    cells = []
    for quantity in _RANGES:
        for name in names:
            low, middle, high = (run.find(name, quantity, p) for p in ("p5", "p50", "p95"))
            if low or middle:
                cells.append((f"{label_of(quantity)}, {_unit(quantity)}", labels[name],
                              *(_amount(one, quantity) if one else "never" for one in (low, middle, high))))
    for quantity in _SINGLE:
        for name in names:
            one = run.find(name, quantity, "p50") or run.find(name, quantity)
            if one:
                label = BREAK_EVEN_PRICE.label if quantity == BREAK_EVEN_PRICE.name else label_of(quantity)
                cells.append((f"{label}, USD per million tokens", labels[name], "", number(one), ""))
    amounts = Table("How much", ("Result", "Platform", "P5", "P50", "P95"), tuple(cells), frozenset((2, 3, 4)))
    charts = (Chart("earnings", "Ranges of the net present value of each GPU: " + "; ".join(
        f"{labels[row.platform]} median {number(run.estimate(row.platform, _VALUE.name, 'p50'))} USD" for row in rows) + ".",
        partial(ranges_chart, run, rows, None, 0.5, _VALUE)),) if rows else ()
    return Page("earnings", "Does it pay?", earnings_claim(run), charts,
                "What each GPU earns over its life less what it costs, discounted; left of the line it loses money. Dots are "
                "medians; bars hold 80 % of futures, thin lines 90 %.", tables=(chances, amounts))


def _chance(run: Run, name: str, quantity: str) -> str:
    found = run.find(name, quantity)
    return chance(run, found) if found else ""


def _unit(quantity: str) -> str:
    return "%" if quantity == "gross_margin" else RESULT[quantity].unit


def _amount(estimate: Estimate, quantity: str) -> str:
    return number(estimate.scaled(100)) if quantity == "gross_margin" else number(estimate)

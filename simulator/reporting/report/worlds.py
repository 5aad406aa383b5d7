"""The page of other worlds than the base: what-ifs that were run, and the other kind of evidence where there are two."""

from __future__ import annotations

from functools import partial

from simulator.quantities import COST
from simulator.reporting.report import claims
from simulator.reporting.report.claims import world_name
from simulator.reporting.report.cost_charts import Row, ranges_chart
from simulator.reporting.report.document import Chart, Page, Table
from simulator.reporting.terminal import by_median
from simulator.reporting.what_ifs import signed
from simulator.reporting.wording import EVIDENCE_OF, chance, leaders, number
from simulator.results import CHANGE, Run

_MOST_SHOWN = 12  # worlds of the chart


def what_ifs_page(run: Run) -> Page | None:
    """Nothing where only the base was run."""
    there = [what_if for what_if in run.study.what_ifs if what_if.name in run.what_ifs]
    by_evidence = [scenario for scenario in run.records.scenarios if scenario in EVIDENCE_OF]
    if not there and not by_evidence:
        return None
    best, second, _ = leaders(run)
    labels = run.study.labels
    shown = [name for name in by_median(run) if name in (best, second)]
    scenarios = ["base", *by_evidence, *(what_if.name for what_if in there)]
    rows = [Row(f"{world_name(scenario)}\n{labels[name]}" if len(shown) > 1 else world_name(scenario), name, scenario)
            for scenario in scenarios[:_MOST_SHOWN] for name in shown]
    cells = tuple(_cells(run, scenario, name, labels[name]) for scenario in scenarios for name in by_median(run))
    headings = ("World", "Platform", "P5", "P50", "P95", "Mean", *(("Change of mean",) if there else ()),
                *(("Cheapest in",) if len(labels) > 1 else ()))
    more = len(scenarios) - _MOST_SHOWN
    text = [f"{world_name(scenario)}: With {EVIDENCE_OF[scenario]} wherever there are two." for scenario in by_evidence]
    text += [f"{world_name(what_if.name)}: {what_if.description}" for what_if in there if what_if.description]
    words = "; ".join(f"{world_name(row.scenario)}, {labels[row.platform]}: "
                      f"{number(run.estimate(row.platform, COST.name, 'p50', row.scenario))} USD" for row in rows)
    return Page("what-ifs", "What if", claims.what_ifs_claim(run, scenarios[1:]), (Chart(
        "what-ifs", f"Ranges of cost in the base and in other worlds, medians: {words}.",
        partial(ranges_chart, run, rows, None, 0.42)),),
        "As on the page of ranges, for the base and for each other world, on the same draws: differences are those of the world.",
        tuple(text),
        (Table(f"Cost, {claims.PER_MILLION}, and what each what-if moves", headings, tuple(
            row if there else (*row[:6], *row[7:]) for row in cells), frozenset(range(2, len(headings)))),),
        (*(("±: simulation error of the change at 95 %.",) if there else ()),
         *((f"The chart shows the first {_MOST_SHOWN} worlds of {len(scenarios)}.",) if more > 0 else ())))


def _cells(run: Run, scenario: str, name: str, label: str) -> tuple[str, ...]:
    moved = run.find(name, f"{CHANGE}.{COST.name}", "mean", scenario)
    chances = run.find(name, "probability_cheapest", scenario=scenario) if len(run.study.platforms) > 1 else None
    return (world_name(scenario), label,
            *(number(run.estimate(name, COST.name, p, scenario)) for p in ("p5", "p50", "p95", "mean")),
            signed(moved) if moved else "", *((chance(run, chances, scenario),) if chances else ()))

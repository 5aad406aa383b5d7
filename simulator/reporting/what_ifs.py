"""What-ifs beside the base, as they are read in a terminal: costs, what each moves and how surely, who is cheapest."""

from __future__ import annotations

import math

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.intervals import NORMAL_QUANTILE, Estimate
from simulator.quantities import COST
from simulator.reporting.wording import as_given, chance, digits, headline, number, plain_number
from simulator.results import CHANGE, CHANGE_PER_DOLLAR, Run
from simulator.study.model import WhatIf

_COST_CHANGE = f"{CHANGE}.{COST.name}"


def what_ifs_beside_base(run: Run) -> list[RenderableType]:
    """Tables and sentences of the what-ifs that were run; nothing where none was."""
    there = [what_if for what_if in run.study.what_ifs if what_if.name in run.what_ifs]
    if not there:
        return []
    blocks: list[RenderableType] = [Text(""), Text("What-ifs: cost per million tokens, USD, and what each moves against the base",
                                                   style="italic"), _costs(run, there), Text("")]
    for what_if in there:
        # Who wins is said again where it is another one.
        winner = headline(run, what_if.name) if _favourite(run, what_if.name) != _favourite(run, "base") else ""
        blocks += [Text(f"{what_if.name}: {said}") for said in [" ".join(filter(None, (what_if.description, winner)))] if said]
    priced = [what_if for what_if in there if any(what_if.costs.values())]
    if priced:
        blocks += [Text(""), Text("Hedges: mean and expected shortfall (mean of the dearest 5 %), USD per million tokens",
                                  style="italic"), _hedges(run, priced)]
    dollar = " / $: for each dollar that the what-if costs; net of it: with that cost." if priced else ""
    blocks.append(Text(f"±: simulation error of the change at 95 %, on the base's own draws.{dollar}", style="dim"))
    return blocks


def _favourite(run: Run, scenario: str) -> str:
    """The platform that is cheapest most often."""
    return max((platform.name for platform in run.study.platforms),
               key=lambda name: run.estimate(name, "probability_cheapest", scenario=scenario).value)


def signed(estimate: Estimate) -> str:
    """A change with its sign, the digits that it supports, and its error at 95 %."""
    decimals = digits(estimate.value, estimate.standard_error)
    if estimate.standard_error > 0:
        decimals = min(decimals, _decimals(NORMAL_QUANTILE * estimate.standard_error))
    if round(estimate.value, decimals) == 0:
        text = "0"
    else:
        text = f"{'+' if estimate.value > 0 else '−'}{plain_number(abs(estimate.value), decimals)}"
    return text + with_error(estimate)


def with_error(estimate: Estimate, scale: float = 1) -> str:
    """The error at 95 % to one digit, after a ±; nothing where there is none."""
    half = scale * NORMAL_QUANTILE * estimate.standard_error
    return f" ± {plain_number(half, _decimals(half))}" if half > 0 else ""


def _decimals(error: float) -> int:
    """Decimals with which an error has one digit."""
    return -math.floor(math.log10(error))


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for position, heading in enumerate(("", "", *headings)):
        table.add_column(heading, justify="left" if position < 2 else "right")
    return table


def _costs(run: Run, there: list[WhatIf]) -> Table:
    several = len(run.study.platforms) > 1
    table = _table("P5", "P50", "P95", "mean", "change of mean", "of dearest 5 %", *(("cheapest", "change") if several else ()))
    for scenario in ("base", *(what_if.name for what_if in there)):
        for position, platform in enumerate(run.study.platforms):
            cells = [number(run.estimate(platform.name, COST.name, p, scenario)) for p in ("p5", "p50", "p95", "mean")]
            moved = [run.find(platform.name, _COST_CHANGE, statistic, scenario) for statistic in ("mean", "cvar95")]
            cells += [signed(change) if change else "" for change in moved]
            if several:
                cells.append(chance(run, run.estimate(platform.name, "probability_cheapest", scenario=scenario), scenario))
                cells.append(_points(run.find(platform.name, f"{CHANGE}.probability_cheapest", scenario=scenario)))
            table.add_row(Text("" if position else scenario), Text(platform.label), *cells)
    return table


def _points(change: Estimate | None) -> str:
    """A change of a probability, in points of a hundred."""
    if change is None:
        return ""
    decimals = max(0, digits(100 * change.value, 100 * change.standard_error, 2))
    shown = round(100 * change.value, decimals)
    sign = "+" if shown > 0 else "−" if shown < 0 else ""
    return f"{sign}{plain_number(abs(shown), decimals)}{with_error(change, 100)}"


def _hedges(run: Run, priced: list[WhatIf]) -> Table:
    table = _table("costs", "mean", "net of it", "dearest 5 %", "net of it", "mean / $", "dearest 5 % / $")
    for what_if in priced:
        paying = [platform for platform in run.study.platforms if what_if.costs.get(platform.name)]
        for position, platform in enumerate(paying):
            paid = what_if.costs[platform.name]
            cells = [as_given(paid)]
            for statistic in ("mean", "cvar95"):
                change = run.estimate(platform.name, _COST_CHANGE, statistic, what_if.name)
                net = Estimate(change.value + paid, change.standard_error, change.low + paid, change.high + paid)
                cells += [signed(change), signed(net).partition(" ±")[0]]
            cells += [signed(run.estimate(platform.name, f"{CHANGE_PER_DOLLAR}.{COST.name}", statistic, what_if.name))
                      for statistic in ("mean", "cvar95")]
            table.add_row(Text("" if position else what_if.name), Text(platform.label), *cells)
    return table

"""Cost against interactivity as it is read in a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.experiments.frontier import FrontierResult, Row
from simulator.reporting.frontier_wording import (
    UNIT,
    chances_in_words,
    cheaper_at,
    drawn_pairs,
    findings,
    flips_of,
    largest_error,
    speed,
    stretches,
    workload,
)
from simulator.reporting.wording import listed, number, percent, to_digits

_SIDE_BY_SIDE = 3  # platforms whose bands fit beside one another


def frontier_summary(result: FrontierResult) -> RenderableType:
    """A table of costs by interactivity, and where the ranking flips."""
    blocks: list[RenderableType] = [Text(result.study.name, style="bold"), Text("Cost against interactivity.")]
    blocks += [Text(line) for line in (workload(result.study),) if line]
    blocks += [Text(""), Text(f"Cost per million tokens, USD, {_what(result)}; interactivity in {UNIT}", style="italic"),
               _costs(result), Text("")]
    if len(_drawn(result)) <= _SIDE_BY_SIDE:
        blocks += [Text(finding, style="bold") for finding in findings(result)]
    else:
        blocks += [Text(f"Who costs less (medians), and where the ranking flips; {UNIT}", style="italic"), _flips(result)]
    return Group(*blocks, Text(""), Text(_foot(result), style="dim"))


def _drawn(result: FrontierResult) -> list[str]:
    return [platform.name for platform in result.study.platforms if result.rows_of(platform.name)]


def _what(result: FrontierResult) -> str:
    return "P50 (P5 to P95)" if len(_drawn(result)) <= _SIDE_BY_SIDE else "P50"


def _costs(result: FrontierResult) -> Table:
    names = _drawn(result)
    labels = result.study.labels
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", justify="right")
    for name in names:
        table.add_column(Text(labels[name]), justify="right")
    if len(names) > 1:
        table.add_column("cheapest")
    for x in sorted({row.interactivity for row in result.rows if row.on_grid}):
        there = {row.platform: row for row in result.rows if row.interactivity == x}
        cells = [_cost(there[name], len(names) <= _SIDE_BY_SIDE) if name in there else "not measured" for name in names]
        table.add_row(speed(x), *cells, *([Text(_cheapest(there, labels))] if len(names) > 1 else []))
    return table


def _flips(result: FrontierResult) -> Table:
    """Pairs of many platforms, one to a line."""
    labels = result.study.labels
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "costs less", "", "in how many futures"):
        table.add_column(heading)
    for pair in drawn_pairs(result):
        name = f"{labels[pair.first]}, {labels[pair.second]}"
        if not pair.rows:
            table.add_row(Text(name), "no common interactivity")
            continue
        low, high = pair.rows[0].interactivity, pair.rows[-1].interactivity
        cheaper, _ = cheaper_at(result, pair, low)
        share = f"{labels[cheaper]} in {chances_in_words(pair, cheaper)}"
        if flips := flips_of(pair, "median"):
            where = ", ".join(f"{labels[who]} {f'{start} to {end}' if k == 0 else f'to {end}'}"
                              for k, (who, start, end) in enumerate(stretches(pair)))
            table.add_row(Text(name), Text(where), f"flips {len(flips)}×", Text(share))
        else:
            at = speed(low) if low == high else f"{speed(low)} to {speed(high)}"
            table.add_row(Text(name), Text(f"{labels[cheaper]} {at}"), "never flips" if low < high else "one point", Text(share))
    return table


def _cost(row: Row, with_band: bool) -> str:
    low, middle, high = row.cost["p5"], row.cost["p50"], row.cost["p95"]
    band = f" ({number(low)} to {number(high)})" if with_band and low.value != high.value else ""
    return number(middle) + band


def _cheapest(there: dict[str, Row], labels: dict[str, str]) -> str:
    """The platform that is cheapest most often, and how often; nothing where one is alone."""
    chances = {name: row.probability_cheapest for name, row in there.items() if row.probability_cheapest}
    if not chances:
        return ""
    best = max(chances, key=lambda name: chances[name].value)
    return f"{labels[best]} in {percent(chances[best])}"


def _foot(result: FrontierResult) -> str:
    simulation, study = result.study.simulation, result.study
    without = [p.label for p in study.platforms if not p.frontier and result.rows_of(p.name)]
    alone = (f" {listed(without)} {'has' if len(without) == 1 else 'have'} no frontier: known at one interactivity only."
             if without else "")
    largest = largest_error(result)
    error = f"; simulation error of a flip at most {to_digits(largest, 1)} {UNIT} (95 %)" if largest else ""
    left = (f" Left out, since neither a frontier nor an interactivity is stated: {listed(list(result.left_out))}."
            if result.left_out else "")
    return (f"Each platform inside its measured range only, on the same draws at every interactivity.{alone}{left} "
            f"{simulation.trials:,} trials each (seed {simulation.seed}){error}.")

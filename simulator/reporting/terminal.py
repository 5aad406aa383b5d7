"""The summary as it is read in a terminal."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.intervals import Estimate
from simulator.analysis.published import compare_published
from simulator.quantities import CHANCES, COST, PARTS, RESULTS
from simulator.reporting.dominance_wording import dominance_in_words
from simulator.reporting.what_ifs import what_ifs_beside_base
from simulator.reporting.wording import (
    EVIDENCE_OF,
    as_given,
    chance,
    difference,
    headline,
    label_of,
    not_modelled,
    number,
    operating_points,
    ratio,
    sampler_in_words,
    share,
    why_stopped,
)
from simulator.results import Run

_SIDE_BY_SIDE = 3  # platforms that fit beside one another in a terminal


def summary(run: Run, scenario: str = "base") -> RenderableType:
    """Tables of costs, parts and ratios, and the sentence that they support."""
    several = len(run.study.platforms) > 1
    blocks: list[RenderableType] = [Text(run.study.name, style="bold")]
    blocks += [Text(line) for line in (run.study.description, operating_points(run)) if line]
    blocks += _titled("Cost per million tokens, USD", _costs(run, scenario))
    blocks += _titled("Where the money goes: mean, USD per million tokens, and share", _parts(run, scenario))
    blocks += _compared(run, scenario) if several else []
    blocks += _titled("Other results, P50 (P5 to P95)", _others(run, scenario))
    blocks += [Text(""), Text(headline(run, scenario), style="bold")]
    for other in run.records.scenarios if scenario == "base" else ():
        if other in EVIDENCE_OF:
            title = f"With {EVIDENCE_OF[other]} wherever there are two: cost per million tokens, USD"
            blocks += _titled(title, _costs(run, other), Text(headline(run, other)))
    blocks += what_ifs_beside_base(run)
    if run.study.published:
        blocks += _titled("Published, and computed here (medians; a ratio is the first ÷ the second)", *_published(run, scenario))
    blocks += [Text(""), *(Text(line) for line in (not_modelled(run), why_stopped(run)) if line),
               Text(_foot(run, several), style="dim")]
    return Group(*blocks)


def _foot(run: Run, several: bool) -> str:
    simulation = run.study.simulation
    regret = "Regret: the mean cost above that of the cheapest platform of the same future. " if several else ""
    return (f"P5 to P95: what the world may do. {regret}{simulation.trials:,} trials ({simulation.replicates} replicates, "
            f"{sampler_in_words(simulation)}, seed {simulation.seed}); digits that the simulation error blurs are not shown.")


def _titled(title: str, *blocks: RenderableType) -> list[RenderableType]:
    return [Text(""), Text(title, style="italic"), *blocks]


def by_median(run: Run, scenario: str = "base") -> list[str]:
    """Names of the platforms, cheapest median first."""
    return sorted((p.name for p in run.study.platforms), key=lambda name: run.estimate(name, COST.name, "p50", scenario).value)


def _table() -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    return table


def _costs(run: Run, scenario: str) -> Table:
    table = _table()
    for heading in ("P5", "P50", "P95", "mean"):
        table.add_column(heading, justify="right")
    several = len(run.study.platforms) > 1
    if several:
        table.add_column("cheapest", justify="right")
        table.add_column("regret", justify="right")
    for name in by_median(run, scenario):
        cells = [number(run.estimate(name, COST.name, statistic, scenario)) for statistic in ("p5", "p50", "p95", "mean")]
        if several:
            cells += [chance(run, run.estimate(name, "probability_cheapest", scenario=scenario), scenario),
                      _regret(run, name, scenario)]
        table.add_row(Text(run.study.labels[name]), *cells)
    return table


def _regret(run: Run, name: str, scenario: str) -> str:
    """The expected regret, to the last digit of the least cost that is printed."""
    regret = run.estimate(name, "expected_regret", scenario=scenario)
    least = min(abs(run.estimate(p.name, COST.name, "p50", scenario).value) for p in run.study.platforms)
    smallest = 10.0 ** -(2 - math.floor(math.log10(least))) if least else 0.0
    return f"under {as_given(smallest)}" if 0 < regret.value < smallest else number(regret)


def _parts(run: Run, scenario: str) -> Table:
    table = _table()
    parts = [part for part in PARTS if any(_part(run, name, part, scenario) for name in run.study.labels)]
    for part in parts:
        table.add_column(part, justify="right")
    for name in by_median(run, scenario):
        mean = run.estimate(name, COST.name, "mean", scenario).value
        found = [_part(run, name, part, scenario) for part in parts]
        shares = all(part is None or part.value > 0 for part in found)  # of a cost that income lowers there are none
        cells = ["" if part is None else number(part, 2) + (f" ({share(part, mean)})" if shares else "") for part in found]
        table.add_row(Text(run.study.labels[name]), *cells)
    return table


def _part(run: Run, name: str, part: str, scenario: str) -> Estimate | None:
    found = run.find(name, f"parts.{part}", "mean", scenario)
    return found if found and found.value else None


def _compared(run: Run, scenario: str) -> list[RenderableType]:
    """Pairs side by side: how many times as much one costs; where a cost that is not positive forbids that, how much more."""
    pairs = _pairs(run, scenario)
    with_ratio = [(this, that) for this, that in pairs if ratio(run, this, that, scenario)]
    without = [pair for pair in pairs if pair not in with_ratio]
    found: list[RenderableType] = []
    if with_ratio:
        found += _titled("Cost of one ÷ cost of the other, future by future", _table_of_pairs(run, with_ratio, "÷", scenario))
    if without:
        found += _titled("Cost of one − cost of the other, future by future: USD per million tokens",
                         _table_of_pairs(run, without, "−", scenario))
    return [*found, *map(Text, dominance_in_words(run, pairs, scenario))]


def _pairs(run: Run, scenario: str) -> list[tuple[str, str]]:
    """Pairs, the dearer median first: all of them, or of many platforms each against the cheapest."""
    cheap_first = by_median(run, scenario)
    bases = cheap_first if len(cheap_first) <= _SIDE_BY_SIDE + 1 else cheap_first[:1]
    return [(this, that) for position, that in enumerate(bases) for this in cheap_first[position + 1:]]


def _table_of_pairs(run: Run, pairs: list[tuple[str, str]], sign: str, scenario: str) -> Table:
    """Percentiles of the ratio (÷) or of the difference (−) of each pair, and how often the later platform is cheaper."""
    table = _table()
    for heading in ("P5", "P50", "P95"):
        table.add_column(heading, justify="right")
    table.add_column("cheaper")
    labels = run.study.labels
    order = list(labels)
    for this, that in pairs:
        found = (ratio if sign == "÷" else difference)(run, this, that, scenario)
        if found is None:
            continue
        first, second = (this, that) if order.index(this) > order.index(that) else (that, this)
        cheaper = chance(run, run.estimate(f"{first}/{second}", "probability_cheaper", scenario=scenario), scenario)
        table.add_row(Text(f"{labels[this]} {sign} {labels[that]}"),
                      *[f"{number(estimate)}{'×' if sign == '÷' else ''}" for estimate in found],
                      Text(f"{labels[first]} in {cheaper}"))
    return table


def _others(run: Run, scenario: str) -> Table:
    """The other results: platforms side by side, or one to a line where they are many."""
    names = by_median(run, scenario)
    labels = run.study.labels
    rows = [(result.label + ("" if result.unit == "1" else f" [{result.unit}]"),
             [_spread(run, name, result.name, scenario) for name in names]) for result in RESULTS[1:]]
    rows += [(result.label, [_chance(run, name, result.name, scenario) for name in names]) for result in CHANCES]
    rows.append(("Break-even price [USD per million tokens]",
                 [number(run.estimate(name, "break_even_price", scenario=scenario)) for name in names]))
    rows = [(heading, cells) for heading, cells in rows if any(cells)]
    table = _table()
    if len(names) <= _SIDE_BY_SIDE:
        for name in names:
            table.add_column(Text(labels[name]), justify="right")
        for heading, cells in rows:
            table.add_row(Text(heading), *map(Text, cells))
        return table
    table.add_column("")
    table.add_column("", justify="right")
    for heading, cells in rows:
        given = [(labels[name], cell) for name, cell in zip(names, cells, strict=True) if cell]
        for position, (label, cell) in enumerate(given):
            table.add_row(Text("" if position else heading), Text(label), Text(cell))
    return table


def _spread(run: Run, name: str, quantity: str, scenario: str) -> str:
    """P50 (P5 to P95) of a result of a platform, with the basis of its FLOPS; nothing where it does not apply."""
    low, middle, high = (run.find(name, quantity, p, scenario) for p in ("p5", "p50", "p95"))
    if low is None or middle is None:
        return ""
    if high is None:  # a payback that in some futures never comes
        return f"{number(middle)} ({number(low)} to never)"
    spread = "" if low.value == high.value else f" ({number(low)} to {number(high)})"
    basis = next(platform.peak_flops_basis for platform in run.study.platforms if platform.name == name)
    return f"{number(middle)}{spread}" + (f" {basis}" if quantity == "flops_per_dollar" and basis else "")


def _chance(run: Run, name: str, quantity: str, scenario: str) -> str:
    found = run.find(name, quantity, scenario=scenario)
    return chance(run, found, scenario) if found else ""


def _published(run: Run, scenario: str) -> list[RenderableType]:
    """Published figures beside computed ones, and what is to be said of them."""
    labels = run.study.labels
    table = _table()
    for heading in ("", "published", "computed"):
        table.add_column(heading, justify="right" if heading else "left")
    notes: dict[str, int] = {}
    for compared in compare_published(run.study, run.records, scenario):
        figure = compared.figure
        of = " ÷ ".join(labels[name] for name in figure.of.split("/"))
        times = "×" if figure.is_ratio else ""
        mark = f" [{notes.setdefault(figure.note, len(notes) + 1)}]" if figure.note else ""
        unit = "" if figure.is_ratio else f" [{compared.unit}]"
        table.add_row(Text(label_of(figure.quantity) + unit), Text(of), Text(f"{as_given(figure.value)}{times}{mark}"),
                      Text(number(compared.computed) + times))
    return [table, *[Text(f"[{mark}] {note}") for note, mark in notes.items()]]

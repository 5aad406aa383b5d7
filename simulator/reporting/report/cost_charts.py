"""Charts of costs: ranges, chances of exceeding, parts. They compute nothing: what is drawn stands in the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.experiments.exceedance import Exceedance
from simulator.quantities import COST, PARTS, Result
from simulator.reporting.charts import BLUE, FAR_APART, GREY, INK, ORANGE, cost_axis, name_numbers
from simulator.reporting.report.labels import colour_and_line, wrapped
from simulator.reporting.wording import as_given, label_of, number, percent, share, to_digits
from simulator.results import Run
from simulator.study.model import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 8.6  # inches
_PERCENTILES = ("p5", "p10", "p50", "p90", "p95")
_LEAST_ROOM = 0.08  # of the axis: a part that is narrower is named in the legend alone
_PART_COLOURS = dict(zip(PARTS, ("#0072B2", "#56B4E9", "#E69F00", "#CC79A7", "#009E73", "#D55E00", "#F0E442"), strict=True))
_PART_HATCHES = dict(zip(PARTS, ("", "//", "..", "\\\\", "xx", "--", "|"), strict=True))
_FEW = 2  # platforms of which chances stand beside their points
_HIGH = 0.9  # a chance whose label stands below its point, where that of the budget is above
_DARK = frozenset({"#0072B2", "#009E73", "#D55E00"})


@dataclass(frozen=True)
class Row:
    """A row of a chart of ranges: whose cost in which scenario."""

    label: str
    platform: str
    scenario: str = "base"


def ranges_chart(run: Run, rows: Sequence[Row], price: float | None = None, row_height: float = 0.5,
                 of: Result = COST) -> Figure:
    """P5 to P95 as a line, P10 to P90 as a bar, P50 as a dot with its number.

    price  the market's, where there is one;  of  what the ranges are of, in place of the cost
    """
    figure, axes = new_figure(0.9 + row_height * len(rows))
    found = [{p: run.estimate(row.platform, of.name, p, row.scenario) for p in _PERCENTILES} for row in rows]
    ends = [each[p].value for each in found for p in ("p5", "p95")] + ([price] if price else [])
    if of is COST:
        cost_axis(axes, "x", ends)
    else:
        name_numbers(axes, "x", min(ends), max(ends), False).set_label_text(f"{of.label}, {of.unit}")
        axes.axvline(0, color=INK, linewidth=1)
    for y, each in enumerate(found):
        at = {p: estimate.value for p, estimate in each.items()}
        axes.plot([at["p10"], at["p90"]], [y, y], color=BLUE, linewidth=11, alpha=0.45, solid_capstyle="butt", zorder=2)
        axes.plot([at["p5"], at["p95"]], [y, y], color=BLUE, linewidth=1.7, zorder=3)
        axes.plot([at["p50"]], [y], marker="o", markersize=6, color=INK, zorder=4)
        axes.annotate(number(each["p50"]), (at["p50"], y), (0, 8), textcoords="offset points", ha="center", fontsize=9.5,
                      fontweight="bold")
        if at["p5"] != at["p95"]:
            for p, gap, side in (("p5", -5, "right"), ("p95", 5, "left")):
                axes.annotate(number(each[p]), (at[p], y), (gap, 0), textcoords="offset points", ha=side, va="center",
                              fontsize=8.5, color="#444444")
    if price:
        axes.axvline(price, color=ORANGE, linewidth=1.4, linestyle="--", zorder=1)
        axes.annotate(f"market price {to_digits(price)}", (price, 1.0), (3, 2), xycoords=("data", "axes fraction"),
                      textcoords="offset points", fontsize=8.5, color=ORANGE, ha="left", va="bottom")
    name_rows(axes, [wrapped(row.label) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.75)
    axes.margins(x=0.13)
    return figure


def exceedance_chart(study: Study, found: Exceedance, names: Sequence[str]) -> Figure:
    """The chance that a cost exceeds x, over x; lines at the levels that were asked for. `names`: platforms in their order."""
    figure, axes = new_figure(4.3)
    labels = study.labels
    cost_axis(axes, "x", [float(x) for curve in found.curves.values() for x in (curve.levels[0], curve.levels[-1])])
    for name in names:
        curve = found.curves[name]
        colour, line = colour_and_line(study, name)
        axes.plot(*_steps(curve.levels, 100 * curve.probability), color=colour, linestyle=line, linewidth=2, zorder=3,
                  label=wrapped(labels[name], 40) + _chances(found, name))
    for position, level in enumerate(found.at):
        axes.axvline(level, color=INK, linewidth=1.2, zorder=2)
        axes.annotate(f"budget {as_given(level)}", (level, 1.0), (3, 2), xycoords=("data", "axes fraction"),
                      textcoords="offset points", fontsize=8.5, ha="left", va="bottom")
        for name, estimates in found.estimates.items():
            estimate = estimates[position]
            axes.plot([level], [100 * estimate.value], marker="o", markersize=5, color=colour_and_line(study, name)[0], zorder=4)
            if len(found.estimates) <= _FEW:
                axes.annotate(percent(estimate), (level, 100 * estimate.value), (6, -13 if estimate.value > _HIGH else 6),
                              textcoords="offset points", fontsize=8.5, zorder=5)
    axes.set_ylim(0, 102)
    axes.set_ylabel("Chance of costing more, %")
    axes.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.3,
                ncols=1 if len(labels) <= 12 else 2)
    return figure


def _chances(found: Exceedance, name: str) -> str:
    """The chances of costing more than the budget, for the key."""
    return f"\n{', '.join(map(percent, found.estimates[name]))} over budget" if found.at else ""


def _steps(levels: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A curve from 100 % to 0: one that is certain is a step."""
    return np.concatenate([levels[:1], levels, levels[-1:]]), np.concatenate([[100.0], shares, [0.0]])


def parts_are_shares(run: Run, names: Sequence[str]) -> bool:
    """Whether the costs of platforms are so far apart that their parts are shown as shares: where no part lowers a cost."""
    means = [run.estimate(name, COST.name, "mean").value for name in names]
    positive = all(run.find(name, f"parts.{part}", "mean") is None or run.estimate(name, f"parts.{part}", "mean").value >= 0
                   for name in names for part in PARTS)
    return positive and min(means) > 0 and max(means) / min(means) > FAR_APART


def parts_chart(run: Run, names: Sequence[str]) -> Figure:
    """The mean parts of each platform's cost, end to end; what lowers a cost stands left of zero."""
    figure, axes = new_figure(1.2 + 0.62 * len(names))
    labels = run.study.labels
    found = {name: {part: estimate for part in PARTS if (estimate := run.find(name, f"parts.{part}", "mean")) and estimate.value}
             for name in names}
    as_shares = parts_are_shares(run, names)
    longest = 100.0 if as_shares else max(sum(max(e.value, 0.0) for e in parts.values()) for parts in found.values()) or 1.0
    named: set[str] = set()
    for y, name in enumerate(names):
        right = left = 0.0
        mean = run.estimate(name, COST.name, "mean")
        scale = 100 / mean.value if as_shares else 1.0
        for part, estimate in found[name].items():
            begin, width = right if estimate.value > 0 else left, scale * estimate.value
            axes.barh(y, width, left=begin, height=0.6, color=_PART_COLOURS[part], hatch=_PART_HATCHES[part],
                      edgecolor="white", linewidth=0.8, zorder=2, label=None if part in named else label_of(part).capitalize())
            named.add(part)
            if abs(width) > _LEAST_ROOM * longest and all(e.value > 0 for e in found[name].values()):
                axes.annotate(f"{part}\n{share(estimate, mean.value)}", (begin + width / 2, y), ha="center", va="center",
                              fontsize=8, color="white" if _PART_COLOURS[part] in _DARK else INK, zorder=4,
                              bbox={"boxstyle": "round,pad=0.15", "facecolor": _PART_COLOURS[part], "edgecolor": "none"})
            if width > 0:
                right += width
            else:
                left += width
        axes.annotate(number(mean), (right, y), (5, 0), textcoords="offset points", va="center", fontsize=9.5, fontweight="bold")
    name_rows(axes, [wrapped(labels[name]) for name in names])
    name_numbers(axes, "x", 0, longest, False).set_label_text(
        "Share of the mean cost, %; beside it USD per million tokens" if as_shares else "USD per million tokens, mean")
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.margins(x=0.1)
    axes.legend(frameon=False, fontsize=8.5, loc="lower left", bbox_to_anchor=(0, 1), ncols=min(len(named), 7) or 1,
                borderaxespad=0.2)
    return figure


def new_figure(height: float, width: float = WIDTH) -> tuple[Figure, Axes]:
    """A figure [inches] with a light grid."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    light_grid(axes)
    return figure, axes


def light_grid(axes: Axes) -> None:
    """Lines behind everything."""
    axes.grid(color="#e4e4e4", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)


def name_rows(axes: Axes, names: list[str]) -> None:
    """Names at the left, the first one on top."""
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)

"""Charts of who beats whom, and of costs and prices through time. They compute nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.intervals import Estimate
from simulator.experiments.through_time import Fan, ThroughTime
from simulator.reporting.charts import BLUE, INK, ORANGE, cost_axis, name_numbers
from simulator.reporting.input_names import input_name
from simulator.reporting.report.cost_charts import WIDTH, light_grid, name_rows
from simulator.reporting.report.labels import letters, wrapped
from simulator.reporting.wording import chance, to_digits
from simulator.results import Run
from simulator.study.model import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS_ACROSS = 3
MOST_PRICES = 3
_DARK_FROM = 0.92  # a chance whose colour is dark enough for white text


def matrix_chart(run: Run, names: Sequence[str], beats: Mapping[tuple[str, str], Estimate]) -> Figure:
    """How often the platform of a row costs less than that of a column; beside it how often each is the cheapest of all."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    count, labels, letter = len(names), run.study.labels, letters(list(names))
    figure = Figure(figsize=(WIDTH, 1.3 + 0.52 * count), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(0.62, 0.38))
    shares = np.full((count, count), np.nan)
    for (row, column), estimate in beats.items():
        shares[names.index(row), names.index(column)] = estimate.value
    colours = LinearSegmentedColormap.from_list("beats", [ORANGE, "#ffffff", BLUE])
    left.imshow(np.ma.masked_invalid(shares), cmap=colours, vmin=-0.15, vmax=1.15, aspect="auto")
    for (row, column), estimate in beats.items():
        text = chance(run, estimate).replace("over ", ">").replace("under ", "<").removesuffix(" %")
        left.annotate(text, (names.index(column), names.index(row)), ha="center", va="center",
                      fontsize=9.5 if count <= 6 else 7.5, color="white" if estimate.value > _DARK_FROM else INK)
    for y, x in zip(*np.nonzero(np.isnan(shares) & ~np.eye(count, dtype=bool)), strict=True):
        left.annotate("the same", (float(x), float(y)), ha="center", va="center", fontsize=9 if count <= 6 else 7)
    name_rows(left, [f"{letter[name]}  {wrapped(labels[name], 30)}" for name in names])
    left.set_ylim(count - 0.5, -0.5)
    left.set_xticks(range(count), [letter[name] for name in names])
    left.xaxis.set_ticks_position("top")
    left.tick_params(length=0)
    left.set_title("Row costs less than column, % of futures", fontsize=9.5, loc="left", pad=8)
    for spine in left.spines.values():
        spine.set_visible(False)
    chances = [run.estimate(name, "probability_cheapest") for name in names]
    right.barh(range(count), [100 * estimate.value for estimate in chances], height=0.55, color=BLUE, zorder=2)
    for y, estimate in enumerate(chances):
        right.annotate(chance(run, estimate), (100 * estimate.value, y), (4, 0), textcoords="offset points", va="center",
                       fontsize=9)
    name_rows(right, [letter[name] for name in names])
    right.set_ylim(count - 0.5, -0.5)
    right.set_xlim(0, 122)
    right.set_xticks([0, 25, 50, 75, 100])
    right.set_title("Cheapest of all, % of futures", fontsize=9.5, loc="left", pad=8)
    light_grid(right)
    right.grid(axis="y", visible=False)
    return figure


def time_chart(study: Study, found: ThroughTime, names: Sequence[str]) -> Figure:
    """A fan of the cost of each platform by year of service, on one scale; prices that move beside it."""
    from matplotlib.figure import Figure

    prices = list(found.prices.items())[:MOST_PRICES]
    panels = len(names) + len(prices)
    across = min(panels, _PANELS_ACROSS)
    down = -(-panels // across)
    figure = Figure(figsize=(WIDTH, 0.5 + 2.6 * down), layout="constrained")
    axes = list(np.atleast_1d(figure.subplots(down, across)).ravel())
    labels = study.labels
    ends = [float(end) for name in names for end in (found.costs[name].values.min(), found.costs[name].values.max())]
    for one, name in zip(axes, names, strict=False):
        _fan(one, found.costs[name], BLUE)
        one.set_title(wrapped(labels[name], 30), fontsize=9, loc="left")
        if cost_axis(one, "y", ends):
            one.set_ylim(min(ends) / 1.15, max(ends) * 1.15)
        else:
            one.set_ylim(min(0.0, min(ends)), 1.08 * max(ends))
        one.yaxis.label.set_fontsize(8.5)
    for one, (path, fan) in zip(axes[len(names):], prices, strict=False):
        _fan(one, fan, ORANGE)
        unit = study.inputs()[path].quantity.unit if path in study.inputs() else ""
        one.set_title(wrapped(input_name(study, path), 30), fontsize=9, loc="left")
        name_numbers(one, "y", float(fan.values.min()), float(fan.values.max()), False).set_label_text(unit)
        one.set_ylim(min(0.0, float(fan.values.min())), 1.08 * float(fan.values.max()))
        one.yaxis.label.set_fontsize(8.5)
    for spare in axes[panels:]:
        spare.set_axis_off()
    return figure


def _fan(axes: Axes, fan: Fan, colour: str) -> None:
    """P5 to P95 light, P25 to P75 darker, P50 as a line with its first and last number."""
    years = fan.years
    if len(years) == 1:  # one year is no band: a short one makes it seen
        years = np.array([years[0] - 0.2, years[0] + 0.2])
        fan = Fan(years, np.repeat(fan.values, 2, axis=0), np.repeat(fan.in_service, 2))
    axes.fill_between(years, fan.values[:, 0], fan.values[:, 4], color=colour, alpha=0.2, linewidth=0, zorder=2)
    axes.fill_between(years, fan.values[:, 1], fan.values[:, 3], color=colour, alpha=0.4, linewidth=0, zorder=2)
    axes.plot(years, fan.values[:, 2], color=INK, linewidth=1.8, zorder=3, marker="o", markersize=2.5)
    for place, side in ((0, "left"), (-1, "right")):
        axes.annotate(to_digits(float(fan.values[place, 2]), 2), (float(years[place]), float(fan.values[place, 2])), (0, 6),
                      textcoords="offset points", ha=side, fontsize=8.5, fontweight="bold", zorder=4)
    light_grid(axes)
    axes.set_xlabel("Year of service", fontsize=8.5)
    ticks = np.unique(np.round(fan.years).astype(int))
    axes.set_xticks(ticks[:: max(1, -(-len(ticks) // 8))])
    axes.tick_params(labelsize=8.5)

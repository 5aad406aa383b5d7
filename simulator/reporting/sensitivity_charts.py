"""Charts of what drives a cost: tornado, shares of variance and tail, spider. They compute nothing."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.experiments.sensitivity.everything import Sensitivity
from simulator.experiments.sensitivity.one_at_a_time import HIGH, LOW, Bar, Line
from simulator.reporting.charts import BLUE, GREY, INK, ORANGE, cost_axis, save_figure
from simulator.reporting.input_names import input_name, unit_and_scale
from simulator.reporting.sensitivity_rows import InputRow, drivers_of_platform, own_rows
from simulator.reporting.sensitivity_wording import whole_percentage
from simulator.reporting.wording import as_given, to_digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS, _MOST_LINES = 12, 7
_NAME_WIDTH, _TITLE_WIDTH = 40, 88  # characters in a line
_LABEL_HEIGHT = 0.052  # of the height of the plot of a spider
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#B07A00", "#56B4E9")
_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), (0, (3, 1, 1, 1)))


def save_tornado(found: Sensitivity, position: int, path: Path) -> None:
    """Write a platform's tornado as SVG or PNG, by the path's suffix."""
    save_figure(lambda: tornado_chart(found, position), path)


def save_shares(found: Sensitivity, position: int, path: Path) -> None:
    """Write a platform's shares of variance and tail."""
    save_figure(lambda: shares_chart(found, position), path)


def save_spider(found: Sensitivity, position: int, path: Path) -> None:
    """Write a platform's spider."""
    save_figure(lambda: spider_chart(found, position), path)


def tornado_chart(found: Sensitivity, position: int) -> Figure:
    """Bars from the cost at the medians to that with one input at its P10, and at its P90; the longest on top."""
    alone, platform = found.one_at_a_time, found.study.platforms[position]
    assert alone
    every = found.tornado(position)
    bars, middle = every[:MOST_BARS], float(alone.at_medians[position])
    lines = {line.input: line for line in alone.lines}
    title = (f"{input_name(found.study, bars[0].input, platform.name)} moves the cost of {platform.label} most, by itself: "
             f"from {to_digits(bars[0].at_p10)} (P10) to {to_digits(bars[0].at_p90)} (P90) USD per million tokens")
    more = len(every) - len(bars)
    foot = f"One input at a time, all others at their medians ({to_digits(middle)} USD)."
    figure, axes = _figure(title, 1.6 + 0.42 * len(bars), f"{foot} {more} smaller bars not shown." if more else foot)
    for row, bar in enumerate(bars):
        for value, colour, label in ((bar.at_p10, BLUE, "input at its P10"), (bar.at_p90, ORANGE, "input at its P90")):
            axes.barh(row, value - middle, left=middle, height=0.62, color=colour, zorder=2, label=None if row else label)
        for value, to_the_left in ((min(bar.at_p10, bar.at_p90), True), (max(bar.at_p10, bar.at_p90), False)):
            outside, side, gap = ((min(value, middle), "right", -4) if to_the_left else (max(value, middle), "left", 4))
            axes.annotate(to_digits(value), (outside, row), (gap, 0), textcoords="offset points", va="center", ha=side,
                          fontsize=8.5, color="#444444")
    axes.axvline(middle, color=INK, linewidth=0.9, zorder=3)
    _name_rows(axes, [_named_with_range(found, bar, lines[bar.input], platform.name) for bar in bars])
    cost_axis(axes, "x", [value for bar in bars for value in (bar.at_p10, bar.at_p90)])
    axes.margins(x=0.13)
    _legend(axes)
    return figure


def _named_with_range(found: Sensitivity, bar: Bar, line: Line, owner: str) -> str:
    """"Utilization" and, below it, "45 to 82 %"."""
    alone = found.one_at_a_time
    assert alone
    unit, scale = unit_and_scale(found.study, bar.input)
    places = [int(abs(alone.probabilities - p).argmin()) for p in (LOW, HIGH)]
    low, high = (to_digits(float(line.values[place]) * scale) for place in places)
    return f"{textwrap.fill(input_name(found.study, bar.input, owner), _NAME_WIDTH)}\n{low} to {high}{unit}"


def shares_chart(found: Sensitivity, position: int) -> Figure:
    """Shares of the variance and of the tail beside each other, with their errors; the largest on top."""
    platform, drivers = found.study.platforms[position], drivers_of_platform(found, position)
    own, foreign = own_rows(found, drivers, platform.name)
    rows = [row for row in own if row.variance][:MOST_BARS]
    assert rows and rows[0].variance
    what = "the logarithm of the cost" if drivers.of_log else "the cost"
    title = (f"{input_name(found.study, rows[0].input, platform.name)} carries {whole_percentage(rows[0].variance.value)} of the "
             f"spread of {what} of {platform.label}")
    left = "".join(f" {len(more)} {what}, together {whole_percentage(sum(more))} of the variance." for what, more in (
        ("more inputs", [row.variance.value for row in own[len(rows):] if row.variance]),
        ("inputs of other platforms, by correlation", [row.variance.value for row in foreign if row.variance])) if more)
    figure, axes = _figure(title, 1.7 + 0.44 * len(rows), f"Shapley effects; whiskers: ±2 standard errors.{left}")
    series = ((-0.19, BLUE, f"of the variance of {what}", [row.variance for row in rows]),
              (0.19, ORANGE, "of what the dearest 5 % cost beyond the mean", [row.tail for row in rows]))
    for offset, colour, label, shares in series:
        known = [(row + offset, share) for row, share in enumerate(shares) if share]
        if known:
            axes.barh([at for at, _ in known], [100 * share.value for _, share in known], height=0.36, color=colour, label=label,
                      xerr=[200 * share.standard_error for _, share in known], zorder=2,
                      error_kw={"elinewidth": 0.9, "ecolor": INK, "zorder": 3})
    _name_rows(axes, [_named(found, row, platform.name) for row in rows])
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_xlabel("Share, %")
    _legend(axes)
    return figure


def _named(found: Sensitivity, row: InputRow, owner: str) -> str:
    return textwrap.fill(input_name(found.study, row.input, owner), _NAME_WIDTH)


def spider_chart(found: Sensitivity, position: int) -> Figure:
    """The cost over the percentiles of each of the inputs that move it most."""
    alone, platform = found.one_at_a_time, found.study.platforms[position]
    assert alone
    ranked = sorted(alone.lines, key=lambda line: -abs(float(line.costs[position].max() - line.costs[position].min())))
    lines = [line for line in ranked if line.costs[position].max() > line.costs[position].min()][:_MOST_LINES]
    title = f"The cost of {platform.label} with one input anywhere from its P1 to its P99"
    most = f" The {len(lines)} inputs that move it most, of {len(alone.lines)}." if len(lines) < len(alone.lines) else ""
    figure, axes = _figure(title, 5.4, f"All others at their medians.{most}")
    x = [100 * probability for probability in alone.probabilities]
    for line, colour, style in zip(lines, _COLOURS, _STYLES, strict=False):
        axes.plot(x, line.costs[position], color=colour, linestyle=style, linewidth=1.9, zorder=3)
    cost_axis(axes, "y", [float(cost) for line in lines for cost in line.costs[position]])
    axes.set_xlabel("Percentile of the input")
    axes.set_xlim(0, 100)
    axes.set_xticks(x, [as_given(round(tick, 6)) for tick in x])
    for tick in axes.get_xticklabels():
        tick.set_fontsize(8)
    _name_lines(axes, [(input_name(found.study, line.input, platform.name), colour, float(line.costs[position][-1]))
                       for line, colour in zip(lines, _COLOURS, strict=False)])
    return figure


def _name_lines(axes: Axes, ends: list[tuple[str, str, float]]) -> None:
    """Names beside the ends of lines, moved apart where they would touch, each with a thread to its line."""
    to_axes = axes.transData + axes.transAxes.inverted()
    places = sorted(((float(to_axes.transform((100, y))[1]), name, colour) for name, colour, y in ends))
    heights: list[float] = []
    for place, *_ in places:
        heights.append(max(place, heights[-1] + _LABEL_HEIGHT) if heights else place)
    above = max(0.0, heights[-1] - 1.0) if heights else 0.0
    for (place, name, colour), height in zip(places, heights, strict=True):
        thread = {"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}
        axes.annotate(textwrap.shorten(name, _NAME_WIDTH, placeholder=" …"), (1.0, place), (1.045, height - above),
                      xycoords="axes fraction", textcoords="axes fraction", fontsize=9, color=colour, va="center",
                      annotation_clip=False, arrowprops=thread)


def _legend(axes: Axes) -> None:
    """Above the plot, where no bar can be."""
    axes.legend(frameon=False, fontsize=8.5, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)


def _figure(title: str, height: float, foot: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    filled = textwrap.fill(title.replace(" %", "\u00a0%"), _TITLE_WIDTH)
    figure = Figure(figsize=(8.6, height + 0.2 * filled.count("\n")), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(color="#e4e4e4", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    figure.suptitle(filled, x=0.01, ha="left", fontsize=11, fontweight="bold")
    figure.supxlabel(textwrap.fill(foot, 125), x=0.01, ha="left", fontsize=8.5, color="#555555")
    return figure, axes


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)

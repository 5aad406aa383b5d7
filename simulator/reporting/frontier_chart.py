"""The chart of cost against interactivity. It computes nothing: what is drawn stands in the result."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.experiments.frontier import FrontierResult, Row
from simulator.reporting.charts import GREY, save_figure
from simulator.reporting.frontier_wording import UNIT, findings, speed, workload
from simulator.reporting.wording import as_given

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), dark ones first; each with a line style and a marker of its own, so that no line is known by colour alone.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
LINES: Any = ("-", (0, (6, 2)), (0, (1, 1.2)), (0, (7, 2, 1.5, 2)), (0, (4, 1.5, 1, 1.5, 1, 1.5)), (0, (2.5, 1.5)), (0, (9, 3)))
_MARKERS = "osD^vPX"
_TITLE, _TALLEST_TITLE = 90, 5  # characters in a line, and lines
# Names at the ends of lines: their height, the width of a letter and the gap before them, points.
_LABEL_HEIGHT, _LETTER, _GAP = 13.0, 6.6, 8.0
_PLOT_WIDTH = 590.0  # points
_LONGEST_LABEL = 30
_MOST_FLIPS = 6  # that are marked


def save_frontier(result: FrontierResult, path: Path) -> None:
    """Write the chart as SVG or PNG, by the path's suffix."""
    save_figure(lambda: frontier_chart(result), path)


def frontier_chart(result: FrontierResult) -> Figure:
    """Cost per million tokens over interactivity: a band P5 to P95 and a median for each platform, named at its end."""
    from matplotlib.figure import Figure

    title = _title(result)
    figure = Figure(figsize=(9.2, 5.6 + 0.2 * title.count("\n")), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_yscale("log")
    ends: list[tuple[str, str, Row]] = []
    drawn = [platform for platform in result.study.platforms if result.rows_of(platform.name)]
    for k, platform in enumerate(drawn):
        rows = result.rows_of(platform.name)
        colour = COLOURS[k % len(COLOURS)]
        # Beyond seven platforms colours come again, with other styles.
        style, marker = LINES[(k + k // len(COLOURS)) % len(LINES)], _MARKERS[(k + k // len(COLOURS)) % len(_MARKERS)]
        (_draw_line if platform.frontier else _draw_point)(axes, rows, colour, style, marker)
        if platform.frontier:
            knots = [row for row in rows if row.interactivity in platform.frontier.interactivity]
            axes.plot([row.interactivity for row in knots], [row.cost["p50"].value for row in knots], linestyle="none",
                      marker=marker, markersize=4.2, color=colour, markeredgecolor="white", markeredgewidth=0.5, zorder=4)
        ends.append((platform.label, colour, rows[-1]))
    _scales(axes, result)
    _mark_flips(axes, result)
    axes.set_xlabel(f"Interactivity, {UNIT} (logarithmic)")
    axes.set_ylabel("USD per million tokens (logarithmic)")
    axes.grid(color="#e4e4e4", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    foot = " ".join(filter(None, (workload(result.study), "Line: median · band: P5–P95 · marks: measured points; nothing is "
                                                          "extrapolated.")))
    figure.supxlabel(textwrap.fill(foot, 130), x=0.01, ha="left", fontsize=8.5, color="#555555")
    _name_lines(figure, axes, ends)
    return figure


def _title(result: FrontierResult) -> str:
    """What was found, as far as there is room."""
    found = findings(result)
    title = found[0] if len(found) == 1 else f"{result.study.name}: cost against interactivity"
    width = min(_TITLE, len(title) // -(-len(title) // _TITLE) + 8)  # lines of about the same length
    return textwrap.fill(title.replace(" %", "\u00a0%"), width, max_lines=_TALLEST_TITLE, placeholder=" …")


def _draw_line(axes: Axes, rows: list[Row], colour: str, style: Any, _: str) -> None:
    x = [row.interactivity for row in rows]
    low, middle, high = ([row.cost[p].value for row in rows] for p in ("p5", "p50", "p95"))
    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0, zorder=1)
    axes.plot(x, middle, color=colour, linestyle=style, linewidth=2, zorder=3)


def _draw_point(axes: Axes, rows: list[Row], colour: str, _: Any, marker: str) -> None:
    """A platform that is known at one interactivity: P5 to P95 as a bar."""
    for row in rows:
        x, cost = row.interactivity, row.cost
        axes.plot([x, x], [cost["p5"].value, cost["p95"].value], color=colour, linewidth=5, alpha=0.3, zorder=1,
                  solid_capstyle="butt")
        axes.plot([x], [cost["p50"].value], marker=marker, markersize=7, color=colour, markeredgecolor="white", zorder=4)


def _scales(axes: Axes, result: FrontierResult) -> None:
    """Plain numbers on both axes, and room for the names on the right."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    x = [row.interactivity for row in result.rows]
    y = [cost.value for row in result.rows for cost in row.cost.values() if cost.value > 0]
    left, right = min(x) / 1.06, max(x) * 1.06
    for platform in result.study.platforms:
        for row in result.rows_of(platform.name)[-1:]:  # room for its name beyond the line's end
            room = (_LETTER * len(shortened(platform.label)) + 2 * _GAP) / _PLOT_WIDTH
            right = max(right, left * (row.interactivity / left) ** (1 / (1 - room)))
    axes.set_xlim(left, right)
    axes.set_ylim(min(y) / 1.15, max(y) * 1.15)
    for axis, span in ((axes.xaxis, max(x) / min(x)), (axes.yaxis, max(y) / min(y))):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if span < 2000 else (1,)))
        axis.set_major_formatter(FuncFormatter(lambda tick, _: as_given(tick)))
        axis.set_minor_formatter(NullFormatter())
        axis.set_tick_params(which="minor", length=0)


def _mark_flips(axes: Axes, result: FrontierResult) -> None:
    """A thin line where two medians cross, with its interactivity; none where there would be a fence of them."""
    flips = sorted(flip.interactivity.value for pair in result.pairs for flip in pair.flips if flip.of == "median")
    for x in flips if len(flips) <= _MOST_FLIPS else ():
        axes.axvline(x, color=GREY, linewidth=0.9, linestyle=(0, (2, 2)), zorder=2)
        axes.annotate(f"flip at {speed(x)}", (x, 0), (-2, 5), xycoords=("data", "axes fraction"), textcoords="offset points",
                      fontsize=8.5, color="#555555", rotation=90, ha="right", va="bottom")


def _name_lines(figure: Figure, axes: Axes, ends: list[tuple[str, str, Row]]) -> None:
    """Names at the ends of lines, moved up where they would touch another."""
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    placed: list[tuple[float, float, float]] = []  # left, right and height of each name, points
    positive = [end for end in ends if end[2].cost["p50"].value > 0]
    for label, colour, row in sorted(positive, key=lambda end: end[2].cost["p50"].value):
        short = shortened(label)
        x, y = axes.transData.transform((row.interactivity, row.cost["p50"].value)) / scale
        left, right, at = x + _GAP, x + _GAP + _LETTER * len(short), y
        for other in sorted(placed, key=lambda box: box[2]):
            if other[0] < right and left < other[1] and abs(at - other[2]) < _LABEL_HEIGHT:
                at = other[2] + _LABEL_HEIGHT
        placed.append((left, right, at))
        axes.annotate(short, (row.interactivity, row.cost["p50"].value), (_GAP, at - y), textcoords="offset points", va="center",
                      fontsize=9.5, fontweight="bold", color=darkened(colour), zorder=6, annotation_clip=False,
                      bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.6})


def shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[:_LONGEST_LABEL - 1]}…"


def darkened(colour: str) -> str:
    """A colour in which a text can be read on white."""
    return "#" + "".join(f"{int(int(colour[k:k + 2], 16) * 0.72):02x}" for k in (1, 3, 5))

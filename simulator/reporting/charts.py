"""Figures. They compute nothing: what is drawn stands in the results."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.quantities import COST
from simulator.reporting.wording import as_given, headline, number
from simulator.results import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart by colour-blind readers, and dark enough on white.
BLUE, ORANGE, INK, GREY = "#0072B2", "#D55E00", "#1a1a1a", "#8a8a8a"
_LONGEST_LABEL = 64
STYLE: Any = {
          "font.family": "sans-serif", "font.size": 10, "svg.hashsalt": "tco-simulator", "svg.fonttype": "none",
          "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY, "text.color": INK,
          "text.parse_math": False,
          "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}


def save_ranges(run: Run, path: Path) -> None:
    """Write the chart of ranges as SVG or PNG, by the path's suffix."""
    save_figure(lambda: ranges(run), path)


def save_figure(make: Callable[[], Figure], path: Path) -> None:
    """Write a figure in the house's style as SVG or PNG, by the path's suffix."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        figure = make()
        # No clock in the file: the same run gives the same bytes.
        figure.savefig(path, dpi=160, metadata={"Date": None} if path.suffix.lower() == ".svg" else {"Software": None})


def ranges(run: Run, scenario: str = "base") -> Figure:
    """Cost per million tokens: P5 to P95 as a line, P10 to P90 as a bar, P50 labelled; cheapest median on top."""
    from matplotlib.figure import Figure

    labels = {platform.name: platform.label for platform in run.study.platforms}
    names = sorted(labels, key=lambda name: -run.estimate(name, COST.name, "p50", scenario).value)
    value = {name: {p: run.estimate(name, COST.name, p, scenario) for p in ("p5", "p10", "p50", "p90", "p95")} for name in names}
    title = headline(run, scenario).replace(" %", "\u00a0%")
    for label in labels.values():
        title = title.replace(label, _shortened(label))
    title = textwrap.fill(title, 84)
    height = 1.15 + 0.55 * len(names) + 0.21 * title.count("\n")
    figure = Figure(figsize=(8.4, height + 0.75), layout="constrained")
    axes = figure.add_subplot()
    low = min(points["p5"].value for points in value.values())
    high = max(points["p95"].value for points in value.values())
    logarithmic = low > 0 and high / low > 8
    if logarithmic:
        axes.set_xscale("log")
    for position, name in enumerate(names):
        points = {p: estimate.value for p, estimate in value[name].items()}
        axes.plot([points["p5"], points["p95"]], [position, position], color=BLUE, linewidth=1.6, solid_capstyle="butt", zorder=2)
        axes.plot([points["p10"], points["p90"]], [position, position], color=BLUE, linewidth=11, alpha=0.45,
                  solid_capstyle="butt", zorder=1)
        axes.plot([points["p50"]], [position], marker="o", markersize=6.5, color=INK, zorder=3)
        axes.annotate(number(value[name]["p50"]), (points["p50"], position), (0, 9), textcoords="offset points", ha="center",
                      va="bottom", fontweight="bold")
        if points["p5"] != points["p95"]:
            axes.annotate(number(value[name]["p5"]), (points["p5"], position), (-6, 0), textcoords="offset points", ha="right",
                          va="center", color=INK, fontsize=9)
            axes.annotate(number(value[name]["p95"]), (points["p95"], position), (6, 0), textcoords="offset points", ha="left",
                          va="center", color=INK, fontsize=9)
    axes.set_yticks(range(len(names)), [textwrap.fill(_shortened(labels[name]), 26) for name in names])
    axes.set_ylim(-0.6, len(names) - 0.25)
    _widen(axes, low, high, logarithmic)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    scale = " (logarithmic)" if logarithmic else ""
    spread = any(points["p5"].value != points["p95"].value for points in value.values())
    key = " · dot: median · bar: P10–P90 · line: P5–P95" if spread else ""
    axes.set_xlabel(f"USD per million tokens{scale}{key}")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _shortened(label: str) -> str:
    """A label cut in its middle, since long names differ at their ends."""
    return label if len(label) <= _LONGEST_LABEL else f"{label[:_LONGEST_LABEL // 2]}…{label[-_LONGEST_LABEL // 2:]}"


def _widen(axes: object, low: float, high: float, logarithmic: bool) -> None:
    """Room for the labels at both ends, and plain numbers on the axis."""
    from matplotlib.axes import Axes
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    assert isinstance(axes, Axes)
    if logarithmic:
        room = (high / low) ** 0.11
        axes.set_xlim(low / room, high * room)
        span = math.log10(high / low)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if span < 2.5 else (1,)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        room = 0.14 * ((high - low) or abs(high) or 1)
        axes.set_xlim(low - room, high + room)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: as_given(tick)))

"""The map of who is cheaper over two inputs. It computes nothing: what is drawn stands in the result."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.experiments.sensitivity.everything import Map, Sensitivity
from simulator.reporting.charts import BLUE, INK, ORANGE, name_numbers, save_figure
from simulator.reporting.input_names import input_name, unit_and_scale
from simulator.reporting.ranges import shortened
from simulator.reporting.sensitivity_wording import cheaper_throughout, map_in_words
from simulator.reporting.wording import to_digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, np.dtype[np.float64]]

_LEVELS = 16
_TITLE_WIDTH, _LABEL_WIDTH = 84, 60  # characters in a line
_REGION_WIDTH, _LEAST_REGION = 24, 0.03  # characters in a line; share of the map below which a region has no name
_FOOT_WIDTH = 112
_WIDE = 0.3  # a log ratio from which two digits tell ticks apart
_LEAST_SPAN = 0.02  # of the log ratio: less is no colour


def save_map(found: Sensitivity, path: Path) -> None:
    """Write the map as SVG or PNG, by the path's suffix."""
    drawn = found.crossover
    assert drawn
    save_figure(lambda: map_chart(found, drawn), path)


def map_chart(found: Sensitivity, drawn: Map) -> Figure:
    """Colours: how many times as much the later platform costs; a line where both cost the same; dots where it is not sure."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    study, result = found.study, drawn.crossover
    later, earlier = (study.platforms[position].label for position in drawn.pair)
    title = textwrap.fill(map_in_words(study, drawn).replace(" %", "\u00a0%"), _TITLE_WIDTH)
    figure = Figure(figsize=(8.2, 5.8 + 0.2 * title.count("\n")), layout="constrained")
    axes = figure.add_subplot()
    x, y = (values * unit_and_scale(study, one.path)[1]
            for one, values in ((result.x, result.x_values), (result.y, result.y_values)))
    span = max(float(np.abs(result.log_ratio).max()), _LEAST_SPAN)
    colours = LinearSegmentedColormap.from_list("cheaper", [BLUE, "#ffffff", ORANGE])
    filled = axes.contourf(x, y, result.log_ratio.T, levels=np.linspace(-span, span, _LEVELS + 1), cmap=colours)
    foot = []
    if not cheaper_throughout(result):
        foot.append("Line: both cost the same in half of the futures.")
        axes.contour(x, y, result.log_ratio.T, levels=[0], colors=INK, linewidths=2)
    if result.unsure is not None and result.unsure.any():
        foot.append("Dots: either is cheaper in at least 5 % of futures.")
        across, up = np.nonzero(result.unsure)
        axes.plot(x[across], y[up], linestyle="none", marker=".", markersize=3, color=INK, alpha=0.75)
    _name_regions(axes, x, y, result.log_ratio, (later, earlier))
    here = [value * unit_and_scale(study, one.path)[1]
            for one, value in zip((result.x, result.y), result.medians, strict=True)]
    if x[0] <= here[0] <= x[-1] and y[0] <= here[1] <= y[-1]:
        foot.append("Cross: the medians of the study.")
        axes.plot(*here, marker="P", markersize=11, color=INK, markeredgecolor="white", markeredgewidth=1.4, zorder=6)
    for place, one in (("x", result.x), ("y", result.y)):
        name, unit = input_name(study, one.path), unit_and_scale(study, one.path)[0]
        name_numbers(axes, place, one.low, one.high, one.by_factors).set_label_text(f"{name},{unit}" if unit else name)
    label = textwrap.fill(f"Cost of {later} ÷ cost of {earlier}, median", _LABEL_WIDTH)
    bar = figure.colorbar(filled, ax=axes, label=label)
    ticks = np.linspace(-span, span, 7)
    bar.set_ticks(list(ticks), labels=[f"{to_digits(math.exp(tick), 2 if span > _WIDE else 3)}×" for tick in ticks])
    bar.ax.yaxis.label.set_fontsize(8.5)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    words = textwrap.fill(" ".join(["All other inputs are drawn.", *foot]), _FOOT_WIDTH)
    figure.supxlabel(words, x=0.01, ha="left", fontsize=8.5, color="#555555")
    return figure


def _name_regions(axes: Axes, x: Array, y: Array, log_ratio: Array, labels: tuple[str, str]) -> None:
    """Who is cheaper, in words, in the middle of where that is: a colour alone would not do."""
    for label, inside in zip(labels, (log_ratio < 0, log_ratio > 0), strict=True):
        if inside.mean() > _LEAST_REGION:
            across, up = np.nonzero(inside)
            # The point of the region that is nearest to its centre of mass, which may lie outside.
            nearest = int(np.argmin((across - across.mean()) ** 2 + (up - up.mean()) ** 2))
            # At the edge of the map the name stands inside of it.
            side = "left" if across[nearest] < len(x) / 4 else "right" if across[nearest] > 3 * len(x) / 4 else "center"
            height = "bottom" if up[nearest] < len(y) / 6 else "top" if up[nearest] > 5 * len(y) / 6 else "center"
            axes.annotate(textwrap.fill(f"{shortened(label)} cheaper", _REGION_WIDTH), (x[across[nearest]], y[up[nearest]]),
                          ha=side, va=height, fontsize=9.5, fontweight="bold", zorder=5, annotation_clip=True,
                          bbox={"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": "none", "alpha": 0.85})

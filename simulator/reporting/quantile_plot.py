"""The Q–Q picture of a fit. It computes nothing: its points come with the fit."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.fitting.quantiles import QuantilePlot
from simulator.reporting.charts import BLUE, GREY, INK, save_figure
from simulator.reporting.wording import label_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_quantile_plot(plot: QuantilePlot, name: str, path: Path) -> None:
    """Write the picture of an input as SVG or PNG, by the path's suffix."""
    save_figure(lambda: quantile_plot(plot, name), path)


def quantile_plot(plot: QuantilePlot, name: str) -> Figure:
    """Quantiles of the data over those of the fit: on the line where both agree; the band holds 95 % of what chance does."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 6.2), layout="constrained")
    axes = figure.add_subplot()
    ends = [min(plot.fitted[0], plot.observed[0]), max(plot.fitted[-1], plot.observed[-1])]
    room = 0.04 * (ends[1] - ends[0])
    ends = [ends[0] - room, ends[1] + room]
    if len(plot.low):
        axes.fill_between(plot.fitted, plot.low, plot.high, color=GREY, alpha=0.25, linewidth=0, zorder=1,
                          label="95 % of samples from the fit, point by point")
    axes.plot(ends, ends, color=INK, linewidth=0.9, zorder=2, label="the fit holds")
    axes.plot(plot.fitted, plot.observed, linestyle="none", marker="o", markersize=3.5, color=BLUE, alpha=0.8, zorder=3,
              label="data")
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")
    axes.set_xlabel(f"fitted: {plot.axis}")
    axes.set_ylabel(f"observed: {plot.axis}")
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    figure.suptitle(textwrap.fill(f"{label_of(name)}: {plot.title}", 66), x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure

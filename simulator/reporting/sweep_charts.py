"""Charts of sweeps: lines over one input, colours over two. They compute nothing: what is drawn stands in the result."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.experiments.sweep import SweepResult, flips
from simulator.quantities import COST, RATIO
from simulator.reporting.charts import GREY, save_figure
from simulator.reporting.frontier_chart import COLOURS, LINES, darkened, shortened
from simulator.reporting.sweep_terminal import coordinate, flip_in_words, heading
from simulator.reporting.wording import as_given, number, percent, to_digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_TITLE = 88  # characters in a line
_MOST_FLIPS = 6
_WIDE = 8  # times from the least to the largest cost, beyond which the axis is logarithmic
_MOST_TICKS = 12
_MOST_WRITTEN = 120  # cells of a grid with a number in each


def has_chart(result: SweepResult) -> bool:
    """Whether there is a chart of a sweep: over one input that is a number, or over two of any kind."""
    swept = result.sweep.swept
    return (len(swept) == 1 and swept[0].is_numeric) or len(swept) == 2


def save_chart(result: SweepResult, path: Path) -> None:
    """Write the chart as SVG or PNG, by the path's suffix."""
    save_figure(lambda: lines(result) if len(result.sweep.swept) == 1 else colours(result), path)


def lines(result: SweepResult) -> Figure:
    """Cost per million tokens over one input: a band P5 to P95 and a median for each platform; where medians cross."""
    from matplotlib.figure import Figure

    given = result.sweep.swept[0]
    found = [flip_in_words(result, flip) for flip in flips(result) if flip.of == "median"]
    title = textwrap.fill(found[0] if len(found) == 1 else f"{result.study.name}: cost over {given.path}", _TITLE)
    figure = Figure(figsize=(9.2, 5.2 + 0.2 * title.count("\n")), layout="constrained")
    axes = figure.add_subplot()
    order = sorted(range(len(given.coordinates)), key=lambda k: float(given.coordinates[k]))
    x = [float(given.coordinates[k]) for k in order]
    all_costs: list[float] = []
    for k, platform in enumerate(result.study.platforms):
        low, middle, high = ([result.estimate((at,), platform.name, COST.name, p).value for at in order]
                             for p in ("p5", "p50", "p95"))
        colour, style = COLOURS[k % len(COLOURS)], LINES[(k + k // len(COLOURS)) % len(LINES)]
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0, zorder=1)
        axes.plot(x, middle, color=colour, linestyle=style, linewidth=2, zorder=3, label=shortened(platform.label))
        all_costs += [*low, *high]
    if given.logarithmic:
        axes.set_xscale("log")
    logarithmic = min(all_costs) > 0 and max(all_costs) / min(all_costs) > _WIDE
    if logarithmic:
        axes.set_yscale("log")
    for axis, is_log in ((axes.xaxis, given.logarithmic), (axes.yaxis, logarithmic)):
        _plain_numbers(axis, is_log)
    axes.margins(x=0.01)
    marked = [flip for flip in flips(result) if flip.of == "median"]
    for flip in marked if len(marked) <= _MOST_FLIPS else ():
        axes.axvline(flip.at.value, color=GREY, linewidth=0.9, linestyle=(0, (2, 2)), zorder=2)
        axes.annotate(f"flip at {number(flip.at)}", (flip.at.value, 0), (-2, 5), xycoords=("data", "axes fraction"),
                      textcoords="offset points", fontsize=8.5, color="#555555", rotation=90, ha="right", va="bottom")
    axes.set_xlabel(heading(given) + (" (logarithmic)" if given.logarithmic else ""))
    axes.set_ylabel("USD per million tokens" + (" (logarithmic)" if logarithmic else ""))
    axes.grid(color="#e4e4e4", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    legend = axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=min(len(result.platforms), 3))
    for text, k in zip(legend.get_texts(), range(len(result.study.platforms)), strict=True):
        text.set_color(darkened(COLOURS[k % len(COLOURS)]))
    figure.suptitle(title.replace(" %", "\u00a0%"), x=0.01, ha="left", fontsize=11, fontweight="bold")
    figure.supxlabel("Line: median · band: P5–P95, what the world may do", x=0.01, ha="left", fontsize=8.5, color="#555555")
    return figure


def colours(result: SweepResult) -> Figure:
    """A grid over two inputs: of two platforms the ratio of costs, of one its cost, of more which is cheapest most often."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.2, 5.8), layout="constrained")
    axes = figure.add_subplot()
    count = len(result.study.platforms)
    title = _who_is_cheapest(axes, result) if count > 2 else _scale(figure, axes, result)
    rows, columns = result.sweep.swept
    for given, set_ticks in ((columns, axes.set_xticks), (rows, axes.set_yticks)):
        shown = range(0, len(given.values), -(-len(given.values) // _MOST_TICKS))
        set_ticks(list(shown), [coordinate(given, k) for k in shown])
    axes.set_xlabel(heading(columns))
    axes.set_ylabel(heading(rows))
    axes.tick_params(length=0)
    figure.suptitle(textwrap.fill(title, _TITLE), x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _scale(figure: Figure, axes: Axes, result: SweepResult) -> str:
    """Median cost of one platform, or of two the median ratio, white where they are equal; the line of probability ½."""
    from matplotlib.colors import LogNorm

    labels = [platform.label for platform in result.study.platforms]
    owner, quantity = (result.platforms[0], COST.name) if len(labels) == 1 else (result.pairs[0], RATIO.name)
    values = _values(result, owner, quantity, "p50")
    norm: Any = None
    if len(labels) == 2 and np.all(values > 0):
        farthest = max(float(np.max(values)), 1 / float(np.min(values)), 1.01)
        norm = LogNorm(1 / farthest, farthest)
    image = axes.imshow(values, origin="lower", aspect="auto", cmap="viridis_r" if len(labels) == 1 else "PuOr_r", norm=norm)
    bar = figure.colorbar(image, ax=axes)
    _plain_numbers(bar.ax.yaxis, norm is not None)
    _write(axes, values, image)
    if len(labels) == 1:
        return f"{labels[0]}: median cost per million tokens, USD"
    chance = _values(result, owner, "probability_cheaper", "")
    crosses = bool(np.min(chance) < 0.5 < np.max(chance))
    if crosses:
        axes.contour(chance, levels=[0.5], colors="#1a1a1a", linewidths=1.8)
    line = "On the line each is cheaper in half of the futures" if crosses else (
        f"{labels[1] if np.min(chance) >= 0.5 else labels[0]} is cheaper in most futures throughout")
    return f"Cost of {labels[1]} ÷ cost of {labels[0]}, median. {line}."


def _who_is_cheapest(axes: Axes, result: SweepResult) -> str:
    """The platform that is cheapest most often, by colour, and how often."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    platforms = result.study.platforms
    chances = np.array([_values(result, platform.name, "probability_cheapest", "") for platform in platforms])
    best = chances.argmax(axis=0)
    shades = [COLOURS[k % len(COLOURS)] for k in range(len(platforms))]
    axes.imshow(best, origin="lower", aspect="auto", cmap=ListedColormap(shades), vmin=-0.5, vmax=len(platforms) - 0.5,
                alpha=0.55)
    if best.size <= _MOST_WRITTEN:
        for (row, column), k in np.ndenumerate(best):
            chance = result.estimate((row, column), result.platforms[k], "probability_cheapest")
            axes.text(column, row, percent(chance).replace(" %", "\u00a0%"), ha="center", va="center", fontsize=8.5)
    there = sorted({int(k) for k in best.flat})
    axes.legend(handles=[Patch(color=shades[k], alpha=0.55, label=shortened(platforms[k].label)) for k in there], frameon=False,
                loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=min(len(there), 3))
    return "Cheapest most often, and in how many futures"


def _write(axes: Axes, values: Any, image: Any) -> None:
    """Each cell's number, dark on light and light on dark."""
    if values.size > _MOST_WRITTEN:
        return
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            continue
        red, green, blue, _ = image.cmap(image.norm(value))
        light = 0.3 * red + 0.59 * green + 0.11 * blue > 0.55
        axes.text(column, row, to_digits(value), ha="center", va="center", fontsize=8.5, color="#1a1a1a" if light else "white")


def _values(result: SweepResult, owner: str, quantity: str, statistic: str) -> Any:
    """One number over the grid, float64[first input, second input]."""
    return np.array([[result.estimate((row, column), owner, quantity, statistic).value
                      for column in range(result.sweep.shape[1])] for row in range(result.sweep.shape[0])])


def _plain_numbers(axis: Axis, logarithmic: bool) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if logarithmic:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda tick, _: as_given(tick)))

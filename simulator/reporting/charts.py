"""The style of all figures. They compute nothing: what is drawn stands in the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.reporting.wording import as_given

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart by colour-blind readers, and dark enough on white.
BLUE, ORANGE, INK, GREY = "#0072B2", "#D55E00", "#1a1a1a", "#8a8a8a"
FAR_APART = 8.0  # costs so many times apart: a logarithmic axis
_WIDE, _MOST_TICKS = 300.0, 9  # of a logarithmic axis: ends so many times apart have ticks at powers of ten only
STYLE: Any = {
          "font.family": "sans-serif", "font.size": 10, "svg.hashsalt": "tco-simulator", "svg.fonttype": "none",
          "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY, "text.color": INK,
          "text.parse_math": False,
          "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}


def name_in_decades(axis: Axis, low: float, high: float) -> None:
    """Round, plain numbers on a logarithmic axis from `low` to `high`, as many as there is room for."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    wide = high / low > _WIDE
    axis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5), numticks=_MOST_TICKS))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda tick, _: as_given(tick)))


def name_numbers(axes: Axes, which: str, low: float, high: float, logarithmic: bool) -> Axis:
    """Plain numbers on axis "x" or "y", which is made logarithmic where it is to be; gives the axis."""
    from matplotlib.ticker import FuncFormatter

    axis: Axis = axes.xaxis if which == "x" else axes.yaxis
    if logarithmic:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        name_in_decades(axis, low, high)
    else:
        axis.set_major_formatter(FuncFormatter(lambda tick, _: as_given(round(tick, 10))))
    return axis


def cost_axis(axes: Axes, which: str, costs: Sequence[float]) -> bool:
    """Plain numbers of USD per million tokens; logarithmic where costs are positive and far apart, and then True."""
    low, high = min(costs), max(costs)
    logarithmic = low > 0 and high / low > FAR_APART
    name_numbers(axes, which, low, high, logarithmic).set_label_text(
        f"USD per million tokens{' (logarithmic)' if logarithmic else ''}")
    return logarithmic


def save_figure(make: Callable[[], Figure], path: Path) -> None:
    """Write a figure in the house's style as SVG or PNG, by the path's suffix."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        figure = make()
        # No clock in the file: the same run gives the same bytes.
        figure.savefig(path, dpi=160, metadata={"Date": None} if path.suffix.lower() == ".svg" else {"Software": None})

"""The style of all figures. They compute nothing: what is drawn stands in the results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart by colour-blind readers, and dark enough on white.
BLUE, ORANGE, INK, GREY = "#0072B2", "#D55E00", "#1a1a1a", "#8a8a8a"
STYLE: Any = {
          "font.family": "sans-serif", "font.size": 10, "svg.hashsalt": "tco-simulator", "svg.fonttype": "none",
          "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY, "text.color": INK,
          "text.parse_math": False,
          "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}


def save_figure(make: Callable[[], Figure], path: Path) -> None:
    """Write a figure in the house's style as SVG or PNG, by the path's suffix."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        figure = make()
        # No clock in the file: the same run gives the same bytes.
        figure.savefig(path, dpi=160, metadata={"Date": None} if path.suffix.lower() == ".svg" else {"Software": None})

"""Charts as SVG inside a page, and as files of their own."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.reporting.charts import STYLE
from simulator.reporting.report.document import Chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TITLE_WIDTH = 88  # characters in a line
_HEAD = re.compile(r"\A.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*"', re.DOTALL)
_HEIGHT = re.compile(r'(<svg[^>]*?) height="[^"]*"', re.DOTALL)
_NAMED = re.compile(r'( id="|xlink:href="#|url\(#)')


def inline_svg(chart: Chart, prefix: str) -> str:
    """The chart as an element of a page, named and described for whoever cannot see it.

    prefix  in front of all its ids, so that charts of one page do not take one another's
    """
    with _drawn(chart, "") as figure:
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = _METADATA.sub("", _HEAD.sub("", buffer.getvalue()), count=1)
    text = _NAMED.sub(lambda found: f"{found[1]}{prefix}-", text)
    text = _HEIGHT.sub(r"\1", _SIZE.sub(r"\1", text, count=1), count=1)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(chart.alternative, quote=True)}"', 1).strip()


def save_chart(chart: Chart, title: str, path: Path) -> None:
    """The chart as a file, with the claim of its page on top, as SVG or PNG by the path's suffix."""
    with _drawn(chart, title) as figure:
        figure.savefig(path, dpi=160, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})


@contextmanager
def _drawn(chart: Chart, title: str) -> Iterator[Figure]:
    import matplotlib

    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # SVG has text as text, which browsers show in any script; only its width is guessed where a letter is missing here.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = chart.draw()
        heading = figure.suptitle(textwrap.fill(title.replace(" %", "\u00a0%"), _TITLE_WIDTH), x=0.01, ha="left", fontsize=11,
                                  fontweight="bold")
        heading.set_in_layout(bool(title))
        yield figure

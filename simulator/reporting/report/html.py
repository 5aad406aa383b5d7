"""A report as one HTML file that opens without a network, and as the PDF made of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from simulator import __version__
from simulator.reporting.report.document import Chart, Report, Table
from simulator.reporting.report.explorer import data_of, plotly_packed
from simulator.reporting.report.figures import inline_svg

_TEMPLATES = Path(__file__).parent / "templates"
_DATE = "SOURCE_DATE_EPOCH"


class NoPdfError(RuntimeError):
    """What PDF is made with is not installed; the message says how to get it."""


def html(reports: Sequence[Report], title: str, overview: Table | None = None, logo: str = "", explore: bool = True,
         drawn: dict[int, str] | None = None) -> str:
    """The whole file.

    title     of the file
    overview  a line for each report, where there are several
    logo      as a data: URL
    explore   whether single trials can be looked at, which takes two megabytes
    drawn     charts of these reports that were drawn before, by their identity; filled
    """
    import jinja2

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True,
                                     undefined=jinja2.StrictUndefined, finalize=_with_numbers_whole)
    done = {} if drawn is None else drawn

    def svg(chart: Chart) -> str:
        if id(chart) not in done:
            done[id(chart)] = inline_svg(chart, f"c{1 + len(done)}")
        return done[id(chart)]

    def text(name: str) -> str:
        return (_TEMPLATES / name).read_text(encoding="utf-8")

    explore = explore and any(report.explorer for report in reports)
    return environment.get_template("report.html.j2").render(
        reports=reports if explore else [replace(report, explorer=None) for report in reports], title=title, overview=overview,
        logo=logo, version=__version__, css=text("report.css"), script=text("explore.js"),
        plotly=plotly_packed() if explore else "", svg=svg, data_of=data_of,
        prefix=lambda position: f"r{position + 1}-" if overview else "")


def _with_numbers_whole(value: object) -> object:
    """Text in which no line ends between a number and its percent sign; what is markup already stays."""
    return value.replace(" %", "\u00a0%") if type(value) is str else value


def write_pdf(text: str, path: Path) -> None:
    """The HTML as PDF. Raises NoPdfError where WeasyPrint, or a library that it needs, is not installed."""
    check_pdf()
    import weasyprint  # type: ignore[import-untyped]

    with _same_each_time():
        weasyprint.HTML(string=text).write_pdf(path)


@contextlib.contextmanager
def _same_each_time() -> Iterator[None]:
    """Without HarfBuzz, fonts are cut by fontTools, which dates them: the same pages are to be the same bytes."""
    stated = os.environ.get(_DATE)
    os.environ[_DATE] = stated or "0"
    try:
        yield
    finally:
        if stated is None:
            del os.environ[_DATE]
        else:
            os.environ[_DATE] = stated


def check_pdf() -> None:
    """Raise NoPdfError where no PDF can be made."""
    try:
        import weasyprint  # noqa: F401
    except ImportError:
        raise NoPdfError("PDF needs an extra: pip install 'tco-simulator[pdf]'; or print report.html from a browser") from None
    except OSError as error:  # Pango is not there
        raise NoPdfError(f"PDF needs the library Pango, which WeasyPrint did not find ({error}); on Debian: apt install "
                         "libpango-1.0-0 libpangoft2-1.0-0; or print report.html from a browser") from None

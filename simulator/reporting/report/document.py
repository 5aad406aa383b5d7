"""What a report is made of, whatever the format: pages with a claim, charts, sentences and tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Chart:
    """A figure, drawn when it is wanted.

    name         of its file, in letters, digits and hyphens
    alternative  what it shows, in a sentence for whoever cannot see it
    heading      above it, where a page has several
    """

    name: str
    alternative: str
    draw: Callable[[], Figure]
    heading: str = ""


@dataclass(frozen=True)
class Table:
    """Cells as they are read. The first column names the row.

    numeric  positions of the columns that are set to the right
    more     what is to be said of it
    sparks   SVG for the second column of each row, where there is any
    """

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    more: str = ""
    sparks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """One page: what it is about (`kicker`), what it claims (`title`), the chart, how to read it, and the table behind it.

    text   paragraphs that the numbers support
    notes  small print
    """

    name: str
    kicker: str
    title: str
    charts: tuple[Chart, ...] = ()
    reading: str = ""
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A number with what it is, for the front page."""

    value: str
    meaning: str


@dataclass(frozen=True)
class Front:
    """The first page.

    title, study  of the report, and what was studied; `lines`: description, operating point
    headline      claim, number, range, driver, flip point
    facts         the three numbers to remember
    points        what a board should know, a sentence each
    date          of the run, YYYY-MM-DD
    """

    title: str
    study: str
    lines: tuple[str, ...]
    headline: str
    facts: tuple[Fact, ...]
    points: tuple[str, ...]
    date: str
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True)
class Explorer:
    """Single trials to look at: columns of numbers, of which `costs` are the platforms' and the others inputs.

    names   how each column is read; values float by column
    best    the platform whose cost is shown at first, by its position
    """

    names: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    costs: int
    best: int = 0


@dataclass(frozen=True)
class Report:
    """A whole report of one run."""

    front: Front
    pages: tuple[Page, ...]
    appendix: tuple[Page, ...]
    explorer: Explorer | None = None

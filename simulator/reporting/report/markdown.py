"""A report as Markdown, with its charts as files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from simulator.reporting.report.document import Page, Report, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$])")


def markdown(reports: Sequence[Report], title: str, overview: Table | None = None, charts: str = "charts") -> str:
    """The whole text; charts are named relative to it, in the folder `charts`."""
    blocks: list[str] = []
    if overview:
        blocks += [f"# {plain(title)}", *_table(overview)]
    for position, report in enumerate(reports):
        front, folder = report.front, f"{charts}/{position + 1}-" if overview else f"{charts}/"
        blocks += [f"# {plain(front.title)}", f"**{plain(front.headline)}**"]
        blocks.append("\n".join(f"- **{plain(fact.value)}** {plain(fact.meaning)}" for fact in front.facts))
        blocks += [f"![{plain(chart.alternative)}]({folder}{chart.name}.svg)" for chart in front.charts]
        blocks.append("\n".join(f"- {plain(point)}" for point in front.points))
        blocks += [*map(plain, front.lines), front.date]
        for number, page in enumerate(report.pages, 2):
            blocks += _page(page, f"{number} · {page.kicker}: ", folder)
        for page in report.appendix:
            blocks += _page(page, "Appendix: ", folder)
    return "\n\n".join(filter(None, blocks)) + "\n"


def _page(page: Page, kicker: str, folder: str) -> Iterator[str]:
    yield f"## {kicker}{plain(page.title)}"
    for chart in page.charts:
        yield f"### {plain(chart.heading)}" if chart.heading else ""
        yield f"![{plain(chart.alternative)}]({folder}{chart.name}.svg)"
    yield plain(page.reading)
    if len(page.text) == 1:
        yield plain(page.text[0])
    else:
        yield "\n".join(f"- {plain(line)}" for line in page.text)
    for table in page.tables:
        yield from _table(table)
    yield from map(plain, page.notes)


def _table(table: Table) -> Iterator[str]:
    kept = [place for place in range(len(table.headings)) if not (table.sparks and place == 1)]
    lines = ["| " + " | ".join(plain(table.headings[place]) for place in kept) + " |",
             "| " + " | ".join("---:" if place in table.numeric else "---" for place in kept) + " |"]
    lines += ["| " + " | ".join(plain(row[place]) for place in kept) + " |" for row in table.rows]
    yield f"**{plain(table.caption)}**"
    yield "\n".join(lines)
    yield plain(table.more)


def plain(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))

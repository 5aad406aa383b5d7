"""Finished runs, one to a line, as they are read in a terminal."""

from __future__ import annotations

from simulator.experiments.run_list import ListedRun, RunList
from simulator.reporting.wording import number, percent
from simulator.study.problems import quoted

_HEADINGS = ("finished", "study", "trials", "cheapest", "in", "P50 [USD]", "what-ifs", "folder")
_TO_THE_RIGHT = ("trials", "in", "P50 [USD]")
_LONGEST = 200  # characters of a name


def run_table(found: RunList) -> list[str]:
    """Lines: when, study, trials, the platform that is cheapest most often and its median cost, what-ifs, folder.

    Plain text: a folder's name is to be copied, and has to stay in one piece.
    """
    rows = [_HEADINGS, *map(_row, found.runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def cell(text: str, width: int, heading: str) -> str:
        return text.rjust(width) if heading in _TO_THE_RIGHT else text.ljust(width)

    return ["  ".join(map(cell, row, widths, _HEADINGS)).rstrip() for row in rows]


def _row(run: ListedRun) -> tuple[str, ...]:
    chance = run.winner.probability_cheapest
    return (run.finished.strftime("%Y-%m-%d %H:%M"), quoted(run.study, _LONGEST), f"{run.trials:,}",
            quoted(run.winner.label, _LONGEST), percent(chance) if chance else "", number(run.winner.median),
            quoted(", ".join(run.what_ifs), _LONGEST), str(run.folder))

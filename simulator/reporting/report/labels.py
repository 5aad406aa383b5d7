"""Names of platforms as they fit into charts: shortened in their middle, wrapped, and in letters where there are many."""

from __future__ import annotations

import textwrap

from simulator.reporting.ranges import shortened
from simulator.study.model import Study

_WIDTH = 24  # characters in a line
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#B07A00", "#56B4E9", "#8a5a9c", "#7a7a7a", "#a04000",
           "#2e6e6e", "#9a9a00")
LINES: tuple[object, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), (0, (3, 1, 1, 1)))


def wrapped(label: str, width: int = _WIDTH) -> str:
    """A label in lines that fit beside a chart."""
    return "\n".join(line for part in label.split("\n") for line in textwrap.wrap(shortened(part), width) or [""])


def letters(names: list[str]) -> dict[str, str]:
    """A letter for each: A, B, C …"""
    return {name: chr(ord("A") + position) if position < 26 else f"A{position - 25}" for position, name in enumerate(names)}


def colour_and_line(study: Study, name: str) -> tuple[str, object]:
    """How the line of a platform is drawn: no two of the same colour and stroke."""
    position = [platform.name for platform in study.platforms].index(name)
    return COLOURS[position % len(COLOURS)], LINES[(position + position // len(COLOURS)) % len(LINES)]

"""Cells of a workbook: texts that never become formulas, numbers whole but shown with the digits that they support.

A cell holds a number in full; how many digits of it are shown is its format's. What does not apply is an empty cell.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from simulator.analysis.intervals import Estimate
from simulator.reporting.wording import MOST_DIGITS, digits

MOST_TEXT = 32_767  # UTF-16 units that a cell takes
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML has no place for
_LIKE_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
_MOST_DECIMALS, _DECIMALS_OF_PERCENT, _LARGEST = 7, 4, 1e12


@dataclass(frozen=True)
class Shown:
    """A number, and how it is shown.

    error     its standard error: digits that it blurs are not shown
    is_share  whether it is read in percent
    most      significant digits that are shown at most
    """

    value: float
    error: float = 0.0
    is_share: bool = False
    most: int = MOST_DIGITS


Cell = str | int | Shown | None


class Whole(float):
    """A number that is written with all its digits: XlsxWriter formats it to 16, and the last bit may take 17."""

    def __format__(self, _: str) -> str:
        return repr(float(self))


def shown(estimate: Estimate | None, is_share: bool = False) -> Shown | None:
    """An estimate with the digits that it supports."""
    return Shown(estimate.value, estimate.standard_error, is_share) if estimate else None


def error_of(estimate: Estimate | None, is_share: bool = False) -> Shown | None:
    """The standard error of an estimate."""
    return Shown(estimate.standard_error, is_share=is_share, most=2) if estimate else None


def with_bounds(estimate: Estimate | None, is_share: bool = False) -> list[Cell]:
    """An estimate, its standard error, and its bounds at 95 %."""
    if estimate is None:
        return [None] * 4
    bounds = (Shown(bound, estimate.standard_error, is_share) for bound in (estimate.low, estimate.high))
    return [shown(estimate, is_share), error_of(estimate, is_share), *bounds]


def cell_text(text: str) -> str:
    """A text as a cell can hold it: without what XML forbids, and cut where it is too long."""
    clean = _NO_TEXT.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(clean) > MOST_TEXT // 2:
        units = clean.encode("utf-16-le")
        if len(units) > 2 * MOST_TEXT:
            clean = units[:2 * (MOST_TEXT - 1)].decode("utf-16-le", "ignore") + "…"
    # XlsxWriter takes a text between these marks for XML of its own and writes it as it is.
    return f"{clean} " if clean.startswith("<r>") and clean.endswith("</r>") else clean


def number_format(number: Shown) -> str:
    """The format that shows a number with the digits that it supports."""
    error = number.error if math.isfinite(number.error) else 0.0
    if number.is_share:
        # What is nearly certain has as many digits as what is nearly impossible.
        rare = min(abs(number.value), abs(1 - number.value)) or abs(number.value)
        decimals = min(max(digits(100 * rare, 100 * error, number.most), 0), _DECIMALS_OF_PERCENT)
        return f"0.{'0' * decimals} %" if decimals else "0 %"
    decimals = max(digits(number.value, error, number.most), 0)
    if decimals > _MOST_DECIMALS or abs(number.value) >= _LARGEST:
        return "0.00E+00"
    return f"#,##0.{'0' * decimals}" if decimals else "#,##0"


def mark_of_text(text: str) -> dict[str, Any]:
    """For a text that would be a formula if somebody edited its cell: the mark that it is a text."""
    return {"quote_prefix": True} if text.startswith(_LIKE_FORMULAS) else {}


def width_of_number(value: float, form: str) -> int:
    """Characters of a number as it is shown."""
    if "E" in form:
        return 10
    decimals = form.partition(".")[2].count("0")
    scaled, more = (100 * value, 2) if "%" in form else (value, 0)
    return len(f"{scaled:,.{decimals}f}") + more + 1


def lines_of_text(text: str, across: float) -> int:
    """Lines that a text takes in so many characters."""
    return sum(max(math.ceil(width_of_text(line) / (across - 1)), 1) for line in text.split("\n"))


def width_of_text(text: str) -> int:
    """Characters, of which a Chinese or Japanese one is two wide."""
    return len(text) if text.isascii() else sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)

"""Sheets of a workbook: cells and tables, columns as wide as what stands in them, headings that stay in sight, charts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator.reporting.report.workbook_cells import (
    Cell,
    Shown,
    Whole,
    cell_text,
    lines_of_text,
    mark_of_text,
    number_format,
    width_of_number,
    width_of_text,
)

_WIDEST, _NARROWEST, _WIDEST_NUMBER = 60, 9, 16  # characters
_POINTS_OF_LINE, _MOST_POINTS, _PIXELS_OF_ROW = 15.0, 405.0, 20  # height of a line; of a row at most, and of an empty one
_A4, _COLUMNS_OF_PAGE = 9, 16
_FONT_SIZE = 11  # points
_NUMBER = {"valign": "top", "align": "right", "indent": 1}  # so that a text in the next column does not touch it
_HEADING = {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8EDF2", "bottom": 1}
Area = list[Any]  # name of a sheet, first row and column, last row and column: what a chart refers to


@dataclass(frozen=True)
class Chart:
    """A native chart and its height [pixels]."""

    native: Any
    height: int


class Book:
    """A workbook that is being written. `finish` writes it.

    title    of the document
    created  when its run was finished, or None: a clock of its own would make every copy another one
    names    where the names of the platforms stand as charts show them, the cheapest median first; of the first sheet
    """

    names: Area

    def __init__(self, path: Path, title: str, created: datetime | None) -> None:
        from xlsxwriter import Workbook  # type: ignore[import-untyped]

        self._file: Any = Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False,
                                               "strings_to_numbers": False, "nan_inf_to_errors": False})
        self._file.set_properties({"title": cell_text(title)[:255], "created": created or datetime(1980, 1, 1)})
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._sheets: list[Sheet] = []

    def sheet(self, name: str) -> Sheet:
        """A new sheet, after those that there are."""
        self._sheets.append(Sheet(self, self._file.add_worksheet(name), name))
        return self._sheets[-1]

    def format(self, properties: Mapping[str, Any]) -> Any:
        """A format, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._file.add_format(dict(properties))
        return self._formats[key]

    def chart(self, kind: str, subtype: str = "") -> Any:
        """A native chart, to be put on a sheet."""
        return self._file.add_chart({"type": kind, **({"subtype": subtype} if subtype else {})})

    def finish(self) -> None:
        """Set the widths of columns, and write the file. Raises OSError where that fails."""
        from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped]

        for sheet in self._sheets:
            sheet.fit()
        try:
            self._file.close()
        except FileCreateError as error:
            cause = error.args[0] if error.args else None
            raise (cause if isinstance(cause, OSError) else OSError(str(error))) from None


class Sheet:
    """A sheet: cells by row and column, both from 0."""

    def __init__(self, book: Book, sheet: Any, name: str) -> None:
        self._book, self._sheet, self.name = book, sheet, name
        self._widths: dict[int, float] = {}
        self._lines: dict[int, float] = {}
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&RPage &P of &N")

    def put(self, row: int, column: int, cell: Cell) -> None:
        """Write a cell, and have its column wide enough."""
        if isinstance(cell, str):
            self._put_text(row, column, cell)
        elif isinstance(cell, Shown):
            if math.isfinite(cell.value):
                form = number_format(cell)
                self._sheet.write_number(row, column, Whole(cell.value), self._book.format({"num_format": form, **_NUMBER}))
                self._widen(column, width_of_number(cell.value, form))
        elif cell is not None:
            self._sheet.write_number(row, column, cell, self._book.format({"num_format": "0", **_NUMBER}))
            self._widen(column, len(str(cell)))

    def _put_text(self, row: int, column: int, text: str) -> None:
        if not text:
            return
        clean = cell_text(text)
        width = max(map(width_of_text, clean.split("\n")))
        wrapped = width > _WIDEST or "\n" in clean
        self._sheet.write_string(row, column, clean, self._book.format(
            {"valign": "top", **mark_of_text(clean), **({"text_wrap": True} if wrapped else {})}))
        self._widen(column, min(width, _WIDEST))
        if wrapped:
            self._raise(row, lines_of_text(clean, 1.1 * _WIDEST))

    def note(self, row: int, text: str) -> None:
        """Small print, over however many columns it takes."""
        clean = cell_text(text)
        self._sheet.write_string(row, 0, clean, self._book.format({"font_color": "#555555", **mark_of_text(clean)}))

    def table(self, row: int, column: int, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
        """Headings with rows below them; gives the last row, which is that of the headings where there is none."""
        for place, heading in enumerate(headings, column):
            clean = cell_text(heading)
            self._sheet.write_string(row, place, clean, self._book.format({**_HEADING, **mark_of_text(clean)}))
            # A heading has several lines: as wide as its longest word, and not too many of them.
            longest = max(map(width_of_text, clean.split()), default=0)
            self._widen(place, min(max(longest, width_of_text(clean) / 4), _WIDEST_NUMBER))
        last = row
        for last, cells in enumerate(rows, row + 1):
            for place, cell in enumerate(cells, column):
                self.put(last, place, cell)
        for place, heading in enumerate(headings, column):
            self._raise(row, lines_of_text(heading, self._across(place)))
        return last

    def paragraph(self, row: int, last_column: int, text: str, **style: Any) -> None:
        """A text across the columns from the first to `last_column`, whose widths are known by now, in as many lines as it
        takes."""
        clean, size = cell_text(text), style.get("font_size", _FONT_SIZE) / _FONT_SIZE
        across = sum(map(self._across, range(last_column + 1)))
        form = self._book.format({"text_wrap": True, "valign": "top", **mark_of_text(clean), **style})
        self._sheet.merge_range(row, 0, row, last_column, "", form)
        self._sheet.write_string(row, 0, clean, form)
        self._raise(row, size * lines_of_text(clean, across / size))

    def head(self, rows: int = 1, columns: int = 0, printed: bool = True) -> None:
        """Keep the first rows and columns in sight, and print the rows on every page."""
        self._sheet.freeze_panes(rows, columns)
        if printed:
            self._sheet.repeat_rows(0, rows - 1)

    def spread(self, columns: int, repeated: int = 0) -> None:
        """Print a table of many columns on several pages beside one another, the first columns on each."""
        self._sheet.fit_to_pages(-(-columns // _COLUMNS_OF_PAGE), 0)
        if repeated:
            self._sheet.repeat_columns(0, repeated - 1)

    def filter(self, last_row: int, last_column: int) -> None:
        """Let the table that begins in the first cell be filtered."""
        self._sheet.autofilter(0, 0, last_row, last_column)

    def print_only(self, last_row: int, last_column: int) -> None:
        """Print nothing beyond a cell."""
        self._sheet.print_area(0, 0, last_row, last_column)

    def place(self, row: int, column: int, chart: Chart, shows: str) -> int:
        """Put a chart with its left upper corner at a cell, and give the first row below it, if no row is higher than a line.

        shows  what it shows, for whoever cannot see it
        """
        self._sheet.insert_chart(row, column, chart.native, {"description": shows, "object_position": 3, "x_offset": 4})
        return row + -(-chart.height // _PIXELS_OF_ROW) + 1

    def area(self, first_row: int, first_column: int, last_row: int, last_column: int) -> Area:
        """Cells of this sheet, for a chart."""
        return [self.name, first_row, first_column, last_row, last_column]

    def column_of(self, column: int, first_row: int, last_row: int) -> Area:
        """Cells of one column."""
        return self.area(first_row, column, last_row, column)

    def fit(self) -> None:
        """Have columns as wide and rows as high as what stands in them."""
        for row, lines in self._lines.items():  # not every program sees to that itself
            self._sheet.set_row(row, min(lines * _POINTS_OF_LINE + 2, _MOST_POINTS))
        for column in self._widths:
            self._sheet.set_column(column, column, self._across(column))

    def _across(self, column: int) -> float:
        """The width of a column."""
        return max(self._widths.get(column, 0), _NARROWEST) + 2

    def _widen(self, column: int, width: float) -> None:
        if width > self._widths.get(column, 0):
            self._widths[column] = width

    def _raise(self, row: int, lines: float) -> None:
        self._lines[row] = max(self._lines.get(row, 0), lines)

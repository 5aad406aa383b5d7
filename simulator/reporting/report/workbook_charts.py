"""Native charts of a workbook: what they show stands in cells, which they refer to.

Names of series and titles that hold a text of the study refer to cells as well: XlsxWriter takes a title like A!B2 for a formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.reporting.charts import GREY
from simulator.reporting.report.workbook_sheets import Area, Book, Chart

# Okabe and Ito (2008), told apart by colour-blind readers.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, INK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1A1A1A"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, INK)
_DASHES = ("solid", "dash", "round_dot", "long_dash_dot")
_PATTERNS = ("", "wide_upward_diagonal", "dotted_grid", "wide_downward_diagonal", "small_check", "narrow_horizontal", "")
_FONT = {"size": 9, "color": INK}
# A number of an axis in as many digits as it needs, whatever the format of the cells.
_PLAIN, _PERCENT = "General", "0%"


@dataclass(frozen=True)
class Axis:
    """An axis: its title with a unit, and what else it is to be."""

    title: str
    more: dict[str, Any] = field(default_factory=dict)
    in_percent: bool = False

    def options(self, lines: bool) -> dict[str, Any]:
        """As XlsxWriter takes it; `lines`: of a grid."""
        return {"name": self.title, "name_font": {**_FONT, "bold": False}, "num_font": _FONT, "line": {"color": GREY},
                "num_format": _PERCENT if self.in_percent else _PLAIN,
                "major_gridlines": {"visible": lines, "line": {"color": "#DDDDDD", "width": 0.75}}, **self.more}


@dataclass(frozen=True)
class Series:
    """Numbers of one kind. `name`: a cell, or words that no study gives; `look`: its fill or line."""

    name: Area | str
    categories: Area
    values: Area
    look: dict[str, Any]

    def options(self) -> dict[str, Any]:
        """As XlsxWriter takes it."""
        name = self.name if isinstance(self.name, str) else self.name[:3]
        return {"name": name, "categories": self.categories, "values": self.values, **self.look}


def bars(book: Book, title: Area | str, series: Sequence[Series], rows: int, names: str, value: Axis, stacked: bool = False,
         labels_low: bool = False, legend: bool = True) -> Chart:
    """Horizontal bars, the first row on top.

    rows, names  how many there are, and what they are
    labels_low   whether the names stand at the left edge, and not at zero
    legend       whether it is said which series is which
    """
    chart = book.chart("bar", "stacked" if stacked else "")
    for one in series:
        chart.add_series(one.options())
    across = Axis(names, {"reverse": True, "crossing": "max", **({"label_position": "low"} if labels_low else {})})
    height = 130 + max(rows, 2) * (30 if stacked or labels_low else 42)
    _finish(chart, title, (value.options(True), across.options(False)), (760, height))
    chart.set_legend({"position": "bottom", "font": _FONT} if legend and len(series) > 1 else {"none": True})
    return Chart(chart, height)


def lines(book: Book, title: Area | str, series: Sequence[Series], x: Axis, y: Axis, size: tuple[int, int] = (760, 420)) -> Chart:
    """Lines through points, each with its x and y."""
    chart = book.chart("scatter", "straight")
    for one in series:
        chart.add_series(one.options())
    _finish(chart, title, (x.options(False), y.options(True)), size)
    chart.set_legend({"position": "bottom", "font": _FONT} if len(series) > 1 else {"none": True})
    return Chart(chart, size[1])


def _finish(chart: Any, title: Area | str, axes: tuple[dict[str, Any], dict[str, Any]], size: tuple[int, int]) -> None:
    chart.set_title({"name": title if isinstance(title, str) else title[:3], "name_font": {"size": 12, "color": INK},
                     "overlay": False})
    chart.set_x_axis(axes[0])
    chart.set_y_axis(axes[1])
    chart.set_size({"width": size[0], "height": size[1]})
    chart.show_blanks_as("gap")


def at(area: Area, position: int) -> Area:
    """One cell of a column of cells."""
    sheet, first, column, *_ = area
    return [sheet, first + position, column, first + position, column]


def filled(position: int, pattern: bool = False, gap: int = 60) -> dict[str, Any]:
    """The look of bars: by colour, and of parts by pattern as well."""
    colour = COLOURS[position % len(COLOURS)]
    hatch = _PATTERNS[position % len(_PATTERNS)] if pattern else ""
    fill: dict[str, Any] = {"pattern": {"pattern": hatch, "fg_color": "#FFFFFF", "bg_color": colour}} if hatch else {
        "fill": {"color": colour}}
    return {**fill, "border": {"color": "#FFFFFF", "width": 0.5}, "gap": gap}


def unseen() -> dict[str, Any]:
    """The look of bars on which others stand."""
    return {"fill": {"none": True}, "border": {"none": True}, "gap": 60}


def stroke(position: int) -> dict[str, Any]:
    """The look of a line: no two of the same colour and dashes."""
    dash = _DASHES[(position + position // len(COLOURS)) % len(_DASHES)]
    return {"line": {"color": COLOURS[position % len(COLOURS)], "width": 2, "dash_type": dash}, "marker": {"type": "none"}}


def percentile(p: float) -> dict[str, Any]:
    """The look of the line of a percentile: the median dark, P25 and P75 solid, those beyond them in dashes."""
    far = abs(p - 0.5)
    line = {"color": BLUE if far else INK, "width": 1.25 if far else 2.25, "dash_type": "dash" if far > 0.3 else "solid"}
    colour = {"color": line["color"]}
    return {"line": line, "marker": {"type": "circle", "size": 3, "fill": colour, "border": colour}}


def whiskers(direction: str, area: Area, lengths: Sequence[float]) -> dict[str, Any]:
    """Lines from the ends of bars. `direction`: plus or minus; `lengths` are those in the cells."""
    from xlsxwriter.utility import xl_range_formula  # type: ignore[import-untyped]

    return {"y_error_bars": {"type": "custom", "direction": direction, f"{direction}_values": xl_range_formula(*area),
                             f"{direction}_data": list(lengths), "line": {"color": INK, "width": 1.25}}}

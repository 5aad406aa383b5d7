"""The chart of ranges, as SVG written by hand: a run that takes half a second should not wait as long again for matplotlib.

Lengths are in points. Text is set by whoever shows the file, so its width is only estimated here, generously.
"""

from __future__ import annotations

import math
import textwrap
import unicodedata
from dataclasses import dataclass
from html import escape
from pathlib import Path

from simulator.quantities import COST
from simulator.reporting.charts import BLUE, GREY, INK
from simulator.reporting.wording import as_given, headline, number
from simulator.results import Run

_WIDTH, _ROW, _EDGE = 605, 40, 8
_LONGEST_LABEL = 64
_FONT = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_MOST_TICKS = 8


@dataclass(frozen=True)
class _Axis:
    """A horizontal axis: from `low` to `high` in USD, from `left` to `right` on paper."""

    low: float
    high: float
    left: float
    right: float
    logarithmic: bool

    def at(self, value: float) -> float:
        low, high, x = (math.log(v) for v in (self.low, self.high, value)) if self.logarithmic else (self.low, self.high, value)
        return self.left + (self.right - self.left) * (x - low) / (high - low)

    def ticks(self) -> list[float]:
        """Round numbers within the axis, at most some eight."""
        if self.logarithmic:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            subdivisions = (1, 2, 5) if math.log10(self.high / self.low) < 2.5 else (1,)
            found = [float(f"{m}e{decade}") for decade in range(first, last + 1, -(-(last - first) // _MOST_TICKS))
                     for m in subdivisions]
        else:
            rough = (self.high - self.low) / _MOST_TICKS
            power = math.floor(math.log10(rough))
            step, decade = next((m, power) if m < 10 else (1, power + 1) for m in (1, 2, 5, 10) if m * 10.0**power >= rough)
            found = [float(f"{k * step}e{decade}") for k in range(math.floor(self.low / (step * 10.0**decade)),
                                                                  math.ceil(self.high / (step * 10.0**decade)) + 1)]
        return [tick for tick in found if self.low <= tick <= self.high]


def save_ranges(run: Run, path: Path) -> None:
    """Write the chart of ranges."""
    path.write_text(ranges(run), encoding="utf-8")


def ranges(run: Run, scenario: str = "base") -> str:
    """Cost per million tokens, SVG: P5 to P95 as a line, P10 to P90 as a bar, P50 labelled; cheapest median on top."""
    labels = run.study.labels
    names = sorted(labels, key=lambda name: run.estimate(name, COST.name, "p50", scenario).value)
    value = {name: {p: run.estimate(name, COST.name, p, scenario) for p in ("p5", "p10", "p50", "p90", "p95")} for name in names}
    wrapped = {name: textwrap.wrap(shortened(labels[name]), 26) or [""] for name in names}
    title = headline(run, scenario).replace(" %", "\u00a0%")
    for label in labels.values():
        title = title.replace(label, shortened(label))
    lines = textwrap.wrap(title, 84)
    left = max(_length(line, 10) for name in names for line in wrapped[name]) + 2 * _EDGE
    ends = [points[p].value for points in value.values() for p in ("p5", "p95")]
    axis = _axis(min(ends), max(ends), left)
    top = _EDGE + 15 * len(lines) + 6
    bottom = top + _ROW * len(names) + 6
    parts = [_text(_EDGE, top - 9 - 15 * (len(lines) - 1 - k), line, 11, "start", bold=True) for k, line in enumerate(lines)]
    for tick in axis.ticks():
        place = axis.at(tick)
        parts += [_line(place, top, place, bottom, "#dddddd", 0.6), _line(place, bottom, place, bottom + 3.5, GREY, 0.8),
                  _text(place, bottom + 14, as_given(tick), 10, "middle")]
    parts.append(_line(axis.left, bottom, axis.right, bottom, GREY, 0.8))
    for position, name in enumerate(names):
        y = top + _ROW * (position + 0.5) + 5
        x = {p: axis.at(estimate.value) for p, estimate in value[name].items()}
        parts += [_text(left - _EDGE, y + 3.5 + 12 * (k - (len(wrapped[name]) - 1) / 2), line, 10, "end")
                  for k, line in enumerate(wrapped[name])]
        parts += [_line(x["p10"], y, x["p90"], y, BLUE, 11, opacity=0.45), _line(x["p5"], y, x["p95"], y, BLUE, 1.6),
                  f'<circle cx="{x["p50"]:.2f}" cy="{y:.2f}" r="3.3" fill="{INK}"/>',
                  _text(x["p50"], y - 9, number(value[name]["p50"]), 10, "middle", bold=True)]
        if value[name]["p5"].value != value[name]["p95"].value:
            parts += [_text(x["p5"] - 6, y + 3.2, number(value[name]["p5"]), 9, "end"),
                      _text(x["p95"] + 6, y + 3.2, number(value[name]["p95"]), 9, "start")]
    spread = any(points["p5"].value != points["p95"].value for points in value.values())
    key = " · dot: median · bar: P10–P90 · line: P5–P95" if spread else ""
    scale = " (logarithmic)" if axis.logarithmic else ""
    middle, height = (axis.left + axis.right) / 2, bottom + 38
    parts.append(_text(middle, bottom + 30, f"USD per million tokens{scale}{key}", 10, "middle"))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}pt" height="{height}pt" viewBox="0 0 {_WIDTH} {height}" '
            f'font-family="{_FONT}" fill="{INK}">\n<title>{escape(title)}</title>\n'
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n")


def _axis(low: float, high: float, left: float) -> _Axis:
    """An axis around all values, with room for the labels at both ends; logarithmic where they are far apart."""
    right = _WIDTH - 2 * _EDGE
    if 1e-200 < low < high / 8 < 1e200:
        room = (high / low) ** 0.11
        return _Axis(low / room, high * room, left, right, True)
    room = max(0.14 * ((high - low) or abs(high) or 1), 1e-300)
    return _Axis(low - room, high + room, left, right, False)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float, opacity: float = 1) -> str:
    shade = f' stroke-opacity="{opacity:g}"' if opacity < 1 else ""
    return (f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" stroke="{colour}" stroke-width="{width:g}"{shade}/>')


def _text(x: float, y: float, text: str, size: float, anchor: str, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:g}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'


def _length(text: str, size: float) -> float:
    """About how wide a text is at most: two thirds of its height a letter, all of it a Chinese or Japanese one."""
    return size * sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.62 for letter in text)


def shortened(label: str) -> str:
    """A label cut in its middle, since long names differ at their ends."""
    return label if len(label) <= _LONGEST_LABEL else f"{label[:_LONGEST_LABEL // 2]}…{label[-_LONGEST_LABEL // 2:]}"

"""From prices of hours, quarter-hours or days to monthly means, by the time for which each held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.adapters.times import Instants, Integers, hours_in_month
from simulator.study.problems import quoted
from simulator.study.tables import Array, DataError, Table, some

_DAY, _SHORTEST_MONTH = 86400, 28 * 86400
_RARE_STEP = 0.01  # a longer distance between rows, rarer than this, is a gap and no step


@dataclass(frozen=True)
class MonthlySeries:
    """Monthly means, int64[n] months since January 1970 rising, float64[n]; and what was left out, in words."""

    months: Integers
    means: Array
    notes: tuple[str, ...]


def monthly_means(table: Table, column: str, at: Instants, values: Array, least_coverage: float) -> MonthlySeries:
    """Mean of each local month, weighted by time; months of which less than a share is known are left out.

    values  float64[n] of the rows that `at` keeps; NaN where a value is missing
    Raises DataError where a time has two values, or the steps are neither months, days nor parts of a day.
    """
    notes: list[str] = []
    if len(at.kept) < len(table):
        notes.append(f"{len(table) - len(at.kept)} rows stand at hours that do not exist in {at.zone} (clocks are put forward): "
                     "left out")
    order = np.argsort(at.start, kind="stable")
    start, month, values = at.start[order], at.month[order], values[order]
    first = _once(table, column, at.kept[order], start, values, notes)
    start, month, values = start[first], month[first], values[first]
    steps = np.diff(start)
    if at.resolution == "month" or (len(steps) and np.min(steps) >= _SHORTEST_MONTH):
        return _months_as_they_are(month, values, notes)
    held = _durations(table, start, steps, at.resolution)
    return _weighted(month, values, held, at, least_coverage, notes)


def _once(table: Table, column: str, rows: Integers, start: Integers, values: Array, notes: list[str]) -> Any:
    """Positions of the first row at each time. Two different values at one time are two series, or clocks put back."""
    again = np.flatnonzero(np.diff(start) == 0) + 1
    differs = again[~((values[again] == values[again - 1]) | (np.isnan(values[again]) & np.isnan(values[again - 1])))]
    if len(differs):
        one, other = int(rows[differs[0] - 1]), int(rows[differs[0]])
        raise DataError(f"{table.place(other)}: {quoted(column)}: found a second value for the time of {table.place(one)}; "
                        f"expected one series: {_which_series(table)}if the hour comes twice where clocks are put back, name "
                        "the zone, such as --timezone America/Chicago")
    if len(again):
        notes.append(f"{len(again):,} rows say the same as another one: counted once")
    return np.setdiff1d(np.arange(len(start)), again)


def _which_series(table: Table) -> str:
    """Which columns could tell series apart."""
    said = [f"--where \"{quoted(name)}=…\" with {some(sorted(values), 4)}" for name in table.names if table.names.count(name) == 1
            and 1 < len(values := set(table.texts(name).tolist())) <= max(2, len(table) // 10)]
    return f"choose it with {'; or '.join(said[:3])}; or, " if said else ""


def _months_as_they_are(month: Integers, values: Array, notes: list[str]) -> MonthlySeries:
    known = ~np.isnan(values)
    missing = int(np.sum(~known)) + (int(month[-1] - month[0]) + 1 - len(month) if len(month) else 0)
    if missing:
        notes.append(f"{missing} months are missing: no pair is made over a gap")
    return MonthlySeries(month[known], values[known], tuple(notes))


def _durations(table: Table, start: Integers, steps: Integers, resolution: str) -> Array:
    """Hours for which each row holds: up to the next one, but not over a gap."""
    if len(steps) < 2:
        raise DataError(f"{table.name}: found {len(start)} times; expected a series of months, days or hours")
    sizes, counts = np.unique(steps, return_counts=True)
    usual = int(sizes[np.argmax(counts)])
    if usual > _DAY:
        raise DataError(f"{table.name}: found times that are mostly {usual / _DAY:g} days apart; expected months, days, hours or "
                        "parts of an hour")
    if resolution == "day":
        return np.full(len(start), 24.0)
    longest = int(np.max(sizes[counts >= _RARE_STEP * len(steps)], initial=usual))
    before, after = np.append(steps[0], steps), np.append(steps, steps[-1])
    held: Array = np.minimum(np.minimum(before, after), min(longest, _DAY)) / 3600
    return held


def _weighted(month: Integers, values: Array, held: Array, at: Instants, least_coverage: float,
              notes: list[str]) -> MonthlySeries:
    known = ~np.isnan(values)
    first, count = int(month[0]), int(month[-1] - month[0]) + 1
    hours = np.bincount(month[known] - first, held[known], count)
    sums = np.bincount(month[known] - first, (held * np.where(known, values, 0.0))[known], count)
    # Days without a clock are all of 24 hours.
    expected = np.array([hours_in_month(first + k, "" if at.resolution == "day" else at.zone) for k in range(count)])
    coverage = np.minimum(hours / expected, 1.0)
    kept = coverage >= least_coverage
    short = np.flatnonzero(~kept)
    if len(short):
        named = ", ".join(f"{1970 + (first + k) // 12}-{(first + k) % 12 + 1:02d} ({coverage[k]:.0%})" for k in short[:6])
        notes.append(f"left out, since less than {least_coverage:.0%} of their hours are known: {named}"
                     f"{f' and {len(short) - 6} more' if len(short) > 6 else ''}")
    missing = float(np.sum((expected - hours)[kept].clip(0)))
    if missing >= 0.5:
        notes.append(f"{missing:,.0f} of {expected[kept].sum():,.0f} hours are missing in the months used")
    return MonthlySeries(first + np.flatnonzero(kept), (sums / np.maximum(hours, 1e-300))[kept], tuple(notes))

"""Times as people write them: instants in UTC, and the local month to which each belongs.

Where clocks are put back an hour comes twice, and both count; where they are put forward an hour does not exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.study.problems import nearest, quoted
from simulator.study.tables import DataError, Table, Texts

Integers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

_CLOCK = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?)?"
_MONTHLY = {r"\d{4}-\d{2}": "%Y-%m", r"\d{6}": "%Y%m", r"[A-Za-z]{3} \d{4}": "%b %Y", r"[A-Za-z]{3}-\d{4}": "%b-%Y",
            r"[A-Za-z]{3}-\d{2}": "%b-%y", r"[A-Za-z]{4,9} \d{4}": "%B %Y", r"\d{4}M\d{2}": "%YM%m"}
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|UTC|[-+]\d{2}:?\d{2})?)?")
_EXPECTED = "expected times such as 2024-01-31T13:00, 2024-01-31 or 2024-01"


@dataclass(frozen=True)
class Instants:
    """When rows begin. `kept` are the positions of those that have a time; the other arrays belong to them.

    start       int64[n], seconds since 1970 in UTC, or in local time where no zone is known
    month       int64[n], local months since January 1970
    resolution  "month", "day" or "clock"
    zone        whose months they are; empty where none is known
    """

    kept: Integers
    start: Integers
    month: Integers
    resolution: str
    zone: str


def read_times(table: Table, column: str, zone: str = "", utc: bool = False, second: Flags | None = None,
               texts: Texts | None = None) -> Instants:
    """Read a column of times. Raises DataError at the first that cannot be read.

    zone    name of the time zone in which local times are, and whose months are meant
    utc     whether times without an offset are in UTC
    second  bool[n], where an hour that comes twice is meant the second time; by the order of rows where not given
    texts   the times as text, where they are not what stands in the column
    """
    texts = table.texts(column) if texts is None else texts
    empty = np.flatnonzero(texts == "")
    if len(empty):
        raise DataError(f"{table.place(int(empty[0]))}: {quoted(column)}: found no time; {_EXPECTED}")
    check_zone(table, zone)
    sample = str(texts[0])
    monthly = next((form for pattern, form in _MONTHLY.items() if re.fullmatch(pattern, sample)), None)
    if re.fullmatch(r"\d{4}", sample):
        raise DataError(f"{table.place(0)}: {quoted(column)}: found the year {sample}; expected months, days or hours: a monthly "
                        "process cannot be fitted to years")
    if monthly:
        wall = _parsed(table, column, texts, monthly)
        return Instants(np.arange(len(table)), _seconds(wall), _months(wall), "month", zone)
    if re.fullmatch(r"\d{10}(\.\d+)?|\d{13}", sample):
        return _at(np.arange(len(table)), _epoch(table, column, texts), zone)
    if _ISO.fullmatch(sample):
        return _from_iso(table, column, texts, zone, utc, second)
    wall = _parsed(table, column, texts, _form(table, column, texts))
    return _localised(wall, zone, utc, second, "clock" if ":" in sample else "day")


def comes_again(times: Any) -> Flags:
    """Whether each time, bool[n], stood in an earlier row already."""
    import pandas as pd

    return np.asarray(pd.Series(times).duplicated().to_numpy(), dtype=bool)


def check_zone(table: Table, zone: str) -> None:
    """Raise DataError where a time zone does not exist."""
    from zoneinfo import ZoneInfo, available_timezones

    try:
        if zone:
            ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise DataError(f"{table.name}: found the time zone '{quoted(zone)}'; expected one such as America/Chicago"
                        f"{nearest(zone, available_timezones())}") from None


def hours_in_month(month: int, zone: str) -> float:
    """Hours of a local month: 743 and 745 come where clocks are changed."""
    import pandas as pd

    first = pd.Timestamp(year=1970 + month // 12, month=month % 12 + 1, day=1, tz=zone or "UTC")
    return float((first + pd.DateOffset(months=1) - first) / pd.Timedelta(hours=1))


def _from_iso(table: Table, column: str, texts: Texts, zone: str, utc: bool, second: Flags | None) -> Instants:

    matches = [_ISO.fullmatch(text) for text in texts]
    for position, match in enumerate(matches):
        if match is None:
            _refuse(table, column, texts, position)
    found = [match for match in matches if match is not None]
    with_offset = np.array([match[3] is not None for match in found])
    if with_offset.any() and not with_offset.all():
        _refuse(table, column, texts, int(np.flatnonzero(with_offset != with_offset[0])[0]), "found a time "
                f"{'without' if with_offset[0] else 'with'} an offset from UTC, unlike the first; expected them alike")
    plain = np.array([f"{match[1]} {match[2] or '00:00'}" for match in found], dtype=object)
    resolution = "clock" if any(match[2] for match in found) else "day"
    wall = _parsed(table, column, texts, "ISO8601", plain)
    if not with_offset.any():
        return _localised(wall, zone, utc, second, resolution)
    offsets = np.array([_offset(match[3]) for match in found], dtype=np.int64)
    start = _seconds(wall) - offsets
    if zone or not offsets.any():
        return _at(np.arange(len(table)), start, zone or "UTC")
    return Instants(np.arange(len(table)), start, _months(wall), "clock", "")


def _offset(text: str) -> int:
    """Seconds of an offset such as +01:00."""
    if text in ("Z", "UTC"):
        return 0
    return int(text[0] + "1") * (3600 * int(text[1:3]) + 60 * int(text[-2:]))


def _localised(wall: Any, zone: str, utc: bool, second: Flags | None, resolution: str) -> Instants:
    """Local times to instants; those that do not exist are not kept."""
    if resolution == "day":
        return Instants(np.arange(len(wall)), _seconds(wall), _months(wall), "day", zone)
    if utc:
        return _at(np.arange(len(wall)), _seconds(wall), zone or "UTC")
    if not zone:
        return Instants(np.arange(len(wall)), _seconds(wall), _months(wall), resolution, "")
    again = comes_again(wall) if second is None else second
    instants = wall.tz_localize(zone, ambiguous=~again, nonexistent="NaT")
    kept = np.flatnonzero(~instants.isna())
    return Instants(kept, _seconds(instants[kept].tz_convert("UTC").tz_localize(None)), _months(wall[kept]), resolution, zone)


def _at(kept: Integers, start: Integers, zone: str) -> Instants:
    import pandas as pd

    wall = pd.DatetimeIndex(start.astype("datetime64[s]")).tz_localize("UTC").tz_convert(zone or "UTC").tz_localize(None)
    return Instants(kept, start, _months(wall), "clock", zone or "UTC")


def _epoch(table: Table, column: str, texts: Texts) -> Integers:
    """Seconds or milliseconds since 1970, as Prometheus and Grafana write them."""
    numbers = table.numbers(column)
    missing = np.flatnonzero(np.isnan(numbers))
    if len(missing):
        _refuse(table, column, texts, int(missing[0]))
    return np.floor(numbers / (1000 if numbers[0] > 1e11 else 1)).astype(np.int64)


def _form(table: Table, column: str, texts: Texts) -> str:
    """The form of dates with the day, or the month, first. Raises DataError where they could be read either way."""
    import pandas as pd

    sample = str(texts[0])
    if not re.fullmatch(r"\d{1,2}([./])\d{1,2}\1\d{4}" + _CLOCK, sample):
        _refuse(table, column, texts, 0)
    clock = ""
    if ":" in sample:
        half = bool(re.search(r"[AaPp][Mm]$", sample))
        seconds = ":%S" if sample.count(":") == 2 else ""
        clock = (f" %I:%M{seconds}{' ' if re.search(r' [AaPp]', sample) else ''}%p" if half else f" %H:%M{seconds}")
    if "." in sample:
        return "%d.%m.%Y" + clock
    fits = [form for form in ("%m/%d/%Y" + clock, "%d/%m/%Y" + clock)
            if not pd.to_datetime(pd.Series(texts), format=form, errors="coerce").isna().any()]
    if len(fits) == 2:
        raise DataError(f"{table.place(0)}: {quoted(column)}: found dates such as '{quoted(sample)}', in which day and month can "
                        f"be either; {_EXPECTED}")
    return fits[0] if fits else "%m/%d/%Y" + clock


def _parsed(table: Table, column: str, texts: Texts, form: str, plain: Texts | None = None) -> Any:
    """Wall-clock times by one form, as a DatetimeIndex."""
    import pandas as pd

    parsed = pd.DatetimeIndex(pd.to_datetime(pd.Series(texts if plain is None else plain), format=form, errors="coerce"))
    wrong = np.flatnonzero(parsed.isna())
    if len(wrong):
        _refuse(table, column, texts, int(wrong[0]))
    return parsed


def _refuse(table: Table, column: str, texts: Texts, position: int, why: str = "") -> None:
    like = "" if position == 0 else f", and all like the first, '{quoted(str(texts[0]))}'"
    raise DataError(f"{table.place(position)}: {quoted(column)}: "
                    + (why or f"found '{quoted(str(texts[position]))}'; {_EXPECTED}{like}"))


def _seconds(wall: Any) -> Integers:
    return np.asarray(wall.to_numpy().astype("datetime64[s]").astype(np.int64))


def _months(wall: Any) -> Integers:
    return np.asarray(wall.to_numpy().astype("datetime64[M]").astype(np.int64))

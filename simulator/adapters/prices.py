"""Files of electricity (and rental) prices as a monthly series: EIA, ERCOT, PJM, ENTSO-E, and plain tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from simulator.adapters.monthly import MonthlySeries, monthly_means
from simulator.adapters.times import Instants, comes_again, read_times
from simulator.adapters.units_of_files import PriceUnit, check_plausible, price_unit, stated_in
from simulator.study.problems import quoted
from simulator.study.tables import DataError, Table, some

CENTRAL, EASTERN = "America/Chicago", "America/New_York"
# What the transparency platform of ENTSO-E calls its clocks.
_MTU_ZONES = {"cet": "Europe/Brussels", "wet": "Europe/Lisbon", "eet": "Europe/Athens", "gmt": "Europe/London",
              "bst": "Europe/London", "utc": "UTC"}
_TIME_NAMES = ("month", "period", "datetime", "date_time", "timestamp", "time", "date", "interval_start", "start", "hour", "day",
               "interval_start_utc", "datetime_utc", "time_utc", "utc")


@dataclass(frozen=True)
class PriceOptions:
    """What the user says beside the file.

    column, time   of prices and of times; known for files of a known kind
    unit, usd_per  of the prices; USD for one of their currency
    cap            in the file's unit: hours above it count as it
    zone           of local times
    least_coverage  share of a month's hours below which it is left out
    """

    column: str | None = None
    time: str | None = None
    unit: str | None = None
    usd_per: float | None = None
    cap: float | None = None
    zone: str | None = None
    least_coverage: float = 0.8


@dataclass(frozen=True)
class PriceSeries:
    """Monthly mean prices in `unit`, int64[n] and float64[n], what they are and what was done to them."""

    kind: str
    column: str
    monthly: MonthlySeries
    unit: PriceUnit
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Kind:
    """A kind of file: what tells it, how its times are read, and which columns tell series apart."""

    name: str
    matches: Callable[[Table], bool]
    prices: Callable[[Table], list[str]]
    unit: Callable[[Table, str], str]
    times: Callable[[Table, PriceOptions], Instants]
    series: tuple[str, ...] = ()


def read_prices(table: Table, options: PriceOptions) -> PriceSeries:
    """Monthly means of a file's prices. Raises DataError with what is wrong and what helps."""
    table = _unfolded(table)
    kind = next(kind for kind in _KINDS if kind.matches(table))
    if kind.name == "PJM" and "row_is_current" in table.names:
        current = np.char.lower(table.texts("row_is_current").astype(str)) == "true"
        table = table.rows_at(np.flatnonzero(current)) if current.any() else table
    column = options.column or _only(table, kind)
    table.check(column)
    _check_one_series(table, kind)
    unit = price_unit(table.name, stated_in(column) or kind.unit(table, column), options.unit, options.usd_per)
    values = table.numbers(column)
    if np.isnan(values).all():
        raise DataError(f"{table.name}: the column '{quoted(column)}' holds no number; expected prices")
    at = kind.times(table, options)
    values = values[at.kept]
    notes = []
    if options.cap is not None:
        if at.resolution == "month":
            raise DataError(f"{table.name}: found --cap, which cuts hours, but the file has months; expected hours, or no --cap")
        above = int(np.sum(values > options.cap))
        values = np.where(values > options.cap, options.cap, values)
        notes.append(f"{above:,} of {len(values):,} values above {options.cap:g} were cut to it")
    if (negative := int(np.sum(values < 0))) and at.resolution != "month":
        notes.append(f"{negative:,} of {len(values):,} values are negative, and count as they are in the means of their months")
    monthly = monthly_means(table, column, at, values, options.least_coverage)
    if not len(monthly.months):
        raise DataError(f"{table.name}: found no month of which {options.least_coverage:.0%} of the hours are known "
                        f"({'; '.join(monthly.notes)}); expected whole months, or a smaller --coverage")
    monthly = replace(monthly, means=monthly.means * unit.factor)
    check_plausible(table.name, float(np.median(monthly.means)), unit)
    return PriceSeries(kind.name, column, monthly, unit, tuple(filter(None, (unit.note, *notes, *monthly.notes))))


def _only(table: Table, kind: _Kind) -> str:
    found = kind.prices(table)
    if len(found) == 1:
        return found[0]
    listed = some(found or table.names)
    raise DataError(f"{table.name}: expected --column with the column of the prices: {listed}")


def _check_one_series(table: Table, kind: _Kind) -> None:
    """Refuse several settlement points, areas or sectors in one file."""
    for name in table.names:
        if _key(name) in kind.series:
            values = sorted(set(table.texts(name).tolist()))
            if len(values) > 1:
                raise DataError(f"{table.name}: found {len(values)} series in the column '{quoted(name)}'; expected one: choose "
                                f"with --where \"{quoted(name)}=VALUE\", VALUE being {some(values)}")


def _key(name: str) -> str:
    """A column's name without capitals, blanks and signs."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _column(table: Table, *keys: str) -> str | None:
    return next((name for key in keys for name in table.names if _key(name) == key), None)


def _has(*groups: tuple[str, ...]) -> Callable[[Table], bool]:
    """Whether a table has a column of each group."""
    return lambda table: all(_column(table, *group) for group in groups)


# --- ERCOT: delivery date, hours 1 … 24 by their ends, quarters 1 … 4, a flag for the hour that comes again ---

_ERCOT_PRICE = ("settlementpointprice",)


def _ercot_times(table: Table, options: PriceOptions) -> Instants:
    date, hour = _column(table, "deliverydate"), _column(table, "deliveryhour", "hourending")
    assert date and hour
    texts = table.texts(hour)
    hours = np.zeros(len(table), dtype=int)
    for position, text in enumerate(texts):
        match = re.fullmatch(r"(\d{1,2})(?::00)?(?:\.0)?", text)
        hours[position] = int(match[1]) if match else 0
        if not 1 <= hours[position] <= 24:
            raise DataError(f"{table.place(position)}: {quoted(hour)}: found '{quoted(text)}'; expected an hour from 1 to 24")
    minutes = np.zeros(len(table), dtype=int)
    quarter = _column(table, "deliveryinterval")
    if quarter:
        quarters = table.numbers(quarter)
        wrong = np.flatnonzero(~np.isin(quarters, (1, 2, 3, 4)))
        if len(wrong):
            raise DataError(f"{table.place(int(wrong[0]))}: {quoted(quarter)}: expected an interval from 1 to 4")
        minutes = (15 * (quarters - 1)).astype(int)
    flag = _column(table, "repeatedhourflag", "dstflag")
    second = np.char.upper(table.texts(flag).astype(str)) == "Y" if flag else None
    dates = table.texts(date)
    written = np.array([f"{day} {h - 1:02d}:{m:02d}" for day, h, m in zip(dates, hours, minutes, strict=True)], dtype=object)
    return read_times(table, date, options.zone or CENTRAL, second=second, texts=written)


# --- PJM: UTC beside eastern prevailing time ---


def _pjm_times(table: Table, options: PriceOptions) -> Instants:
    utc = _column(table, "datetimebeginningutc")
    local = _column(table, "datetimebeginningept")
    return read_times(table, utc or local or "", options.zone or EASTERN, utc=utc is not None)


# --- ENTSO-E: "start - end" of each market time unit, with the clock's name where clocks are changed ---


def _mtu(table: Table) -> str | None:
    return next((name for name in table.names if name.upper().startswith("MTU")), None)


def _entsoe_times(table: Table, options: PriceOptions) -> Instants:
    name = _mtu(table)
    assert name
    clock = re.search(r"\((\w+)", name)
    zone = _MTU_ZONES.get(clock[1].lower() if clock else "cet", "Europe/Brussels")
    begins = [text.split(" - ")[0].strip() for text in table.texts(name)]
    written = np.array([re.sub(r"\s*\(\w+\)$", "", text) for text in begins], dtype=object)
    # Not every row of the hour that comes twice bears a mark: the others go by their order.
    standard = {position: mark[1] in ("CET", "WET", "EET", "GMT") for position, text in enumerate(begins)
                if (mark := re.search(r"\((\w+)\)$", text))}
    second = comes_again(written).copy()
    second[list(standard)] = list(standard.values())
    return read_times(table, name, options.zone or zone, utc=zone == "UTC", second=second, texts=written)


# --- EIA: cents per kilowatt-hour by period, or series in rows and months in columns ---


def _unfolded(table: Table) -> Table:
    """EIA's browser has a series to a row and a month to a column: turned into a row for each month."""
    if [_key(name) for name in table.names[:3]] != ["description", "units", "sourcekey"]:
        return table
    import pyarrow

    months = table.names[3:]
    texts = {name: table.texts(name) for name in (*table.names[:3], *months)}
    priced = [k for k in range(len(table)) if stated_in(str(texts[table.names[1]][k]))]
    if not priced or not months:
        raise DataError(f"{table.name}: found no row with cents per kilowatthour; expected prices of electricity by month")
    rows = [(texts[table.names[0]][k], month, texts[month][k], texts[table.names[1]][k], k) for k in priced for month in months]
    description, period, price, units, origin = zip(*rows, strict=True)
    columns = pyarrow.table({"description": description, "period": period, "price": price, "price-units": units})
    return replace(table, columns=columns, rows=table.rows[np.array(origin)])


def _eia_unit(table: Table, column: str) -> str:
    units = _column(table, "priceunits", "units")
    return stated_in(str(table.texts(units)[0])) if units else stated_in(" ".join(table.preamble))


def _plain_time_column(table: Table, options: PriceOptions) -> str:
    if options.time:
        table.check(options.time)
        return options.time
    found = _column(table, *(_key(name) for name in _TIME_NAMES))
    if found is None:
        raise DataError(f"{table.name}: expected --time with the column of the times: {some(table.names)}")
    return found


def _plain_times(table: Table, options: PriceOptions) -> Instants:
    name = _plain_time_column(table, options)
    return read_times(table, name, options.zone or "", utc="utc" in name.lower())


def _plain_prices(table: Table) -> list[str]:
    return [name for name in table.names if stated_in(name)] or [name for name in table.names if "price" in name.lower()]


_KINDS = (
    _Kind("ERCOT", _has(("deliverydate",), ("deliveryhour", "hourending"), _ERCOT_PRICE),
          lambda table: [name for name in table.names if _key(name) in _ERCOT_PRICE], lambda table, column: "USD/MWh",
          _ercot_times, ("settlementpointname", "settlementpoint", "settlementpointtype")),
    _Kind("PJM", _has(("datetimebeginningutc", "datetimebeginningept")),
          lambda table: [name for name in table.names if re.fullmatch(r"total_lmp_(rt|da)", name.lower())],
          lambda table, column: "USD/MWh", _pjm_times, ("pnodename", "pnodeid", "type")),
    _Kind("ENTSO-E", lambda table: _mtu(table) is not None,
          lambda table: [name for name in table.names if name.lower().startswith("day-ahead")],
          lambda table, column: "", _entsoe_times, ("area", "sequence", "biddingzone")),
    _Kind("EIA", _has(("period",), ("price",), ("priceunits",)), lambda table: [_column(table, "price") or "price"], _eia_unit,
          _plain_times, ("description", "stateid", "statedescription", "sectorid", "sectorname")),
    _Kind("table", lambda table: True, _plain_prices, _eia_unit, _plain_times),
)

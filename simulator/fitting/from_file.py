"""From a file of data to an input that can be pasted into a study."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from simulator.adapters.prices import PriceOptions, read_prices
from simulator.adapters.telemetry import (
    BUSY,
    NOT_SOLD,
    PERIODS,
    is_telemetry,
    looks_like_utilization,
    read_telemetry,
    utilization,
)
from simulator.adapters.units_of_files import stated_in
from simulator.fitting import quantiles
from simulator.fitting.candidates import Bounds, Candidate
from simulator.fitting.distributions import fit_distributions
from simulator.fitting.families import FAMILY, UnfittableError
from simulator.fitting.lifetimes import Lifetimes, fit_lifetimes
from simulator.fitting.processes import ProcessFit, fit_mean_reverting, month_name
from simulator.fitting.quantiles import QuantilePlot
from simulator.quantities import INPUT
from simulator.study.problems import any_of, nearest, quoted
from simulator.study.tables import Array, DataError, Table, read_table
from simulator.units import UnitError, conversion, parse_unit

PROCESSES = ("mean_reverting",)
_DIGITS = 4  # of a printed parameter; its standard error stands beside it
_PERIOD = re.compile(r"(?<![a-z])(year|month|day|hour)s?(?![a-z])")
_OF_SOMETHING_ELSE = re.compile(r"(?<![a-z])(per|price|cost|rate)(?![a-z])|/")


@dataclass(frozen=True)
class Request:
    """What is asked of a file: a distribution of `column`, a `process`, or lifetimes (`duration` and `event`).

    distribution  the candidate that is wanted, in place of the best
    name       input that it is for; guessed where the file tells
    where      COLUMN=VALUE texts: rows that are meant
    low, high  where values may lie
    """

    file: Path
    column: str | None = None
    process: str | None = None
    duration: str | None = None
    event: str | None = None
    entry: str | None = None
    distribution: str | None = None
    name: str | None = None
    where: Sequence[str] = ()
    low: float | None = None
    high: float | None = None
    average: str | None = None
    prices: PriceOptions = field(default_factory=PriceOptions)

    @property
    def unit(self) -> str | None:
        return self.prices.unit


@dataclass(frozen=True)
class FittedInput:
    """An input as a study takes it, by `name`; the candidates behind it, and what is to be said."""

    name: str
    entries: Mapping[str, Any]
    candidates: tuple[Candidate, ...]
    process: ProcessFit | None
    plot: QuantilePlot
    warnings: tuple[str, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        """For JSON."""
        listed = [self.process.document()] if self.process else [candidate.document() for candidate in self.candidates]
        return {"input": self.name, "best": dict(self.entries), "candidates": listed, "warnings": list(self.warnings)}


def fit_file(request: Request) -> FittedInput:
    """Fit what is asked for. Raises DataError, with place and remedy."""
    _check_request(request)
    try:
        if request.process:
            return _process(request)
        return _lifetimes(request) if request.duration else _distribution(request)
    except UnfittableError as error:
        raise DataError(f"{request.file}: {quoted(_what(request), 200)}: {error}") from None


def _what(request: Request) -> str:
    return request.duration or request.column or request.process or ""


def _check_request(request: Request) -> None:
    """Refuse questions that do not go together."""
    if request.process and request.process not in PROCESSES:
        raise DataError(f"--process {quoted(request.process)}: expected {any_of(PROCESSES)}{nearest(request.process, PROCESSES)}")
    if request.duration and not request.event:
        raise DataError("--duration: expected --event as well, with the column that has 1 for a failure and 0 for a unit still "
                        "alive; where all have failed, --column fits complete data")
    if (request.event or request.entry) and not request.duration:
        raise DataError(f"--{'event' if request.event else 'entry'}: expected --duration as well, with the column of the ages")
    if request.duration and (request.column or request.process):
        raise DataError("--duration: expected without --column and --process: lifetimes are fitted by themselves")
    if request.distribution and (request.process or request.distribution not in FAMILY):
        why = "without --process" if request.process else f"{any_of(FAMILY)}{nearest(request.distribution, FAMILY)}"
        raise DataError(f"--distribution {quoted(request.distribution)}: expected {why}")
    if request.average and request.average not in PERIODS:
        raise DataError(f"--average {quoted(request.average)}: expected {any_of(PERIODS)}")
    if request.name and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", request.name):
        raise DataError(f"--input {quoted(request.name)}: expected the name of an input, such as gpu_lifetime")
    if request.low is not None and request.high is not None and request.low >= request.high:
        raise DataError(f"--low {request.low:g} --high {request.high:g}: expected low below high")
    if not 0 < request.prices.least_coverage <= 1:
        raise DataError(f"--coverage {request.prices.least_coverage:g}: expected a share above 0 and at most 1")
    if request.prices.usd_per is not None and request.prices.usd_per <= 0:
        raise DataError(f"--usd-per {request.prices.usd_per:g}: expected above 0")
    if not request.process:
        options = {"cap": request.prices.cap, "usd-per": request.prices.usd_per, "timezone": request.prices.zone}
        for option, given in options.items():
            if given is not None:
                raise DataError(f"--{option}: expected with --process mean_reverting only")


def _table(request: Request) -> Table:
    """The rows that are meant."""
    table = read_telemetry(request.file, request.column) if is_telemetry(request.file) else read_table(request.file)
    for condition in request.where:
        column, equals, value = condition.partition("=")
        if not equals:
            raise DataError(f"--where {quoted(condition)}: expected COLUMN=VALUE")
        table = table.where(column.strip(), value.strip())
    return table


# --- the three questions ---


def _process(request: Request) -> FittedInput:
    series = read_prices(_table(request), request.prices)
    fit = fit_mean_reverting(series.monthly.months, series.monthly.means)
    name = request.name or series.unit.quantity.name
    months = series.monthly.months
    span = f"{month_name(int(months[0]))} to {month_name(int(months[-1]))}"
    note = (f"conditional least squares on the logs of {len(months)} monthly means ({fit.pairs} pairs of consecutive months); "
            f"standard errors: {_errors(fit.standard_errors)}" + "".join(f"; {said}" for said in series.notes))
    if fit.influence and fit.influence.makes:
        note += f"; {' and '.join(fit.influence.months)} make{'s' * (len(fit.influence.months) == 1)} this fit"
    parameters = {key: rounded(value) for key, value in fit.parameters.items()}
    entries = {"process": "mean_reverting", "unit": series.unit.unit, **parameters,
               "source": _source(request, series.column), "date": span, "note": note}
    plot = quantiles.of_process(fit, "shocks of the process against the normal distribution")
    return FittedInput(name, entries, (), fit, plot, (*series.notes, *fit.warnings))


def _lifetimes(request: Request) -> FittedInput:
    assert request.duration and request.event
    table = _table(request)
    data = _read_lifetimes(table, request.duration, request.event, request.entry)
    name, unit = request.name or "gpu_lifetime", request.unit or _period(request.duration)
    fit = fit_lifetimes(data, _bounds(request, name, unit, data.duration), request.distribution)
    failures, units = int(data.failed.sum()), len(data.failed)
    truncated = f", {int(np.sum(data.entry > 0)):,} of them observed from a later age on (truncated)" if request.entry else ""
    note = (f"maximum likelihood on {units:,} units{truncated}: {failures:,} failures, the others still alive (censored); "
            f"standard errors: {_errors(fit.best.standard_errors)}")
    entries = _entries(fit.best, unit, _source(request, request.duration), note)
    said = [] if unit else [f"nothing says in which unit '{quoted(request.duration)}' is: a study takes it for "
                            f"{INPUT[name].unit if name in INPUT else 'its canonical unit'}; say --unit"]
    plot = quantiles.of_lifetimes(fit, f"{fit.best.distribution} against Kaplan–Meier",
                                  f"age at failure{f', {unit}s' if unit else ''}")
    return FittedInput(name, entries, fit.candidates, None, plot, (*said, *fit.warnings))


def _read_lifetimes(table: Table, duration: str, event: str, entry: str | None) -> Lifetimes:
    """Columns of lifetimes, each value checked. Raises DataError with the line."""
    ages, failed = table.numbers(duration), _flags(table, event)
    entered = table.numbers(entry) if entry else np.zeros(len(ages))
    for column, wrong, expected in (
            (duration, np.isnan(ages), "an age in every row"), (duration, ages < 0, "0 or more"),
            (duration, (ages == 0) & (failed == 1), "above 0 for a failure: half of the finest step, where ages are rounded"),
            (entry or "", np.isnan(entered), "an age at entry in every row, 0 for units observed from new"),
            (entry or "", entered < 0, "0 or more"),
            (entry or "", (entered > 0) & (entered >= ages), f"an age at entry below {quoted(duration)}")):
        if wrong.any():
            first = int(np.argmax(wrong))
            value = (ages if column == duration else entered)[first]
            found = "nothing" if math.isnan(value) else f"{value:g}"
            raise DataError(f"{table.place(first)}: {quoted(column)}: found {found}; expected {expected}")
    return Lifetimes(ages, failed, entered)


def _flags(table: Table, event: str) -> Array:
    """1 for a failure, 0 for a unit still alive; also true and false."""
    texts = np.char.lower(table.texts(event).astype(str))
    values = {"1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0, "true": 1.0, "false": 0.0}
    for position, text in enumerate(texts):
        if text not in values:
            raise DataError(f"{table.place(position)}: {quoted(event)}: found '{quoted(str(text))}'; expected 1 for a failure "
                            "and 0 for a unit still alive")
    return np.array([values[text] for text in texts.tolist()])


def _distribution(request: Request) -> FittedInput:
    table = _table(request)
    column = request.column or (table.names[-1] if is_telemetry(request.file) else "")
    if not column:
        raise DataError(f"{table.name}: expected --column with the column that is to be fitted: {any_of(table.names[:12])}")
    said: list[str] = []
    name = request.name or ("utilization" if looks_like_utilization(column) else _guessed(column, request.unit))
    unit = request.unit or stated_in(column) or _period(column) or ""
    if name == "utilization":
        series = utilization(table, column, request.unit, request.average, request.prices.time)
        data, unit, said = series.shares, "", [*series.notes, BUSY]
    else:
        if request.average:
            raise DataError("--average: expected with a column of utilization only")
        data = table.numbers(column)
        missing = int(np.sum(np.isnan(data)))
        if missing:
            said.append(f"{missing:,} of {len(data):,} values are missing: left out")
        data = data[~np.isnan(data)]
    fit = fit_distributions(data, _bounds(request, name, unit, data), request.distribution)
    note = f"maximum likelihood on {len(data):,} values; standard errors: {_errors(fit.best.standard_errors)}"
    if name == "utilization":
        note += f"; {NOT_SOLD}"
        if not fit.best.usable and not request.average:
            said.append("single samples often stand at 0 or 100 %, where no distribution of the format is; means over an hour, "
                        "a day or a month do not: --average day")
    entries = _entries(fit.best, unit, _source(request, column), note)
    plot = quantiles.of_distribution(fit, f"{fit.best.distribution} against the data",
                                     f"{column}{f', {unit}' if unit else ''}")
    return FittedInput(name, entries, fit.candidates, None, plot, (*said, *fit.warnings))


# --- what they share ---


def _guessed(column: str, unit: str | None) -> str:
    """The input that a column is for, or its own name as a key."""
    key = re.sub(r"\W+", "_", column.lower()).strip("_") or "value"
    if key in INPUT:
        return key
    return "energy_price" if stated_in(column) or (unit and stated_in(unit)) else key if key[0].isalpha() else f"value_{key}"


def _period(column: str) -> str | None:
    """The unit of time that a column's name says: "years_observed", but not "cost_per_gpu_hour"."""
    words = column.lower().replace("_", " ")
    match = _PERIOD.search(words)
    return match[1] if match and not _OF_SOMETHING_ELSE.search(words) else None


def _bounds(request: Request, name: str, unit: str | None, data: Array) -> Bounds:
    """Where values may lie: as the user says, as the input has them, or above 0 where all data are."""
    quantity = INPUT.get(name)
    low, high = (0.0 if len(data) and data.min() > 0 else -math.inf), math.inf
    between = (0.0, 1.0) if not unit and len(data) and data.min() > 0 and data.max() < 1 else None
    try:
        if quantity:
            factor = float(conversion(unit, quantity.unit)) if unit else 1.0
            low, high = quantity.low / factor, quantity.high / factor
            between = (low, high) if (quantity.low, quantity.high) == (0, 1) else None
        elif unit:
            parse_unit(unit)
    except UnitError as error:
        raise DataError(f"{request.file}: {error}") from None
    given = (request.low, request.high)
    low, high = low if given[0] is None else given[0], high if given[1] is None else given[1]
    if None not in given:
        between = (low, high)
    return Bounds(low, high, between, stated=quantity is not None or given != (None, None))


def _entries(best: Candidate, unit: str | None, source: str, note: str) -> dict[str, Any]:
    parameters = {key: rounded(value) for key, value in best.parameters.items()}
    return {"distribution": best.distribution, **parameters, **({"unit": unit} if unit else {}), "source": source, "note": note}


def rounded(value: float) -> float:
    """A parameter with as many digits as anybody needs."""
    return float(f"{value:.{_DIGITS}g}")


def _errors(errors: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {error:.2g}" for name, error in errors.items()) or "not available, the likelihood is too flat"


def _source(request: Request, column: str) -> str:
    rows = f", {', '.join(request.where)}" if request.where else ""
    return f"{request.file.name}, column {column}{rows}"

"""Reading a number, `{value, unit}` or a distribution as a `Marginal`, checked against its quantity."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from simulator.quantities import Quantity
from simulator.study.builders import UnusableError
from simulator.study.compound import read_empirical, read_mixture
from simulator.study.distributions import COMPOUND, DISTRIBUTIONS, PURE, Distribution, Form
from simulator.study.families import FIRST, LAST, Marginal, constant
from simulator.study.problems import Path, any_of, figure, near_name, quoted, shown
from simulator.study.reader import Reader
from simulator.units import UnitError, conversion, convert

_PERCENTILE = re.compile(r"p(\d+(?:\.\d+)?)")
_LISTS = ("values", "weights")


def read_marginal(reader: Reader, found: Any, path: Path, quantity: Quantity, extra: tuple[str, ...] = (),
                  around: str | None = None) -> Marginal | None:
    """A number, `{value, unit}` or a distribution; None with problems noted where it is wrong.

    extra   keys that may stand beside those of a distribution or value
    around  the unit that stands around it
    """
    before = reader.refusals
    name = "constant"
    unit = around
    if not isinstance(found, dict):
        marginal = _constant(read_amount(reader, found, path, quantity, unit))
    elif "distribution" in found:
        name = str(found["distribution"])
        marginal = _read_distribution(reader, found, path, quantity, extra, around)
    elif "value" in found:
        reader.known_keys(found, path, ("value", "unit", *extra), "key")
        unit = read_unit(reader, found, path, quantity, around)
        marginal = _constant(read_amount(reader, found["value"], (*path, "value"), quantity, unit))
    else:
        _refuse_kind(reader, found, path, quantity)
        return None
    if marginal is None or reader.refusals > before:
        return None
    _check_bounds(reader, marginal, path, quantity, name, unit)
    return marginal if reader.refusals == before else None


def read_unit(reader: Reader, found: Mapping[str, Any], path: Path, quantity: Quantity, around: str | None = None) -> str | None:
    """The unit that stands beside a value, or the one around it; None, with a problem noted, where it does not fit."""
    if "unit" not in found:
        return around
    unit, inside = found["unit"], (*path, "unit")
    if not isinstance(unit, (str, int)) or isinstance(unit, bool):
        reader.refuse(inside, f"found {shown(unit)}; expected a unit such as '{quantity.unit}'")
        return None
    try:
        factor = conversion(quoted(str(unit)), quantity.unit)
    except UnitError as error:
        reader.refuse(inside, str(error))
        return None
    # 1 % a month is 12.68 % a year where it compounds and 12 % where it does not: neither is taken for granted.
    if quantity.compounding and factor not in (1, conversion("%/year", "1/year")):
        reader.refuse(inside, f"found the unit '{quoted(str(unit))}', but {quantity.name} compounds from year to year; "
                      "expected '1/year' or '%/year'")
        return None
    return str(unit)


def read_amount(reader: Reader, found: Any, path: Path, quantity: Quantity, unit: str | None) -> float | None:
    """A plain number in the quantity's canonical unit, from the `unit` that stands beside or around it."""
    number = reader.number(found, path)
    if number is None or unit is None:
        return number
    try:
        return convert(number, unit, quantity.unit)
    except OverflowError:
        reader.refuse(path, f"found {figure(number)} {quoted(unit)}; expected a number that can be computed with")
        return None


def bounds_in_words(quantity: Quantity) -> str:
    """Where the values of a quantity may lie: "above 0 and at most 1", "at least 0 USD/GPU"."""
    if quantity.high == math.inf:
        low = f"{'above' if quantity.above_low else 'at least'} {with_unit(quantity.low, quantity.unit)}"
        return low if quantity.low > -math.inf else "any number"
    return (f"{'above' if quantity.above_low else 'at least'} {quantity.low:g} and at most "
            f"{with_unit(quantity.high, quantity.unit)}")


def with_unit(value: float, unit: str, digits: str | None = None) -> str:
    """A value with its unit as it is read: "0.1 per year", "41 USD/MWh", "30 %"."""
    amount = digits or figure(value)
    if unit.startswith("1/"):
        return f"{amount} per {' and '.join(unit.split('/')[1:])}"
    plural = "s" if unit in ("year", "month", "day", "hour") and amount != "1" else ""
    return amount if unit == "1" else f"{amount} {quoted(unit)}{plural}"


def _constant(value: float | None) -> Marginal | None:
    return None if value is None else constant(value)


def _refuse_kind(reader: Reader, found: Mapping[str, Any], path: Path, quantity: Quantity) -> None:
    """A mapping that says neither what it is worth nor how it is distributed."""
    kinds = ("value", "distribution", *(("process",) if quantity.process else ()))
    misspelt = next((key for key in found if near_name(key, kinds)), None)
    if misspelt is not None:
        reader.unknown((*path, misspelt), "key", kinds)
    else:
        ways = ("a number", "{value, unit}", "{distribution, …}", *(("{process, …}",) if quantity.process else ()))
        reader.refuse(path, f"found {shown(found)}; expected {any_of(ways)}")


def _check_bounds(reader: Reader, marginal: Marginal, path: Path, quantity: Quantity, name: str, unit: str | None) -> None:
    """Refuse a distribution that leaves the quantity's bounds anywhere a draw can fall."""
    if marginal.is_constant:
        value = marginal.parameters[0]
        if quantity.contains(value):
            return
        stated = with_unit(value, quantity.unit)
        if unit is not None and (factor := conversion(unit, quantity.unit)) != 1:
            stated = f"{with_unit(float(value / factor), unit)}, which is {stated}"
        percent = ""
        if quantity.unit in ("1", "1/year") and unit is None and quantity.high <= 1 < value <= 100:
            percent = f"; where {value:g} % is meant, write {figure(value / 100)}"
        reader.refuse(path, f"found {stated}; expected {bounds_in_words(quantity)}{percent}")
        return
    called = f"a{'n' * name.startswith('e')} {name.replace('_', ' ')} distribution"
    try:
        low, high = marginal.support()
    except (ArithmeticError, ValueError):
        low, high = math.nan, math.nan
    if not (math.isfinite(low) and math.isfinite(high)):
        reader.refuse(path, f"found {called} that is too wide to compute with; "
                      "expected one whose values are ordinary numbers")
    elif not (quantity.contains(low) and quantity.contains(high)):
        remedy = {"normal": "; truncated_normal and beta stay inside bounds", "lognormal": "; beta stays inside bounds"}
        reader.refuse(path, f"found {called} that reaches from {_outermost(low, quantity)} to "
                      f"{with_unit(high, quantity.unit, _outermost(high, quantity))}; expected all of it "
                      f"{bounds_in_words(quantity)}{remedy.get(name, '')}")


def _outermost(value: float, quantity: Quantity) -> str:
    """A short form of a value that still shows on which side of the bounds it lies."""
    forms = (f"{value:.{digits}g}" for digits in (4, 8, 12, 17))
    return next(form for form in forms if quantity.contains(float(form)) == quantity.contains(value))


def _read_distribution(reader: Reader, found: Mapping[str, Any], path: Path, quantity: Quantity,
                       extra: tuple[str, ...], around: str | None) -> Marginal | None:
    before = reader.refusals
    name = found["distribution"]
    kind = DISTRIBUTIONS.get(name) if isinstance(name, str) else None
    unit = read_unit(reader, found, path, quantity, around)
    if name == "mixture":
        return read_mixture(reader, found, path, extra,
                            lambda part, place: read_marginal(reader, part, place, quantity, around=unit))
    if name == "empirical":
        factor = conversion(unit, quantity.unit) if unit else 1
        return read_empirical(reader, found, path, extra, lambda value: float(value * factor) if factor != 1 else value)
    if kind is None:
        near = near_name(name, (*DISTRIBUTIONS, *COMPOUND)) if isinstance(name, str) else None
        reader.refuse((*path, "distribution"), f"found {shown(name)}; "
                      + (f"did you mean '{near}'?" if near else f"expected {any_of((*DISTRIBUTIONS, *COMPOUND))}"))
        return None
    percentiles: dict[float, float | None] = {}
    given: dict[str, Any] = {}
    for key, value in found.items():
        if key in ("distribution", "unit", *extra):
            continue
        inside = (*path, key)
        level = _PERCENTILE.fullmatch(key)
        if level and kind.percentiles:
            p = float(level[1]) / 100
            if not FIRST <= p <= LAST:
                reader.refuse(inside, f"found the percentile '{quoted(key)}'; expected one above p0 and below p100")
            elif p in percentiles:
                reader.refuse(inside, f"found the percentile {figure(p * 100)} a second time; keep one")
            percentiles[p] = _parameter(reader, value, inside, key, quantity, unit)
        elif key not in kind.parameters():
            _refuse_parameter(reader, inside, str(name), kind, extra)
        elif isinstance(value, list) and key in _LISTS:
            given[key] = [_parameter(reader, item, (*inside, k), key, quantity, unit) for k, item in enumerate(value)]
        elif key in _LISTS:
            reader.refuse(inside, f"found {shown(value)}; expected a list of numbers")
        else:
            given[key] = _parameter(reader, value, inside, key, quantity, unit)
    if reader.refusals > before:
        return None
    try:
        if percentiles:
            return _through_percentiles(str(name), percentiles, given)
        form = _matching_form(kind.forms, given)
        if form is None:
            raise UnusableError(f"found {', '.join(given) or 'no parameters'}; {name} takes {kind.in_words()}")
        return form.build(**{**form.optional, **given})
    except UnusableError as error:
        reader.refuse(path, str(error))
    except (ArithmeticError, ValueError):
        reader.refuse(path, "found parameters that are too extreme to compute with; expected ordinary numbers")
    return None


def _refuse_parameter(reader: Reader, inside: Path, name: str, kind: Distribution, extra: tuple[str, ...]) -> None:
    key = str(inside[-1])
    percentile = ("p5", "p95") if kind.percentiles and re.fullmatch(r"[pP]\d+", key) else ()
    near = key.lower() if percentile else near_name(key, (*kind.parameters(), "unit", *extra))
    reader.refuse(inside, f"unknown parameter '{quoted(key)}'; {name} takes {kind.in_words()}"
                  + (f"; did you mean '{near}'?" if near else ""))


def _parameter(reader: Reader, value: Any, path: Path, key: str, quantity: Quantity, unit: str | None) -> float | None:
    """A parameter of a distribution: an amount in the quantity's unit, or with a unit of its own, or a pure number."""
    if key in PURE:
        return reader.number(value, path)
    if not isinstance(value, dict):
        return read_amount(reader, value, path, quantity, unit)
    reader.known_keys(value, path, ("value", "unit"), "key")
    if "value" not in value:
        reader.missing((*path, "value"), "expected a number or {value, unit}")
        return None
    return read_amount(reader, value["value"], (*path, "value"), quantity, read_unit(reader, value, path, quantity, unit))


def _matching_form(forms: tuple[Form, ...], given: Mapping[str, Any]) -> Form | None:
    return next((form for form in forms if set(form.required) <= set(given) <= {*form.required, *form.optional}), None)


def _through_percentiles(name: str, percentiles: Mapping[float, float | None], given: Mapping[str, Any]) -> Marginal:
    kind = DISTRIBUTIONS[name]
    levels = sorted(percentiles)
    if not kind.takes(len(percentiles)) or not set(given) <= set(kind.fit_optional):
        found = [*(f"p{figure(p * 100)}" for p in levels), *given]
        raise UnusableError(f"found {', '.join(found)}; {name} takes {kind.in_words()}")
    values = [v for v in (percentiles[p] for p in levels) if v is not None]
    if any(a >= b for a, b in pairwise(values)):
        inside = ", ".join(f"p{figure(p * 100)} = {figure(v)}" for p, v in zip(levels, values, strict=True))
        raise UnusableError(f"found percentiles out of order ({inside}); expected each to be above the one before")
    return kind.through(levels, values, **{**kind.fit_optional, **given})

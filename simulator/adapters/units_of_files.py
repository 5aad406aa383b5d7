"""The unit in which a file's prices are: by its kind, by the names of its columns, or as the user says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from simulator.quantities import INPUT, Quantity
from simulator.study.problems import quoted
from simulator.study.tables import DataError
from simulator.units import UnitError, conversion

_MONEY = {"usd": "USD", "us$": "USD", "$": "USD", "dollar": "USD", "dollars": "USD", "cents": "cent", "cent": "cent",
          "ct": "cent", "¢": "cent", "c": "cent", "€": "EUR", "£": "GBP"}
_ENERGY = {"mwh": "MWh", "megawatthour": "MWh", "kwh": "kWh", "kilowatthour": "kWh"}
_IN_NAME = re.compile(r"(?<![a-z])(us\$|[$€£¢]|[a-z]{1,7})[\s_]*(?:/|_?per_?|\bper\b|_)[\s_]*(mwh|kwh|megawatt-?hours?|"
                      r"kilowatt-?hours?)(?![a-z])", re.IGNORECASE)
_OTHER_CURRENCIES = ("EUR", "GBP", "CHF", "CNY", "JPY", "KRW", "INR", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
                     "RON", "BGN", "TWD", "SGD", "BRL", "MXN", "ZAR")
# Medians of monthly prices outside these are units taken for one another: USD/kWh, USD per GPU-hour.
_PLAUSIBLE = {"energy_price": (0.002, 2.0), "rental_price": (0.01, 1000.0)}
_USUAL = {"energy_price": ("USD/MWh", "cent/kWh", "USD/kWh"), "rental_price": ("USD/GPU/hour", "cent/GPU/hour")}


@dataclass(frozen=True)
class PriceUnit:
    """A unit of the study format, the input that it measures, and what a file's numbers are multiplied by to be in it."""

    unit: str
    quantity: Quantity
    factor: float
    note: str = ""


def stated_in(text: str) -> str:
    """The unit that a column's name or a label says: "price_usd_per_mwh", "Day-ahead Price [EUR/MWh]"; empty where none."""
    match = _IN_NAME.search(text)
    if not match:
        return ""
    word = match[1].lower()
    money = _MONEY.get(word) or (word.upper() if word.upper() in _OTHER_CURRENCIES else "")
    energy = next(unit for name, unit in _ENERGY.items() if match[2].lower().replace("-", "").startswith(name))
    return f"{money}/{energy}" if money else ""


def price_unit(file: str, found: str, given: str | None, usd_per: float | None) -> PriceUnit:
    """The unit of a file's prices. Raises DataError where it is unknown, contradictory or in another currency.

    found    what the file says, empty where it says nothing; given  what the user says
    usd_per  USD for one of the file's currency
    """
    unit = given or found
    if not unit:
        raise DataError(f"{file}: nothing says in which unit the prices are; expected --unit, such as --unit USD/MWh or "
                        "--unit USD/kWh")
    currency = next((one for one in _OTHER_CURRENCIES if one in unit.upper()), None)
    symbols = {"€": "EUR", "£": "GBP"}
    currency = currency or next((symbols[one] for one in symbols if one in unit), None)
    plain, factor, note = unit, 1.0, ""
    if currency:
        plain = re.sub(f"{currency}|€|£", "USD", unit, flags=re.IGNORECASE)
        if usd_per is None:
            raise DataError(f"{file}: found prices in {quoted(unit)}; expected USD: say what one {currency} costs with "
                            "--usd-per, such as --usd-per 1.08, a mean over the years of the file")
        factor, note = usd_per, f"converted at {usd_per:g} USD per {currency}"
    elif usd_per is not None:
        raise DataError(f"{file}: found --usd-per, but the prices are in {quoted(unit)}; expected it left out")
    quantity = _measured(file, plain)
    if given and found and not _same(given, found):
        raise DataError(f"{file}: found --unit {quoted(given)}, but the file says {quoted(found)}; expected them to agree: leave "
                        "--unit out")
    return PriceUnit(plain, quantity, factor, note)


def check_plausible(file: str, median: float, unit: PriceUnit) -> None:
    """Raise DataError where a median price is that of another unit."""
    low, high = _PLAUSIBLE[unit.quantity.name]
    canonical = unit.quantity.unit
    if low <= median * float(conversion(unit.unit, canonical)) <= high:
        return
    fitting = [other for other in _USUAL[unit.quantity.name] if low <= median * float(conversion(other, canonical)) <= high]
    meant = f": did you mean --unit {fitting[0]}?" if fitting else ""
    raise DataError(f"{file}: found a median of {median:.4g} {unit.unit}; expected between "
                    f"{low / float(conversion(unit.unit, canonical)):.4g} and "
                    f"{high / float(conversion(unit.unit, canonical)):.4g} {unit.unit}{meant}")


def _measured(file: str, unit: str) -> Quantity:
    for name in ("energy_price", "rental_price"):
        try:
            conversion(unit, INPUT[name].unit)
        except UnitError as error:
            if "measures something else" not in str(error):
                raise DataError(f"{file}: {error}") from None
            continue
        return INPUT[name]
    raise DataError(f"{file}: found the unit '{quoted(unit)}'; expected money per energy, such as USD/MWh, or per GPU-hour, such "
                    "as USD/GPU/hour")


def _same(one: str, other: str) -> bool:
    """Whether two units are the same, currencies by name."""
    currencies = [next((c for c in _OTHER_CURRENCIES if c in unit.upper()), "USD") for unit in (one, other)]
    if currencies[0] != currencies[1]:
        return False
    try:
        return conversion(*(re.sub(currencies[0], "USD", unit, flags=re.IGNORECASE) for unit in (one, other))) == 1
    except UnitError:
        return False

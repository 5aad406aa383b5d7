"""Units: conversion constants, and the reading of a unit as people write it (`USD/kW/month`, `¢/kWh`).

A unit is a product of powers of three base units: USD, kW and hour (and token, FLOP, gram, which never convert
into one another). `GPU` is a label: `USD` and `USD/GPU` are the same amount of money for one GPU.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

HOURS_PER_YEAR = 8766  # 365.25 days
MONTHS_PER_YEAR = 12
HOURS_PER_MONTH = HOURS_PER_YEAR / MONTHS_PER_YEAR  # 730.5
SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600  # 2 629 800
TOKENS_PER_MILLION = 1_000_000
KILOWATTS_PER_MEGAWATT = 1000
MONTHS = 180  # 15 years: the longest horizon, and the length of every price path


class UnitError(ValueError):
    """A unit that cannot be read, or that measures something else."""


@dataclass(frozen=True)
class Unit:
    """A factor to base units and the powers of those."""

    factor: Fraction
    powers: Mapping[str, int]


def _prefixed(symbol: str, base: str, scale: Fraction, prefixes: str) -> dict[str, tuple[Fraction, dict[str, int]]]:
    steps = {"": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
    return {p + symbol: (scale * Fraction(1000) ** steps[p], {base: 1}) for p in prefixes.split(",")}


_MONTH = Fraction(HOURS_PER_YEAR, MONTHS_PER_YEAR)
_ATOMS: dict[str, tuple[Fraction, dict[str, int]]] = {
    "1": (Fraction(1), {}), "%": (Fraction(1, 100), {}), "GPU": (Fraction(1), {}), "accelerator": (Fraction(1), {}),
    **_prefixed("USD", "USD", Fraction(1), ",k,M,G"), "cent": (Fraction(1, 100), {"USD": 1}),
    **_prefixed("W", "kW", Fraction(1, 1000), ",k,M,G"),
    **{name: (factor, {"kW": 1, "hour": 1}) for name, (factor, _) in
       _prefixed("Wh", "", Fraction(1, 1000), ",k,M,G,T").items()},
    **_prefixed("token", "token", Fraction(1), ",k,M,G,T"), **_prefixed("FLOP", "FLOP", Fraction(1), ",M,G,T,P,E"),
    **_prefixed("g", "g", Fraction(1), ",k"), "t": (Fraction(1_000_000), {"g": 1}),
    "second": (Fraction(1, 3600), {"hour": 1}), "minute": (Fraction(1, 60), {"hour": 1}),
    "hour": (Fraction(1), {"hour": 1}), "day": (Fraction(24), {"hour": 1}),
    "month": (_MONTH, {"hour": 1}), "year": (_MONTH * 12, {"hour": 1}),
}
_ALIASES = {"$": "USD", "usd": "USD", "US$": "USD", "kusd": "kUSD", "k$": "kUSD", "M$": "MUSD", "¢": "cent", "ct": "cent",
            "cents": "cent", "c": "cent", "h": "hour", "hr": "hour", "s": "second", "sec": "second", "min": "minute", "d": "day",
            "y": "year", "yr": "year", "a": "year", "tok": "token", "percent": "%", "gpu": "GPU", "-": "1",
            "gCO2e": "g", "kgCO2e": "kg", "gCO2": "g", "kgCO2": "kg", "Mtok": "Mtoken"}
_HAS_PLURAL = re.compile(r"[kMGT]?[a-z]{2,}|GPU")  # but Ws is not W
_CURRENCIES = ("EUR", "GBP", "CNY", "RMB", "JPY", "KRW", "INR", "CHF", "CAD", "AUD", "TWD", "SGD", "€", "£", "¥", "₹", "₩")


def _atom(name: str, whole: str) -> tuple[Fraction, dict[str, int]]:
    one = name.removesuffix("s")
    for candidate in (name, one) if _HAS_PLURAL.fullmatch(one) else (name,):
        found = _ATOMS.get(_ALIASES.get(candidate, candidate))
        if found:
            return found
    if any(currency in name for currency in _CURRENCIES):
        raise UnitError(f"found the unit '{whole}'; expected USD: convert the amount, and note the exchange rate in 'source'")
    if not name:
        raise UnitError(f"found the unit '{whole}', in which something is missing before or after '/', '*' or '-'")
    names = {known.lower(): known for known in (*_ALIASES, *_ATOMS)}
    near = difflib.get_close_matches(name.lower(), names, n=1)
    known = f"; did you mean '{names[near[0]]}'?" if near else "; expected units such as USD/kWh, kW, year, token/s or %"
    unknown = f"unknown unit '{whole}'" if name == whole else f"found the unit '{whole}', in which '{name}' is unknown"
    raise UnitError(unknown + known)


@lru_cache(maxsize=256)
def parse_unit(text: str) -> Unit:
    """Read a unit: parts after the first `/` divide; `*`, `·` and `-` join (`USD/kW-month`).

    Raises UnitError where a part is not known.
    """
    plain = re.sub(r"million\s+tokens?", "Mtoken", text.strip())
    factor, powers = Fraction(1), Counter[str]()
    for position, part in enumerate(plain.split("/")):
        sign = -1 if position else 1
        for name in re.split(r"[*·-]", part) if part.strip() not in ("-", "") else [part]:
            scale, atom_powers = _atom(name.strip(), text)
            factor *= scale**sign
            for base, power in atom_powers.items():
                powers[base] += sign * power
    return Unit(factor, {base: power for base, power in sorted(powers.items()) if power})


def conversion(unit: str, canonical: str) -> Fraction:
    """What an amount in `unit` is multiplied by to be in `canonical`. Raises UnitError where it cannot be."""
    source, target = parse_unit(unit), parse_unit(canonical)
    if source.powers != target.powers:
        expected = "'%', or no unit" if canonical == "1" else f"'{canonical}', or one that converts to it"
        raise UnitError(f"found the unit '{unit}', which measures something else; expected {expected}")
    return source.factor / target.factor


def convert(value: float, unit: str, canonical: str) -> float:
    """`value` in `unit`, as a number in `canonical`, rounded once."""
    return float(Fraction(value) * conversion(unit, canonical))

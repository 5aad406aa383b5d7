"""Reading one input: a number, `{value, unit}`, a distribution or a process, checked against its quantity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from simulator.quantities import INPUT, THROUGHPUT_FACTOR, Quantity
from simulator.study.families import Marginal, constant
from simulator.study.marginals import read_marginal, read_unit
from simulator.study.model import Evidence, Input, Process
from simulator.study.problems import Path, path_text, shown
from simulator.study.reader import Reader

GRADES = ("primary", "analyst", "weak", "judgement")
EVIDENCE_KEYS = ("source", "date", "grade", "note")

PROCESS_REQUIRED = ("median", "reversion_rate", "volatility")
PROCESS_OPTIONAL = ("delivery", "hedged_share", "strike", "start")
_LATER = ("jumps",)
_PRICES = ("median", "delivery", "strike", "start")
# A stationary spread of logs beyond this is e^±35 within the sampled range: a mistake of units.
_WIDEST_LOG_SD = 5.0


def parameter_quantity(name: str, price: Quantity) -> Quantity:
    """What a parameter of a process for `price` measures, and its bounds."""
    unit, high = price.unit, price.high
    return {
        "median": Quantity("median", unit, 0, high, None, "median of the process", above_low=True),
        "start": Quantity("start", unit, 0, high, None, "price before the first month", above_low=True),
        "delivery": Quantity("delivery", unit, 0, high, 0, "what is paid on top of the price"),
        "strike": Quantity("strike", unit, 0, high, None, "price of the hedge"),
        "reversion_rate": Quantity("reversion_rate", "1/year", 0, 1000, None, "speed of return to the median", above_low=True),
        "volatility": Quantity("volatility", "1", 0, 100, None, "sd of the log price gained in a year, per √year"),
        "hedged_share": Quantity("hedged_share", "1", 0, 1, 0, "share bought at the strike"),
    }[name]


def read_evidence(reader: Reader, value: Mapping[str, Any], path: Path) -> Evidence:
    """`source`, `date`, `grade` and `note` of an input."""
    texts = {key: reader.text(value, key, path) for key in EVIDENCE_KEYS if key in value and key != "grade"}
    grade = reader.choice(value, "grade", path, GRADES, "") if "grade" in value else ""
    return Evidence(grade=grade or "", **texts)


def read_input(reader: Reader, found: Any, path: Path, quantity: Quantity) -> Input | None:
    """One input; None with problems noted where it is wrong."""
    before = reader.refusals
    evidence = Evidence()
    value: Marginal | Process | None
    if isinstance(found, dict):
        evidence = read_evidence(reader, found, path)
        if "process" in found:
            value = _read_process(reader, found, path, quantity)
        else:
            value = read_marginal(reader, found, path, quantity, EVIDENCE_KEYS)
    else:
        value = read_marginal(reader, found, path, quantity)
    if value is None or reader.refusals > before:
        return None
    return Input(path_text(path), quantity, value, evidence, reader.place(path))


def _read_process(reader: Reader, found: Mapping[str, Any], path: Path, quantity: Quantity) -> Process | None:
    before = reader.refusals
    if not quantity.process:
        reader.refuse(path, f"found a process, but {quantity.name} does not move in time; expected a number or a distribution")
        return None
    if found["process"] != "mean_reverting":
        reader.refuse((*path, "process"), f"found {shown(found['process'])}; expected mean_reverting")
        return None
    known = {key: value for key, value in found.items() if key not in _LATER}
    for name in found:
        if name in _LATER:
            reader.refuse((*path, name), f"this version does not act on '{name}' yet; take it out to run the study without it")
    reader.known_keys(known, path, ("process", "unit", *PROCESS_REQUIRED, *PROCESS_OPTIONAL, *EVIDENCE_KEYS), "parameter")
    unit = read_unit(reader, found, path, quantity)
    for name in PROCESS_REQUIRED:
        if name not in found:
            reader.missing((*path, name), "a mean_reverting process needs median, reversion_rate and volatility")
    parameters: dict[str, Marginal | None] = {"delivery": constant(0.0), "hedged_share": constant(0.0), "start": None,
                                              "strike": None}
    for name in (*PROCESS_REQUIRED, *PROCESS_OPTIONAL):
        if name in found:
            parameters[name] = read_marginal(reader, found[name], (*path, name), parameter_quantity(name, quantity),
                                             around=unit if name in _PRICES else None)
    if reader.refusals > before:
        return None
    hedged, start = parameters["hedged_share"], parameters["start"]
    if hedged != constant(0.0) and start not in (None, parameters["median"]) and "strike" not in found:
        reader.missing((*path, "strike"), "a hedge needs it where the process starts away from its median")
        return None
    process = Process(**parameters)  # type: ignore[arg-type]  # the required ones are there: checked above
    widest = process.volatility.support()[1] / math.sqrt(2 * process.reversion_rate.support()[0])
    if widest > _WIDEST_LOG_SD:
        reader.refuse(path, f"found a volatility and a reversion_rate that let the log price spread by {widest:.3g} (one sd, in "
                      f"the long run); expected at most {_WIDEST_LOG_SD:g}: volatility is per √year, reversion_rate per year")
        return None
    return process


def unit_of(path: str) -> str:
    """The canonical unit of an input, a throughput factor or a parameter of a process, by its path."""
    parts = path.split(".")
    inside = parts[1:] if parts[0] == "shared" else parts[2:]
    if inside[0] not in INPUT:
        return THROUGHPUT_FACTOR.unit
    quantity = INPUT[inside[0]]
    return quantity.unit if len(inside) == 1 else parameter_quantity(inside[1], quantity).unit

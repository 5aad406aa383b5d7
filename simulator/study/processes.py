"""Reading a price that moves in time: a process, or a market that several platforms name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from simulator.quantities import Quantity
from simulator.study.families import Marginal, constant
from simulator.study.marginals import read_marginal, read_unit
from simulator.study.model import Input, Process
from simulator.study.problems import Path, shown
from simulator.study.reader import Reader

PROCESS_REQUIRED = ("median", "reversion_rate", "volatility")
PROCESS_OPTIONAL = ("delivery", "hedged_share", "strike", "start")
JUMPS = ("rate", "mean", "sd")
STATIONARY = "stationary"
_PRICES = ("median", "delivery", "strike", "start")
# A stationary spread of logs beyond this is e^±35 within the sampled range: a mistake of units.
_WIDEST_LOG_SD = 5.0


def parameter_quantity(name: str, price: Quantity) -> Quantity:
    """What a parameter of a process for `price` measures, and its bounds; one of its jumps as `jumps.rate`."""
    unit, high = price.unit, price.high
    return {
        "median": Quantity("median", unit, 0, high, None, "median of the process", above_low=True),
        "start": Quantity("start", unit, 0, high, None, "price before the first month", above_low=True),
        "delivery": Quantity("delivery", unit, 0, high, 0, "what is paid on top of the price"),
        "strike": Quantity("strike", unit, 0, high, None, "price of the hedge"),
        "reversion_rate": Quantity("reversion_rate", "1/year", 0, 1000, None, "speed of return to the median", above_low=True),
        "volatility": Quantity("volatility", "1", 0, 100, None, "sd of the log price gained in a year, per √year"),
        "hedged_share": Quantity("hedged_share", "1", 0, 1, 0, "share bought at the strike"),
        "jumps.rate": Quantity("rate", "1/year", 0, 120, None, "jumps a year"),
        "jumps.mean": Quantity("mean", "1", -5, 5, None, "mean of a jump of the log price"),
        "jumps.sd": Quantity("sd", "1", 0, 5, None, "sd of a jump of the log price"),
    }[name]


def read_process(reader: Reader, found: Mapping[str, Any], path: Path, quantity: Quantity,
                 more: tuple[str, ...]) -> Process | None:
    """`{process: mean_reverting, …}`; `more`: keys that may stand beside its parameters."""
    before = reader.refusals
    if not quantity.process:
        reader.refuse(path, f"found a process, but {quantity.name} does not move in time; expected a number or a distribution")
        return None
    if found["process"] != "mean_reverting":
        reader.refuse((*path, "process"), f"found {shown(found['process'])}; expected mean_reverting")
        return None
    reader.known_keys(found, path, ("process", "unit", *PROCESS_REQUIRED, *PROCESS_OPTIONAL, "jumps", *more), "parameter")
    unit = read_unit(reader, found, path, quantity)
    for name in PROCESS_REQUIRED:
        if name not in found:
            reader.missing((*path, name), "a mean_reverting process needs median, reversion_rate and volatility")
    stationary = found.get("start") == STATIONARY
    parameters: dict[str, Marginal | None] = {"delivery": constant(0.0), "hedged_share": constant(0.0)}
    for name in (*PROCESS_REQUIRED, *PROCESS_OPTIONAL):
        if name in found and not (name == "start" and stationary):
            parameters[name] = read_marginal(reader, found[name], (*path, name), parameter_quantity(name, quantity),
                                             around=unit if name in _PRICES else None)
    if "jumps" in found:
        parameters |= _read_jumps(reader, found["jumps"], (*path, "jumps"), quantity)
    if reader.refusals > before:
        return None
    known = {name: marginal for name, marginal in parameters.items() if marginal is not None}
    process = Process(known, stationary)
    if stationary and process.has_jumps:
        reader.refuse((*path, "start"), "found 'stationary' beside jumps, whose long-run distribution has no closed form; "
                      "expected a price, or no start (the median)")
        return None
    elsewhere = "start" in known and known["start"] != known["median"]
    if known["hedged_share"] != constant(0.0) and (elsewhere or process.has_jumps) and "strike" not in found:
        reader.missing((*path, "strike"), "a hedge needs it where the process has jumps or starts away from its median")
        return None
    slowest = known["reversion_rate"].support()[0]
    if process.has_jumps:
        rate, size = known["jumps.rate"].support()[1], max(map(abs, known["jumps.mean"].support()))
        spread = math.sqrt(rate * (size**2 + known["jumps.sd"].support()[1] ** 2) / (2 * slowest))
        moved = rate * size / slowest
        if max(moved, spread) > _WIDEST_LOG_SD:
            reader.refuse((*path, "jumps"), f"found jumps that move the log price by {moved:.3g} in the long run, with an sd of "
                          f"{spread:.3g}; expected at most {_WIDEST_LOG_SD:g}: sizes are of the log, the rate is per year")
            return None
    widest = known["volatility"].support()[1] / math.sqrt(2 * slowest)
    if widest > _WIDEST_LOG_SD:
        reader.refuse(path, f"found a volatility and a reversion_rate that let the log price spread by {widest:.3g} (one sd, in "
                      f"the long run); expected at most {_WIDEST_LOG_SD:g}: volatility is per √year, reversion_rate per year")
        return None
    return process


def _read_jumps(reader: Reader, found: Any, path: Path, quantity: Quantity) -> dict[str, Marginal | None]:
    values = reader.mapping(found, path, "{rate, mean, sd}")
    reader.known_keys(values, path, JUMPS, "parameter")
    for name in JUMPS:
        if name not in values:
            reader.missing((*path, name), "jumps have a rate [1/year], and the mean and sd of their size in logs")
    return {f"jumps.{name}": read_marginal(reader, values[name], (*path, name), parameter_quantity(f"jumps.{name}", quantity))
            for name in JUMPS if name in values}


def units_of(inputs: Mapping[str, Input]) -> dict[str, str]:
    """The canonical unit of every input, and of every parameter of a process, by path."""
    units = {}
    for path, given in inputs.items():
        units[path] = given.quantity.unit
        if isinstance(given.value, Process):
            for name in given.value.parameters:
                units[f"{path}.{name}"] = parameter_quantity(name, given.quantity).unit
    return units

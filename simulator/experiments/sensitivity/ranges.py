"""The inputs that may be moved, one number each, and how far."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.engine.evaluate import quantiles
from simulator.engine.parameters import Compiled
from simulator.kernels.distributions import CONSTANT
from simulator.kernels.processes import MEDIAN
from simulator.quantities import Quantity
from simulator.study.model import Process, Study
from simulator.study.problems import nearest, shown
from simulator.study.processes import parameter_quantity

Array = np.ndarray[Any, np.dtype[np.float64]]
OUTERMOST = 0.001  # an uncertain input is moved between its quantiles at this and its complement
MULTIPLE = 4.0  # a certain one between its value divided and multiplied by this
_LONG = 8.0  # ends of a positive range so many times apart: even steps are those of the logarithm


@dataclass(frozen=True)
class Range:
    """An input that is one number, its row of the plan, and where it may lie [unit]; `uncertain` where the study draws it."""

    path: str
    row: int
    unit: str
    low: float
    high: float
    uncertain: bool

    def at(self, x: Any) -> Any:
        """Values at places 0 … 1 in the range: even steps, or even factors where it is long. A number or float64[n]."""
        if self.by_factors:
            return self.low * (self.high / self.low) ** x
        return self.low + (self.high - self.low) * x

    def slope(self, x: float) -> float:
        """dvalue/dx."""
        return float(self.at(x)) * math.log(self.high / self.low) if self.by_factors else self.high - self.low

    @property
    def by_factors(self) -> bool:
        """Whether steps are even on a logarithmic scale."""
        return self.low > 0 and self.high / self.low > _LONG


def find_range(study: Study, compiled: Compiled, path: str) -> Range:
    """The range of one input or parameter of a process. Raises ValueError where there is none."""
    quantities = dict(_quantities(study))
    if path not in quantities:
        process = isinstance(given.value, Process) if (given := study.inputs().get(path)) else False
        remedy = f"; a process is moved by its parameters, such as {path}.median" if process else (
            nearest(path, quantities) or "; expected a path such as shared.utilization")
        raise ValueError(f"found {shown(path)}, which is no input in use that is one number{remedy}")
    found = _range(compiled, path, quantities[path])
    if found is None:
        raise ValueError(f"found {shown(path)}, which is 0 and has no multiples to be moved between; give it a distribution")
    return found


def only(study: Study, platforms: Sequence[int]) -> Study:
    """The study with these platforms alone, in this order, which moves no draw."""
    return replace(study, platforms=tuple(study.platforms[position] for position in platforms))


def ranges(study: Study, compiled: Compiled) -> tuple[Range, ...]:
    """Every input that is one number, by path, and of a process its median. Without those certain ones that have no range."""
    used = {*compiled.plan.platform_rows.ravel(), *compiled.plan.factor_rows.ravel(), *compiled.plan.market_rows[:, MEDIAN]}
    found = (_range(compiled, path, quantity) for path, quantity in _quantities(study) if compiled.rows.index(path) in used)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.path))


def _quantities(study: Study) -> Iterator[tuple[str, Quantity]]:
    for path, given in study.inputs().items():
        if isinstance(given.value, Process):
            yield from ((f"{path}.{name}", parameter_quantity(name, given.quantity)) for name in given.value.parameters)
        else:
            yield path, given.quantity


def _range(compiled: Compiled, path: str, quantity: Quantity) -> Range | None:
    row = compiled.rows.index(path)
    if compiled.plan.family[row] != CONSTANT:
        low, high = quantiles(compiled, row, np.array([OUTERMOST, 1 - OUTERMOST]))
        return Range(path, row, quantity.unit, float(low), float(high), True) if high > low else None
    value = float(compiled.plan.parameters[row, 0])
    low, high = sorted((value / MULTIPLE, value * MULTIPLE))
    if value == 0:
        low, high = quantity.low, quantity.high
    low, high = max(low, quantity.low), min(high, quantity.high)
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return None
    if quantity.above_low and low == quantity.low:  # of a value that was 0 the end itself is no valid value
        low += (high - low) * OUTERMOST
    return Range(path, row, quantity.unit, low, high, False)

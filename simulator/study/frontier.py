"""The measured trade between interactivity and throughput: a Pareto set, interpolated inside its range and never beyond."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from simulator.study.problems import figure

# A range's own end, written with fewer digits, still lies in it.
_ROUNDING = 1e-9


class OutsideFrontierError(ValueError):
    """An interactivity at which nothing was measured."""


def pareto(interactivity: Sequence[float], throughput: Sequence[float]) -> list[int]:
    """Positions of the points that no other one beats, by rising interactivity.

    interactivity, throughput  equally long
    One point beats another where it has at least as much of both, and more of one; of equal points the first is kept. So
    throughput falls strictly along the result.
    """
    order = sorted(range(len(interactivity)), key=lambda k: (-interactivity[k], -throughput[k], k))
    kept: list[int] = []
    for k in order:
        if not kept or throughput[k] > throughput[kept[-1]]:
            kept.append(k)
    return kept[::-1]


@dataclass(frozen=True)
class Frontier:
    """A platform's measured Pareto set.

    interactivity  token/s/user, rising
    throughput     token/s/GPU, falling
    spread         sd of the log of the throughput at an operating point on it
    Raises ValueError where the points are no such set.
    """

    interactivity: tuple[float, ...]
    throughput: tuple[float, ...]
    spread: float = 0.0

    def __post_init__(self) -> None:
        if not self.interactivity or len(self.interactivity) != len(self.throughput):
            raise ValueError(f"found {len(self.interactivity)} interactivities and {len(self.throughput)} throughputs; expected "
                             "as many of both, and at least one")
        if not all(math.isfinite(value) and value > 0 for value in (*self.interactivity, *self.throughput)):
            raise ValueError("found a number that is not positive; expected interactivity and throughput above 0")
        rising = all(a < b for a, b in pairwise(self.interactivity))
        if not rising or not all(a > b for a, b in pairwise(self.throughput)):
            raise ValueError("found points that are no Pareto set; expected rising interactivity and falling throughput")
        if not (math.isfinite(self.spread) and self.spread >= 0):
            raise ValueError(f"found the spread {self.spread:g}; expected at least 0")

    @property
    def low(self) -> float:
        """The least interactivity measured, token/s/user."""
        return self.interactivity[0]

    @property
    def high(self) -> float:
        """The most interactivity measured, token/s/user."""
        return self.interactivity[-1]

    def measured_range(self) -> str:
        """The range in words, its ends rounded inwards: what it names is inside."""
        if self.low == self.high:
            return f"at {figure(self.low)} token/s/user only"
        low, high = _four_digits(self.low, math.ceil), _four_digits(self.high, math.floor)
        low, high = (low, high) if low < high else (self.low, self.high)
        return f"from {figure(low)} to {figure(high)} token/s/user"

    def contains(self, interactivity: float) -> bool:
        """Whether an interactivity lies inside the measured range."""
        return self.low * (1 - _ROUNDING) <= interactivity <= self.high * (1 + _ROUNDING)

    def throughput_at(self, interactivity: float) -> float:
        """Throughput at an interactivity [token/s/user], in token/s/GPU.

        Piecewise cubic Hermite interpolation that keeps monotone data monotone (PCHIP), log throughput over log
        interactivity: a power law is met exactly. Throughput is interpolated and never cost, which may turn along it.
        Source: Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300; scipy.interpolate.PchipInterpolator.
        Raises OutsideFrontierError outside the measured range.
        """
        if not self.contains(interactivity):
            raise OutsideFrontierError(f"found {figure(interactivity)} token/s/user; measured {self.measured_range()}, and "
                                       "nothing is extrapolated")
        inside = min(max(interactivity, self.low), self.high)
        if inside in self.interactivity:
            return self.throughput[self.interactivity.index(inside)]
        return math.exp(float(self._curve(math.log(inside))))

    @cached_property
    def _curve(self) -> Any:
        from scipy.interpolate import PchipInterpolator

        return PchipInterpolator([math.log(x) for x in self.interactivity], [math.log(y) for y in self.throughput],
                                 extrapolate=False)


def _four_digits(value: float, towards: Callable[[float], int]) -> float:
    """A number to four digits, up (`math.ceil`) or down (`math.floor`)."""
    scale = 10.0 ** (3 - math.floor(math.log10(value)))
    return towards(round(value * scale, 9)) / scale

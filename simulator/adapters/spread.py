"""How far a throughput read off a frontier may be from the truth: three components, each an sd of the log.

interpolation  between measured points
repeatability  of one configuration measured again
drift          of one configuration measured again a season later

Each is computed from the measurements where these suffice, and says in words what it rests on.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulator.adapters.measurements import Measurement
from simulator.study.frontier import Frontier
from simulator.study.problems import figure

# Median of the absolute deviation of a standard normal variable: Φ⁻¹(0.75).
_MEDIAN_ABSOLUTE_NORMAL = 0.6744897501960817
_LEAST_INTERPOLATION = 0.01  # a frontier is the best of what was tried: even at its points more trying would find a little
# Sd of the log ÷ log ratio of the neighbours: a uniform variable's, the largest of any bounded one, and what leaving out each of
# the 130 interior points of 26 frontiers gave (InferenceX, DeepSeek-R1, October 2025 to March 2026).
_LEAST_SHARE, _LARGEST_SHARE, _SHARE = 1 / math.sqrt(12), 1 / 2, 0.42
_BORROWED = 5
_SOON, _MUCH_LATER = 30, 60  # days
_FEWEST_PAIRS, _FEWEST_CHANGES = 10, 3
# InferenceX, DeepSeek-R1, October 2025 to March 2026: coefficients of variation are 0.4 to 1.4 %; changes over 60 days and more
# have, on the median platform, an sd of the log of 0.056.
_REPEATABILITY, _DRIFT = 0.014, 0.056


@dataclass(frozen=True)
class Component:
    """A named part of the spread: the sd of the log, and what it rests on, in words."""

    name: str
    sd: float
    basis: str


@dataclass(frozen=True)
class Spread:
    """The spread of a throughput at one operating point; its components are taken as independent."""

    components: tuple[Component, ...]

    @property
    def sd(self) -> float:
        """Sd of the log, the components added in quadrature."""
        return math.hypot(*(component.sd for component in self.components))

    def in_words(self) -> str:
        """The components, each with its name, size and basis."""
        return "; ".join(f"{component.name} {component.sd:.3f} ({component.basis})" for component in self.components)


def interpolation(frontier: Frontier, interactivity: float) -> Component:
    """Error of the interpolation at an interactivity inside the frontier's range: a share of the log ratio of its neighbours.

    The share is what leaving out interior points gives: the root mean square of the error of interpolating over each, divided
    by the log ratio of the throughputs on both sides; since these are few, five of other frontiers are counted with them.
    Between its neighbours' throughputs a falling curve has to lie, so no sd is above half their log ratio, and 1/√12 of it,
    uniform in between, is the least that is claimed. Errors do not shrink near a point (0.45 of the ratio there, 0.30 half way
    between), since frontiers have steps: only on a point itself there is none to speak of.
    """
    name = "interpolation"
    x, y = frontier.interactivity, frontier.throughput
    if len(x) == 1 or interactivity in x or not x[0] < interactivity < x[-1]:
        return Component(name, _LEAST_INTERPOLATION, "the interactivity is a measured one")
    right = next(k for k, measured in enumerate(x) if measured > interactivity)
    ratio = math.log(y[right - 1] / y[right])
    interior = range(1, len(x) - 1)
    squares = sum((leave_one_out(frontier, k) / math.log(y[k - 1] / y[k + 1])) ** 2 for k in interior)
    share = math.sqrt((squares + _BORROWED * _SHARE**2) / (len(interior) + _BORROWED))
    share = min(max(share, _LEAST_SHARE), _LARGEST_SHARE)
    return Component(name, max(share * ratio, _LEAST_INTERPOLATION),
                     f"{share:.2f} of the log ratio of the neighbours, {ratio:.3f}; "
                     f"from leaving out each of {len(interior)} interior points, and {_BORROWED} of other frontiers")


def leave_one_out(frontier: Frontier, position: int) -> float:
    """Log of the throughput interpolated over an interior point that was left out, less that of the point."""
    x, y = frontier.interactivity, frontier.throughput
    without = Frontier(x[:position] + x[position + 1:], y[:position] + y[position + 1:])
    return math.log(without.throughput_at(x[position]) / y[position])


def along(frontier: Frontier, others: Sequence[Component], points: int = 60) -> float:
    """One spread for a whole frontier: the root mean square over evenly spaced log interactivities."""
    grid = [frontier.low * (frontier.high / frontier.low) ** ((k + 0.5) / points) for k in range(points)]
    return math.sqrt(statistics.fmean(Spread((interpolation(frontier, x), *others)).sd ** 2 for x in grid))


def repeatability(measurements: Iterable[Measurement], hardware: str) -> Component:
    """What the same configuration gives from one run to the next, at most 30 days later.

    From the median absolute log difference of consecutive runs, which a change of software between a few of them does not
    move: sd = median ÷ (0.6745 √2). Of this hardware where there are ten pairs, else of all.
    """
    differences: list[tuple[str, float]] = []
    for runs in _repeated(measurements):
        differences += [(then.hardware, math.log(then.throughput / first.throughput)) for first, then in pairwise(runs)
                        if _days(first, then) <= _SOON]
    own = [abs(change) for name, change in differences if name == hardware]
    for found, of in ((own, hardware), ([abs(change) for _, change in differences], "all hardware in the file")):
        if len(found) >= _FEWEST_PAIRS:
            sd = statistics.median(found) / (_MEDIAN_ABSOLUTE_NORMAL * math.sqrt(2))
            return Component("repeatability", sd, f"{len(found)} pairs of runs of one configuration within {_SOON} days, {of}")
    return Component("repeatability", _REPEATABILITY, "not measured here; InferenceX has coefficients of variation of 0.4-1.4 %")


def drift(measurements: Iterable[Measurement], hardware: str, lengths: tuple[int, int]) -> Component:
    """What the same configuration gives at least 60 days later: the sd of the log change from its first run to its last.

    About the mean where that is a gain, which is `software_gain`'s to say; about 0 where it is a loss, which nothing else says.
    Of this hardware and these lengths where three configurations allow it, else of this hardware, else the median of the others.
    """
    changes = [(runs[-1], math.log(runs[-1].throughput / runs[0].throughput)) for runs in _repeated(measurements)
               if _days(runs[0], runs[-1]) >= _MUCH_LATER]
    own = [(run.lengths == lengths, change) for run, change in changes if run.hardware == hardware]
    for found, of in (([change for same, change in own if same], f"{hardware} at these lengths"),
                      ([change for _, change in own], f"{hardware} at all lengths")):
        if len(found) >= _FEWEST_CHANGES:
            mean = statistics.fmean(found)
            sd = statistics.stdev(found) if mean >= 0 else math.sqrt(statistics.fmean(change**2 for change in found))
            about = (f"their mean, ×{math.exp(mean):.2f}, is for software_gain to say" if mean >= 0
                     else f"their mean, ×{math.exp(mean):.2f}, is a loss and is counted in")
            return Component("drift", sd, f"{len(found)} configurations {_MUCH_LATER} days and more apart, {of}; {about}")
    by_hardware: dict[str, list[float]] = {}
    for run, change in changes:
        by_hardware.setdefault(run.hardware, []).append(change)
    others = {name: statistics.stdev(found) for name, found in sorted(by_hardware.items()) if len(found) >= _FEWEST_CHANGES}
    none = f"{hardware} has too few configurations {_MUCH_LATER} days and more apart"
    if others:
        each = ", ".join(f"{name} {figure(round(sd, 2))}" for name, sd in others.items())
        return Component("drift", statistics.median(others.values()), f"{none}; the median of {each}")
    return Component("drift", _DRIFT, f"{none}; the median platform of InferenceX, October 2025 to March 2026")


def _repeated(measurements: Iterable[Measurement]) -> list[list[Measurement]]:
    """Runs of the same configuration, by date, where there are several. One that is listed twice is one."""
    runs: dict[tuple[str, ...], list[Measurement]] = {}
    for run in dict.fromkeys(measurements):
        runs.setdefault(run.configuration, []).append(run)
    return [sorted(found, key=lambda run: run.measured.toordinal() if run.measured else 0)
            for found in runs.values() if len(found) > 1]


def _days(first: Measurement, then: Measurement) -> int:
    """Days between two runs; 0 where a date is not known, as within one file of results."""
    return (then.measured - first.measured).days if first.measured and then.measured else 0

"""The value of an input at which two platforms cost the same: with everything else at its median, and with everything drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate, sectioning, student_quantile
from simulator.analysis.zeros import Zero, exact_zeros, simulated_zeros
from simulator.engine.common_draws import CommonDraws, common_draws, gap, median
from simulator.engine.evaluate import evaluate, medians
from simulator.experiments.sensitivity.ranges import Range, find_range, only, ranges
from simulator.study.model import Study

Array = np.ndarray[Any, np.dtype[np.float64]]
_SCAN = 65  # points over the range of each input
_REPLICATES, _QUICK = 32, 4  # of 256 trials each: for a value, and for saying that there is none


@dataclass(frozen=True)
class Flip:
    """A value of an input at which two platforms cost the same [unit of the input], and whether the later one of the pair is
    the cheaper one above it."""

    value: Estimate
    later_is_cheaper_above: bool


@dataclass(frozen=True)
class BreakEven:
    """Where one input flips the ranking of a pair.

    low, high   where it was looked for [unit]: between the input's 0.1 % and 99.9 % quantiles, of a certain one a quarter to
                four times its value, within what it may be
    at_medians  the values at which both cost the same with all other inputs at their medians; exact
    on_draws    those at which either is cheaper in half of the trials, all others drawn as always: the median ratio is 1
    cheaper_at_medians, cheaper_on_draws  who is cheaper in all of the range, where nothing flips: a platform's name;
                "neither" where both always cost the same; "" where there is a value
    """

    input: str
    unit: str
    low: float
    high: float
    uncertain: bool
    at_medians: tuple[Flip, ...]
    on_draws: tuple[Flip, ...]
    cheaper_at_medians: str
    cheaper_on_draws: str

    @property
    def never(self) -> bool:
        """Whether no value in the range makes both cost the same in half of the trials."""
        return not self.on_draws


def break_even(study: Study, pair: tuple[int, int], inputs: Sequence[str] = (), threads: int = 0) -> tuple[BreakEven, ...]:
    """Break-even values of a pair (later, earlier), by input.

    inputs  paths of numbers, distributions and parameters of processes; where not given all that either platform's cost depends
            on, of a process its median
    An input is held by decree: what correlates with it is drawn as always. Raises ValueError for a path that is none.
    """
    study = only(study, pair)
    draws = common_draws(study, _REPLICATES, threads=threads)
    compiled = draws.trials.compiled
    moved = tuple(find_range(study, compiled, path) for path in inputs) or ranges(study, compiled)
    middle, x = medians(compiled), np.linspace(0, 1, _SCAN)

    def costs_at(which: Array, places: Array) -> Array:
        values = np.repeat(middle[:, None], places.size, axis=1)
        for k, one in enumerate(moved):
            lanes = np.flatnonzero(which == k)
            values[one.row, lanes] = one.at(places[lanes])
        return evaluate(compiled, values)

    scanned = costs_at(np.repeat(np.arange(len(moved)), _SCAN), np.tile(x, len(moved))).reshape(2, -1, _SCAN)
    if not inputs:  # what costs do not depend on, such as a price of tokens, says nothing here
        moving = np.flatnonzero(np.ptp(scanned, axis=2).max(axis=0) > 0)
        moved, scanned = tuple(moved[k] for k in moving), scanned[:, moving]
    scan = gap(*scanned)
    exact = exact_zeros(x, scan, lambda which, places: gap(*costs_at(which, places)))
    offset = _median_gap(draws, {}, 0).value - float(gap(*evaluate(compiled, middle[:, None]))[0])
    return tuple(_of_input(study, draws, one, x, scan[k], exact[k], offset) for k, one in enumerate(moved))


def _of_input(study: Study, draws: CommonDraws, one: Range, x: Array, shape: Array, exact: list[Zero],
              offset: float) -> BreakEven:
    def on_draws(replicates: int) -> Any:
        return lambda at: _median_gap(draws, {one.row: one.at(at)}, replicates)

    zeros, sign = simulated_zeros(x, shape, offset, on_draws(_QUICK), on_draws(0))
    degrees = draws.trials.simulation.replicates - 1
    of_medians, of_draws = ([_flip(one, zero, degrees) for zero in found] for found in (exact, zeros))
    return BreakEven(one.path, one.unit, one.low, one.high, one.uncertain, tuple(of_medians), tuple(of_draws),
                     _cheaper(study, bool(of_medians), float(shape[np.argmax(np.abs(shape))])),
                     _cheaper(study, bool(of_draws), sign))


def _median_gap(draws: CommonDraws, held: dict[int, float], replicates: int) -> Estimate:
    """Median over the trials of what `gap` says of a pair."""
    gaps = gap(*draws.costs(held, replicates))
    return sectioning(median(gaps), np.array([median(of_replicate) for of_replicate in gaps]))


def _flip(one: Range, zero: Zero, degrees: int) -> Flip:
    value, error = float(one.at(zero.at)), zero.standard_error * one.slope(zero.at)
    half = student_quantile(degrees) * error
    return Flip(Estimate(value, error, value - half, value + half), not zero.rising)


def _cheaper(study: Study, flips: bool, sign: float) -> str:
    """Who is cheaper throughout, by the sign of what the later one costs more."""
    if flips:
        return ""
    return study.platforms[0 if sign < 0 else 1].name if sign else "neither"

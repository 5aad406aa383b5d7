"""All that is asked about what drives a study's costs, where its ranking flips, and what it is worth to know, in one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from simulator.engine.sample_of_trials import sample_of_trials
from simulator.experiments.sensitivity.applicability import (
    CERTAIN,
    MOST_PAIRS,
    MapError,
    Pair,
    by_expected_cost,
    check_map,
    compared,
    inputs_of_map,
    why_not,
)
from simulator.experiments.sensitivity.break_even import BreakEven, break_even
from simulator.experiments.sensitivity.conditional import Conditional, conditional
from simulator.experiments.sensitivity.crossover import Crossover, crossover
from simulator.experiments.sensitivity.from_sample import OutputMeasures, measure_outputs
from simulator.experiments.sensitivity.one_at_a_time import Bar, OneAtATime, one_at_a_time
from simulator.experiments.sensitivity.players import NotApplicable
from simulator.experiments.sensitivity.ranked_sample import rank_sample, regressions
from simulator.experiments.sensitivity.reverse_stress import ReverseStress, reverse_stress
from simulator.experiments.sensitivity.robustness import Robustness, robustness
from simulator.experiments.sensitivity.shapley import ShapleyEffects, shapley
from simulator.experiments.sensitivity.sobol import SobolIndices, sobol
from simulator.experiments.sensitivity.value_of_information import Decision, plan_costs, value_of_information
from simulator.study.model import Study
from simulator.study.sensitivity import METHODS, in_order, unknown_method

_FROM_SAMPLE = {"rank_correlation", "value_of_information", "reverse_stress"}
_MAP_POINTS = (11, 11)
# About how long each takes, in runs of 65,536 trials, for the bar of progress alone.
_EFFORT = {"alone": 0.3, "conditional": 1.0, "sobol": 2.0, "shapley": 4.0, "sample": 6.0, "break_even": 1.0, "crossover": 4.0,
           "robustness": 1.0}
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class LeftOut:
    """A method that was asked for and does not apply, and why."""

    method: str
    reason: str


@dataclass(frozen=True)
class Map:
    """A crossover map and its pair (later, earlier)."""

    pair: Pair
    crossover: Crossover


@dataclass(frozen=True)
class Sensitivity:
    """What each method says; empty or None where it was not asked for, or is left out.

    methods     that were asked for and apply
    measures    rank correlation, regression and first-order indices, output by output
    decision    by the cost per million tokens; `plan` the same of all that the study's plan serves
    break_even  by pair (later, earlier)
    notes       what is left out within a method
    """

    study: Study
    methods: tuple[str, ...]
    one_at_a_time: OneAtATime | None = None
    conditional: tuple[Conditional, ...] = ()
    measures: tuple[OutputMeasures, ...] = ()
    sobol: tuple[SobolIndices, ...] = ()
    shapley: tuple[ShapleyEffects, ...] = ()
    shapley_groups: tuple[ShapleyEffects, ...] = ()
    decision: Decision | None = None
    plan: Decision | None = None
    break_even: Mapping[Pair, tuple[BreakEven, ...]] | None = None
    crossover: Map | None = None
    reverse_stress: ReverseStress | None = None
    robustness: Robustness | None = None
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether nothing is uncertain, so that most methods have nothing to tell."""
        return any(left.reason == CERTAIN for left in self.left_out)

    def tornado(self, platform: int, against: int | None = None) -> tuple[Bar, ...]:
        """Bars of a platform's cost [USD], or of its ratio to another's where both always cost something."""
        alone = self.one_at_a_time
        if alone is None or "tornado" not in self.methods:
            return ()
        if against is not None and any(line.costs[[platform, against]].min() <= 0 for line in alone.lines):
            return ()
        return alone.tornado(platform, against)


def sensitivity(study: Study, methods: Sequence[str] = (), threads: int = 0, progress: Callable[[float], None] | None = None,
                map_of: tuple[str, str] | None = None) -> Sensitivity:
    """All that the methods say of a study.

    methods   of `study.sensitivity.METHODS`; where none are named those that the study names, else all that apply
    threads   0 for every core; no result depends on it
    progress  told the share that is done
    map_of    paths of the two inputs of the crossover map, which is then asked for; else the two that matter most to its pair
    The ordinary trials are drawn once for all methods that rest on them. A method that does not apply is left out, with the
    reason. Raises NotApplicable where methods are named and none of them applies, ValueError for a name that is no method,
    MapError for a path of the map that is no input, RunError where a cost is not finite.
    """
    for name in methods:
        if wrong := unknown_method(name):
            raise ValueError(wrong)
    named = in_order(methods or study.sensitivity.methods)
    if named and map_of:
        named = in_order((*named, "crossover"))
    reasons = why_not(study)
    left_out = tuple(LeftOut(method, reasons[method]) for method in named or METHODS if method in reasons)
    wants = tuple(method for method in named or METHODS if method not in reasons)
    if named and not wants:
        raise NotApplicable("; ".join(f"{left.method}: {left.reason}" for left in left_out))
    if map_of and "crossover" in wants:
        check_map(study, *map_of)
    steps = _Steps(wants, progress)
    alone = steps.take("alone", lambda: one_at_a_time(study))
    found = Sensitivity(study, wants, left_out=left_out)
    if {"tornado", "spider"} & {*wants}:
        found = replace(found, one_at_a_time=alone, notes=alone.notes)
    if "shapley" in wants:
        by_input, by_group = steps.take("shapley", lambda: (shapley(study, "inputs", threads=threads),
                                                            shapley(study, "groups", threads=threads)))
        found = replace(found, shapley=by_input, shapley_groups=by_group)
    if "sobol" in wants:
        found = replace(found, sobol=steps.take("sobol", lambda: sobol(study, threads=threads)))
    if "conditional" in wants:
        found = replace(found, conditional=steps.take("conditional", lambda: conditional(study, threads)))
    if _FROM_SAMPLE & {*wants}:
        found = steps.take("sample", lambda: _from_sample(found, threads))
    ranking = by_expected_cost(study, found.decision, alone)
    if "break_even" in wants:
        found = steps.take("break_even", lambda: _break_even(found, ranking, threads))
    if "crossover" in wants:
        found = steps.take("crossover", lambda: _crossover(found, ranking, alone, map_of, threads))
    if "robustness" in wants:
        found = steps.take("robustness", lambda: _robustness(found, threads))
    return found


def sensitivity_alone(asked: tuple[Sequence[str], tuple[str, str] | None], study: Study) -> Sensitivity:
    """As `sensitivity`, of methods and inputs of the map, in one thread: a task for a worker elsewhere."""
    methods, map_of = asked
    return sensitivity(study, methods, 1, None, map_of)


def _from_sample(found: Sensitivity, threads: int) -> Sensitivity:
    """With all that rests on the ordinary trials, drawn and ranked once."""
    study, wants = found.study, found.methods
    ready = rank_sample(sample_of_trials(study, threads=threads), tuple(platform.name for platform in study.platforms), threads)
    costs = ready.sample.costs
    planned = plan_costs(ready, study.plan) if study.plan and "value_of_information" in wants else costs[:0]
    measured = "rank_correlation" in wants
    values = np.concatenate([ready.values if measured else costs, planned])  # costs come first among a sample's values
    if measured or "value_of_information" in wants:
        fits = regressions(ready, values)
    if measured:
        found = replace(found, measures=measure_outputs(ready, fits))
    if "value_of_information" in wants:
        found = replace(found, decision=value_of_information(ready, costs, fits))
        if len(planned):
            found = replace(found, plan=value_of_information(ready, planned, fits, len(values) - len(planned)))
    return replace(found, reverse_stress=reverse_stress(ready)) if "reverse_stress" in wants else found


def _break_even(found: Sensitivity, ranking: Sequence[int], threads: int) -> Sensitivity:
    every = found.study.pairs
    pairs = compared(every, ranking)
    values = {pair: break_even(found.study, pair, threads=threads) for pair in pairs}
    cheapest = found.study.platforms[ranking[0]].label
    more = () if len(pairs) == len(every) else (
        f"break-even values of the {len(pairs)} pairs with {cheapest}, the cheapest, and not of all {len(every)}: of more "
        f"than {MOST_PAIRS} pairs those of the choice are looked at",)
    return replace(found, break_even=values, notes=(*found.notes, *more))


def _crossover(found: Sensitivity, ranking: Sequence[int], alone: OneAtATime, map_of: tuple[str, str] | None,
               threads: int) -> Sensitivity:
    """With the map of the two cheapest platforms, or with the reason why there is none."""
    pair = (max(ranking[:2]), min(ranking[:2]))
    try:
        inputs = map_of or inputs_of_map(found.study, pair, alone, found.shapley)
        if inputs is None:
            raise NotApplicable("fewer than two uncertain inputs move the ratio of the two cheapest platforms")
        return replace(found, crossover=Map(pair, crossover(found.study, *inputs, pair, _MAP_POINTS, threads=threads)))
    except NotApplicable as error:
        return _without(found, "crossover", error)
    except ValueError as error:  # of a platform that is none of the two
        labels = " and ".join(found.study.platforms[position].label for position in pair)
        raise MapError(f"{error}; the map compares {labels}") from None


def _robustness(found: Sensitivity, threads: int) -> Sensitivity:
    """With the choice in every alternative, or with the reason why none can be."""
    try:
        answer = robustness(found.study, threads)
    except NotApplicable as error:
        return _without(found, "robustness", error)
    return replace(found, robustness=answer, notes=(*found.notes, *answer.left_out))


def _without(found: Sensitivity, method: str, why: NotApplicable) -> Sensitivity:
    return replace(found, methods=tuple(name for name in found.methods if name != method),
                   left_out=(*found.left_out, LeftOut(method, str(why))))


class _Steps:
    """The parts of the work, each of which moves the bar of progress on when it is done."""

    def __init__(self, wants: Sequence[str], progress: Callable[[float], None] | None) -> None:
        parts = {"alone", *wants} | ({"sample"} if _FROM_SAMPLE & {*wants} else set())
        self._whole = sum(effort for part, effort in _EFFORT.items() if part in parts)
        self._done, self._progress = 0.0, progress

    def take(self, part: str, work: Callable[[], _Found]) -> _Found:
        found = work()
        self._done += _EFFORT[part]
        if self._progress:
            self._progress(min(self._done / self._whole, 1.0))
        return found

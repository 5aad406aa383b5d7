"""Which methods apply to a study, and which pairs and inputs they look at where there are many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from simulator.engine.parameters import compile_study
from simulator.engine.pick_freeze import pick_freeze
from simulator.experiments.sensitivity.alternatives import NONE_APPLIES, alternatives
from simulator.experiments.sensitivity.one_at_a_time import OneAtATime
from simulator.experiments.sensitivity.outputs import LOG_RATIO
from simulator.experiments.sensitivity.players import NotApplicable, players, refuse_dependent
from simulator.experiments.sensitivity.ranges import find_range, only, ranges
from simulator.experiments.sensitivity.shapley import ShapleyEffects
from simulator.experiments.sensitivity.value_of_information import Decision
from simulator.study.model import Process, Study
from simulator.study.sensitivity import METHODS

Pair = tuple[int, int]  # positions of platforms: later, earlier
MOST_PAIRS = 6  # all pairs of four platforms; of more, those with the cheapest
CERTAIN, ALONE = "nothing is uncertain", "there is only one platform: nothing to compare, and nothing to choose"
_OF_PAIRS = ("value_of_information", "break_even", "crossover", "reverse_stress", "robustness")
_OF_CERTAIN = ("break_even", "crossover", "robustness")  # these move what is certain too


class MapError(ValueError):
    """A map that is asked for over what is no input of the platforms it compares."""


def why_not(study: Study) -> dict[str, str]:
    """The methods that do not apply to a study, and why."""
    freeze = pick_freeze(study)
    found = dict.fromkeys(_OF_PAIRS, ALONE) if len(study.platforms) == 1 else {}
    if not found and not alternatives(study):
        found["robustness"] = NONE_APPLIES
    if not freeze.factors:
        return found | {method: CERTAIN for method in METHODS if method not in _OF_CERTAIN}
    try:
        refuse_dependent(freeze, players(freeze, "inputs"))
    except NotApplicable as error:
        found["sobol"] = str(error)
    return found


def check_map(study: Study, x: str, y: str) -> None:
    """Raise MapError, before anything is simulated, where a map cannot be of these inputs."""
    if x == y:
        raise MapError(f"found {x} twice; expected two inputs")
    compiled = compile_study(study, [], [])
    for path in (x, y):
        try:
            find_range(study, compiled, path)
        except ValueError as error:
            raise MapError(str(error)) from None


def by_expected_cost(study: Study, decision: Decision | None, alone: OneAtATime) -> list[int]:
    """Positions of platforms, the cheapest first: by expected cost where it is known, else at the medians."""
    costs = [decision.expected[platform.name].value for platform in study.platforms] if decision else alone.at_medians
    return [int(position) for position in np.argsort(costs, kind="stable")]


def compared(pairs: Sequence[Pair], ranking: Sequence[int]) -> tuple[Pair, ...]:
    """All pairs, or where they are many those with the cheapest platform."""
    return tuple(pair for pair in pairs if len(pairs) <= MOST_PAIRS or ranking[0] in pair)


def inputs_of_map(study: Study, pair: Pair, alone: OneAtATime, effects: Sequence[ShapleyEffects]) -> tuple[str, str] | None:
    """The two inputs that are one number and matter most to the ratio of a pair; of a price, its median. None without two."""
    compared = only(study, pair)
    movable = {one.path for one in ranges(compared, compile_study(compared, [], []))}
    found = dict.fromkeys(path for path in _by_effect(study, pair, alone, effects) if path in movable)
    first, second, *_ = *found, None, None
    return (first, second) if first and second else None


def _by_effect(study: Study, pair: Pair, alone: OneAtATime, effects: Sequence[ShapleyEffects]) -> Iterator[str]:
    """Paths by their share in the variance of the log ratio where that is known, and then by what they do alone."""
    name = "/".join(study.platforms[position].name for position in pair)
    processes = {path for path, given in study.inputs().items() if isinstance(given.value, Process)}
    for effect in effects:
        if (effect.output.quantity, effect.output.of) == (LOG_RATIO, name):
            ranked = sorted(zip(effect.players, effect.shares, strict=False), key=lambda pair: -pair[1].value)
            yield from (f"{path}.median" if path in processes else path for path, _ in ranked)
    positive = all(line.costs[list(pair)].min() > 0 for line in alone.lines)
    bars = alone.tornado(*pair) if positive else sorted((bar for platform in pair for bar in alone.tornado(platform)),
                                                        key=lambda bar: -bar.swing)
    yield from (f"{bar.input}.median" if bar.input in processes else bar.input for bar in bars)

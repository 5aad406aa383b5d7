"""How the ranking changes over a class of alternatives to the study's own world, on the same draws; the worst case stands out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from simulator.analysis.intervals import Estimate, change
from simulator.engine.run import run
from simulator.experiments.sensitivity.alternatives import NONE_APPLIES, Alternative, alternatives
from simulator.experiments.sensitivity.players import NotApplicable
from simulator.quantities import COST, DIFFERENCE, RATIO
from simulator.results import Run
from simulator.study.model import Simulation, Study
from simulator.study.problems import StudyError

MOST_TRIALS = 16_384  # of each run


@dataclass(frozen=True)
class World:
    """What comes of the choice of the base in one world.

    name, words           of the alternative; "base" of the study itself
    ranking               names of platforms by mean cost, the cheapest first
    rival                 the cheapest of the others by mean cost
    cost                  mean cost of the choice [USD per million tokens]; `change` what that is beyond the base's, the error
                          that of the difference; 0 of the base
    probability_cheapest  of the choice
    expected_regret       of the choice [USD per million tokens]
    ahead                 mean cost of the rival less that of the choice, positive where the choice is right [USD]
    ratio                 P50 of the choice's cost ÷ the rival's; None where a cost is not positive
    """

    name: str
    words: str
    ranking: tuple[str, ...]
    rival: str
    cost: Estimate
    change: Estimate
    probability_cheapest: Estimate
    expected_regret: Estimate
    ahead: Estimate
    ratio: Estimate | None

    def numbers(self) -> Iterator[tuple[str, str, Estimate]]:
        """Every number that there is, as (quantity, unit, estimate)."""
        yield "mean_cost", COST.unit, self.cost
        yield "change_of_mean_cost", COST.unit, self.change
        yield "probability_cheapest", "1", self.probability_cheapest
        yield "expected_regret", COST.unit, self.expected_regret
        yield "rival_dearer_by", COST.unit, self.ahead
        if self.ratio:
            yield "ratio_to_rival_p50", "1", self.ratio


@dataclass(frozen=True)
class Robustness:
    """The base's choice, the platform of the least mean cost, in the base and in each alternative.

    left_out  alternatives that cannot be, with the reason
    """

    choice: str
    base: World
    worlds: tuple[World, ...]
    left_out: tuple[str, ...] = ()

    @property
    def flips(self) -> tuple[World, ...]:
        """The alternatives in which another platform costs less in the mean."""
        return tuple(world for world in self.worlds if world.ranking[0] != self.choice)

    @property
    def reordered(self) -> tuple[World, ...]:
        """The alternatives in which any two platforms change places."""
        return tuple(world for world in self.worlds if world.ranking != self.base.ranking)

    @property
    def worst(self) -> World:
        """The alternative in which the choice has the largest expected regret, and of equal ones is least often the cheapest."""
        return max(self.worlds, key=lambda world: (world.expected_regret.value, -world.probability_cheapest.value))


def robustness(study: Study, threads: int = 0) -> Robustness:
    """The base's choice in every alternative of `alternatives(study)`, on the same draws, 16,384 trials of each at most.

    Raises NotApplicable where the study has one platform, or no alternative applies; RunError where a cost is not finite.
    """
    if len(study.platforms) == 1:
        raise NotApplicable("there is only one platform: nothing to compare")
    found = alternatives(study)
    if not found:
        raise NotApplicable(NONE_APPLIES)
    base = _run(study, study.simulation, threads)
    choice = _ranking(base)[0]
    own = _world("base", "as the study says", base, base, choice)
    worlds, left_out = [], []
    for alternative in found:
        try:
            other = _run(alternative.study(), study.simulation, threads)
        except StudyError as error:
            left_out.append(_why(alternative, error))
        else:
            worlds.append(_world(alternative.name, alternative.words, other, base, choice))
    if not worlds:
        raise NotApplicable("; ".join(left_out))
    return Robustness(choice, own, tuple(worlds), tuple(left_out))


def _run(study: Study, simulation: Simulation, threads: int) -> Run:
    """A study on the first trials of each replicate, a power of two of them."""
    each = min(simulation.trials_per_replicate, 1 << (max(MOST_TRIALS // simulation.replicates, 2).bit_length() - 1))
    few = replace(simulation, trials=each * simulation.replicates)
    return run(replace(study, simulation=few), threads, costs_alone=True)


def _why(alternative: Alternative, error: StudyError) -> str:
    return f"{alternative.words}: {error.problems[0].message}"


def _ranking(found: Run) -> tuple[str, ...]:
    names = [platform.name for platform in found.study.platforms]
    return tuple(sorted(names, key=lambda name: found.estimate(name, COST.name, "mean").value))


def _world(name: str, words: str, found: Run, base: Run, choice: str) -> World:
    ranking = _ranking(found)
    rival = next(other for other in ranking if other != choice)
    cost = found.estimate(choice, COST.name, "mean")
    names = [platform.name for platform in found.study.platforms]
    earlier, later = sorted((choice, rival), key=names.index)
    pair, is_later = f"{later}/{earlier}", later == choice
    difference, ratio = found.estimate(pair, DIFFERENCE.name, "mean"), found.find(pair, RATIO.name, "p50")
    if ratio and not is_later:
        ratio = ratio.inverse()  # of a median: the median of the inverse
    return World(name, words, ranking, rival, cost, change(base.estimate(choice, COST.name, "mean"), cost),
                 found.estimate(choice, "probability_cheapest"), found.estimate(choice, "expected_regret"),
                 difference.negative() if is_later else difference, ratio)

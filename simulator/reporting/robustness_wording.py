"""How the choice fares in other worlds than the study's, in sentences that the numbers support."""

from __future__ import annotations

from collections.abc import Callable

from simulator.analysis.intervals import Estimate
from simulator.experiments.sensitivity.robustness import Robustness, World
from simulator.reporting.wording import listed, percent, with_error
from simulator.study.model import Study


def amount_with_error(estimate: Estimate) -> str:
    """USD with their standard error."""
    return f"{with_error(estimate.value, estimate.standard_error)} USD"


def robustness_in_words(study: Study, found: Robustness, amount: Callable[[Estimate], str] = amount_with_error) -> str:
    """Whether the choice stays, where it does not, and what the worst alternative is; `amount`: how USD are written."""
    labels = study.labels
    choice, count = labels[found.choice], len(found.worlds)
    if not found.flips:
        says = f"The choice stays {choice} {_in_all(found)}"
    else:
        others = listed([f"{labels[world.ranking[0]]} {world.words}{_unsure(world)}" for world in found.flips])
        says = f"By expected cost the choice is {choice}, but {others} ({len(found.flips)} of {count} alternatives)"
    return f"{says}{_worst(found, amount)}{_order(found)}"


def _in_all(found: Robustness) -> str:
    count = len(found.worlds)
    return f"in all {count} alternatives" if count > 1 else f"in the one alternative, {found.worlds[0].words}"


def _unsure(world: World) -> str:
    """Where the simulation cannot tell who costs less in the mean."""
    return ", within the simulation error," if world.ahead.low < 0 < world.ahead.high else ""


def _worst(found: Robustness, amount: Callable[[Estimate], str]) -> str:
    worst = found.worst
    if worst.probability_cheapest.value == 1:
        return ", and is the cheapest in all simulated futures of each." if len(found.worlds) > 1 else (
            ", and is the cheapest in all simulated futures.")
    base = f"against {percent(found.base.probability_cheapest)} in the base"
    cheapest = f"cheapest in {percent(worst.probability_cheapest)} of futures, {base}"
    regret = worst.expected_regret
    return f"; worst: {worst.words} ({cheapest}; expected regret {amount(regret)} per million tokens)."


def _order(found: Robustness) -> str:
    """Alternatives in which only platforms behind the choice change places."""
    behind = [world.words for world in found.reordered if world not in found.flips]
    return f" Behind it, platforms change places {listed(behind)}." if behind else ""

"""Sobol' indices of a study: the share of each independent input, alone and with all its interactions, in the variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate
from simulator.analysis.sobol_indices import Indices, sobol_indices
from simulator.engine.pick_freeze import REPLICATES, PickFreeze, pick_freeze
from simulator.experiments.sensitivity.outputs import Output, outputs
from simulator.experiments.sensitivity.players import By, Player, players, refuse_dependent
from simulator.study.model import Study

TRIALS = 512  # of a replicate
CONSTANT = "nothing varies"


@dataclass(frozen=True)
class SobolIndices:
    """Indices of one output, player by player; none, and no variance, where `withheld` says why."""

    output: Output
    players: tuple[str, ...]
    variance: Estimate | None = None
    first: tuple[Estimate, ...] = ()
    total: tuple[Estimate, ...] = ()
    withheld: str = ""


def sobol(study: Study, by: By = "inputs", trials: int = TRIALS, threads: int = 0) -> tuple[SobolIndices, ...]:
    """First-order and total indices of every output.

    by      what shares in the variance (`players`)
    trials  of each of the replicates, a power of two from LANES on; costs are evaluated (2 + players) times for each
    Raises NotApplicable where players depend on one another.
    """
    freeze = pick_freeze(study)
    chosen = players(freeze, by)
    refuse_dependent(freeze, chosen)
    costs = freeze.costs(*_design(freeze, chosen), trials, threads)
    return tuple(_indices(output, chosen, None if withheld else sobol_indices(values[0], values[-1], values[1:-1]), withheld)
                 for output, values, withheld in outputs(study, costs))


def _design(freeze: PickFreeze, chosen: tuple[Player, ...]) -> tuple[Any, Any]:
    """Sets to keep: everything (A), everything but one player, nothing (B)."""
    count = len(freeze.factors)
    keeps = np.ones((2 + len(chosen), count), bool)
    for position, player in enumerate(chosen):
        keeps[1 + position, list(player.factors)] = False
    keeps[-1] = False
    return (np.broadcast_to(keeps, (REPLICATES, 1, *keeps.shape)),
            np.broadcast_to(np.arange(count), (REPLICATES, 1, count)))


def _indices(output: Output, chosen: tuple[Player, ...], found: Indices | None, withheld: str) -> SobolIndices:
    names = tuple(player.name for player in chosen)
    if found is None:
        return SobolIndices(output, names, withheld=withheld or CONSTANT)
    return SobolIndices(output, names, found.variance, found.first, found.total)

"""Costs on common draws: the same few thousand trials again and again, with some inputs held at chosen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.engine.parameters import compile_study
from simulator.engine.trials import Trials
from simulator.engine.variations import with_rows
from simulator.kernels.platform import COST_PER_MILLION
from simulator.kernels.trajectories import BLOCK
from simulator.study.model import Study

Array = np.ndarray[Any, np.dtype[np.float64]]
_ROUNDING = 1e-14


@dataclass(frozen=True)
class CommonDraws:
    """Trials that differ from call to call in what is held alone."""

    trials: Trials

    def costs(self, held: Mapping[int, float], replicates: int = 0) -> Array:
        """Cost of a million tokens, float64[platforms, replicates, trials of each] [USD].

        held        value of each row of the plan that is not drawn
        replicates  how many of the replicates, from the first; all where 0
        A member of a copula is held by decree: what depends on it is drawn as always, not given its value.
        """
        trials = self.trials.under(with_rows(self.trials.compiled.plan, held), replicates)
        platforms = len(trials.compiled.plan.features)
        found = np.empty((platforms, trials.simulation.replicates, trials.simulation.trials_per_replicate))
        for chunk, costs in trials.each(lambda chunk, results: results[:platforms].copy()):
            found[:, chunk.replicate, chunk.first:chunk.first + chunk.count] = costs
        return found


def common_draws(study: Study, replicates: int = 32, blocks: int = 1, threads: int = 0) -> CommonDraws:
    """The study's own draws, in `replicates` of `blocks` (a power of two) times 256 trials."""
    platforms = range(len(study.platforms))
    simulation = replace(study.simulation, replicates=replicates, trials=replicates * blocks * BLOCK)
    compiled = compile_study(study, [(owner, COST_PER_MILLION) for owner in platforms], [])
    return CommonDraws(Trials(compiled, simulation, 3 * len(platforms), threads))


def gap(later: Array, earlier: Array) -> Array:
    """(later − earlier) / (|later| + |earlier|): where costs are positive, tanh of half the logarithm of their ratio.

    It has the sign and the order of the log ratio, so the same zeros and the same quantiles, and is defined for any costs. Costs
    that differ by rounding alone are equal.
    """
    scale = np.abs(later) + np.abs(earlier)
    found: Array = np.divide(later - earlier, scale, out=np.zeros_like(scale), where=scale > 0)
    found[np.abs(found) < _ROUNDING] = 0.0
    return found


def median(values: Array) -> float:
    """The quantile x_(⌈n/2⌉) of an array."""
    flat = values.ravel()
    middle = (flat.size - 1) // 2
    return float(np.partition(flat, middle)[middle])

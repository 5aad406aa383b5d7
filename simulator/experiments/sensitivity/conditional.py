"""What platforms cost given that an input is low or high, over the ordinary trials, in which correlated inputs come along."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.analysis.conditional import Given, given_low_and_high
from simulator.engine.factors import Factor, factors
from simulator.engine.parameters import Compiled, compile_study
from simulator.engine.trials import Trials, available_cores
from simulator.kernels.platform import COST_PER_MILLION
from simulator.kernels.processes import WINDOW
from simulator.kernels.trajectories import BLOCK
from simulator.study.model import Study
from simulator.study.processes import units_of

Array = np.ndarray[Any, np.dtype[np.float64]]
_MOST = 65536  # trials: so many are enough for means of a tenth, and are held in memory


@dataclass(frozen=True)
class Conditional:
    """An input's effect with what it brings along: for each platform the mean cost [USD] where it is low, and where it is high.

    Thresholds are in `unit`; of a price process they are of the mean paid over its first 60 months, or as many as are in use.
    """

    input: str
    group: str
    unit: str
    platforms: tuple[tuple[Given, Given], ...]


def conditional(study: Study, threads: int = 0) -> tuple[Conditional, ...]:
    """Each uncertain input in its lowest and in its highest tenth; single failures have no such order, and are left out."""
    platforms = len(study.platforms)
    compiled = compile_study(study, [(owner, COST_PER_MILLION) for owner in range(platforms)], [])
    replicates = study.simulation.replicates
    each = min(study.simulation.trials_per_replicate, _MOST // replicates)
    simulation = replace(study.simulation, trials=each * replicates)
    found = [factor for factor in factors(study, compiled) if factor.platform < 0]
    columns = [(path, factor.group, source) for factor in found for path, source in _sources(compiled, factor)]
    values, costs = np.empty((len(columns), replicates, each)), np.empty((platforms, replicates, each))
    trials = Trials(compiled, simulation, 3 * platforms)

    def one(replicate: int) -> None:
        work = None
        for first in range(0, each, BLOCK):
            work = trials.block(replicate, first, work=work)
            n = min(BLOCK, each - first)
            for column, (_, _, (row, market)) in enumerate(columns):
                drawn = work.values[row] if market < 0 else work.prices[market, :min(WINDOW, work.months[market])].mean(axis=0)
                values[column, replicate, first:first + n] = drawn[:n]
            costs[:, replicate, first:first + n] = work.outputs[:, COST_PER_MILLION, :n]

    units = units_of(study.inputs())
    with ThreadPoolExecutor(threads or available_cores()) as pool:
        list(pool.map(one, range(replicates)))
        given = pool.map(lambda of_column: tuple(given_low_and_high(of_column, costs)), values)
        return tuple(Conditional(path, group, units[path], of_platforms)
                     for (path, group, _), of_platforms in zip(columns, given, strict=True))


def _sources(compiled: Compiled, factor: Factor) -> list[tuple[str, tuple[int, int]]]:
    """What is drawn for a factor and has an order: (path, (row, market)); of a process its level."""
    if factor.market >= 0:
        return [(factor.path, (-1, factor.market))]
    return [(compiled.rows[row], (row, -1)) for row in factor.rows]

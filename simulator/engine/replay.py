"""One trial again, alone: what was drawn in it, and what came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.engine.parameters import Compiled
from simulator.engine.trials import Trials
from simulator.kernels import platform as layout
from simulator.kernels.reliability import fill_failures
from simulator.kernels.trajectories import BLOCK, Plan, Workspace
from simulator.units import MONTHS

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Replayed:
    """A trial of a replicate (both from 0), and the block in which it has place `lane`.

    work, results  what the block drew, and what it gave: float64[rows, BLOCK]
    """

    compiled: Compiled
    seed: int
    replicate: int
    trial: int
    work: Workspace
    results: Array

    @property
    def lane(self) -> int:
        return self.trial % BLOCK

    def drawn(self) -> Array:
        """What was drawn, float64[rows], in the order of `Compiled.rows`."""
        found: Array = self.work.values[:, self.lane].copy()
        return found

    def result(self, row: int) -> float:
        """A row of results (`engine.layout`), as a run sees it."""
        return float(self.results[row, self.lane])

    def output(self, platform: int, output: int) -> float:
        """One of `kernels.platform.OUTPUT_ROWS` of a platform."""
        return float(self.work.outputs[platform, output, self.lane])

    def inputs(self, platform: int) -> dict[str, float]:
        """Every input of a platform by name, as it is stated; neutral or NaN where the study leaves it out."""
        rows = self.compiled.plan.platform_rows[platform]
        return {name: float(self.work.values[row, self.lane]) for name, row in zip(layout.INPUT_ROWS, rows, strict=True)}

    def throughput_factor(self, platform: int) -> float:
        """The product of a platform's throughput factors."""
        rows = self.compiled.plan.factor_rows[platform]
        return float(np.prod(self.work.values[rows[rows >= 0], self.lane]))

    def prices(self, market: int) -> Array:
        """The price paid on a market in each month, float64[MONTHS]; right as long as a platform pays it."""
        found: Array = self.work.prices[market, :, self.lane].copy()
        return found

    def failed(self, platform: int) -> Array | None:
        """The share of a platform's GPUs that fails in each month, float64[MONTHS]; None where that is no chance."""
        plan = self.compiled.plan
        features = int(plan.features[platform])
        if not features & layout.HAS_FLEET:
            return None
        inputs = np.zeros((layout.ROWS, BLOCK))
        inputs[:-2] = self.work.values[plan.platform_rows[platform]]
        failed, alive = np.zeros((MONTHS, BLOCK)), np.zeros((MONTHS, BLOCK))
        fill_failures(inputs, features, plan.horizon, np.uint64(self.seed), plan.failure_stream[platform], self.replicate,
                      self.trial - self.lane, np.zeros(BLOCK), np.zeros(BLOCK), failed, alive)
        found: Array = failed[:, self.lane]
        return found


def replay(trials: Trials, replicate: int, trial: int, plan: Plan | None = None) -> Replayed:
    """A trial again; under another plan of the same draws (`engine.variations`) where one is given."""
    results = np.empty((trials.rows, BLOCK))
    work = trials.block(replicate, trial // BLOCK * BLOCK, plan, results)
    return Replayed(trials.compiled, trials.simulation.seed, replicate, trial, work, results)

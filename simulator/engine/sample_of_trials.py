"""A sample of a study's own trials with what each drew: what sensitivities "from the sample in hand" are taken of."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.engine.factors import Factor, factors
from simulator.engine.parameters import Compiled, compile_study
from simulator.engine.trials import Trials
from simulator.kernels.platform import COST_PER_MILLION
from simulator.kernels.processes import WINDOW
from simulator.kernels.trajectories import BLOCK, Workspace, workspace
from simulator.kernels.trial_samples import luck_of_failures, price_means, real_discount_rates
from simulator.study.model import Study
from simulator.units import MONTHS, MONTHS_PER_YEAR

Array = np.ndarray[Any, np.dtype[np.float64]]
MOST_TRIALS = 65_536

# A price path in few numbers: means over so many months, and whether later months weigh less. The first stands for the path
# in rank correlations; it is the mean of which a tornado takes percentiles.
PRICE_MEANS = ((WINDOW, False), (12, False), (36, False), (120, True))
_PRICE_DISCOUNT = 0.1  # 1/year: of the order of costs of capital; it only shapes a summary


@dataclass(frozen=True)
class TrialSample:
    """Trials of a study, replicate after replicate, each with as many.

    factors        the uncertain inputs
    columns        of each factor: its rows of `values`; the first one stands for it where one number is wanted
    values         float64[columns, n]: what each trial drew, in the unit of the input; of a price path the means over 60, 12, 36
                   and (discounted) 120 months, as far as a life in the same block of 256 trials reaches; of failures of single
                   GPUs how far they exceed what was to be expected, in standard deviations
    costs          float64[platforms, n]: cost per million tokens [USD]
    discount_rate  float64[n]: the real rate of the first platform that states one, else 0 [1/year]
    """

    factors: tuple[Factor, ...]
    columns: tuple[tuple[int, ...], ...]
    values: Array
    costs: Array
    discount_rate: Array
    replicates: int

    @property
    def trials(self) -> int:
        return int(self.costs.shape[1])

    @property
    def replicate(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The replicate of each trial, int64[n]."""
        return np.repeat(np.arange(self.replicates), self.trials // self.replicates)


def sample_of_trials(study: Study, trials: int = MOST_TRIALS, threads: int = 0) -> TrialSample:
    """The first trials of each replicate of a study's run, `trials` in all at most (rounded down to as many in each).

    Takes 8 bytes × trials × (columns + platforms + 1), and a block's scratch for each thread; no result depends on threads.
    """
    compiled = compile_study(study, [], [])
    found = factors(study, compiled)
    replicates = study.simulation.replicates
    each = min(max(trials // replicates, 1), study.simulation.trials_per_replicate)
    columns = tuple(_numbered(found))
    count = sum(len(places) for places in columns)
    sample = TrialSample(found, columns, np.empty((count, replicates * each)),
                         np.empty((len(study.platforms), replicates * each)), np.zeros(replicates * each), replicates)
    engine = Trials(compiled, study.simulation, 2 * len(study.platforms), threads)
    rate_of = next((k for k, platform in enumerate(study.platforms) if _states_rate(study, k)), -1)

    def fill(replicate: int) -> None:
        work = workspace(compiled.plan)
        for first in range(0, each, BLOCK):
            engine.block(replicate, first, work=work)
            n, start = min(BLOCK, each - first), replicate * each + first
            _fill(sample, compiled, work, slice(start, start + n))
            for factor, places in zip(found, columns, strict=True):
                if factor.platform >= 0:
                    luck_of_failures(compiled.plan, factor.platform, np.uint64(study.simulation.seed), replicate, first, work,
                                     sample.values[places[0], start:start + n])
            if rate_of >= 0:
                real_discount_rates(compiled.plan, rate_of, work, sample.discount_rate[start:start + n])

    with ThreadPoolExecutor(engine.threads, thread_name_prefix="tco") as pool:
        list(pool.map(fill, range(replicates)))
    return sample


def _numbered(found: tuple[Factor, ...]) -> Iterator[tuple[int, ...]]:
    first = 0
    for factor in found:
        count = len(PRICE_MEANS) if factor.market >= 0 else 1
        yield tuple(range(first, first + count))
        first += count


def _states_rate(study: Study, position: int) -> bool:
    given = study.platforms[position].inputs.get("discount_rate")
    return given is not None and given.is_stated


def _fill(sample: TrialSample, compiled: Compiled, work: Workspace, where: slice) -> None:
    n = where.stop - where.start
    for factor, places in zip(sample.factors, sample.columns, strict=True):
        if factor.market >= 0:
            price_means(_WEIGHTS, int(work.months[factor.market]), work.prices[factor.market],
                        sample.values[places[0]:places[-1] + 1, where])
        elif factor.rows:
            sample.values[places[0], where] = work.values[factor.rows[0], :n]
    sample.costs[:, where] = work.outputs[:, COST_PER_MILLION, :n]


def _price_weights() -> Array:
    weights = np.zeros((len(PRICE_MEANS), MONTHS))
    for row, (months, discounted) in zip(weights, PRICE_MEANS, strict=True):
        row[:months] = (1 + _PRICE_DISCOUNT) ** (-np.arange(months) / MONTHS_PER_YEAR) if discounted else 1.0
    return weights


_WEIGHTS = _price_weights()

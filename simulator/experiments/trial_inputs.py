"""What was drawn in one trial: how unusual each input is there, and what the trial would give without it being so.

"Without": the input stands at its median in this trial, all other draws as they are. A price that moves has its path without
shocks, and the chance of single failures gives way to their expected number. These are not shares of anything: inputs work
together, and their effects do not add up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.engine.replay import Replayed, replay
from simulator.engine.trials import Trials
from simulator.engine.variations import with_expected_failures, with_rows, without_shocks
from simulator.kernels.platform import GPU_LIFETIME, HAS_FLEET
from simulator.kernels.trajectories import BLOCK, Plan
from simulator.study.families import Marginal
from simulator.study.mixtures import probabilities
from simulator.study.model import Platform, Process, Study
from simulator.study.processes import units_of
from simulator.units import MONTHS, MONTHS_PER_YEAR

Array = np.ndarray[Any, np.dtype[np.float64]]
INPUT, PRICE, FAILURES = "input", "price", "failures"
MOVING = ("energy_price", "rental_price", "token_price")
_ATOMIC = frozenset({"discrete", "mixture", "empirical"})  # families that may give a value a probability of its own
_SAME = 1e-9  # relatively nearer than this, tabulated values are one
_SAMPLE_BLOCKS = 64


@dataclass(frozen=True)
class DrawnInput:
    """One uncertain or certain number of a trial.

    path      of the input, or of the parameter of a process; of a price that moves, of its process; of the platform whose
              failures are drawn
    kind      "input"; "price": the mean over the life of a price that moves; "failures": GPUs that fail a year, as a share
    value     in `unit`
    standing  shares of outcomes below the value, and up to it; they differ where a value has a probability of its own;
              None where the number is certain; of a price among the first trials of the run, each over its own life
    median    None for a price, whose path without shocks stands in for it
    without   what the trial would give with the median in its place
    """

    path: str
    kind: str
    unit: str
    value: float
    standing: tuple[float, float] | None
    median: float | None
    without: float


def standing_of(marginal: Marginal, value: float) -> tuple[float, float]:
    """The probabilities of less than a value, and of at most it."""
    if marginal.family not in _ATOMIC:
        below, _ = probabilities(marginal, np.array([value]))
        return float(below[0]), float(below[0])
    room = _SAME * max(abs(value), 1e-300)
    below, _ = probabilities(marginal, np.array([value - room, value + room]))
    first, last = map(float, below)
    return (first, last) if last - first > 1e-6 else (last, last)


def drawn_inputs(study: Study, trials: Trials, trial: Replayed, row: int, factor: float,
                 platforms: Sequence[int]) -> tuple[DrawnInput, ...]:
    """Every number that was drawn for some platforms, the largest effect first.

    row, factor  what the effects are of: a row of results, times a factor
    """
    def under(plan: Plan) -> float:
        return replay(trials, trial.replicate, trial.trial, plan).result(row) * factor

    own = trial.result(row) * factor
    chosen = [(position, study.platforms[position]) for position in platforms]
    found = [*_scalars(study, trial, [platform for _, platform in chosen], own, under), *_prices(trials, trial, chosen, under),
             *_failures(trial, chosen, under)]
    return tuple(sorted(found, key=lambda given: -abs(own - given.without)))


def _scalars(study: Study, trial: Replayed, platforms: Sequence[Platform], own: float, under: Any) -> Iterator[DrawnInput]:
    """Inputs that do not move, and the parameters of those that do."""
    plan, drawn = trial.compiled.plan, trial.drawn()
    rows = {path: row for row, path in enumerate(trial.compiled.rows) if path}
    units = units_of(study.inputs())
    for path, marginal in _marginals(platforms).items():
        value = float(drawn[rows[path]])
        if marginal.is_constant:
            yield DrawnInput(path, INPUT, units[path], value, None, value, own)
            continue
        median = marginal.quantile(0.5)
        yield DrawnInput(path, INPUT, units[path], value, standing_of(marginal, value), median,
                         under(with_rows(plan, {rows[path]: median})))


def _marginals(platforms: Sequence[Platform]) -> dict[str, Marginal]:
    found: dict[str, Marginal] = {}
    for platform in platforms:
        for given in platform.all_inputs():
            if isinstance(given.value, Process):
                found |= {f"{given.path}.{name}": marginal for name, marginal in given.value.parameters.items()}
            else:
                found[given.path] = given.value
    return found


def market_of(plan: Plan, platform: int) -> dict[str, int]:
    """The markets of the prices that move for a platform, by input."""
    places = zip(MOVING, (plan.energy_market, plan.rental_market, plan.token_market), strict=True)
    return {name: int(markets[platform]) for name, markets in places if markets[platform] >= 0}


def _prices(trials: Trials, trial: Replayed, platforms: Sequence[tuple[int, Platform]], under: Any) -> Iterator[DrawnInput]:
    """The prices that move: their means over the life of the first platform that pays them, among those of other trials."""
    plan = trial.compiled.plan
    payers: dict[int, tuple[int, str, str]] = {}
    for position, platform in platforms:
        for name, market in market_of(plan, position).items():
            payers.setdefault(market, (position, platform.inputs[name].path, platform.inputs[name].quantity.unit))
    others = _sampled_means(trials, {market: position for market, (position, _, _) in payers.items()}) if payers else {}
    for market, (position, path, unit) in payers.items():
        mean = float(_means(trial.work, plan, market, position)[trial.lane])
        below = float(np.mean(others[market] < mean) + np.mean(others[market] <= mean)) / 2
        yield DrawnInput(path, PRICE, unit, mean, (below, below), None, under(without_shocks(plan, market, trial.drawn())))


def _means(work: Any, plan: Plan, market: int, platform: int) -> Array:
    """The mean price of a market over the life of a platform, in each trial of a block: float64[BLOCK]."""
    life = np.minimum(work.values[plan.platform_rows[platform, GPU_LIFETIME]], plan.horizon)
    weights = np.clip(MONTHS_PER_YEAR * life - np.arange(MONTHS)[:, None], 0, 1)
    found: Array = np.sum(weights * np.where(weights > 0, work.prices[market], 0.0), axis=0) / np.sum(weights, axis=0)
    return found


def _sampled_means(trials: Trials, payers: Mapping[int, int]) -> dict[int, Array]:
    """Mean prices by market in the first trials of the run, up to 64 blocks of them; `payers`: platform by market."""
    each, count = trials.simulation.trials_per_replicate, 0
    found: dict[int, list[Array]] = {market: [] for market in payers}
    work = None
    for replicate in range(trials.simulation.replicates):
        for first in range(0, each, BLOCK):
            if count == _SAMPLE_BLOCKS:
                break
            count += 1
            work = trials.block(replicate, first, work=work)
            for market, platform in payers.items():
                found[market].append(_means(work, trials.compiled.plan, market, platform)[: each - first])
    return {market: np.concatenate(means) for market, means in found.items()}


def _failures(trial: Replayed, platforms: Sequence[tuple[int, Platform]], under: Any) -> Iterator[DrawnInput]:
    """The chance of single failures: the share of the GPUs that failed in a year of the life, and its Poisson standing."""
    from scipy.special import pdtr

    plan = trial.compiled.plan
    for position, platform in platforms:
        failed = trial.failed(position)
        if not plan.features[position] & HAS_FLEET or failed is None:
            continue
        x = trial.inputs(position)
        life = min(x["gpu_lifetime"], plan.horizon)
        months = int(np.ceil(MONTHS_PER_YEAR * life))
        expected = x["failure_rate"] * x["failure_epidemic"]
        share = float(np.sum(failed[:months])) / life
        count, mean = round(share * life * x["fleet_size"]), expected * life * x["fleet_size"]
        standing = (float(pdtr(count - 1, mean)) if count else 0.0, float(pdtr(count, mean)))
        yield DrawnInput(f"platforms.{platform.name}.failures", FAILURES, "1/GPU/year", share, standing, expected,
                         under(with_expected_failures(plan, position)))

"""How long until an answer is known to 0.1 %: the standard error of the mean and of P95 of the cost per token.

Plain sampling needs (sd/(0.001 mean))² trials for the mean, and p(1 − p)/(f(q)·0.001 q)² for a percentile q, f the density there;
it runs at the speed that careful NumPy is measured at. tco takes the smallest doubling of its trials at which the standard error
that it reports, the root mean square over seeds, is no more than 0.1 %. Of the two platforms the slower one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

import simulator
from benchmarks import careful_numpy
from benchmarks.measuring import STUDY, Goal, Row, Section, duration, in_turns
from simulator.study.model import Study

TARGET = 0.001
_COST = "cost_per_million_tokens"
_MOST = 1 << 22
_LEAST = 1 << 9


def plain_trials(study: Mapping[str, Any], trials: int) -> dict[str, float]:
    """How many plain trials the mean and P95 take, from a sample."""
    found = careful_numpy.simulate(study, trials, np.random.default_rng(7))
    mean, p95 = [], []
    for name in study["platforms"]:
        x = np.sort(found[name, _COST])
        mean.append((x.std() / (TARGET * x.mean())) ** 2)
        below, q, above = np.quantile(x, (0.94, 0.95, 0.96))
        p95.append(0.95 * 0.05 / (0.02 / (above - below) * TARGET * q) ** 2)
    return {"mean": max(mean), "p95": max(p95)}


def study_of(sampler: str, trials: int, seed: int) -> Study:
    """The benchmark's study."""
    chosen = (f"simulation.trials={trials}", f"simulation.sampler={sampler}", f"simulation.seed={seed}")
    return simulator.load(STUDY, overrides=chosen)


def trials_needed(sampler: str, seeds: int) -> dict[str, int]:
    """The smallest doublings at which tco's own standard errors of the mean and of P95 are small enough; those found."""
    found: dict[str, int] = {}
    trials = _LEAST
    while trials <= _MOST and len(found) < 2:
        runs = [simulator.run(study_of(sampler, trials, seed)) for seed in range(1, seeds + 1)]
        for statistic in ("mean", "p95"):
            errors = np.array([[run.estimate(name, _COST, statistic).standard_error / run.estimate(name, _COST, statistic).value
                                for name in ("a", "b")] for run in runs])
            if np.sqrt((errors**2).mean(axis=0)).max() <= TARGET:
                found.setdefault(statistic, trials)
        trials *= 2
    return found


def precision(study: Mapping[str, Any], numpy_trials: int, seeds: int, rounds: int) -> Section:
    """Times to 0.1 %, and the same with tco's own plain sampler."""
    plain = plain_trials(study, numpy_trials)
    needed = {sampler: trials_needed(sampler, seeds) for sampler in ("sobol", "random")}
    runs = {(sampler, statistic): study_of(sampler, trials, 1)
            for sampler, found in needed.items() for statistic, trials in found.items()}
    actions = {f"{sampler} {statistic}": partial(simulator.run, run, 2) for (sampler, statistic), run in runs.items()}
    times = in_turns({"numpy": lambda: careful_numpy.run(study, numpy_trials), **actions}, rounds)
    speed = times["numpy"].best / numpy_trials
    rows = []
    for statistic, label, goal in (("mean", "the mean", Goal(1000)), ("p95", "P95", Goal(100))):
        took = plain[statistic] * speed
        against = f"careful NumPy, plain sampling, {plain[statistic]:,.0f} trials, {duration(took)}"
        for sampler, remark in (("sobol", ""), ("random", " (plain sampling in tco, too)")):
            what = f"time to {TARGET:.1%} standard error on {label}{remark}"
            if statistic in needed[sampler]:
                best = times[f"{sampler} {statistic}"].best
                measured = f"{duration(best)}, {needed[sampler][statistic]:,} trials"
                rows.append(Row(what, measured, against, took / best, goal if sampler == "sobol" else None))
            else:
                rows.append(Row(what, f"not reached with {_MOST:,} trials", against))
    return Section(rows, list(times.values()))

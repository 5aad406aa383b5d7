"""A sample of trials made ready once for all methods that need no runs of their own: ranks, scores, outputs, regressions."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.conditional_means import Fit, fit
from simulator.analysis.ranks import Ranked, ranked
from simulator.engine.sample_of_trials import TrialSample
from simulator.engine.trials import available_cores
from simulator.experiments.sensitivity.outputs import LOG_COST, LOG_RATIO, Output, settled
from simulator.quantities import COST

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Subject:
    """An input, or a group of them: its name (the path, or the name of the group) and its rows of `TrialSample.values`."""

    name: str
    columns: tuple[int, ...]


@dataclass(frozen=True)
class RankedSample:
    """A sample with its ranks and normal scores, float64[columns, n], and its outputs, float64[outputs, n].

    inputs, groups  the uncertain inputs, and the groups that hold some
    free            platforms that cost nothing or less in some trial, whose logs and ratios mean nothing and are left out
    """

    sample: TrialSample
    platforms: tuple[str, ...]
    inputs: tuple[Subject, ...]
    groups: tuple[Subject, ...]
    ranked: Ranked
    scores: Array
    outputs: tuple[Output, ...]
    values: Array
    free: tuple[str, ...]
    threads: int


def rank_sample(sample: TrialSample, platforms: tuple[str, ...], threads: int = 0) -> RankedSample:
    """Rank a sample's inputs and form its outputs. `platforms`: names, in the order of `sample.costs`."""
    threads = threads or available_cores()
    order = ranked(sample.values, threads)
    inputs = tuple(Subject(factor.path, places) for factor, places in zip(sample.factors, sample.columns, strict=True))
    members: dict[str, list[int]] = {}
    for factor, places in zip(sample.factors, sample.columns, strict=True):
        members.setdefault(factor.group, []).extend(places)
    groups = tuple(Subject(name, tuple(members[name])) for name in sorted(members))
    costs = dict(zip(platforms, sample.costs, strict=True))
    logs = {name: np.log(cost) for name, cost in costs.items() if cost.min() > 0}
    found = [(Output(COST.name, name), cost) for name, cost in costs.items()]
    found += [(Output(LOG_COST, name), log) for name, log in logs.items()]
    names = list(logs)
    found += [(Output(LOG_RATIO, f"{later}/{earlier}"), settled(logs[later] - logs[earlier]))
              for k, earlier in enumerate(names) for later in names[k + 1:]]
    return RankedSample(sample, platforms, inputs, groups, order, order.scores(), tuple(output for output, _ in found),
                        np.array([values for _, values in found]), tuple(name for name in costs if name not in logs), threads)


def regressions(ready: RankedSample, values: Array) -> Mapping[str, Fit]:
    """Regress values, float64[O, n], on each input and each group: fits by name."""
    centred = values - values.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.mean(centred**2, axis=1))
    # Columns whose products a group's regression takes are those that matter most to some output.
    strength = np.abs(np.einsum("kn,on->ko", ready.scores, centred)) / np.where(spread > 0, spread, np.inf)
    weight = strength.max(axis=1)
    distinct = {subject.columns: subject for subject in (*ready.inputs, *ready.groups)}

    def one(subject: Subject) -> Fit:
        columns = list(subject.columns)
        return fit(ready.scores[columns], values, ready.sample.replicates, [float(weight[k]) for k in columns])

    with ThreadPoolExecutor(ready.threads, thread_name_prefix="tco") as pool:
        fits = dict(zip(distinct, pool.map(one, distinct.values()), strict=True))
    return {subject.name: fits[subject.columns] for subject in (*ready.inputs, *ready.groups)}

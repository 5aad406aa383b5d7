"""What a Q–Q picture shows: quantiles of the fit against those of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.fitting.distributions import DistributionFit
from simulator.fitting.families import Array
from simulator.fitting.lifetimes import LifetimeFit
from simulator.fitting.processes import ProcessFit

_MOST_POINTS = 400
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class QuantilePlot:
    """Points of a Q–Q picture, float64[k] each, rising.

    fitted, observed  quantiles of the fit, and of the data
    low, high         where 95 % of samples from the fit would have the observed one, point by point; empty where not known
    title, axis       what is compared, and in which unit
    """

    fitted: Array
    observed: Array
    low: Array
    high: Array
    title: str
    axis: str


def of_distribution(fit: DistributionFit, title: str, axis: str) -> QuantilePlot:
    """Complete data against the chosen candidate, at (k − 1/2)/n."""
    return _of_sample(fit.data, fit.best.frozen, title, axis)


def of_process(fit: ProcessFit, title: str) -> QuantilePlot:
    """The monthly shocks of a process against the standard normal that they should be."""
    from scipy import stats

    return _of_sample(fit.residuals, stats.norm(), title, "monthly shock, standard deviations")


def of_lifetimes(fit: LifetimeFit, title: str, axis: str) -> QuantilePlot:
    """Ages at failure against the fitted age at which as many have failed by Kaplan and Meier, midway through each step."""
    before = np.concatenate([[1.0], fit.curve.alive[:-1]])
    failed = 1 - (before + fit.curve.alive) / 2
    chosen = _spread_out(len(failed))
    nothing = np.empty(0)
    return QuantilePlot(fit.best.frozen.ppf(failed[chosen]), fit.curve.times[chosen], nothing, nothing, title, axis)


def _of_sample(data: Array, frozen: Any, title: str, axis: str) -> QuantilePlot:
    from scipy.special import betaincinv

    ordered, n = np.sort(data), len(data)
    rank = _spread_out(n) + 1
    tail = (1 - _CONFIDENCE) / 2
    # The k-th of n uniforms is Beta(k, n − k + 1).
    low, high = (frozen.ppf(betaincinv(rank, n - rank + 1, p)) for p in (tail, 1 - tail))
    return QuantilePlot(frozen.ppf((rank - 0.5) / n), ordered[rank - 1], low, high, title, axis)


def _spread_out(count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Some positions of many, the first and last fifty among them: there the fit is tried."""
    if count <= _MOST_POINTS:
        return np.arange(count)
    ends = np.concatenate([np.arange(50), np.arange(count - 50, count)])
    return np.unique(np.concatenate([ends, np.linspace(0, count - 1, _MOST_POINTS).astype(np.int64)]))

"""The mean-reverting process of monthly prices: conditional least squares on consecutive logs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.fitting.candidates import GoodnessOfFit
from simulator.fitting.distributions import goodness_of_fit
from simulator.fitting.families import FAMILY, Array, UnfittableError
from simulator.units import MONTHS_PER_YEAR

Months = np.ndarray[Any, np.dtype[np.int64]]  # months since January 1970
FEWEST_PAIRS = 12
_FEW_PAIRS, _RARE = 36, 0.05
# A fit is made by a few months where it moves by more than this without them. Of simulated series of 60 months with
# normal shocks 1 to 5 % do (one month for the reversion rate, one or two for the volatility).
REVERSION_RATE_MOVES, VOLATILITY_MOVES = 0.6, 0.3


@dataclass(frozen=True)
class Influence:
    """What the fit is without the months that move it most.

    months  left out; reversion_rate [1/year], volatility [1/√year], median [price] without them, NaN where nothing fits
    makes   whether they make the fit
    """

    months: tuple[str, ...]
    reversion_rate: float
    volatility: float
    median: float
    makes: bool

    def document(self) -> dict[str, Any]:
        """For JSON. What does not apply is absent."""
        numbers = {"median": self.median, "reversion_rate": self.reversion_rate, "volatility": self.volatility}
        return {"without": list(self.months), **{name: value for name, value in numbers.items() if math.isfinite(value)}}


@dataclass(frozen=True)
class ProcessFit:
    """A process x_t = a + b x_{t−1} + s ε_t in logs, and what it is in continuous time.

    median [price], reversion_rate [1/year], volatility [1/√year]; standard errors by parameter
    pairs      of consecutive months, on which it rests
    residuals  float64[pairs], over s
    bias       of the reversion rate in so short a series, approximately
    """

    median: float
    reversion_rate: float
    volatility: float
    standard_errors: dict[str, float]
    pairs: int
    residuals: Array
    bias: float
    goodness: GoodnessOfFit | None = None
    influence: Influence | None = None
    warnings: tuple[str, ...] = ()

    @property
    def log_sd(self) -> float:
        """Standard deviation of the log price in the long run, σ / √(2κ)."""
        return self.volatility / math.sqrt(2 * self.reversion_rate)

    @property
    def half_life(self) -> float:
        """Months after which half of a deviation from the median is gone."""
        return MONTHS_PER_YEAR * math.log(2) / self.reversion_rate

    @property
    def parameters(self) -> dict[str, float]:
        return {"median": self.median, "reversion_rate": self.reversion_rate, "volatility": self.volatility}

    def document(self) -> dict[str, Any]:
        """For JSON."""
        said: dict[str, Any] = {"process": "mean_reverting", **self.parameters, "standard_errors": self.standard_errors,
                                "pairs": self.pairs, "reversion_rate_bias": self.bias}
        if self.goodness:
            said["ks_of_residuals"] = {"statistic": self.goodness.statistic, "p_value": self.goodness.p_value}
        if self.influence:
            said["most_influential"] = self.influence.document()
        return said


def fit_mean_reverting(months: Months, prices: Array) -> ProcessFit:
    """Fit the process to monthly prices. Raises UnfittableError.

    months  int64[n], since January 1970, rising; a gap breaks the pair over it
    prices  float64[n], above 0

    x_t = a + b x_{t−1} + s ε_t by least squares, s² with n − 2; κ = −12 log b, σ = s √(2κ / (1 − b²)),
    median = exp(a / (1 − b)): the exact discretisation of kernels/processes.py, turned round.
    """
    if np.any(prices <= 0):
        first = int(np.argmax(prices <= 0))
        raise UnfittableError(f"found a mean of {prices[first]:g} in {month_name(months[first])}; expected means above 0, since "
                              "the process lives in logs: fit 'price + constant' and give the constant back as a negative "
                              "'delivery', or leave the month out")
    if len(prices) and np.ptp(np.log(prices)) < 1e-9:
        raise UnfittableError(f"found {len(prices):,} prices that are all {prices[0]:g}; expected some spread: write the number "
                              "itself in the study")
    fitted = _least_squares(months, np.log(prices))
    normal = FAMILY["normal"]
    fitted = replace(fitted, goodness=goodness_of_fit(normal, normal.estimate(fitted.residuals), fitted.residuals),
                     influence=most_influential(months, np.log(prices), fitted))
    return replace(fitted, warnings=tuple(_warnings(months, prices, fitted)))


def month_name(month: int) -> str:
    """A month since January 1970 as 2021-02."""
    return f"{1970 + month // MONTHS_PER_YEAR}-{month % MONTHS_PER_YEAR + 1:02d}"


def _least_squares(months: Months, x: Array) -> ProcessFit:
    joined = np.diff(months) == 1
    before, after = x[:-1][joined], x[1:][joined]
    n = len(before)
    if n < FEWEST_PAIRS:
        raise UnfittableError(f"found {n} pairs of consecutive months; expected at least {FEWEST_PAIRS}, and better some sixty")
    centre = before.mean()
    spread = float(np.sum((before - centre) ** 2))
    if spread < 1e-18:
        raise UnfittableError("found prices that are all equal; expected some spread: write the number itself in the study")
    b = float(np.sum((before - centre) * (after - after.mean()))) / spread
    a = float(after.mean() - b * centre)
    if not 0 < b < 1:
        drifts = "they do not return to a level" if b >= 1 else "one month says nothing about the next"
        remedy = ("a longer series, prices in real terms, or a distribution that is drawn once (without --process)" if b >= 1 else
                  "a distribution that is drawn once (without --process), or finer causes removed, such as --cap on the hours")
        raise UnfittableError(f"found logs that follow one another with the slope {b:.3g}: {drifts}; expected a slope between "
                              f"0 and 1 for a mean-reverting process. What helps: {remedy}")
    residuals = after - a - b * before
    variance = float(np.sum(residuals**2)) / (n - 2)
    if variance <= 1e-24:
        raise UnfittableError("found prices that follow one another without any noise; expected measured prices")
    s = math.sqrt(variance)
    kappa = -MONTHS_PER_YEAR * math.log(b)
    sigma = s * math.sqrt(2 * kappa / (1 - b * b))
    median = math.exp(a / (1 - b))
    # Delta method: (a, b) have the covariance of least squares, s² is independent of them with variance 2 s⁴/(n − 2).
    var_b, cov_ab = variance / spread, -variance * centre / spread
    var_a = variance * (1 / n + centre**2 / spread)
    log_sigma_by_b = -MONTHS_PER_YEAR / (2 * kappa * b) + b / (1 - b * b)
    by_a, by_b = 1 / (1 - b), a / (1 - b) ** 2
    errors = {
        "median": median * math.sqrt(max(by_a**2 * var_a + 2 * by_a * by_b * cov_ab + by_b**2 * var_b, 0.0)),
        "reversion_rate": MONTHS_PER_YEAR / b * math.sqrt(var_b),
        "volatility": sigma * math.sqrt(log_sigma_by_b**2 * var_b + 1 / (2 * (n - 2)))}
    # E[b̂] − b ≈ −(1 + 3b)/n (Kendall 1954), carried over to κ.
    bias = MONTHS_PER_YEAR * (1 + 3 * b) / (n * b)
    return ProcessFit(median, kappa, sigma, errors, n, residuals / s, bias)


def most_influential(months: Months, x: Array, fitted: ProcessFit) -> Influence:
    """The month, or the two, without which the fit of log prices x moves most; two where one alone does not make it."""
    first = _without_one_more(months, x, [], fitted)
    second = _without_one_more(months, x, [first], fitted)
    one, two = _influence(months, x, [first], fitted), _influence(months, x, [first, second], fitted)
    # Two months move the reversion rate of many a clean series by half: of them only the volatility is asked.
    return two if not one.makes and abs(two.volatility / fitted.volatility - 1) > VOLATILITY_MOVES else one


def _without_one_more(months: Months, x: Array, dropped: list[int], fitted: ProcessFit) -> int:
    """The month that, left out beside others, moves the fit most, each parameter against what makes a fit."""
    def move(k: int) -> float:
        other = _refitted(months, x, [*dropped, k])
        if other is None:
            return math.inf
        return max(abs(other.reversion_rate / fitted.reversion_rate - 1) / REVERSION_RATE_MOVES,
                   abs(other.volatility / fitted.volatility - 1) / VOLATILITY_MOVES)

    return max((k for k in range(len(x)) if k not in dropped), key=move)


def _influence(months: Months, x: Array, dropped: list[int], fitted: ProcessFit) -> Influence:
    names = tuple(month_name(int(months[k])) for k in sorted(dropped))
    other = _refitted(months, x, dropped)
    if other is None:
        return Influence(names, math.nan, math.nan, math.nan, makes=True)
    makes = (abs(other.reversion_rate / fitted.reversion_rate - 1) > REVERSION_RATE_MOVES
             or abs(other.volatility / fitted.volatility - 1) > VOLATILITY_MOVES)
    return Influence(names, other.reversion_rate, other.volatility, other.median, makes)


def _refitted(months: Months, x: Array, dropped: list[int]) -> ProcessFit | None:
    kept = np.setdiff1d(np.arange(len(x)), dropped)
    try:
        return _least_squares(months[kept], x[kept])
    except UnfittableError:
        return None


def _warnings(months: Months, prices: Array, fitted: ProcessFit) -> list[str]:
    said = []
    if fitted.pairs < _FEW_PAIRS:
        said.append(f"{fitted.pairs} pairs of months are few for a mean-reverting process")
    if fitted.influence and fitted.influence.makes:
        said.append(_made_by(fitted.influence, months, prices, fitted))
    said.append(f"in short series the reversion rate comes out too high: by about {fitted.bias:.2g} of "
                f"{fitted.reversion_rate:.3g} per year with {fitted.pairs} pairs (Kendall's approximation)")
    if fitted.goodness and fitted.goodness.p_value < _RARE:
        said.append(f"the monthly shocks are not normal (Kolmogorov–Smirnov p = {fitted.goodness.p_value:.2g}): there are more "
                    "jumps, or more quiet months, than the process has")
    return said


def _made_by(influence: Influence, months: Months, prices: Array, fitted: ProcessFit) -> str:
    price = {month_name(int(month)): price for month, price in zip(months, prices, strict=True)}
    names = " and ".join(f"{name} (mean price {price[name]:.4g})" for name in influence.months)
    count = len(influence.months)
    begun = f"{'one month makes' if count == 1 else 'two months make'} this fit: without {names} "
    if not math.isfinite(influence.median):
        return begun + "no mean-reverting process can be fitted. --cap on the hours of the price file may help"
    return begun + (f"the reversion rate is {influence.reversion_rate:.3g} and not {fitted.reversion_rate:.3g} per year, "
                    f"the volatility {influence.volatility:.3g} and not {fitted.volatility:.3g}, the median "
                    f"{influence.median:.3g} and not {fitted.median:.3g}. Decide whether such a month belongs into the future "
                    "that you mean; --cap cuts the hours of a price file")

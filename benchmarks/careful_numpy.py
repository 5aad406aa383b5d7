"""The model of the benchmark's study as fast as plain NumPy goes, on one core: what a careful user would write by hand.

Blocks of trials that stay in the cache, one loop over months on preallocated buffers, recurrences for all powers of time, an
exponential a month for the price alone. What both platforms share (discounting, the price) is computed once, and months that
every trial lives through take no weights. Bought platforms that pay one mean-reverting price of energy; no tax, fleet or rent.

Arrays are [n] over the trials of a block; amounts are per GPU in real USD.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Inputs = dict[str, Array]
HOURS = 8766 / 12  # of a month
SECONDS = 3600 * HOURS
BLOCK = 8192  # trials: the fastest of the powers of two about it
PERCENTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
PARTS = ("capex", "facility", "energy", "hosting", "operations", "replacement")
OUTPUTS = ("cost_per_million_tokens", "cost_per_gpu_hour", "tokens_per_dollar", "tokens_per_second_per_megawatt",
           "tokens_per_second_per_facility_megawatt", "energy_per_million_tokens", "flops_per_dollar")


# --- inputs ------------------------------------------------------------------------------------------------

def _pert(rng: np.random.Generator, n: int, low: float, mode: float, high: float) -> Array:
    x = rng.beta(1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low), n)
    x *= high - low
    x += low
    return x


def _lognormal(rng: np.random.Generator, n: int, median: float, sigma: float) -> Array:
    x = rng.standard_normal(n)
    x *= sigma
    np.exp(x, out=x)
    x *= median
    return x


DISTRIBUTIONS: dict[str, Callable[..., Array]] = {
    "uniform": lambda rng, n, low, high: rng.uniform(low, high, n),
    "triangular": lambda rng, n, low, mode, high: rng.triangular(low, mode, high, n),
    "pert": _pert,
    "lognormal": _lognormal,
    "beta": lambda rng, n, alpha, beta: rng.beta(alpha, beta, n),
    "gamma": lambda rng, n, shape, scale: rng.gamma(shape, scale, n),
}


def _draw(rng: np.random.Generator, n: int, inputs: Mapping[str, Any]) -> Inputs:
    """Every input of a mapping of the study that is a number or a distribution; the factors of throughput as one product."""
    drawn: Inputs = {}
    for name, given in inputs.items():
        if isinstance(given, (int, float)):
            drawn[name] = np.full(n, float(given))
        elif isinstance(given, Mapping) and "distribution" in given:
            own = {key: value for key, value in given.items() if key != "distribution"}
            drawn[name] = DISTRIBUTIONS[given["distribution"]](rng, n, **own)
    factors = _draw(rng, n, inputs["throughput_factors"]) if "throughput_factors" in inputs else {}
    if factors:
        drawn["throughput_factor"] = np.prod(list(factors.values()), axis=0)
    return drawn


# --- the model ---------------------------------------------------------------------------------------------

class Market:
    """What all platforms share in a month: discounting from the first token on, and the price of energy.

    v     [n] (1 + discount_rate)^−((t−½)/12) of the month t that `step` last went to
    spot  [n] v times the part of the price that moves, e^{x_t − μ}
    What is paid for energy is fixed + moving · e^{x_t − μ}, a hedge being at the stationary mean.
    """

    def __init__(self, discount_rate: Array, process: Mapping[str, float]) -> None:
        growth = np.log1p(discount_rate)
        self.v_step = np.exp(-growth / 12)
        self.v = np.exp(growth * 0.5 / 12)  # half a month ahead of the first token: `step` comes before each month
        kappa, sigma, median, hedged = (process[name] for name in ("reversion_rate", "volatility", "median", "hedged_share"))
        self.kept = np.exp(-kappa / 12)
        self.shock = sigma * np.sqrt((1 - self.kept**2) / (2 * kappa))
        self.fixed = process["delivery"] + hedged * median * np.exp(sigma**2 / (4 * kappa))
        self.moving = (1 - hedged) * median
        self.x, self.spot = np.zeros_like(self.v), np.empty_like(self.v)

    def step(self, fill_normal: Callable[[Array], object]) -> None:
        self.v *= self.v_step
        fill_normal(self.spot)
        self.spot *= self.shock
        self.x *= self.kept
        self.x += self.spot
        np.exp(self.x, out=self.spot)
        self.spot *= self.v


class Sums:
    """Sums over the months of one platform, each [n]; `missed` is what the ramp takes from utilization, as a share of it."""

    def __init__(self, x: Inputs, discount_rate: Array, horizon: float) -> None:
        n = discount_rate.size
        (self.time, self.spot, self.missed, self.spot_missed, self.hosting, self.covered, self.tokens, self.missed_plain,
         self.tokens_plain) = np.zeros((9, n))  # discounted, but for the plain ones
        self._w, self._performance, self._room = np.empty((3, n))
        self.months = 12 * np.minimum(x["gpu_lifetime"], horizon)
        lost, rise = np.log1p(-x["throughput_degradation"]) / 12, 1 / (12 * x["software_gain_time"])
        # performance_t is the difference of two powers of time: (1 + g) (1 − degradation)^y − g (1 − degradation)^y e^{−y/τ}.
        self._grown, self._grown_step = (1 + x["software_gain"]) * np.exp(-lost / 2), np.exp(lost)
        self._rising, self._rising_step = x["software_gain"] * np.exp((rise - lost) / 2), np.exp(lost - rise)
        escalation = (np.log1p(x["hosting_escalation"]) - np.log1p(discount_rate)) / 12
        self._hosted, self._hosted_step = np.exp(-escalation / 2), np.exp(escalation)
        self._ramp = 1 / (12 * np.maximum(x["utilization_ramp"], 1e-9))
        self._warranty = 12 * x["warranty"] + 1e-9
        self._ramp_end, self._warranty_end = 12 * float(x["utilization_ramp"].max()), float(self._warranty.max())
        self.whole, self.last = int(self.months.min()), int(np.ceil(self.months.max()))

    def add(self, t: int, market: Market) -> None:
        """Month t; Σ v and Σ v e^{x − μ} are not added while every trial lives: the market's own sums are the same."""
        self._grown *= self._grown_step
        self._rising *= self._rising_step
        self._hosted *= self._hosted_step
        room, performance, w = self._room, self._performance, None
        np.subtract(self._grown, self._rising, out=performance)
        if t <= self.whole:
            self.hosting += self._hosted
        else:
            w = self._w
            np.subtract(self.months, t - 1, out=w)
            np.clip(w, 0, 1, out=w)
            performance *= w
            for total, value in ((self.hosting, self._hosted), (self.time, market.v), (self.spot, market.spot)):
                np.multiply(value, w, out=room)
                total += room
        if t <= self._warranty_end:
            np.multiply(market.v, t <= self._warranty, out=room)
            if w is not None:
                room *= w
            self.covered += room
        if t - 0.5 < self._ramp_end:
            reached = np.minimum(self._ramp * (t - 0.5), 1)
            performance *= reached
            missed = 1 - reached if w is None else (1 - reached) * w
            self.missed_plain += missed
            self.missed += missed * market.v
            self.spot_missed += missed * market.spot
        self.tokens_plain += performance
        np.multiply(performance, market.v, out=room)
        self.tokens += room


def sums_over_months(market: Market, platforms: list[Sums], fill_normal: Callable[[Array], object]) -> None:
    """All months of a block; `fill_normal` fills a month's standard normals, [n]."""
    time, spot = np.zeros_like(market.v), np.zeros_like(market.v)
    alike = max(platform.whole for platform in platforms)
    for t in range(1, max(platform.last for platform in platforms) + 1):
        market.step(fill_normal)
        for platform in platforms:
            if t <= platform.last:
                platform.add(t, market)
        if t <= alike:
            time += market.v
            spot += market.spot
        for platform in platforms:
            if t == platform.whole:
                platform.time += time
                platform.spot += spot


def results(x: Inputs, peak_flops: float, market: Market, sums: Sums) -> dict[str, Array]:
    """The outputs, parts of the cost, present cost and present tokens of one platform, each [n], from its sums."""
    rate, power, capex = np.log1p(x["discount_rate"]), x["power"], x["capex"]
    wait = np.exp(-rate * x["deployment_time"])
    life = sums.months / 12
    time, tokens = wait * sums.time, wait * sums.tokens
    fresh = x["throughput"] * x["throughput_factor"]
    a_month = fresh * x["utilization"] * x["availability"] * SECONDS
    full_load = power * x["availability"] * x["pue"] * HOURS  # kWh in a month
    idle, used = x["idle_power_fraction"], (1 - x["idle_power_fraction"]) * x["utilization"]
    paid = wait * (market.fixed * sums.time + market.moving * sums.spot)
    paid_missed = wait * (market.fixed * sums.missed + market.moving * sums.spot_missed)
    recovered = x["residual_value"] * np.exp(-x["residual_decay"] * life - rate * life) * wait
    present = {
        "capex": capex - capex * recovered,
        "facility": x["facility_capex"] * power * time / monthly_annuity(rate, x["facility_lifetime"]),
        "energy": full_load * (idle * paid + used * (paid - paid_missed)),
        "hosting": power * x["hosting_price"] * wait * sums.hosting,
        "operations": time / 12 * (x["opex"] + x["maintenance_rate"] * capex),
        "replacement": x["replacement_cost"] * capex * x["failure_rate"] / 12 * (time - wait * sums.covered),
    }
    cost, sold = sum(present.values()), a_month * tokens
    per_hour = cost / (HOURS * time)
    return {
        "cost_per_million_tokens": 1e6 * cost / sold, "cost_per_gpu_hour": per_hour, "tokens_per_dollar": sold / cost,
        "tokens_per_second_per_megawatt": 1000 * fresh / power,
        "tokens_per_second_per_facility_megawatt": 1000 * fresh / (power * x["pue"]),
        "energy_per_million_tokens": 1e6 * full_load * (idle * sums.months + used * (sums.months - sums.missed_plain))
        / (a_month * sums.tokens_plain),
        "flops_per_dollar": peak_flops / per_hour,
        **{part: 1e6 * value / sold for part, value in present.items()},
        "present_cost": cost, "present_tokens": sold}


def monthly_annuity(rate: Array, years: Array) -> Array:
    """Present value of 1 a month, paid mid-month for `years`; `rate` is the log of 1 + the yearly rate."""
    whole, step = np.floor(12 * years), rate / 12
    return np.exp(-step / 2) * (np.expm1(-whole * step) / np.expm1(-step) + (12 * years - whole) * np.exp(-whole * step))


def one_block(study: Mapping[str, Any], n: int, rng: np.random.Generator) -> dict[str, dict[str, Array]]:
    """The results of n trials, by platform."""
    shared = _draw(rng, n, study["shared"])
    inputs = {name: {**shared, **_draw(rng, n, platform)} for name, platform in study["platforms"].items()}
    return results_of(study, inputs, lambda z: rng.standard_normal(out=z))


def results_of(study: Mapping[str, Any], inputs: Mapping[str, Inputs],
               fill_normal: Callable[[Array], object]) -> dict[str, dict[str, Array]]:
    """The results by platform, from the inputs of each and the normals of the price's shocks, month by month."""
    horizon = float(study["simulation"]["horizon"])
    discount_rate = next(iter(inputs.values()))["discount_rate"]
    market = Market(discount_rate, study["shared"]["energy_price"])
    sums = {name: Sums(x, discount_rate, horizon) for name, x in inputs.items()}
    sums_over_months(market, list(sums.values()), fill_normal)
    return {name: results(x, study["platforms"][name]["peak_flops"], market, sums[name]) for name, x in inputs.items()}


# --- a run -------------------------------------------------------------------------------------------------

Trials = dict[tuple[str, str], Array]  # by platform (or pair) and quantity


def simulate(study: Mapping[str, Any], trials: int, rng: np.random.Generator, block: int = BLOCK) -> Trials:
    """All trials: every output, part and comparison, each [trials]."""
    first, second = study["platforms"]
    pair = f"{second}/{first}"
    kept: Trials = {}
    for start in range(0, trials, block):
        n = min(block, trials - start)
        found = one_block(study, n, rng)
        rows: dict[tuple[str, str], Any] = {(name, quantity): values for name, platform in found.items()
                                            for quantity, values in platform.items()}
        this, that = (found[name]["cost_per_million_tokens"] for name in (second, first))
        least = np.minimum(this, that)
        rows |= {(pair, "ratio"): this / that, (pair, "cheaper"): this < that, (first, "cheapest"): that < this,
                 (second, "cheapest"): this < that, (first, "regret"): that - least, (second, "regret"): this - least}
        if not kept:
            kept = {key: np.empty(trials) for key in rows}
        for key, values in rows.items():
            kept[key][start:start + n] = values
    return kept


def statistics(found: Trials) -> dict[tuple[str, str, str], float]:
    """Means of all, and of outputs and the ratio the sd, seven percentiles and the mean of the dearest (or worst) 5 %.

    A row of `found` whose percentiles are wanted comes out sorted.
    """
    told: dict[tuple[str, str, str], float] = {}
    for (owner, quantity), x in found.items():
        told[owner, quantity, "mean"] = x.mean()
        if quantity in (*OUTPUTS, "ratio"):
            told[owner, quantity, "sd"] = x.std(ddof=1)
            x.sort()
            for p in PERCENTILES:
                told[owner, quantity, f"p{100 * p:g}"] = x[int(np.ceil(x.size * p)) - 1]
            tail = x.size // 20
            worst = x[:tail] if quantity.startswith(("tokens", "flops")) else x[-tail:]
            told[owner, quantity, "cvar95"] = worst.mean()
    for owner in {owner for owner, quantity in found if quantity == "present_cost"}:
        price = 1e6 * told[owner, "present_cost", "mean"] / told[owner, "present_tokens", "mean"]
        told[owner, "break_even_price", ""] = price
    return told


def run(study: Mapping[str, Any], trials: int, seed: int = 1) -> dict[tuple[str, str, str], float]:
    """A whole run: what is timed."""
    return statistics(simulate(study, trials, np.random.Generator(np.random.SFC64(seed))))

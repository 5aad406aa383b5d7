"""The cost model in plain NumPy: whole arrays of trials × months, one line an equation.

It shares no code with the simulator, so that each can be held against the other, and it may be read as a statement of
the model. A study is the mapping that its YAML gives, in canonical units. In what follows [n] is an array over trials
and [n, T] one over trials and months; money is in real US dollars and per GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import stats

HOURS = 8766 / 12  # of a month
SECONDS = 3600 * HOURS
HORIZON = 15.0  # years

NEUTRAL = {"hosting_price": 0, "throughput_degradation": 0, "residual_value": 0, "residual_decay": 0, "failure_rate": 0,
           "replacement_cost": 0, "opex": 0, "maintenance_rate": 0, "availability": 1, "idle_power_fraction": 1,
           "software_gain": 0, "software_gain_time": 1, "deployment_time": 0, "utilization_ramp": 0, "hosting_escalation": 0,
           "facility_capex": 0, "facility_lifetime": 1, "warranty": 0}
NEUTRAL_RENTED = {"gpu_lifetime": 1, "discount_rate": 0}
INPUTS = {*NEUTRAL, *NEUTRAL_RENTED, "utilization", "throughput", "capex", "rental_price", "energy_price", "power", "pue",
          "peak_flops"}

Array = np.ndarray
Results = dict[str, Any]


# --- inputs ------------------------------------------------------------------------------------------------

def _pert(rng: np.random.Generator, n: int, low: float, mode: float, high: float, shape: float = 4) -> Array:
    alpha, beta = 1 + shape * (mode - low) / (high - low), 1 + shape * (high - mode) / (high - low)
    return low + (high - low) * rng.beta(alpha, beta, n)


def _truncated_normal(rng: np.random.Generator, n: int, mean: float, sd: float,
                      low: float = -np.inf, high: float = np.inf) -> Array:
    return stats.truncnorm((low - mean) / sd, (high - mean) / sd, loc=mean, scale=sd).rvs(n, random_state=rng)


def _beta(rng: np.random.Generator, n: int, alpha: float, beta: float, low: float = 0, high: float = 1) -> Array:
    return low + (high - low) * rng.beta(alpha, beta, n)


def _discrete(rng: np.random.Generator, n: int, values: list[float], weights: list[float]) -> Array:
    return rng.choice(np.array(values, float), n, p=np.array(weights) / sum(weights))


DISTRIBUTIONS: dict[str, Callable[..., Array]] = {
    "constant": lambda rng, n, value: np.full(n, float(value)),
    "uniform": lambda rng, n, low, high: rng.uniform(low, high, n),
    "triangular": lambda rng, n, low, mode, high: rng.triangular(low, mode, high, n),
    "pert": _pert,
    "normal": lambda rng, n, mean, sd: rng.normal(mean, sd, n),
    "truncated_normal": _truncated_normal,
    "lognormal": lambda rng, n, median, sigma: median * np.exp(sigma * rng.standard_normal(n)),
    "beta": _beta,
    "gamma": lambda rng, n, shape, scale: rng.gamma(shape, scale, n),
    "weibull": lambda rng, n, shape, scale: scale * rng.weibull(shape, n),
    "exponential": lambda rng, n, mean: rng.exponential(mean, n),
    "discrete": _discrete,
}


def _draw(rng: np.random.Generator, n: int, given: Any) -> Array:
    """One input that does not move in time [n]."""
    if not isinstance(given, Mapping):
        return np.full(n, float(given))
    if "value" in given:
        return np.full(n, float(given["value"]))
    parameters = {name: value for name, value in given.items() if name != "distribution"}
    return DISTRIBUTIONS[given["distribution"]](rng, n, **parameters)


def _mean_reverting(rng: np.random.Generator, n: int, given: Mapping[str, Any], months: int) -> Array:
    """What is paid in months 1 … T [n, T]: the log of the price is an Ornstein–Uhlenbeck process, sampled exactly."""
    def parameter(name: str) -> Array:
        return _draw(rng, n, given.get(name, 0))

    mu, kappa, sigma = np.log(parameter("median")), parameter("reversion_rate"), parameter("volatility")
    kept = np.exp(-kappa / 12)  # of a deviation, after one month
    shock = sigma * np.sqrt((1 - kept**2) / (2 * kappa))  # sd of one month's shock
    x = np.log(parameter("start")) if "start" in given else mu
    spot = np.empty((n, months))
    for t in range(months):
        x = mu + (x - mu) * kept + shock * rng.standard_normal(n)
        spot[:, t] = np.exp(x)
    hedged = parameter("hedged_share")
    strike = parameter("strike") if "strike" in given else np.exp(mu + sigma**2 / (4 * kappa))
    return _monthly(parameter("delivery") + hedged * strike) + _monthly(1 - hedged) * spot


def _monthly(x: Array) -> Array:
    """A quantity per trial [n] beside one per trial and month: [n, 1]."""
    return x[:, None]


def _is_process(given: Any) -> bool:
    return isinstance(given, Mapping) and "process" in given


def _named(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of one mapping of the study, a throughput factor by the name `throughput_factors.NAME`."""
    factors = {f"throughput_factors.{name}": given for name, given in inputs.get("throughput_factors", {}).items()}
    return {name: given for name, given in inputs.items() if name in INPUTS} | factors


# --- the model ---------------------------------------------------------------------------------------------

def _whole_months(years: Array, months: int) -> Array:
    """How much of month t falls into the first `years`: 1, then the fraction left, then 0 [n, months]."""
    return np.clip(_monthly(12 * years) - np.arange(months), 0, 1)


def _most_months(years: Array) -> int:
    return int(np.ceil(12 * years.max()))


def one_platform(x: Mapping[str, Array], ownership: str, horizon: float) -> Results:
    """The results of every trial of one platform from its inputs `x`, each [n], or [n, months] for a process."""
    life = np.minimum(x["gpu_lifetime"], horizon)
    months = _most_months(life)
    share = _whole_months(life, months)
    years = (np.arange(months) + 0.5) / 12  # mid-month, from the first token on
    m = {name: _monthly(value) for name, value in x.items() if value.ndim == 1}

    def price(name: str) -> Array:
        return x[name][:, :months] if x[name].ndim == 2 else m[name]

    discount = (1 + m["discount_rate"]) ** -(m["deployment_time"] + years)
    ramp = np.maximum(m["utilization_ramp"], 1e-9)  # no ramp is over by the middle of the first month, too
    utilization = m["utilization"] * np.minimum(1, years / ramp)
    performance = ((1 - m["throughput_degradation"]) ** years
                   * (1 + m["software_gain"] * (1 - np.exp(-years / m["software_gain_time"]))))
    throughput = x["throughput"] * np.prod([value for name, value in x.items() if name.startswith("throughput_factors.")], axis=0)
    tokens = _monthly(throughput) * utilization * m["availability"] * performance * SECONDS * share

    def present_value(monthly: Array) -> Array:
        return (monthly * discount).sum(axis=1)

    present: dict[str, Array] = {}
    if "power" in x and "pue" in x:
        load = m["idle_power_fraction"] + (1 - m["idle_power_fraction"]) * utilization
        energy = m["power"] * load * m["availability"] * m["pue"] * HOURS * share  # kWh
    if ownership == "rent":
        present["rent"] = present_value(price("rental_price") * HOURS * share)
    else:
        residual = x["capex"] * x["residual_value"] * np.exp(-x["residual_decay"] * life)
        present["capex"] = x["capex"] - residual * (1 + x["discount_rate"]) ** -(x["deployment_time"] + life)
        present["facility"] = present_value(m["facility_capex"] * m["power"] * share / _monthly(_facility_annuity(x)))
        present["energy"] = present_value(energy * price("energy_price"))
        present["hosting"] = present_value(m["power"] * m["hosting_price"] * (1 + m["hosting_escalation"]) ** years * share)
        present["operations"] = present_value((m["opex"] + m["maintenance_rate"] * m["capex"]) / 12 * share)
        paid = np.arange(1, months + 1) > 12 * m["warranty"] + 1e-9
        present["replacement"] = present_value(m["failure_rate"] / 12 * m["replacement_cost"] * m["capex"] * share * paid)
    cost, sold = sum(present.values()), present_value(tokens)

    results: Results = {
        "present_cost": cost, "present_tokens": sold,
        "cost_per_million_tokens": 1e6 * cost / sold,
        "parts": {part: 1e6 * value / sold for part, value in present.items()},
        "cost_per_gpu_hour": cost / present_value(HOURS * share),
        "tokens_per_dollar": sold / cost,
    }
    if "peak_flops" in x:
        results["flops_per_dollar"] = x["peak_flops"] / results["cost_per_gpu_hour"]
    if "power" in x:
        results["tokens_per_second_per_megawatt"] = 1000 * throughput / x["power"]
    if "power" in x and "pue" in x:
        results["tokens_per_second_per_facility_megawatt"] = 1000 * throughput / (x["power"] * x["pue"])
        results["energy_per_million_tokens"] = 1e6 * energy.sum(axis=1) / tokens.sum(axis=1)
    return results


def _facility_annuity(x: Mapping[str, Array]) -> Array:
    """Present value of 1 USD paid in the middle of every month of the facility's life [n]."""
    months = _most_months(x["facility_lifetime"])
    years = (np.arange(months) + 0.5) / 12
    return (_whole_months(x["facility_lifetime"], months) * (1 + _monthly(x["discount_rate"])) ** -years).sum(axis=1)


def simulate(study: Mapping[str, Any], trials: int, rng: np.random.Generator) -> dict[str, Results]:
    """The results of every platform, each [trials]; what is shared is drawn once and used by all of them.

    Keys: cost_per_million_tokens [USD], parts (the same, by part; those of the platform's ownership),
    cost_per_gpu_hour [USD], tokens_per_dollar, tokens_per_second_per_megawatt,
    tokens_per_second_per_facility_megawatt, energy_per_million_tokens [kWh], flops_per_dollar
    [PFLOP/s per USD/hour], present_cost [USD/GPU], present_tokens [token/GPU].
    """
    horizon = float(study.get("simulation", {}).get("horizon", HORIZON))
    given = {None: _named(study.get("shared", {}))}  # by platform; None where all share it
    for name, platform in study["platforms"].items():
        neutral = {**NEUTRAL, **(NEUTRAL_RENTED if platform["ownership"] == "rent" else {})}
        left_out = {key: value for key, value in neutral.items() if key not in given[None]}
        given[name] = {**left_out, **_named(platform)}
    drawn = {name: {key: _draw(rng, trials, value) for key, value in inputs.items() if not _is_process(value)}
             for name, inputs in given.items()}
    months = max(_most_months(np.minimum({**drawn[None], **drawn[name]}["gpu_lifetime"], horizon)) for name in study["platforms"])
    for name, inputs in given.items():
        drawn[name] |= {key: _mean_reverting(rng, trials, value, months) for key, value in inputs.items() if _is_process(value)}
    return {name: one_platform({**drawn[None], **drawn[name]}, platform["ownership"], horizon)
            for name, platform in study["platforms"].items()}

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
           "facility_capex": 0, "facility_lifetime": 1, "warranty": 0, "failure_epidemic": 1, "contracted_power_factor": 1,
           "inflation": 0, "tax_rate": 0, "token_price_decline": 0, "cached_input_share": 0}
NEUTRAL_RENTED = {"gpu_lifetime": 1, "discount_rate": 0}
INPUTS = {*NEUTRAL, *NEUTRAL_RENTED, "utilization", "throughput", "capex", "rental_price", "energy_price", "power", "pue",
          "peak_flops", "fleet_size", "contract_term", "depreciation_life", "token_price", "input_token_price",
          "output_token_price", "cached_input_token_price", "target_margin", "carbon_intensity"}
WORDS = {"depreciation": "straight_line", "attrition": "with_replacement"}
MACRS_5 = (0.2, 0.32, 0.192, 0.1152, 0.1152, 0.0576)  # IRS Publication 946, table A-1
NEVER = 1e9

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
    if "probability" in given:
        return np.where(rng.random(n) < given["probability"], _draw(rng, n, given["rate_multiplier"]), 1.0)
    parameters = {name: value for name, value in given.items() if name not in ("distribution", "basis")}
    return DISTRIBUTIONS[given["distribution"]](rng, n, **parameters)


def _mean_reverting(rng: np.random.Generator, n: int, given: Mapping[str, Any], months: int, inflation: Array) -> Array:
    """What is paid in months 1 … T [n, T]: the log of the price is an Ornstein–Uhlenbeck process, sampled exactly, and jumps.

    A strike that is given is an amount of the day of the first token, and inflation eats it.
    """
    def parameter(name: str) -> Array:
        return _draw(rng, n, given.get(name, 0))

    mu, kappa, sigma = np.log(parameter("median")), parameter("reversion_rate"), parameter("volatility")
    kept = np.exp(-kappa / 12)  # of a deviation, after one month
    shock = sigma * np.sqrt((1 - kept**2) / (2 * kappa))  # sd of one month's shock
    if given.get("start") == "stationary":
        x = mu + sigma / np.sqrt(2 * kappa) * rng.standard_normal(n)
    else:
        x = np.log(parameter("start")) if "start" in given else mu
    jumps = {name: _draw(rng, n, value) for name, value in given.get("jumps", {"rate": 0, "mean": 0, "sd": 0}).items()}
    spot = np.empty((n, months))
    for t in range(months):
        count = rng.poisson(jumps["rate"] / 12)
        x = mu + (x - mu) * kept + shock * rng.standard_normal(n)
        x = x + count * jumps["mean"] + np.sqrt(count) * jumps["sd"] * rng.standard_normal(n)
        spot[:, t] = np.exp(x)
    hedged = _monthly(parameter("hedged_share"))
    if "strike" in given:
        strike = _monthly(parameter("strike")) * _monthly(1 + inflation) ** -((np.arange(months) + 0.5) / 12)
    else:
        strike = _monthly(np.exp(mu + sigma**2 / (4 * kappa)))
    return _monthly(parameter("delivery")) + hedged * strike + (1 - hedged) * spot


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


def one_platform(x: Mapping[str, Array], platform: Mapping[str, Any], horizon: float, rng: np.random.Generator) -> Results:
    """The results of every trial of one platform from its inputs `x`, each [n], or [n, months] for a process.

    platform  its ownership, words and operating point
    """
    ownership, words = platform["ownership"], {**WORDS, **platform}
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
    covered = np.arange(1, months + 1) <= 12 * m["warranty"] + 1e-9
    failed, alive, left_running = _failures(x, share, covered, words["attrition"] == "without_replacement", rng)
    tokens = _monthly(throughput) * utilization * m["availability"] * alive * performance * SECONDS * share

    def present_value(monthly: Array) -> Array:
        return (monthly * discount).sum(axis=1)

    present: dict[str, Array] = {}
    if "power" in x and "pue" in x:
        load = m["idle_power_fraction"] + (1 - m["idle_power_fraction"]) * utilization
        energy = m["power"] * load * m["availability"] * m["pue"] * alive * HOURS * share  # kWh
    paid: dict[str, Array] = {}  # in each month
    if ownership == "rent":
        paid["rent"] = _rent(x, price("rental_price"), months) * HOURS * share
        paid["operations"] = m["opex"] / 12 * share
    else:
        paid["facility"] = m["facility_capex"] * m["power"] * share / _monthly(_facility_annuity(x))
        paid["energy"] = energy * price("energy_price")
        paid["hosting"] = (m["power"] * m["contracted_power_factor"] * m["hosting_price"] * (1 + m["hosting_escalation"]) ** years
                           * share)
        paid["operations"] = (m["opex"] + m["maintenance_rate"] * m["capex"]) / 12 * share
        replaced = words["attrition"] == "with_replacement"
        paid["replacement"] = failed * ~covered * m["replacement_cost"] * m["capex"] * replaced
    present |= {part: present_value(monthly) for part, monthly in paid.items()}
    tax, sold = x["tax_rate"], present_value(tokens)
    if ownership == "buy":
        # What a price before tax has to cover of the capital, such that after tax it is covered.
        at_end = (1 + x["discount_rate"]) ** -(x["deployment_time"] + life)
        sale = x["capex"] * left_running * x["residual_value"] * np.exp(-x["residual_decay"] * life)
        allowance, left = _allowances(x, words["depreciation"], life, months)
        at_once = (1 + x["discount_rate"]) ** (0.5 / 12) if words["depreciation"] == "full_expensing" else 1
        deducted = present_value(allowance) * at_once + left * at_end
        present["capex"] = (x["capex"] - (1 - tax) * sale * at_end - tax * deducted) / (1 - tax)
    cost = sum(present.values())

    results: Results = {
        "present_cost": (1 - tax) * cost, "present_tokens": (1 - tax) * sold,
        "cost_per_million_tokens": 1e6 * cost / sold,
        "parts": {part: 1e6 * value / sold for part, value in present.items()},
        "cost_per_gpu_hour": cost / present_value(HOURS * share * alive),
        "tokens_per_dollar": sold / cost,
    }
    if "peak_flops" in x:
        results["flops_per_dollar"] = x["peak_flops"] / results["cost_per_gpu_hour"]
    if "power" in x:
        results["tokens_per_second_per_megawatt"] = 1000 * throughput / x["power"]
    if "power" in x and "pue" in x:
        results["tokens_per_second_per_facility_megawatt"] = 1000 * throughput / (x["power"] * x["pue"])
        results["energy_per_million_tokens"] = 1e6 * energy.sum(axis=1) / tokens.sum(axis=1)
        if "carbon_intensity" in x:
            results["carbon_per_million_tokens"] = results["energy_per_million_tokens"] * x["carbon_intensity"]

    fallen = (1 - m["token_price_decline"]) ** years
    before_tax = cost - present["capex"] + x["capex"] - sale * at_end if ownership == "buy" else cost
    if "target_margin" in x:
        results["minimum_price"] = 1e6 * before_tax / present_value(tokens * fallen) / (1 - x["target_margin"])
    if "declines" in platform:
        results["first_year_break_even_price"] = 1e6 * cost / present_value(tokens * fallen)
    if "token_price" in x or "output_token_price" in x:
        per_token = price("token_price") if "token_price" in x else _monthly(_blended_price(x, platform["operating_point"]))
        revenue = tokens * per_token * fallen / 1e6
        results["gross_margin"] = 1 - before_tax / present_value(revenue)
        results["net_present_value"] = (1 - tax) * (present_value(revenue) - cost)
        results["probability_of_loss"] = (results["net_present_value"] < 0).astype(float)
        if "power" in x:
            results["net_present_value_per_megawatt"] = 1000 * results["net_present_value"] / x["power"]
        if ownership == "buy":
            gained = _monthly(1 - tax) * (revenue - sum(paid.values())) + _monthly(tax) * allowance
            at_last = (1 - tax) * sale + tax * left
            results["payback"] = _payback(x["capex"], gained, share > 0, at_last, x["deployment_time"], life)
            results["probability_of_payback"] = (results["payback"] < NEVER).astype(float)
    return results


def _failures(x: Mapping[str, Array], share: Array, covered: Array, retires: bool,
              rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Share of the GPUs that fails in each month and that runs in it on average, both [n, months], and at the end [n].

    What fails under warranty is replaced; what fails later is not, where the fleet retires.
    """
    rate = x["failure_rate"] * x["failure_epidemic"]
    running, failed, alive = np.ones(len(share)), np.zeros_like(share), np.ones_like(share)
    for t in range(share.shape[1]):
        mean = running * rate / 12 * share[:, t]
        failed[:, t] = rng.poisson(mean * x["fleet_size"]) / x["fleet_size"] if "fleet_size" in x else mean
        if retires:
            failed[:, t] = np.minimum(failed[:, t], running)
            lost = failed[:, t] * ~covered[:, t]
            alive[:, t] = running - lost / 2
            running = running - lost
    return failed, alive, running


def _rent(x: Mapping[str, Array], price: Array, months: int) -> Array:
    """USD/GPU/hour in each month [n, months]. It floats with a process unless there is a term; else it is fixed in money."""
    price = np.broadcast_to(price, (len(price), months))
    if "contract_term" not in x and x["rental_price"].ndim == 2:
        return price
    rent = np.empty(price.shape)
    for t in range(months):
        term = 12 * x["contract_term"] if "contract_term" in x else np.full(len(price), np.inf)
        begun = np.floor((t + 1e-9) / term) * term if "contract_term" in x else np.zeros(len(price))
        let = price[np.arange(len(price)), (begun + 1e-9).astype(int)]
        rent[:, t] = let * (1 + x["inflation"]) ** -((t + 0.5 - begun) / 12)
    return rent


def _allowances(x: Mapping[str, Array], schedule: str, life: Array, months: int) -> tuple[Array, Array]:
    """What is deducted for tax in each month [n, months] and at retirement [n], in money of the day of payment."""
    t = np.arange(months)
    in_service = _whole_months(life, months)
    if schedule == "full_expensing":
        shares = np.broadcast_to(t == 0, in_service.shape).astype(float)
    elif schedule == "macrs_5":
        shares = in_service * np.array([MACRS_5[k // 12] / 12 if k < 72 else 0 for k in t])
    else:
        book = x.get("depreciation_life", x["gpu_lifetime"])
        shares = np.minimum(in_service, _whole_months(book, months)) / _monthly(12 * book)
    left = 1 - shares.sum(axis=1)
    if schedule == "full_expensing":  # at the first token, not in the middle of the first month
        shares = shares * _monthly(1 + x["inflation"]) ** (0.5 / 12)
    years = x["deployment_time"][:, None] + (t + 0.5) / 12
    deflated = shares * _monthly(x["capex"]) * _monthly(1 + x["inflation"]) ** -years
    return deflated, left * x["capex"] * (1 + x["inflation"]) ** -(x["deployment_time"] + life)


def _blended_price(x: Mapping[str, Array], point: Mapping[str, Any]) -> Array:
    """USD for a million counted tokens: of the mix where both kinds are counted, else of an output token with its input."""
    cached = x["cached_input_share"]
    read = (1 - cached) * x["input_token_price"] + cached * x.get("cached_input_token_price", x["input_token_price"])
    total = point["input_tokens"] * read + point["output_tokens"] * x["output_token_price"]
    return total / (point["output_tokens"] + (point["input_tokens"] if point["token_basis"] == "total" else 0))


def _payback(capex: Array, gained: Array, lived: Array, at_end: Array, deployment: Array, life: Array) -> Array:
    """Years from payment until the undiscounted balance is no longer negative; within a month in proportion [n]."""
    years = np.full(len(capex), NEVER)
    for i in range(len(capex)):
        balance = -capex[i]
        for t in range(int(lived[i].sum())):
            if balance + gained[i, t] >= 0:
                years[i] = deployment[i] + (t - balance / gained[i, t]) / 12
                break
            balance += gained[i, t]
        else:
            if balance + at_end[i] >= 0:
                years[i] = deployment[i] + life[i]
    return years


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
    [PFLOP/s per USD/hour], present_cost [USD/GPU] and present_tokens [token/GPU] (after tax), and where inputs give them
    gross_margin, net_present_value [USD/GPU], net_present_value_per_megawatt [USD/MW], payback [year], minimum_price [USD],
    first_year_break_even_price [USD], carbon_per_million_tokens [g], probability_of_loss, probability_of_payback.
    """
    horizon = float(study.get("simulation", {}).get("horizon", HORIZON))
    shared = study.get("shared", {})
    given = {None: _named(shared)}  # by platform; None where all share it
    for name, platform in study["platforms"].items():
        neutral = {**NEUTRAL, **(NEUTRAL_RENTED if platform["ownership"] == "rent" else {})}
        if "contract_term" in {**shared, **platform}:
            neutral["gpu_lifetime"] = horizon
        left_out = {key: value for key, value in neutral.items() if key not in given[None]}
        given[name] = {**left_out, **_named(platform)}
    drawn = {name: {key: _draw(rng, trials, value) for key, value in inputs.items() if not _is_process(value)}
             for name, inputs in given.items()}
    months = max(_most_months(np.minimum({**drawn[None], **drawn[name]}["gpu_lifetime"], horizon)) for name in study["platforms"])
    inflation = drawn[None].get("inflation", np.zeros(trials))
    for name, inputs in given.items():
        drawn[name] |= {key: _mean_reverting(rng, trials, value, months, inflation)
                        for key, value in inputs.items() if _is_process(value)}
    results = {}
    for name, platform in study["platforms"].items():
        inputs, stated = {**drawn[None], **drawn[name]}, {**shared, **platform}
        for key in ("discount_rate", "hosting_escalation", "token_price_decline"):
            if isinstance(stated.get(key), Mapping) and stated[key].get("basis") == "nominal":
                sign = -1 if key == "token_price_decline" else 1
                inputs[key] = sign * ((1 + sign * inputs[key]) / (1 + inflation) - 1)
        declines = {"declines": True} if "token_price_decline" in stated else {}
        results[name] = one_platform(inputs, {**{key: stated[key] for key in WORDS if key in stated}, **declines, **platform},
                                     horizon, rng)
    return results

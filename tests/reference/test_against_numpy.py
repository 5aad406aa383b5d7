"""The simulator against the model in plain NumPy, which shares no code with it (numpy_model.py)."""

from __future__ import annotations

import copy
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy_model
import pytest
import studies
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import simulator

OUTPUTS = ("cost_per_million_tokens", "cost_per_gpu_hour", "tokens_per_dollar", "tokens_per_second_per_megawatt",
           "tokens_per_second_per_facility_megawatt", "energy_per_million_tokens", "flops_per_dollar",
           "carbon_per_million_tokens", "gross_margin", "net_present_value", "net_present_value_per_megawatt", "payback",
           "minimum_price", "first_year_break_even_price")
CHANCES = ("probability_of_loss", "probability_of_payback")
MORE_IS_BETTER = ("tokens_per_dollar", "tokens_per_second_per_megawatt", "tokens_per_second_per_facility_megawatt",
                  "flops_per_dollar", "gross_margin", "net_present_value", "net_present_value_per_megawatt")
PERCENTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p95": 0.95}


def uniform(low, high):
    return {"distribution": "uniform", "low": low, "high": high}


def triangular(low, mode, high):
    return {"distribution": "triangular", "low": low, "mode": mode, "high": high}


def pert(low, mode, high, **shape):
    return {"distribution": "pert", "low": low, "mode": mode, "high": high, **shape}


def lognormal(median, sigma):
    return {"distribution": "lognormal", "median": median, "sigma": sigma}


POINT = {"model": "R1", "input_tokens": 8192, "output_tokens": 1024, "token_basis": "total"}

# Every input of the model is uncertain somewhere, and every distribution is used. Electricity is dear, so that the path of
# its price weighs in the cost; lives end inside months, and some at the horizon.
UNCERTAIN: dict[str, Any] = {
    "schema": 1, "study": "all uncertain", "simulation": {"trials": 65536, "seed": 11, "horizon": 8},
    "shared": {
        "utilization": {"distribution": "beta", "alpha": 9, "beta": 6, "low": 0.1, "high": 0.95},
        "discount_rate": {**pert(0.06, 0.10, 0.18), "basis": "nominal"}, "inflation": pert(0, 0.025, 0.05),
        "tax_rate": uniform(0.1, 0.35), "depreciation": "macrs_5", "carbon_intensity": lognormal(400, 0.2),
        "target_margin": uniform(0.2, 0.6), "token_price_decline": {**pert(0, 0.1, 0.3), "basis": "nominal"},
        "throughput_degradation": {"distribution": "exponential", "mean": 0.02},
        "energy_price": {"process": "mean_reverting", "median": lognormal(0.16, 0.3), "reversion_rate": uniform(0.4, 2.5),
                         "volatility": triangular(0.5, 0.9, 1.3), "delivery": uniform(0.02, 0.05),
                         "hedged_share": {"distribution": "beta", "alpha": 2, "beta": 4}, "strike": uniform(0.15, 0.25),
                         "jumps": {"rate": uniform(0.1, 1), "mean": uniform(0.2, 0.6), "sd": uniform(0.1, 0.4)}},
        "throughput_factors": {"delivered_share": pert(0.6, 0.85, 1, shape=6)},
    },
    "platforms": {
        "colocated": {
            "ownership": "buy", "throughput": lognormal(3000, 0.15), "throughput_factors": {"routing": uniform(0.9, 1.3)},
            "gpu_lifetime": triangular(3, 5, 7), "capex": pert(30000, 34000, 45000),
            "power": {"distribution": "normal", "mean": 1.4, "sd": 0.08}, "pue": uniform(1.1, 1.5),
            "idle_power_fraction": {"distribution": "beta", "alpha": 5, "beta": 10},
            "availability": {"distribution": "truncated_normal", "mean": 0.97, "sd": 0.03, "low": 0.8, "high": 1},
            "hosting_price": {"distribution": "gamma", "shape": 40, "scale": 3.5}, "hosting_escalation": uniform(-0.01, 0.05),
            "opex": lognormal(1500, 0.4), "maintenance_rate": {"distribution": "weibull", "shape": 3, "scale": 0.03},
            "failure_rate": {"distribution": "gamma", "shape": 3, "scale": 0.03}, "replacement_cost": uniform(0.3, 1.2),
            "warranty": {"distribution": "discrete", "values": [0, 1, 2.5, 3], "weights": [1, 2, 1, 4]},
            "residual_value": uniform(0.2, 0.9), "residual_decay": triangular(0.2, 0.4, 0.7),
            "deployment_time": uniform(0, 1), "utilization_ramp": {"distribution": "exponential", "mean": 0.4},
            "peak_flops": uniform(1.9, 2.1), "contracted_power_factor": uniform(1, 1.3),
            "fleet_size": {"distribution": "discrete", "values": [8, 40, 3000], "weights": [1, 1, 1]},
            "failure_epidemic": {"probability": 0.15, "rate_multiplier": uniform(3, 8)},
            "token_price": {"process": "mean_reverting", "median": lognormal(1.6, 0.3), "start": "stationary",
                            "reversion_rate": uniform(0.5, 2), "volatility": uniform(0.2, 0.6)}},
        "own_facility": {
            "ownership": "buy", "throughput": {"distribution": "weibull", "shape": 8, "scale": 6000},
            "throughput_degradation": {"distribution": "normal", "mean": 0.02, "sd": 0.01},
            "gpu_lifetime": {"distribution": "truncated_normal", "mean": 5, "sd": 2, "low": 2, "high": 9},
            "capex": {"distribution": "gamma", "shape": 60, "scale": 900}, "power": triangular(1.9, 2.1, 2.4),
            "pue": {"distribution": "discrete", "values": [1.1, 1.2, 1.35], "weights": [1, 1, 1]},
            "idle_power_fraction": uniform(0.2, 0.6), "facility_capex": lognormal(11000, 0.2),
            "facility_lifetime": uniform(9.5, 20), "residual_value": pert(0, 0.3, 0.8), "residual_decay": uniform(0, 0.3),
            "software_gain": lognormal(0.6, 0.5), "software_gain_time": uniform(0.3, 2), "deployment_time": pert(0.3, 0.8, 2),
            "utilization_ramp": uniform(0.1, 1.5), "opex": uniform(500, 2500), "peak_flops": lognormal(5, 0.05),
            "hosting_escalation": {**uniform(0, 0.03), "basis": "nominal"}, "hosting_price": uniform(2, 6),
            "depreciation": "full_expensing", "failure_rate": uniform(0.01, 0.2), "attrition": "without_replacement",
            "warranty": uniform(0, 2), "fleet_size": 72, "operating_point": POINT, "input_token_price": lognormal(0.5, 0.2),
            "output_token_price": lognormal(3, 0.2), "cached_input_token_price": uniform(0.05, 0.1),
            "cached_input_share": {"distribution": "beta", "alpha": 3, "beta": 4}},
        "own_draws": {  # what others share, this one draws for itself
            "ownership": "buy", "throughput": triangular(2500, 4000, 5000), "gpu_lifetime": uniform(2, 8),
            "throughput_factors": {"delivered_share": uniform(0.5, 1)},
            "capex": {"distribution": "truncated_normal", "mean": 30000, "sd": 6000, "low": 20000},
            "power": lognormal(1.2, 0.1), "pue": uniform(1.2, 1.6),
            "utilization": uniform(0.3, 0.8), "energy_price": lognormal(0.12, 0.3), "discount_rate": uniform(0, 0.2),
            "residual_value": uniform(0, 0.3), "failure_rate": {"distribution": "exponential", "mean": 0.1},
            "replacement_cost": pert(0, 0.4, 1), "warranty": uniform(0, 4), "peak_flops": uniform(1, 3),
            "depreciation": "straight_line", "depreciation_life": uniform(2, 7), "token_price": lognormal(2, 0.3)},
        "rented": {
            "ownership": "rent", "throughput": lognormal(4500, 0.1), "gpu_lifetime": uniform(0.5, 4),
            "contract_term": {"distribution": "discrete", "values": [0.25, 1, 1.4, 3], "weights": [1, 1, 1, 1]},
            "opex": uniform(500, 2500), "token_price": uniform(0.5, 1.2),
            "rental_price": {"process": "mean_reverting", "median": lognormal(2, 0.1), "start": uniform(2.5, 4),
                             "reversion_rate": lognormal(0.7, 0.3), "volatility": uniform(0.1, 0.5)},
            "availability": pert(0.9, 0.98, 1), "utilization_ramp": uniform(0, 0.3), "power": uniform(1.9, 2.3),
            "pue": uniform(1.1, 1.3), "idle_power_fraction": uniform(0.3, 1), "peak_flops": uniform(4, 6)},
    },
}


# --- against the reference's own simulation ----------------------------------------------------------------

BATCHES, BATCH = 40, 10_000


def statistics(x: np.ndarray, more_is_better: bool = False) -> dict[str, float]:
    ordered = np.sort(x)
    found = {"mean": x.mean(), "sd": x.std(ddof=1)}
    found |= {name: ordered[math.ceil(len(x) * p) - 1] for name, p in PERCENTILES.items()}
    tail = round(0.05 * len(x))
    found["cvar95"] = (ordered[:tail] if more_is_better else ordered[-tail:]).mean()
    return found


def reference_estimates(study: dict[str, Any]) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Every number by owner, quantity and statistic: its value from all trials, its standard error from batches."""
    seeds = np.random.SeedSequence(20260101).spawn(BATCHES)
    with ThreadPoolExecutor(2) as pool:
        batches = list(pool.map(lambda seed: numpy_model.simulate(study, BATCH, np.random.default_rng(seed)), seeds))
    names = list(study["platforms"])

    def numbers(batches: list[dict[str, numpy_model.Results]]) -> dict[tuple[str, str, str], float]:
        def all_of(name: str, quantity: str) -> np.ndarray:
            return np.concatenate([batch[name][quantity] for batch in batches])

        found = {}
        for name in names:
            for quantity in OUTPUTS:
                if quantity in batches[0][name]:
                    for statistic, value in statistics(all_of(name, quantity), quantity in MORE_IS_BETTER).items():
                        found[name, quantity, statistic] = value
            for quantity in CHANCES:
                if quantity in batches[0][name]:
                    found[name, quantity, ""] = all_of(name, quantity).mean()
            for part in batches[0][name]["parts"]:
                found[name, f"parts.{part}", "mean"] = np.mean([batch[name]["parts"][part].mean() for batch in batches])
            found[name, "break_even_price", ""] = (1e6 * all_of(name, "present_cost").mean()
                                                   / all_of(name, "present_tokens").mean())
        costs = {name: all_of(name, "cost_per_million_tokens") for name in names}
        least = np.min(list(costs.values()), axis=0)
        for name, cost in costs.items():
            found[name, "probability_cheapest", ""] = np.mean(cost == least)
            found[name, "expected_regret", ""] = np.mean(cost - least)
        for position, later in enumerate(names):
            for earlier in names[:position]:
                pair = f"{later}/{earlier}"
                found[pair, "probability_cheaper", ""] = np.mean(costs[later] < costs[earlier])
                for statistic, value in statistics(costs[later] / costs[earlier]).items():
                    found[pair, "ratio", statistic] = value
        return found

    whole = numbers(batches)
    each = [numbers([batch]) for batch in batches]
    return {key: (value, float(np.std([one[key] for one in each], ddof=1) / math.sqrt(BATCHES))) for key, value in whole.items()}


@pytest.fixture(scope="module")
def reference() -> dict[tuple[str, str, str], tuple[float, float]]:
    return reference_estimates(UNCERTAIN)


@pytest.mark.parametrize("sampler", ["sobol", "random"])
def test_every_number_of_an_uncertain_study(load, reference, sampler):
    run = simulator.run(load(UNCERTAIN, f"simulation.sampler={sampler}"))
    off = {}
    for (owner, quantity, statistic), (expected, error) in reference.items():
        if quantity == "ratio" and statistic == "cvar95":
            continue  # not reported: which end is the dear one depends on who asks
        if quantity.startswith("parts.") and expected == error == 0:
            with pytest.raises(KeyError):  # what does not apply is absent
                run.estimate(owner, quantity, statistic)
            continue
        if quantity == "payback" and expected > 100:  # some years are never: absent, too
            with pytest.raises(KeyError):
                run.estimate(owner, quantity, statistic)
            continue
        found = run.estimate(owner, quantity, statistic)
        combined = math.hypot(found.standard_error, error)
        # An error without bounds would agree with anything. What may be on both sides of 0 is measured by its spread.
        size = abs(expected)
        if quantity.startswith(("net_present", "gross")):
            size = max(size, reference[owner, quantity, "sd"][0])
        if quantity.startswith("probability"):
            size = max(size, 0.01)
        if not (abs(found.value - expected) <= 4.5 * combined and combined <= 0.1 * size):
            off[owner, quantity, statistic] = (found.value, expected, combined)
    assert not off


def test_the_uncertain_study_tests_every_input():
    from simulator.quantities import INPUTS

    uncertain = set(UNCERTAIN["shared"]).union(*UNCERTAIN["platforms"].values())
    assert uncertain >= {quantity.name for quantity in INPUTS}


# --- without chance, to the last digits --------------------------------------------------------------------

def assert_equal_to_reference(data: dict[str, Any], file: Any) -> None:
    """All outputs and parts of a study whose inputs are all certain."""
    run = simulator.run(simulator.load(studies.write(file, data)))
    expected = numpy_model.simulate(data, 1, np.random.default_rng(0))
    for name, outputs in expected.items():
        scale = sum(abs(value[0]) for value in outputs["parts"].values())  # of a cost that may be a difference of parts
        for quantity in OUTPUTS:
            free = quantity in ("tokens_per_dollar", "flops_per_dollar") and outputs["cost_per_million_tokens"][0] <= 0
            never = quantity == "payback" and outputs.get("payback", [0])[0] >= numpy_model.NEVER
            if quantity in outputs and not free and not never:
                near = 1e-12 * scale * outputs["present_tokens"][0] / 1e6 if quantity.startswith("net") else 0
                near = 1e-12 if quantity == "gross_margin" else near
                for statistic in ("mean", "p5", "p50", "p95", "cvar95"):
                    wanted = pytest.approx(outputs[quantity][0], rel=1e-10, abs=near)
                    assert run.estimate(name, quantity, statistic).value == wanted
            else:
                with pytest.raises(KeyError):
                    run.estimate(name, quantity, "mean")
        found = {record.quantity: record.estimate.value for record in run.records
                 if record.owner == name and record.group == "parts"}
        assert set(found) <= set(outputs["parts"])
        for part, value in outputs["parts"].items():
            assert found.get(part, 0.0) == pytest.approx(value[0], rel=1e-10, abs=1e-13 * scale)
        cost = run.estimate(name, "cost_per_million_tokens", "mean").value
        assert math.fsum(found.values()) == pytest.approx(cost, rel=1e-14, abs=1e-14 * scale)
        price = 1e6 * outputs["present_cost"][0] / outputs["present_tokens"][0]
        assert run.estimate(name, "break_even_price").value == pytest.approx(price, rel=1e-10)


CHANCE_ONLY = ("fleet_size", "failure_epidemic")  # chance within the world, also where all inputs are certain


def certain(given: Any) -> Any:
    """An input with each uncertain number replaced by one inside its range."""
    if not isinstance(given, dict):
        return given
    if "process" in given:
        return {**{key: certain(value) for key, value in given.items() if key != "jumps"}, "volatility": 0}
    if "distribution" not in given:
        return {key: certain(value) for key, value in given.items() if key not in CHANCE_ONLY}
    drawn = numpy_model.DISTRIBUTIONS[given["distribution"]](
        np.random.default_rng(5), 1, **{key: value for key, value in given.items() if key not in ("distribution", "basis")})
    return {"value": float(drawn[0]), **({"basis": given["basis"]} if "basis" in given else {})}


def test_every_number_of_a_certain_study(tmp_path):
    data = copy.deepcopy(UNCERTAIN)
    data["simulation"] = {"trials": 256, "horizon": 8}
    data["shared"], data["platforms"] = certain(data["shared"]), certain(data["platforms"])
    assert_equal_to_reference(data, tmp_path / "study.yaml")


BARE = {"schema": 1, "simulation": {"trials": 256}, "shared": {"utilization": 1, "discount_rate": 0}, "platforms": {
    "bought": {"ownership": "buy", "throughput": 1000, "capex": 30000, "power": 1, "pue": 1, "gpu_lifetime": 1 / 24,
               "energy_price": 0, "residual_value": 0.5, "facility_capex": 1000, "facility_lifetime": 1 / 24},
    "rented": {"ownership": "rent", "throughput": 1000, "rental_price": 2, "power": 1}}}


@pytest.mark.parametrize("time", [1e-9, 1e-5, 1e-4, 0.01, 1000])
@pytest.mark.parametrize("gain", [-0.9, 1, 1000])
def test_a_software_gain_however_soon_it_comes(tmp_path, gain, time):
    data = copy.deepcopy(BARE)
    data["platforms"]["bought"] |= {"gpu_lifetime": 5, "software_gain": gain, "software_gain_time": time}
    assert_equal_to_reference(data, tmp_path / "study.yaml")


@pytest.mark.parametrize("inputs", [
    {"discount_rate": -0.2, "deployment_time": 50, "gpu_lifetime": 15, "facility_lifetime": 100},
    {"discount_rate": 1, "deployment_time": 50, "gpu_lifetime": 15, "facility_lifetime": 100},
    {"discount_rate": 1e-17, "gpu_lifetime": 15, "facility_lifetime": 99.99},
    {"throughput_degradation": 0.99, "gpu_lifetime": 15, "utilization_ramp": 50},
    {"throughput_degradation": -0.5, "gpu_lifetime": 100, "utilization_ramp": 1e-300},
    {"gpu_lifetime": 1e-9}, {"energy_price": -0.5, "gpu_lifetime": 7}, {"capex": 0, "facility_capex": 0, "energy_price": 0.1},
    {"energy_price": {"process": "mean_reverting", "median": 0.1, "start": 0.9, "reversion_rate": 1000, "volatility": 0}},
    {"energy_price": {"process": "mean_reverting", "median": 0.1, "start": 0.9, "reversion_rate": 1e-9, "volatility": 0},
     "gpu_lifetime": 15}])
def test_the_ends_of_what_is_allowed(tmp_path, inputs):
    data = copy.deepcopy(BARE)
    data["platforms"]["bought"] |= inputs
    assert_equal_to_reference(data, tmp_path / "study.yaml")


def number(low, high):
    return st.floats(low, high, allow_subnormal=False)


def years(low, high):
    """Any time, and often a whole number of months: where months begin and end, most can go wrong."""
    return number(low, high) | st.integers(math.ceil(12 * low), math.floor(12 * high)).map(lambda months: months / 12)


def rates(low, high):
    return number(low, high) | st.fixed_dictionaries({"value": number(low, high), "basis": st.just("nominal")})


def prices(typical):
    level = number(0.01 * typical, 10 * typical)
    process = st.fixed_dictionaries(
        {"process": st.just("mean_reverting"), "median": level, "reversion_rate": number(0.01, 50), "volatility": st.just(0),
         "strike": level},
        optional={"start": level, "delivery": number(0, typical), "hedged_share": number(0, 1)})
    return level | process


ANY = {"throughput_degradation": number(-0.3, 0.5), "availability": number(0.1, 1), "idle_power_fraction": number(0, 1),
       "deployment_time": number(0, 5), "utilization_ramp": years(0, 10), "peak_flops": number(0.1, 50), "opex": number(0, 1e4),
       "carbon_intensity": number(0, 1000), "target_margin": number(-1, 0.9), "tax_rate": number(0, 0.9),
       "token_price_decline": rates(-0.3, 0.9),
       "throughput_factors": st.dictionaries(st.sampled_from(["routing", "cache", "fp4"]), number(0.1, 3))}
GAIN = st.just({}) | st.fixed_dictionaries({"software_gain": number(-0.9, 5), "software_gain_time": number(0.01, 20)})
FACILITY = st.just({}) | st.fixed_dictionaries({"facility_capex": number(0, 20000), "facility_lifetime": years(0.02, 40)})
PRICE = st.just({}) | st.fixed_dictionaries({"token_price": prices(1.0)}) | st.fixed_dictionaries(
    {"input_token_price": number(0, 1), "output_token_price": number(0.01, 5), "operating_point": st.just(POINT)},
    optional={"cached_input_share": number(0, 1), "cached_input_token_price": number(0, 1)})
BUY = st.fixed_dictionaries(
    {"ownership": st.just("buy"), "throughput": number(1, 1e5), "capex": number(0, 1e5), "power": number(0.1, 5),
     "pue": number(1, 3), "gpu_lifetime": years(0.02, 15), "energy_price": prices(0.08), "residual_value": number(0, 1)},
    optional={**ANY, "hosting_price": number(0, 500), "contracted_power_factor": number(0.5, 2),
              "hosting_escalation": rates(-0.2, 0.3), "attrition": st.sampled_from(["with_replacement", "without_replacement"]),
              "depreciation_life": years(0.02, 20),
              "maintenance_rate": number(0, 0.2), "failure_rate": number(0, 2), "replacement_cost": number(0, 2),
              "warranty": years(0, 16), "residual_decay": number(0, 3), "discount_rate": number(-0.1, 0.9)})
RENT = st.fixed_dictionaries(
    {"ownership": st.just("rent"), "throughput": number(1, 1e5), "rental_price": prices(2.0)},
    optional={**ANY, "power": number(0.1, 5), "pue": number(1, 3), "gpu_lifetime": years(0.02, 15),
              "contract_term": years(0.09, 5),
              "discount_rate": number(-0.1, 0.9)})


@st.composite
def certain_studies(draw):
    platforms = {"bought": {**draw(BUY), **draw(GAIN), **draw(FACILITY), **draw(PRICE)},
                 "rented": {**draw(RENT), **draw(GAIN), **draw(PRICE)}}
    shared = {"utilization": draw(number(0.01, 1)), "discount_rate": draw(number(-0.1, 0.5)),
              "inflation": draw(st.just(0) | number(-0.05, 0.2)),
              "depreciation": draw(st.sampled_from(["straight_line", "macrs_5", "full_expensing"]))}
    simulation = {"trials": 256, "horizon": draw(years(0.05, 15))}
    return {"schema": 1, "simulation": simulation, "shared": shared, "platforms": platforms}


@given(data=certain_studies())
@example(data=BARE)
@settings(max_examples=30, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_certain_study(tmp_path_factory, data):
    assert_equal_to_reference(data, tmp_path_factory.getbasetemp() / "certain.yaml")

"""Cost and prices by year of service: exact in sum, known in closed form where all is certain, and of the run's own trials."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import studies

from simulator.engine.parameters import compile_study
from simulator.engine.replay import replay
from simulator.engine.sample_of_trials import sample_of_trials
from simulator.engine.trials import Trials
from simulator.experiments.explain import flows_of
from simulator.experiments.through_time import PROBABILITIES, levelled, through_time
from simulator.kernels.platform import COST_PER_MILLION


def uniform(low, high):
    return {"distribution": "uniform", "low": low, "high": high}


RENT = {"process": "mean_reverting", "median": uniform(1, 3), "reversion_rate": 0.8, "volatility": 0.5}
FAILING = {"failure_rate": uniform(0.05, 0.3), "replacement_cost": 0.5, "warranty": 1, "fleet_size": 8}
TAXED = {"tax_rate": uniform(0.1, 0.4), "residual_value": 0.4, "residual_decay": 0.3, "deployment_time": 0.7}
KINDS = {
    "bought": ("a", {}), "rented": ("b", {}), "residual value": ("a", {"residual_value": uniform(0, 0.9), "residual_decay": 0.2}),
    "ramp": ("a", {"utilization_ramp": uniform(0, 2), "opex": 900, "throughput_degradation": 0.1}),
    "tax, straight line": ("a", {**TAXED, "depreciation": "straight_line"}),
    "tax, MACRS": ("a", {**TAXED, "depreciation": "macrs_5"}),
    "tax, at once": ("a", {**TAXED, "depreciation": "full_expensing"}),
    "fleet": ("a", FAILING), "retiring fleet": ("a", {**FAILING, "attrition": "without_replacement", "residual_value": 0.5}),
    "rented by term": ("b", {"rental_price": RENT, "contract_term": 1.5}),
}


def alone(platform, changes, **simulation):
    """A study of one platform."""
    data = studies.study(simulation={"trials": 512, "replicates": 16, "horizon": 10, **simulation})
    if platform == "b":
        del data["shared"]["energy_price"]
        data["platforms"]["b"]["gpu_lifetime"] = uniform(0.4, 6)
    data["platforms"] = {platform: {**data["platforms"][platform], **changes}}
    return data


def bought(capex=36000, **changes):
    """A bought platform of which nothing is uncertain, which costs its capital alone."""
    given = {"ownership": "buy", "throughput": 1000, "capex": capex, "power": 2, "pue": 1.25, "energy_price": 0,
             "gpu_lifetime": 4, **changes}
    return {"schema": 1, "study": "sure", "simulation": {"trials": 256, "replicates": 16},
            "shared": {"utilization": 0.5, "discount_rate": 0.08}, "platforms": {"a": given}}


TOKENS_A_MONTH = 1000 * 0.5 * 2_629_800
ANNUITY_OF_4_YEARS = sum(1.08 ** (-(t + 0.5) / 12) for t in range(48))


# --- the exact property -------------------------------------------------------------------------------------

@pytest.mark.parametrize(("platform", "changes"), KINDS.values(), ids=KINDS)
def test_months_weighted_by_discount_divide_to_the_cost_of_the_trial(load, platform, changes):
    study = load(alone(platform, changes))
    compiled = compile_study(study, [], [])
    block = replay(Trials(compiled, study.simulation, 2), 3, 0)
    paid_once = 0
    for lane in range(32):
        trial = replace(block, trial=lane)
        flows = flows_of(study, trial, 0)
        months = levelled(flows)
        assert len(months.cost) == len(months.tokens) == flows.month.max()
        whole = 1e6 * np.sum(months.discount * months.cost) / np.sum(months.discount * months.tokens)
        assert whole == pytest.approx(trial.output(0, COST_PER_MILLION), rel=1e-11)
        paid_once += np.any(flows.cost[flows.month <= 0] != 0)
    assert paid_once == (32 if platform == "a" else 0)


# --- known in closed form -----------------------------------------------------------------------------------

def test_capital_alone_costs_the_same_every_year(load):
    (fan,) = through_time(load(bought())).costs.values()
    assert fan.years.tolist() == [1, 2, 3, 4] and fan.in_service.tolist() == [1, 1, 1, 1]
    assert fan.values.shape == (4, len(PROBABILITIES))
    assert fan.values == pytest.approx(1e6 * 36000 / ANNUITY_OF_4_YEARS / TOKENS_A_MONTH, rel=1e-12)


def test_rent_costs_the_same_every_year(load):
    data = studies.certain()
    data["platforms"]["a"]["gpu_lifetime"] = 2.5
    found = through_time(load(data))
    assert list(found.costs) == ["a", "b"] and found.prices == {}
    assert found.costs["a"].years.tolist() == [1, 2, 3] and found.costs["b"].years.tolist() == [1]
    for name, rent in (("a", 2), ("b", 1)):
        assert found.costs[name].values == pytest.approx(rent * 1e6 / (900 * 0.5 * 3600), rel=1e-12)


def test_what_the_hardware_is_sold_for_makes_every_year_cheaper(load):
    (fan,) = through_time(load(bought(residual_value=0.25, deployment_time=0.5))).costs.values()
    waited = 36000 * 1.08 ** 0.5 - 9000 * 1.08 ** -4  # as of the first token
    assert fan.values == pytest.approx(1e6 * waited / ANNUITY_OF_4_YEARS / TOKENS_A_MONTH, rel=1e-12)


def test_months_add_what_they_cost_themselves(load):
    """Hosting that escalates, on top of the capital: by hand, month by month."""
    (fan,) = through_time(load(bought(hosting_price=100, hosting_escalation=0.1))).costs.values()
    for year, row in zip(fan.years, fan.values, strict=True):
        hosting = sum(2 * 100 * 1.1 ** ((t + 0.5) / 12) for t in range(12 * (year - 1), 12 * year)) / 12
        assert row == pytest.approx(1e6 * (36000 / ANNUITY_OF_4_YEARS + hosting) / TOKENS_A_MONTH, rel=1e-12)


def test_degradation_makes_each_year_dearer(load):
    (fan,) = through_time(load(bought(throughput_degradation=0.07, energy_price=0.1, opex=500))).costs.values()
    assert fan.values[1:] / fan.values[:-1] == pytest.approx(1 / 0.93, rel=1e-12)


def test_a_year_begun_costs_by_its_tokens(load):
    """Half a year in service has half of the tokens, and half of the annuity."""
    (fan,) = through_time(load(bought(gpu_lifetime=2.5))).costs.values()
    assert fan.years.tolist() == [1, 2, 3]
    assert fan.values == pytest.approx(fan.values[0, 0], rel=1e-12)


# --- of the run's own trials --------------------------------------------------------------------------------

@pytest.mark.parametrize(("trials", "each", "simulation"), [
    (335, 20, {}), (320, 20, {"horizon": 4.3}), (1, 1, {"sampler": "random"}),
    (16 * 270, 270, {"sampler": "latin_hypercube", "trials": 8192}), (10**9, 32, {"sampler": "random"})])
def test_percentiles_are_order_statistics_of_the_first_trials_of_each_replicate(load, trials, each, simulation):
    study = load(alone("b", {"rental_price": RENT, "throughput": uniform(1000, 6000)}, **simulation))
    found = through_time(study, trials)
    assert found.trials == 16 * each and found.probabilities == (0.05, 0.25, 0.5, 0.75, 0.95)
    engine = Trials(compile_study(study, [], []), study.simulation, 2)
    costs: dict[int, list[float]] = {}
    prices: dict[int, list[float]] = {}
    for replicate, number in np.ndindex(16, each):
        if number % 256 == 0 or each <= 20:  # where they are few, every trial is replayed alone
            block = replay(engine, replicate, number)
        trial = replace(block, trial=number)
        flows = flows_of(study, trial, 0)
        for year in range(1, int(flows.month.max() - 1) // 12 + 2):
            inside = (flows.month > 12 * (year - 1)) & (flows.month <= 12 * year)
            costs.setdefault(year, []).append(1e6 * np.sum(flows.cost[inside]) / np.sum(flows.tokens[inside]))
            paid = trial.prices(0)[flows.month[inside] - 1]
            prices.setdefault(year, []).append(np.average(paid, weights=flows.in_use[inside]))
    for fan, known in ((found.costs["b"], costs), (found.prices["platforms.b.rental_price"], prices)):
        kept = {year: values for year, values in known.items() if len(values) >= 0.1 * 16 * each}
        assert fan.years.tolist() == sorted(kept)
        assert fan.in_service.tolist() == [len(kept[year]) / (16 * each) for year in sorted(kept)]
        right = [np.quantile(kept[year], PROBABILITIES, method="inverted_cdf") for year in sorted(kept)]
        assert fan.values == pytest.approx(np.array(right), rel=1e-12)


@pytest.mark.parametrize("trials", [1024, 16 * 300])
def test_the_share_in_service_is_that_of_the_lives(load, trials):
    data = studies.study(simulation={"trials": 8192, "replicates": 16, "horizon": 7})
    data["platforms"]["a"] |= {"gpu_lifetime": uniform(0.5, 8), "residual_value": 0}
    data["platforms"]["b"]["gpu_lifetime"] = {"distribution": "discrete", "values": [1, 3, 5], "weights": [4, 5, 1]}
    study = load(data)
    sample, found = sample_of_trials(study, trials), through_time(study, trials)
    for name in "ab":
        places = next(places for factor, places in zip(sample.factors, sample.columns, strict=True)
                      if factor.path == f"platforms.{name}.gpu_lifetime")
        lives = np.minimum(sample.values[places[0]], 7)
        shares = {year: np.mean(lives > year - 1) for year in range(1, 16)}
        assert dict(zip(found.costs[name].years, found.costs[name].in_service, strict=True)) == {
            year: share for year, share in shares.items() if share >= 0.1}
    assert found.costs["a"].years[-1] == 7 and found.costs["b"].years[-1] in (3, 5)


def test_no_result_depends_on_threads(load):
    study = load(studies.study())
    one, *others = [through_time(study, 640, threads) for threads in (1, 2, 5)]
    for other in others:
        for these, those in ((one.costs, other.costs), (one.prices, other.prices)):
            assert list(these) == list(those)
            for name in these:
                for field in ("years", "values", "in_service"):
                    np.testing.assert_array_equal(getattr(these[name], field), getattr(those[name], field))


def test_a_life_of_a_year_without_discount_is_one_year_of_the_cost_of_the_run(load):
    study = load(alone("b", {"gpu_lifetime": 1}), "shared.discount_rate=0")
    (fan,) = through_time(study).costs.values()
    costs = sample_of_trials(study, study.simulation.trials).costs[0]
    assert fan.years.tolist() == [1]
    assert fan.values[0] == pytest.approx(np.quantile(costs, PROBABILITIES, method="inverted_cdf"), rel=1e-12)


# --- prices -------------------------------------------------------------------------------------------------

def test_prices_are_about_the_medians_of_their_process(load):
    found = through_time(load(studies.study()))
    assert found.trials == 1024 and list(found.prices) == ["shared.energy_price"]
    fan = found.prices["shared.energy_price"]
    spot_sd = 1.05 / math.sqrt(2 * 2.5)
    stationary = 0.041 * math.exp(spot_sd**2 / 2)  # the hedge's strike, and the mean of the spot price
    # delivery + half at the strike, half at spot, whose yearly mean has its median between the process's median and mean
    low, high = 0.036 + 0.5 * stationary + 0.5 * 0.041, 0.036 + stationary
    assert np.all((fan.values[:, 2] > low) & (fan.values[:, 2] < high))
    assert np.all(np.diff(fan.values, axis=1) > 0)
    assert np.all(fan.values[:, 0] > 0.036 + 0.5 * stationary), "never less than delivery and hedge"
    # Spot prices of a year go together: their mean spreads less than a month's, and more than a fourth of it.
    spread = np.log((fan.values[1:, 4] - 0.036 - 0.5 * stationary) / (fan.values[1:, 0] - 0.036 - 0.5 * stationary)) / (2 * 1.645)
    assert np.all((spread > spot_sd / 4) & (spread < spot_sd))


def test_a_price_that_hardly_moves_is_its_median_in_every_year(load):
    price = {"process": "mean_reverting", "unit": "cent/kWh", "median": 8, "delivery": 2, "reversion_rate": 2, "volatility": 1e-9}
    found = through_time(load(studies.study(), f"shared.energy_price={price}"))
    fan = found.prices["shared.energy_price"]
    assert fan.values == pytest.approx(0.1, rel=1e-6)
    # The platform that pays it has a life of three to seven years; the one that does not has no part in it.
    np.testing.assert_array_equal(fan.in_service, found.costs["a"].in_service)
    np.testing.assert_array_equal(fan.years, found.costs["a"].years)


def test_a_price_counts_as_long_as_any_platform_pays_it(load):
    data = studies.study()
    lives = {"short": 2, "long": uniform(1, 5)}
    data["platforms"] = {name: {**studies.BOUGHT, "gpu_lifetime": life} for name, life in lives.items()}
    data["shared"]["token_price"] = {**RENT, "median": 1}
    found = through_time(load(data))
    assert list(found.prices) == ["shared.energy_price", "shared.token_price"]
    for fan in found.prices.values():
        assert fan.years.tolist() == [1, 2, 3, 4, 5]
        assert fan.in_service[:2].tolist() == [1, 1] and fan.in_service[2:] == pytest.approx([0.75, 0.5, 0.25], abs=0.01)
        np.testing.assert_array_equal(fan.in_service[2:], found.costs["long"].in_service[2:])
    assert found.prices["shared.token_price"].values[:, 2] == pytest.approx(np.full(5, 1), rel=0.1)


def test_what_gives_no_tokens_is_out_of_service(load):
    """A fleet of one GPU that fails soon, and is not replaced."""
    data = bought(failure_rate=0.5, fleet_size=1, attrition="without_replacement", residual_value=0)
    data["simulation"] = {"trials": 4096, "replicates": 16}
    data["shared"]["energy_price"] = RENT | {"median": 0.05}
    del data["platforms"]["a"]["energy_price"]
    found = through_time(load(data), 4096)
    fan = found.costs["a"]
    assert fan.in_service == pytest.approx(np.exp(-0.5 * (fan.years - 1)), abs=0.03) and np.isfinite(fan.values).all()
    np.testing.assert_array_equal(fan.in_service, found.prices["shared.energy_price"].in_service)

"""Values of information against closed forms, nested simulation and the regret of the same trials."""

import numpy as np
import pytest
import studies
from scipy.special import ndtri
from scipy.stats import norm, qmc

import simulator
from simulator.engine.sample_of_trials import sample_of_trials
from simulator.experiments.sensitivity.ranked_sample import rank_sample, regressions
from simulator.experiments.sensitivity.value_of_information import plan_costs, value_of_information
from simulator.units import TOKENS_PER_MILLION

HOUR = 3600.0


def unit_loss(mean, sd):
    """E[max(0, N(−|mean|, sd))], what perfect information on the difference of two costs is worth."""
    d = abs(mean) / sd
    return sd * (norm.pdf(d) - d * norm.sf(d))


def rented(mean, sd):
    """A platform whose cost per million tokens is normal: rent over constant tokens."""
    return {"ownership": "rent", "throughput": TOKENS_PER_MILLION / HOUR,
            "rental_price": {"distribution": "normal", "mean": mean, "sd": sd}}


def normals(rho=0.0, **changes):
    pairs = [["platforms.a.rental_price", "platforms.b.rental_price", rho]]
    together = {"correlations": {"copula": "gaussian", "pairs": pairs}} if rho else {}
    return studies.study(shared={"utilization": 1}, platforms={"a": rented(10, 1), "b": rented(10.5, 1.2)},
                         simulation={"trials": 65536}, **together, **changes)


def decide(study, costs_of=lambda ready: ready.sample.costs):
    ready = rank_sample(sample_of_trials(study), tuple(platform.name for platform in study.platforms))
    costs = costs_of(ready)
    return value_of_information(ready, costs, regressions(ready, costs))


def close(known, right):
    return abs(known.value.value - right) < 3.5 * known.value.standard_error + 1e-4


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_two_normal_costs(load, rho):
    decision = decide(load(normals(rho)))
    r = 2 * np.sin(np.pi * rho / 6)
    spread = np.sqrt(1 + 1.44 - 2 * r * 1.2)
    assert decision.choice == "a"
    assert abs(decision.evpi.value - unit_loss(0.5, spread)) < 3.5 * decision.evpi.standard_error + 1e-4
    by_input = {known.input: known for known in decision.evppi}
    # Learning one tells of the other as far as they are correlated.
    assert close(by_input["platforms.a.rental_price"], unit_loss(0.5, 1 - r * 1.2))
    assert close(by_input["platforms.b.rental_price"], unit_loss(0.5, 1.2 - r))
    (group,) = decision.groups
    assert group.input == "money" and close(group, unit_loss(0.5, spread))


def test_evpi_is_the_least_expected_regret_of_the_same_trials(load):
    study = load(normals())
    run, decision = simulator.run(study), decide(study)
    regret = min(run.estimate(name, "expected_regret").value for name in "ab")
    assert decision.evpi.value == pytest.approx(regret, rel=1e-12)


def test_two_lognormal_costs(load):
    def price(mu, sigma):
        return {**rented(1, 1), "rental_price": {"distribution": "lognormal", "median": float(np.exp(mu)), "sigma": sigma}}

    decision = decide(load(studies.study(shared={"utilization": 1}, platforms={"a": price(0, 0.3), "b": price(0.1, 0.2)},
                                         simulation={"trials": 65536})))
    means = np.exp([0.045, 0.12])

    def exchange(mean_1, mean_2, sigma):  # E[max(X1 − X2, 0)] of independent lognormals (Margrabe)
        d = np.log(mean_1 / mean_2) / sigma + sigma / 2
        return mean_1 * norm.cdf(d) - mean_2 * norm.cdf(d - sigma)

    assert decision.choice == "a"
    assert abs(decision.evpi.value - exchange(*means, np.hypot(0.3, 0.2))) < 3.5 * decision.evpi.standard_error
    by_input = {known.input: known for known in decision.evppi}
    assert close(by_input["platforms.a.rental_price"], exchange(*means, 0.3))
    assert close(by_input["platforms.b.rental_price"], exchange(*means, 0.2))


def test_nested_simulation_agrees(load):
    data = studies.study(shared={"utilization": {"distribution": "uniform", "low": 0.4, "high": 0.9}}, platforms={
        "a": {**rented(2, 0.25), "throughput": {"distribution": "uniform", "low": 200, "high": 500}},
        "b": {**rented(2.4, 0.2), "throughput": {"distribution": "uniform", "low": 250, "high": 600}}},
        simulation={"trials": 65536})
    decision = decide(load(data))
    known = {found.input: found for found in decision.evppi}

    def cost(u, price, low, high):
        return price * TOKENS_PER_MILLION / HOUR / ((low + (high - low) * u[1]) * (0.4 + 0.5 * u[0]))

    def nested(learnt):
        """Outer points over what is learnt, the same inner points over the rest."""
        inner = qmc.Sobol(5, rng=1).random(4096).T
        values = []
        for point in qmc.Sobol(5, rng=2).random(512):
            u = inner.copy()
            u[learnt] = point[learnt][:, None]
            a = cost(u[[0, 1]], 2 + 0.25 * ndtri(np.clip(u[2], 1e-9, 1)), 200, 500)
            b = cost(u[[0, 3]], 2.4 + 0.2 * ndtri(np.clip(u[4], 1e-9, 1)), 250, 600)
            values.append((a.mean(), b.mean()))
        means = np.array(values)
        return means.mean(axis=0).min() - means.min(axis=1).mean()

    assert nested([0]) == pytest.approx(known["shared.utilization"].value.value, abs=2e-3)
    assert nested([1]) == pytest.approx(known["platforms.a.throughput"].value.value, abs=4e-3)
    groups = {group.input: group for group in decision.groups}
    assert nested([0, 1, 3]) == pytest.approx(groups["workload"].value.value, abs=8e-3)
    for group, member in (("workload", "shared.utilization"), ("workload", "platforms.a.throughput"),
                          ("money", "platforms.a.rental_price")):
        assert groups[group].value.value >= known[member].value.value - 3 * known[member].value.standard_error
    assert all(0 <= found.value.value <= decision.evpi.value for found in (*decision.evppi, *decision.groups))


@pytest.mark.parametrize(("rate", "years", "factor"), [
    (0.0, 5, 5.0), (0.08, 2.5, sum(w * 1.08 ** (-(t + 0.5) / 12) / 12 for t, w in enumerate([1] * 30)))])
def test_the_value_of_a_plan(load, rate, years, factor):
    study = load(normals(plan={"tokens_per_year": {"value": 3, "unit": "Ttoken/year"}, "years": years}),
                 *([f"shared.discount_rate={rate}"] if rate else []))
    plain, whole = decide(study), decide(study, lambda ready: plan_costs(ready, study.plan))
    assert whole.evpi.value == pytest.approx(plain.evpi.value * 3e6 * factor, rel=1e-9)
    assert whole.expected["a"].value == pytest.approx(10 * 3e6 * factor, rel=1e-4)


def test_a_plan_is_discounted_trial_by_trial(load):
    """Where the rate is uncertain and moves with the cost, the product has another mean than the factors."""
    data = normals(plan={"tokens_per_year": 1e12, "years": 10})
    data["shared"]["discount_rate"] = {"distribution": "uniform", "low": 0.02, "high": 0.2}
    data["correlations"] = {"copula": "gaussian", "pairs": [["shared.discount_rate", "platforms.a.rental_price", -0.9]]}
    study = load(data)
    sample = sample_of_trials(study)
    ready = rank_sample(sample, ("a", "b"))
    costs = plan_costs(ready, study.plan)
    months = (np.arange(120) + 0.5) / 12
    tokens = (1 + sample.discount_rate[:, None]) ** -months @ np.full(120, 1e6 / 12)
    assert costs == pytest.approx(sample.costs * tokens, rel=1e-12)
    assert costs[0].mean() > sample.costs[0].mean() * tokens.mean() * 1.005


def test_no_choice_is_worth_nothing(load):
    data = normals()
    del data["platforms"]["b"]
    decision = decide(load(data))
    assert decision.evpi.value == 0 and all(known.value.value == 0 for known in decision.evppi)


def test_a_certain_study(load):
    decision = decide(load(studies.study(shared={"utilization": 1}, platforms={
        "a": {**studies.RENTED, "throughput": 3000}, "b": {**studies.RENTED, "throughput": 2000}})))
    assert decision.choice == "a" and decision.evpi.value == 0 and decision.evppi == () and decision.groups == ()


def test_threads_change_nothing(load):
    study = load(studies.study())
    one, two = sample_of_trials(study, threads=1), sample_of_trials(study, threads=2)
    assert np.array_equal(one.values, two.values) and np.array_equal(one.costs, two.costs)
    assert [regressions(rank_sample(one, ("a", "b"), threads), one.costs)["workload"].explained() for threads in (1, 2)] == [
        regressions(rank_sample(two, ("a", "b"), 1), two.costs)["workload"].explained()] * 2

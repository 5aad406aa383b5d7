"""The months of a trial, stated independently of the kernels, give the trial's cost."""

from __future__ import annotations

import numpy as np
import pytest
import studies

import simulator
from simulator.analysis.flow_rows import flow_rows
from simulator.experiments.explain import explain
from simulator.quantities import COST


def uniform(low, high):
    return {"distribution": "uniform", "low": low, "high": high}


PRICE = {"process": "mean_reverting", "median": uniform(1, 3), "reversion_rate": 0.8, "volatility": 0.5}
POINT = {"model": "R1", "input_tokens": 8192, "output_tokens": 1024, "token_basis": "total"}
FAILING = {"failure_rate": uniform(0.05, 0.3), "replacement_cost": 0.5, "warranty": uniform(0, 3)}
TAXED = {"tax_rate": uniform(0.1, 0.4), "inflation": uniform(0, 0.05), "residual_value": 0.4, "residual_decay": 0.3,
         "depreciation": "straight_line"}
BOUGHT = {
    "plain": {}, "ramp": {"utilization_ramp": uniform(0, 2), "deployment_time": uniform(0, 1)},
    "load": {"idle_power_fraction": uniform(0.2, 0.6), "availability": uniform(0.9, 1), "utilization_ramp": 1},
    "gain": {"software_gain": uniform(0.2, 1), "software_gain_time": uniform(0.05, 2),
             "throughput_degradation": uniform(-0.05, 0.2)},
    "escalation": {"hosting_price": 150, "hosting_escalation": uniform(0, 0.05), "contracted_power_factor": 1.2},
    "nominal": {"hosting_price": 150, "hosting_escalation": {**uniform(0, 0.05), "basis": "nominal"},
                "discount_rate": {**uniform(0.05, 0.2), "basis": "nominal"}, "inflation": uniform(0, 0.05)},
    "fixed energy": {"energy_price": uniform(-0.05, 0.3)}, "no discount": {"discount_rate": 0, "facility_capex": 9000,
                                                                           "facility_lifetime": 12},
    "facility": {"facility_capex": uniform(8000, 15000), "facility_lifetime": uniform(9, 20)},
    "operations": {"opex": uniform(0, 2000), "maintenance_rate": uniform(0, 0.05)},
    "replacement": {**FAILING, "failure_epidemic": {"probability": 0.3, "rate_multiplier": 4}},
    "fleet": {**FAILING, "fleet_size": 8}, "large fleet": {**FAILING, "failure_rate": 3, "fleet_size": 9000},
    "retirement": {**FAILING, "attrition": "without_replacement", "residual_value": 0.5},
    "retiring fleet": {**FAILING, "attrition": "without_replacement", "residual_value": 0.5, "fleet_size": 8},
    "residual": {"residual_value": uniform(0, 0.9), "residual_decay": uniform(0, 0.5)},
    "horizon": {"gpu_lifetime": uniform(5, 20), "residual_value": 0.3},
    "tax, straight line": {**TAXED, "depreciation_life": uniform(2, 9)}, "tax, life": TAXED,
    "tax, MACRS": {**TAXED, "depreciation": "macrs_5", "deployment_time": 0.7},
    "tax, at once": {**TAXED, "depreciation": "full_expensing", "deployment_time": 0.7},
    "price": {"token_price": PRICE, "token_price_decline": uniform(0, 0.3), **TAXED},
    "prices apart": {"operating_point": POINT, "input_token_price": uniform(0.1, 0.4), "output_token_price": 2,
                     "cached_input_share": 0.5, "cached_input_token_price": 0.05},
}
RENTED = {
    "plain": {}, "moving": {"rental_price": PRICE}, "fixed, deflated": {"inflation": uniform(0, 0.05)},
    "by term": {"rental_price": PRICE, "contract_term": uniform(0.2, 3), "inflation": uniform(0, 0.05)},
    "by term of months": {"rental_price": PRICE, "contract_term": 0.25}, "fixed by term": {"contract_term": 2, "inflation": 0.03},
    "opex": {"opex": 500, "utilization_ramp": 0.5, "deployment_time": 0.3}, "power": {"power": 1.4, "pue": 1.2},
    "price": {"token_price": PRICE, "tax_rate": 0.3},
}
KINDS = [*(("a", name, changes) for name, changes in BOUGHT.items()), *(("b", name, changes) for name, changes in RENTED.items())]


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    def explain_kind(platform, changes, **asked):
        data = studies.study(simulation={"trials": 512, "replicates": 16, "horizon": 10})
        given = {**data["platforms"][platform], **changes}
        if platform == "b":
            del data["shared"]["energy_price"]
            given = {"gpu_lifetime": uniform(0.4, 6), **given}
        # What all platforms share has to be stated for all.
        data["shared"] |= {name: given.pop(name) for name in ("inflation",) if name in given}
        data["platforms"] = {platform: {"residual_value": 0, **given} if platform == "a" else given}
        run = simulator.run(simulator.load(studies.write(tmp_path_factory.mktemp("study") / "study.yaml", data)))
        return run, explain(run, (0, 3, 50, 97, 100), **asked)
    return explain_kind


@pytest.mark.parametrize(("platform", "changes"), [(platform, changes) for platform, _, changes in KINDS],
                         ids=[f"{platform}-{name}" for platform, name, _ in KINDS])
def test_discounted_sums_divide_to_the_cost_of_the_trial(explained, platform, changes):
    earns = any("token_price" in name for name in changes)
    _, found = explained(platform, changes, quantity="net_present_value" if earns else COST.name)
    for trial in found.trials:
        flows, (own,) = trial.flows[platform], trial.platforms
        assert earns or trial.value == own.cost
        assert flows.cost_per_million_tokens == pytest.approx(own.cost, rel=1e-12)
        parts = {name: 1e6 * value / flows.present_tokens for name, value in flows.present_parts().items()}
        for name, part in own.parts.items():
            assert parts.get(name, 0.0) == pytest.approx(part, rel=1e-11, abs=1e-13 * own.cost), name
        if earns:
            tax = next((given.value for given in trial.inputs if given.path.endswith("tax_rate")), 0.0)
            earned = float(np.sum(flows.discount * flows.revenue))
            assert trial.value == pytest.approx((1 - tax) * (earned - flows.present_cost), abs=1e-11 * earned)
        for by_month in (False, True):
            rows = flow_rows(flows, by_month)
            cost, tokens = sum(row.present_cost for row in rows), sum(row.present_tokens for row in rows)
            assert 1e6 * cost / tokens == pytest.approx(own.cost, rel=1e-12)
            assert sum(sum(row.costs.values()) for row in rows) == pytest.approx(float(np.sum(flows.cost)), rel=1e-12)


def test_a_year_and_a_half_by_hand(explained):
    """Rented at 2 USD/hour for 1.5 years, at 10 %: twelve months, and six."""
    _, found = explained("b", {"gpu_lifetime": 1.5, "discount_rate": 0.1, "throughput": 1000, "utilization": 0.5})
    flows = found.trials[0].flows["b"]
    assert flows.month.tolist() == [0, *range(1, 19), -1]
    np.testing.assert_allclose(flows.costs["rent"], [0, *[2 * 730.5] * 18, 0])
    np.testing.assert_allclose(flows.tokens, [0, *[1000 * 0.5 * 2_629_800] * 18, 0])
    np.testing.assert_allclose(flows.discount[1:-1], [1.1 ** -((t + 0.5) / 12) for t in range(18)])
    rows = flow_rows(flows)
    assert [row.when for row in rows] == ["paid", "year 1", "year 2", "retired"]
    assert [row.cost for row in rows] == pytest.approx([0, 24 * 730.5, 12 * 730.5, 0])
    assert rows[1].rental_price == 2 and rows[1].energy_price is None
    assert rows[1].discount == pytest.approx(np.mean([1.1 ** -((t + 0.5) / 12) for t in range(12)]))


def test_the_last_month_counts_with_its_part(explained):
    _, found = explained("a", {"gpu_lifetime": 1 + 0.3 / 12, "residual_value": 0.5, "energy_price": 0.1, "utilization": 1,
                               "discount_rate": 0.08, "capex": 30000, "power": 1, "pue": 1})
    flows = found.trials[0].flows["a"]
    assert flows.in_use[-2] == pytest.approx(0.3) and flows.costs["energy"][-2] == pytest.approx(0.3 * 73.05)
    assert flows.costs["capex"][[0, -1]].tolist() == pytest.approx([30000, -15000])
    assert flows.discount[-1] == pytest.approx(1.08 ** -(1 + 0.3 / 12))
    assert [row.when for row in flow_rows(flows, by_month=True)][-2:] == ["month 13", "retired"]

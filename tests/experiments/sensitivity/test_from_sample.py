"""The measures of a study's own sample: which outputs, in which order, and when they are withheld."""

import numpy as np
import pytest
import studies
from scipy.stats import spearmanr

from simulator.engine.sample_of_trials import sample_of_trials
from simulator.experiments.sensitivity.from_sample import measure_outputs
from simulator.experiments.sensitivity.outputs import LOG_COST, LOG_RATIO, Output
from simulator.experiments.sensitivity.ranked_sample import rank_sample, regressions
from simulator.quantities import COST


def measured(study):
    ready = rank_sample(sample_of_trials(study), tuple(platform.name for platform in study.platforms))
    return ready, {found.output: found for found in measure_outputs(ready, regressions(ready, ready.values))}


def rents(**price):
    return studies.study(shared={"utilization": 1}, simulation={"trials": 32768}, platforms={
        "a": {"ownership": "rent", "rental_price": {"distribution": "lognormal", "median": 2, "sigma": 0.3},
              "throughput": {"distribution": "lognormal", "median": 1000, "sigma": 0.4}},
        "b": {"ownership": "rent", "rental_price": 1, "throughput": 1000, **price}})


def test_measures_of_the_log_of_a_product(load):
    _, by_output = measured(load(rents()))
    log = by_output[Output(LOG_COST, "a")]
    assert [found.input for found in log.first_order] == ["platforms.a.throughput", "platforms.a.rental_price"]
    for found, right in zip(log.first_order, (0.64, 0.36), strict=True):
        assert found.value.value == pytest.approx(right, abs=1e-3)
    for found, right in zip(log.regression, (-0.8, 0.6), strict=True):
        # The regression is on the inputs themselves, not on their logs.
        assert found.value.value == pytest.approx(right, abs=0.06)
    assert 0.9 < log.linear_share.value < 1
    groups = {found.input: found.value.value for found in log.groups}
    assert groups == {"workload": pytest.approx(0.64, abs=1e-3), "money": pytest.approx(0.36, abs=1e-3)}
    # The second platform is certain, so the ratio is moved by the same things the other way.
    ratio = by_output[Output(LOG_RATIO, "b/a")]
    assert {x.input: x.value.value for x in ratio.rank_correlation} == {
        x.input: pytest.approx(-x.value.value, abs=1e-9) for x in log.rank_correlation}


def test_first_order_indices_of_a_product_of_lognormals(load):
    _, by_output = measured(load(rents()))
    v = np.exp(np.array([0.16, 0.09])) - 1
    for found, right in zip(by_output[Output(COST.name, "a")].first_order, v / (np.prod(1 + v) - 1), strict=True):
        assert abs(found.value.value - right) < 4 * found.value.standard_error + 1e-3


def test_rank_correlations_of_a_whole_study(load):
    ready, by_output = measured(load(studies.study(correlations={"copula": "gaussian", "pairs": [
        ["shared.utilization", "platforms.a.throughput", -0.5]]})))
    for output, values in zip(ready.outputs, ready.values, strict=True):
        found = {x.input: x.value.value for x in by_output[output].rank_correlation}
        for subject in ready.inputs:
            right = spearmanr(ready.sample.values[subject.columns[0]], values).statistic
            assert found[subject.name] == pytest.approx(right, abs=2e-3)
        sizes = [abs(x.value.value) for x in by_output[output].rank_correlation]
        assert sizes == sorted(sizes, reverse=True) and len(sizes) == len(ready.inputs) == 7


def test_one_trial_that_carries_the_variance_withholds_what_rests_on_it(load):
    data = rents()
    data["shared"]["utilization"] = {"distribution": "beta", "alpha": 0.35, "beta": 1}
    data["simulation"] = {"trials": 65536}
    _, by_output = measured(load(data))
    cost, log = by_output[Output(COST.name, "a")], by_output[Output(LOG_COST, "a")]
    assert cost.first_order == cost.regression == cost.groups == () and cost.linear_share is None
    assert cost.withheld.startswith("one trial of a carries over 1.0% of the sum of squared deviations")
    assert "take the log" in cost.withheld and len(cost.rank_correlation) == 3
    assert log.withheld == "" and log.first_order[0].input == "shared.utilization"


def test_costs_that_may_be_negative_have_no_logs(load):
    data = studies.study()
    data["shared"]["energy_price"] = {"distribution": "uniform", "low": -0.9, "high": 0.1}
    ready, by_output = measured(load(data))
    assert ready.free == ("a",) and {output.quantity for output in by_output if "a" in output.of} == {COST.name}


def test_a_certain_study_and_one_uncertain_input(load):
    ready, by_output = measured(load(rents(), "platforms.a.rental_price=1", "platforms.a.throughput=900"))
    assert ready.inputs == () and all(found.rank_correlation == found.first_order == () for found in by_output.values())
    _, by_output = measured(load(rents(), "platforms.a.rental_price=1"))
    (only,) = by_output[Output(COST.name, "a")].first_order
    assert only.value.value == pytest.approx(1, abs=1e-4)
    assert by_output[Output(COST.name, "b")].first_order[0].value.value == 0, "what does not vary has no shares"

"""All methods in one answer: what applies, what is left out and why, and that the parts are those of the methods."""

import numpy as np
import pytest
import rented_lognormals
import studies

import simulator
from simulator.experiments.sensitivity import everything
from simulator.experiments.sensitivity.applicability import MapError, compared
from simulator.experiments.sensitivity.break_even import break_even
from simulator.experiments.sensitivity.outputs import settled
from simulator.experiments.sensitivity.players import NotApplicable
from simulator.experiments.sensitivity.shapley import shapley
from simulator.study.sensitivity import METHODS


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    data = studies.study(simulation={"trials": 1024}, plan={"tokens_per_year": 1e13, "years": 3})
    data["shared"]["utilization"]["grade"] = "judgement"  # so that an alternative applies
    study = simulator.load(studies.write(tmp_path_factory.mktemp("whole") / "study.yaml", data))
    told = []
    return study, simulator.sensitivity(study, progress=told.append), told


def test_everything_applies_to_independent_inputs(whole):
    _, found, told = whole
    assert found.methods == METHODS and found.left_out == ()
    assert told == sorted(told) and told[-1] == 1.0
    for part in (found.one_at_a_time, found.conditional, found.measures, found.sobol, found.shapley, found.shapley_groups,
                 found.decision, found.plan, found.break_even, found.crossover, found.reverse_stress, found.robustness):
        assert part


def test_the_parts_are_those_of_the_methods(whole):
    study, found, _ = whole
    assert found.shapley == shapley(study)
    assert found.break_even == {(1, 0): break_even(study, (1, 0))}
    first = {one.input: one.value.value for one in found.measures[0].first_order}
    sobol = dict(zip(found.sobol[0].players, (one.value for one in found.sobol[0].first), strict=True))
    for name, value in sobol.items():
        assert first[name] == pytest.approx(value, abs=0.06)


def test_the_plan_is_worth_its_tokens(whole):
    """Without growth and at a certain rate a plan's value is that of a million tokens times its discounted millions."""
    _, found, _ = whole
    months = np.arange(36) + 0.5
    millions = 1e13 / 1e6 / 12 * np.sum(1.08 ** (-months / 12))
    assert found.plan.evpi.value == pytest.approx(found.decision.evpi.value * millions, rel=1e-9)
    assert [one.input for one in found.plan.evppi[:2]] == [one.input for one in found.decision.evppi[:2]]


def test_correlated_inputs_have_no_sobol_indices_but_shapley_effects(load):
    study = load(rented_lognormals.study({}, rented_lognormals.TRIPLE, rented_lognormals.PAIRS))
    found = simulator.sensitivity(study, ["sobol", "shapley"])
    assert found.methods == ("shapley",) and found.sobol == () and found.shapley
    (left,) = found.left_out
    assert left.method == "sobol" and "use Shapley effects" in left.reason
    with pytest.raises(NotApplicable, match=r"sobol: found platforms\.a\.rental_price and platforms\.b\.rental_price correlated"):
        simulator.sensitivity(study, ["sobol"])


def test_the_study_chooses_where_nobody_else_does(load):
    study = load(studies.study(sensitivity={"methods": ["shapley", "tornado"]}, simulation={"trials": 512}))
    assert simulator.sensitivity(study).methods == ("tornado", "shapley")
    found = simulator.sensitivity(study, ["spider"])
    assert found.methods == ("spider",) and found.tornado(0) == () and found.shapley == ()


def test_of_a_certain_study_only_break_even_values_are_told(load):
    found = simulator.sensitivity(load(studies.certain()))
    assert found.is_certain and found.methods == ("break_even",)
    values = {one.input: [flip.value.value for flip in one.on_draws] for one in found.break_even[1, 0]}
    assert values["platforms.a.rental_price"] == [pytest.approx(1)] and values["platforms.b.rental_price"] == [pytest.approx(2)]
    assert values["shared.utilization"] == []


def test_one_platform_is_compared_with_nothing(load):
    data = studies.study(simulation={"trials": 512})
    del data["platforms"]["b"]
    study = load(data)
    found = simulator.sensitivity(study, ["tornado", "break_even", "value_of_information"])
    assert found.methods == ("tornado",) and found.study.pairs == () and found.decision is None and found.break_even is None
    assert {left.reason for left in found.left_out} == {"there is only one platform: nothing to compare, and nothing to choose"}
    with pytest.raises(NotApplicable, match="break_even: there is only one platform"):
        simulator.sensitivity(study, ["break_even"])


def test_what_cancels_out_of_a_ratio_has_no_share_in_it(load):
    """One shared input moves both costs alike: what is left in their ratio is rounding."""
    data = {**studies.certain(), "shared": {"utilization": {"distribution": "uniform", "low": 0.3, "high": 0.8}}}
    found = simulator.sensitivity(load(data), ["shapley", "sobol", "rank_correlation"])
    by_output = {(one.output.quantity, one.of): one for one in found.shapley}
    assert [share.value for share in by_output["cost_per_million_tokens", "variance"].shares] == [pytest.approx(1)]
    assert by_output["log_ratio", "variance"].shares == () and by_output["log_ratio", "variance"].withheld == "nothing varies"
    assert found.sobol[-1].withheld == "nothing varies" and found.measures[-1].rank_correlation[0].value.value == 0


def test_only_rounding_is_settled():
    assert np.ptp(settled(np.array([0.3, 0.3 + 1e-15]))) == 0
    assert np.ptp(settled(np.array([0.3, 0.3 + 1e-9]))) > 0


def test_a_map_is_of_the_inputs_that_are_named_or_of_those_that_matter_most(load):
    study = load(studies.study(simulation={"trials": 512}))
    found = simulator.sensitivity(study, ["crossover", "shapley"])
    ranked = sorted(zip(found.shapley[-1].players, found.shapley[-1].shares, strict=True), key=lambda pair: -pair[1].value)
    drawn = found.crossover.crossover
    assert [drawn.x.path, drawn.y.path] == [name for name, _ in ranked[:2]]
    paths = ("shared.energy_price.median", "platforms.a.pue")
    drawn = simulator.sensitivity(study, ["tornado"], map_of=paths).crossover.crossover
    assert (drawn.x.path, drawn.y.path) == paths
    with pytest.raises(MapError, match=r"found the text 'platforms\.a\.pui', which is no input"):
        simulator.sensitivity(study, ["crossover"], map_of=("platforms.a.pui", "platforms.a.pue"))


def test_costs_that_may_be_negative_have_no_map_and_no_ratio(load):
    data = studies.study(simulation={"trials": 512})
    data["shared"]["energy_price"] = {"distribution": "uniform", "low": -0.9, "high": 0.1}
    found = simulator.sensitivity(load(data), ["tornado", "crossover"])
    assert found.crossover is None and found.tornado(0) and found.tornado(1, 0) == ()
    assert [left.method for left in found.left_out] == ["crossover"] and "not positive" in found.left_out[0].reason


def test_of_many_pairs_those_of_the_cheapest_are_looked_at():
    pairs = [(later, earlier) for earlier in range(5) for later in range(earlier + 1, 5)]
    assert compared(pairs, [2, 0, 1, 3, 4]) == ((2, 0), (2, 1), (3, 2), (4, 2))
    assert compared(pairs[:6], [2, 0]) == tuple(pairs[:6])


def test_a_name_that_is_no_method_is_refused(load):
    with pytest.raises(ValueError, match="did you mean 'tornado'"):
        everything.sensitivity(load(studies.study()), ["tornados"])


def test_results_do_not_depend_on_threads(load):
    study = load(studies.study(simulation={"trials": 512}))
    one, two = (simulator.sensitivity(study, ["rank_correlation", "shapley", "value_of_information"], threads=n) for n in (1, 3))
    assert (one.measures, one.shapley, one.decision) == (two.measures, two.shapley, two.decision)

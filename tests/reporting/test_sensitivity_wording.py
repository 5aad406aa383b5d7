"""Names of inputs, shares, break-even values and what it is worth to know: in the words of those who read them."""

from dataclasses import replace

import pytest
import studies

from simulator.analysis.intervals import Estimate
from simulator.experiments.sensitivity.break_even import BreakEven, Flip
from simulator.experiments.sensitivity.everything import LeftOut, Sensitivity
from simulator.experiments.sensitivity.value_of_information import Decision, Known
from simulator.reporting.input_names import input_name
from simulator.reporting.sensitivity_rows import InputRow
from simulator.reporting.sensitivity_wording import (
    left_out_in_words,
    never_flips,
    percentage,
    range_in_words,
    value_in_words,
    value_of_information_in_words,
    whole_percentage,
)


def estimate(value, error=0.0):
    return Estimate(value, error, value - 2 * error, value + 2 * error)


@pytest.fixture
def study(load):
    data = studies.study(markets={"pjm": {"of": "energy_price", **studies.PROCESS}})
    data["platforms"]["a"] |= {"label": "Alpha", "failure_rate": 0.05, "replacement_cost": 0.5, "fleet_size": 72}
    data["platforms"]["b"] |= {"label": "Beta"}
    data["platforms"]["c"] = {**studies.BOUGHT, "label": "Gamma", "energy_price": {"market": "pjm"}, "utilization": 0.5}
    return load(data)


@pytest.mark.parametrize(("path", "owner", "name"), [
    ("platforms.a.capex", "", "Capex of Alpha"), ("platforms.a.capex", "a", "Capex"),
    ("platforms.a.capex", "b", "Capex of Alpha"),
    ("shared.discount_rate", "a", "Discount rate"), ("platforms.a.gpu_lifetime", "", "GPU lifetime of Alpha"),
    ("shared.energy_price.median", "", "Energy price (median)"), ("markets.pjm", "c", "Energy price in pjm"),
    ("markets.pjm.median", "c", "Energy price in pjm (median)"),
    ("shared.energy_price.jumps.sd", "", "Energy price (sd of jumps)"),
    ("platforms.a.throughput_factors.delivered_share", "", "Delivered share of Alpha"),
    ("platforms.a.failures", "a", "Single failures"), ("platforms.b.rental_price.median", "", "Rental price (median) of Beta"),
    ("shared.utilization", "a", "Utilization, shared")])
def test_names_of_inputs(study, path, owner, name):
    assert input_name(study, path, owner) == name


def test_a_single_platform_needs_no_name(study):
    assert input_name(replace(study, platforms=study.platforms[:1]), "platforms.a.capex") == "Capex"


@pytest.mark.parametrize(("share", "words"), [
    (estimate(0.50153, 0.0063), "50.2 ± 0.6 %"), (estimate(0.50153, 0.0163), "50 ± 2 %"),
    (estimate(0.0041, 0.00004), "0.4 ± 0.1 %"),
    (estimate(-0.0003, 0.0006), "0.0 ± 0.1 %"), (estimate(1.0), "100 %"), (estimate(0.0), "0 %")])
def test_shares_have_no_more_digits_than_their_errors(share, words):
    assert percentage(share) == words


@pytest.mark.parametrize(("share", "words"), [
    (0.504, "50 %"), (0.0031, "0.3 %"), (0.9952, "99.5 %"), (1.0, "100 %"), (-0.00002, "0.0 %")])
def test_rough_shares(share, words):
    assert whole_percentage(share) == words


@pytest.mark.parametrize(("path", "value", "error", "words"), [
    ("shared.utilization", 0.38217, 0.0041, "38.22 ± 0.41 %"), ("shared.discount_rate", 0.204, 0.0088, "20.40 ± 0.88 % a year"),
    ("platforms.a.gpu_lifetime", 3.698, 0.01, "3.698 ± 0.010 years"),
    ("platforms.a.capex", 44912.0, 163.0, "44,910 ± 160 USD/GPU"),
    ("platforms.a.pue", 2.495, 0.0, "2.50"), ("shared.energy_price.median", 0.061, 0.0012, "0.0610 ± 0.0012 USD/kWh"),
    ("platforms.a.failures", 1.5, 0.0, "1.50 sd")])
def test_values_with_their_units(study, path, value, error, words):
    assert value_in_words(study, path, value, error) == words


def even(path, *values, cheaper="b", low=0.4, high=0.87):
    flips = tuple(Flip(estimate(value), True) for value in values)
    return BreakEven(path, "1", low, high, True, flips, flips, "" if values else cheaper, "" if values else cheaper)


@pytest.mark.parametrize(("values", "words"), [
    ([even("shared.discount_rate")], "Beta stays cheaper than Alpha with discount rate anywhere from 40.0 to 87.0 % a year."),
    ([even("platforms.a.pue"), even("platforms.a.capex")],
     "Beta stays cheaper than Alpha whatever value any one of 2 inputs takes within its range."),
    ([even("platforms.a.pue", 2.0), even("platforms.a.power"), even("platforms.a.capex")],
     "Beta stays cheaper than Alpha whatever value any one of 2 other inputs takes within its range."),
    ([even("platforms.a.pue", 2.0)], ""),
    ([even("platforms.a.pue", cheaper="neither"), even("platforms.a.capex", cheaper="neither")],
     "The ranking of Beta and Alpha does not change whatever value any one of 2 inputs takes within its range.")])
def test_who_stays_cheaper(study, values, words):
    assert never_flips(study, (1, 0), values) == words


def test_the_range_that_was_looked_at(study):
    assert range_in_words(study, even("platforms.a.gpu_lifetime", low=3.09, high=6.91)) == "3.09 to 6.91 years"


def worth(study, evpi, *known, **more):
    decision = Decision("USD", "a", {"a": estimate(1.7284, 0.0014), "b": estimate(2.0)}, estimate(*evpi), known, ())
    return value_of_information_in_words(Sensitivity(study, ("value_of_information",), decision=decision, **more))


def test_what_it_is_worth_to_know(study):
    known = Known("shared.discount_rate", estimate(0.0068, 0.0003)), Known("platforms.a.pue", estimate(0.0))
    assert worth(study, (0.0712, 0.0005), *known) == [
        "By expected cost the choice is Alpha: 1.7284 ± 0.0014 USD per million tokens.",
        "Knowing everything before choosing would be worth 0.07120 ± 0.00050 USD per million tokens at most.",
        "Learning one input alone, at most: discount rate 0.00680 ± 0.00030 USD."]


def test_knowing_may_be_worth_nothing(study):
    assert worth(study, (0.0,))[1] == "Knowing everything would change nothing: Alpha is the cheapest in all simulated futures."
    assert worth(study, (0.07, 0.01), Known("platforms.a.pue", estimate(0.001, 0.001)))[2] == (
        "No single input is worth learning by itself: none would change the choice.")
    assert value_of_information_in_words(Sensitivity(study, ())) == []


def test_reasons_are_said_once(study):
    certain, correlated = "nothing is uncertain", "found a and b correlated"
    left = (LeftOut("tornado", certain), LeftOut("sobol", correlated), LeftOut("shapley", certain))
    assert left_out_in_words(Sensitivity(study, (), left_out=left)) == [
        "tornado and shapley are left out: nothing is uncertain", "sobol is left out: found a and b correlated"]


def test_inputs_without_a_part_are_no_rows():
    assert not InputRow("x", variance=estimate(0.0), rank_correlation=estimate(0.01, 0.01)).has_part()
    assert InputRow("x", rank_correlation=estimate(0.01, 0.01)).has_part()
    assert InputRow("x", variance=estimate(0.0, 0.01)).has_part()
    assert not InputRow("x", rank_correlation=estimate(0.0)).has_part()
    assert InputRow("x", variance=estimate(0.5)).size() > InputRow("y", variance=estimate(0.4), total=estimate(0.9)).size()

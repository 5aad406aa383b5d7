"""Numbers, units and distributions as they are written, checked against what they are to measure."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.quantities import INPUT, INPUTS
from simulator.study.distributions import DISTRIBUTIONS
from simulator.study.document import parse
from simulator.study.families import constant
from simulator.study.marginals import bounds_in_words, read_marginal
from simulator.study.reader import Reader


def read(text, quantity="power", **more):
    """The marginal that a text of YAML gives, and the problems."""
    document = parse(f"shared:\n  {quantity}: {text}", "x.yaml")
    reader = Reader(document)
    found = document.tree["shared"][quantity]
    return read_marginal(reader, found, ("shared", quantity), INPUT[quantity], **more), reader.problems


def right(text, quantity="power"):
    marginal, problems = read(text, quantity)
    assert not problems
    return marginal


def wrong(text, quantity="power"):
    """The one message that a text gives, with its path inside the input."""
    marginal, problems = read(text, quantity)
    assert marginal is None
    (problem,) = problems
    return f"{problem.path.removeprefix(f'shared.{quantity}').removeprefix('.')}: {problem.message}"


# --- numbers and units ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "quantity", "value"), [
    ("2", "power", 2.0), ("1e-3", "power", 0.001), ("{value: 2}", "power", 2.0), ("{value: 1400, unit: W}", "power", 1.4),
    ("{value: 41, unit: USD/MWh}", "energy_price", 0.041), ("{value: 60, unit: month}", "gpu_lifetime", 5.0),
    ("{value: 8, unit: '%/year'}", "discount_rate", 0.08), ("{value: 8, unit: '%/yr'}", "discount_rate", 0.08),
    ("{value: 0.08, unit: 1/a}", "discount_rate", 0.08), ("{value: 1, unit: '%/month'}", "maintenance_rate", 0.12),
    ("{value: 1, unit: 1/month}", "failure_rate", 12.0), ("{value: 60, unit: '%'}", "utilization", 0.6),
    ("{value: 2, unit: 1}", "pue", 2.0),
    ("{distribution: constant, value: {value: 1400, unit: W}}", "power", 1.4), ("-1", "energy_price", -1.0), ("0", "capex", 0.0)])
def test_a_number_in_its_unit(text, quantity, value):
    assert right(text, quantity) == constant(value)


@pytest.mark.parametrize(("text", "family", "low", "high"), [
    ("{distribution: uniform, low: 1000, high: 2000, unit: W}", "uniform", 1, 2),
    ("{distribution: uniform, low: {value: 1000, unit: W}, high: 2}", "uniform", 1, 2),
    ("{distribution: uniform, low: {value: 1, unit: kW}, high: 2000, unit: W}", "uniform", 1, 2),
    ("{distribution: discrete, values: [1000, {value: 2, unit: kW}], weights: [1, 3], unit: W}", "discrete", 1, 2)])
def test_a_unit_stands_once_for_all_or_on_one_parameter(text, family, low, high):
    marginal = right(text)
    assert marginal.family == family and marginal.support() == pytest.approx((low, high))


def test_a_unit_scales_every_parameter_but_pure_numbers():
    in_months = right("{distribution: lognormal, median: 60, sigma: 0.2, unit: month}", "gpu_lifetime")
    in_years = right("{distribution: lognormal, median: 5, sigma: 0.2}", "gpu_lifetime")
    assert in_months.parameters == pytest.approx(in_years.parameters)
    percentiles = right("{distribution: gamma, p5: 36, p95: 84, unit: month}", "gpu_lifetime")
    assert (percentiles.quantile(0.05), percentiles.quantile(0.95)) == pytest.approx((3, 7))


@pytest.mark.parametrize(("text", "quantity", "message"), [
    ("true", "power", ": found true; expected a number"), ("", "power", ": found nothing; expected a number"),
    ("[1]", "power", ": found a list of 1; expected a number"), ("two", "power", ": found the text 'two'; expected a number"),
    ("'2'", "power", ": found the text '2'; expected a number; take the quotation marks away"),
    ("1.4 kW", "power", ": found the text '1.4 kW'; expected a number; a unit stands beside it: {value: 1.4, unit: 'kW'}"),
    ("50%", "utilization", ": found the text '50%'; expected a number; a unit stands beside it: {value: 50, unit: '%'}"),
    ("1,4", "power",
    ": found the text '1,4'; expected a number; write it with a decimal point, and without separators of thousands"),
    (".nan", "power", ": found .nan; expected a finite number"), ("-.inf", "power", ": found -.inf; expected a finite number"),
    ("1e999", "power", ": found 1e999; expected a finite number"),
    ("0", "power", ": found 0 kW/GPU; expected above 0 and at most 1000 kW/GPU"),
    ("-5", "capex", ": found -5 USD/GPU; expected at least 0 USD/GPU"),
    ("0.9999999", "pue", ": found 0.9999999; expected at least 1 and at most 10"),
    ("75", "utilization", ": found 75; expected above 0 and at most 1; where 75 % is meant, write 0.75"),
    ("8", "discount_rate", ": found 8 per year; expected at least -0.2 and at most 1 per year; where 8 % is meant, write 0.08"),
    ("{value: 90, unit: '%'}", "pue", ": found 90 %, which is 0.9; expected at least 1 and at most 10"),
    ("{value: -6, unit: month}", "warranty", ": found -6 months, which is -0.5 years; expected at least 0 and at most 100 years"),
    ("{value: 1.4, unit: kWh}", "power",
    "unit: found the unit 'kWh', which measures something else; expected 'kW/GPU', or one that converts to it"),
    ("{value: 1, unit: h}", "pue", "unit: found the unit 'h', which measures something else; expected '%', or no unit"),
    ("{value: 1, unit: }", "power", "unit: found nothing; expected a unit such as 'kW/GPU'"),
    ("{value: 1, unit: [W]}", "power", "unit: found a list of 1; expected a unit such as 'kW/GPU'"),
    ("{value: 1, unit: true}", "power", "unit: found true; expected a unit such as 'kW/GPU'"),
    ("{value: 1, unit: kw}", "power", "unit: unknown unit 'kw'; did you mean 'kW'?"),
    ("{value: 1, unit: '%/month'}", "discount_rate",
     "unit: found the unit '%/month', but discount_rate compounds from year to year; expected '1/year' or '%/year'"),
    ("{value: {value: 1}}", "power", "value: found a mapping with value; expected a number"),
    ("{value: 1, unti: W}", "power", "unti: unknown key 'unti'; did you mean 'unit'?"),
    ("{value: 1, xyz: W}", "power", "xyz: unknown key 'xyz'; expected value or unit"),
    ("{valeu: 1}", "power", "valeu: unknown key 'valeu'; did you mean 'value'?"),
    ("{low: 1}", "power", ": found a mapping with low; expected a number, {value, unit} or {distribution, …}"),
    ("{}", "energy_price", ": found an empty mapping; expected a number, {value, unit}, {distribution, …} or {process, …}")])
def test_wrong_numbers_say_what_was_found_and_expected(text, quantity, message):
    assert wrong(text, quantity) == message


def test_a_wrong_unit_is_one_mistake_however_many_parameters_it_stands_for():
    assert wrong("{distribution: triangular, low: 1, mode: 2, high: 3, unit: kWh}").startswith("unit: found the unit 'kWh'")


@given(st.sampled_from(INPUTS), st.floats(-1e6, 1e6))
def test_every_number_is_within_bounds_or_refused(quantity, value):
    marginal, problems = read(repr(value), quantity.name)
    assert (marginal == constant(value)) if quantity.contains(value) else (len(problems) == 1 and marginal is None)


def test_bounds_are_said_in_words():
    assert bounds_in_words(INPUT["utilization"]) == "above 0 and at most 1"
    assert bounds_in_words(INPUT["capex"]) == "at least 0 USD/GPU"
    assert bounds_in_words(INPUT["failure_rate"]) == "at least 0 and at most 12 per GPU and year"
    assert bounds_in_words(INPUT["gpu_lifetime"]) == "above 0 and at most 100 years"


# --- distributions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "quantity", "message"), [
    ("{distribution: betta}", "pue", "distribution: found the text 'betta'; did you mean 'beta'?"),
    ("{distribution: 5}", "pue", f"distribution: found 5; expected {', '.join(DISTRIBUTIONS)}, empirical or mixture"),
    ("{distribution: metalg}", "pue", "distribution: found the text 'metalg'; did you mean 'metalog'?"),
    ("{distribution: pert, low: 1, mode: 2, hihg: 3}", "pue",
     "hihg: unknown parameter 'hihg'; pert takes low, mode and high (shape may be added); did you mean 'high'?"),
    ("{distribution: normal, P5: 1, p95: 2}", "pue",
     "P5: unknown parameter 'P5'; normal takes mean and sd, or two percentiles such as p5 and p95; did you mean 'p5'?"),
    ("{distribution: pert, low: 1, mode: 2}", "pue", ": found low, mode; pert takes low, mode and high (shape may be added)"),
    ("{distribution: normal}", "pue", ": found no parameters; normal takes mean and sd, or two percentiles such as p5 and p95"),
    ("{distribution: normal, mean: 1, p5: 2}", "pue",
    ": found p5, mean; normal takes mean and sd, or two percentiles such as p5 and p95"),
    ("{distribution: normal, p5: 2}", "pue", ": found p5; normal takes mean and sd, or two percentiles such as p5 and p95"),
    ("{distribution: normal, p5: 1, p50: 2, p95: 3}", "pue",
     ": found p5, p50, p95; normal takes mean and sd, or two percentiles such as p5 and p95"),
    ("{distribution: normal, p0: 1, p95: 2}", "pue", "p0: found the percentile 'p0'; expected one above p0 and below p100"),
    ("{distribution: normal, p5: 1, p100: 2}", "pue", "p100: found the percentile 'p100'; expected one above p0 and below p100"),
    ("{distribution: normal, p5: 1, p101: 2}", "pue", "p101: found the percentile 'p101'; expected one above p0 and below p100"),
    ("{distribution: normal, p5: 1, p05: 2}", "pue", "p05: found the percentile 5 a second time; keep one"),
    ("{distribution: normal, p5: 1, p5.0: 2}", "pue", "p5.0: found the percentile 5 a second time; keep one"),
    ("{distribution: normal, p5: 2, p95: 1}", "pue",
     ": found percentiles out of order (p5 = 2, p95 = 1); expected each to be above the one before"),
    ("{distribution: normal, p5: 2, p95: 2}", "pue",
     ": found percentiles out of order (p5 = 2, p95 = 2); expected each to be above the one before"),
    ("{distribution: gamma, p5: 1, p95: 1.0001}", "pue", ": found percentiles that no usable distribution of this kind has; "
     "expected them further apart or closer together"),
    ("{distribution: triangular, low: 1, mode: 3, high: 2}", "pue",
    ": found low 1, mode 3, high 2; expected them in rising order"),
    ("{distribution: normal, mean: 1.3, sd: .inf}", "pue", "sd: found .inf; expected a finite number"),
    ("{distribution: normal, mean: 1.3, sd: x}", "pue", "sd: found the text 'x'; expected a number"),
    ("{distribution: discrete, values: 1, weights: [1]}", "pue", "values: found 1; expected a list of numbers"),
    ("{distribution: discrete, values: [1, x], weights: [1, 1]}", "pue", "values.1: found the text 'x'; expected a number"),
    ("{distribution: uniform, low: [1], high: 2}", "pue", "low: found a list of 1; expected a number"),
    ("{distribution: uniform, low: {unit: W}, high: 2}", "power", "low.value: is missing; expected a number or {value, unit}"),
    ("{distribution: uniform, low: {vlue: 1}, high: 2}", "power", "low.vlue: unknown key 'vlue'; did you mean 'value'?"),
    ("{distribution: lognormal, median: 1, sigma: {value: 1, unit: W}}", "power",
    "sigma: found a mapping with value, unit; expected a number"),
    ("{distribution: lognormal, median: 1e308, sigma: 100}", "capex",
     ": found a lognormal distribution that is too wide to compute with; expected one whose values are ordinary numbers"),
    ("{distribution: beta, mean: 0.5, sd: 1e-200}", "utilization", ": found parameters that are too extreme to compute with; "
     "expected ordinary numbers"),
    ("{distribution: exponential, mean: 0.2}", "utilization",
     ": found an exponential distribution that reaches from 2e-13 to 5.526; expected all of it above 0 and at most 1"),
    ("{distribution: normal, mean: 50000, sd: 10000}", "capex", ": found a normal distribution that reaches from -2.034e+04 to "
     "1.203e+05 USD/GPU; expected all of it at least 0 USD/GPU; truncated_normal and beta stay inside bounds"),
    ("{distribution: uniform, low: 0.5, high: 1.0000000001}", "utilization",
    ": found a uniform distribution that reaches from 0.5 to "
     "1.0000000001; expected all of it above 0 and at most 1")])
def test_wrong_distributions_say_what_was_found_and_expected(text, quantity, message):
    assert wrong(text, quantity) == message


@pytest.mark.parametrize(("text", "inside"), [
    ("{distribution: beta, mean: 0.5, sd: 0.2}", True), ("{distribution: uniform, low: 0, high: 1}", True),
    ("{distribution: normal, mean: 0.5, sd: 0.071}", True), ("{distribution: normal, mean: 0.5, sd: 0.0712}", False),
    ("{distribution: truncated_normal, mean: 0.5, sd: 1, low: 0.1, high: 1}", True),
    ("{distribution: truncated_normal, mean: 0.5, sd: 1, low: 0.1}", False),
    ("{distribution: lognormal, median: 0.5, sigma: 0.0985}", True),
    ("{distribution: lognormal, median: 0.5, sigma: 0.0986}", False),
    ("{distribution: beta, mean: 0.6, sd: 0.1, low: 0, high: 1.01}", True),
    ("{distribution: beta, alpha: 2, beta: 2, high: 1.01}", False)])
def test_the_bounds_hold_to_the_outermost_quantiles(text, inside):
    """A normal reaches 7.034 sd either way at 1e-12."""
    marginal, problems = read(text, "utilization")
    assert (marginal is not None and not problems) if inside else ("expected all of it" in problems[0].message)


NUMBERS = st.floats(allow_nan=True) | st.integers(-3,
10**6) | st.sampled_from(["x", None, True, [], {}, [1], {"value": 1}, {"unit": "W"}])
KEYS = st.sampled_from(["p5", "p50", "p95", "p5.0", "p100", "low", "mode", "high", "mean", "sd", "median", "sigma", "alpha",
"beta", "shape",
                        "scale", "values", "weights", "value", "unit", "x"])


@given(st.sampled_from([*DISTRIBUTIONS, "x", None, 3]),
st.dictionaries(KEYS, NUMBERS | st.lists(NUMBERS, max_size=3), max_size=5),
       st.sampled_from(INPUTS))
@settings(max_examples=500, deadline=None)
def test_whatever_is_written_gives_a_usable_marginal_or_a_problem(name, parameters, quantity):
    document = parse("a: 1", "x.yaml")
    reader = Reader(document)
    marginal = read_marginal(reader, {"distribution": name, **parameters}, ("shared", quantity.name), quantity)
    assert (marginal is None) == bool(reader.problems)
    if marginal is not None:
        assert all(quantity.contains(value) and math.isfinite(value) for value in marginal.support())

"""Inputs with their evidence, and price processes."""

import pytest

from simulator.quantities import INPUT
from simulator.study.document import parse
from simulator.study.families import constant
from simulator.study.inputs import read_input
from simulator.study.model import Evidence, Input, Process
from simulator.study.problems import Place
from simulator.study.processes import JUMPS, PROCESS_OPTIONAL, PROCESS_REQUIRED, parameter_quantity, units_of
from simulator.study.reader import Reader

OU = "process: mean_reverting, median: 0.041, reversion_rate: 2.5, volatility: 1.05"


def read(text, quantity="energy_price"):
    document = parse(f"shared:\n  {quantity}: {text}", "x.yaml")
    reader = Reader(document)
    return read_input(reader, document.tree["shared"][quantity], ("shared", quantity), INPUT[quantity]), reader.problems


def wrong(text, quantity="energy_price"):
    """All messages, each with its path inside the input."""
    found, problems = read(text, quantity)
    assert found is None
    return [f"{problem.path.removeprefix(f'shared.{quantity}').removeprefix('.')}: {problem.message}" for problem in problems]


# --- evidence -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "{value: 0.1, %s}", "{distribution: uniform, low: 0.1, high: 0.2, %s}", f"{{{OU}, %s}}"])
def test_evidence_stands_on_any_kind_of_input(text):
    found, problems = read(text % "source: EIA, date: 2026-01-31, grade: primary, note: 'table 5.6'")
    assert not problems
    assert found.evidence == Evidence("EIA", "2026-01-31", "primary", "table 5.6")
    assert (found.path, found.place) == ("shared.energy_price", Place("x.yaml", 2))


def test_a_year_is_a_date_and_a_changed_number_is_no_text():
    assert read("{value: 0.1, date: 2026}")[0].evidence.date == "2026"
    assert wrong("{value: 0.1, date: 2026.10}") == ["date: found the number 2026.10; expected text: put it between "
     "quotation marks"]
    assert wrong("{value: 0.1, source: 0x1F}") == ["source: found the number 0x1F; expected text: put it between quotation marks"]


@pytest.mark.parametrize(("text", "message"), [
    ("{value: 0.1, source: }", "source: found nothing; expected text"), ("{value: 0.1, note: [a]}", "note: found a list of "
     "1; expected text"),
    ("{value: 0.1, date: true}", "date: found true; expected text"), ("{value: 0.1, sourc: x}", "sourc: unknown key "
     "'sourc'; did you mean 'source'?"),
    ("{value: 0.1, grade: primry}", "grade: found the text 'primry'; expected primary, analyst, weak or judgement; did you "
     "mean 'primary'?"),
    ("{value: 0.1, grade: 3}", "grade: found 3; expected primary, analyst, weak or judgement")])
def test_wrong_evidence_says_what_was_expected(text, message):
    assert wrong(text) == [message]


# --- processes ------------------------------------------------------------------------------------------------


def test_a_process_with_the_defaults_of_the_format():
    found, problems = read(f"{{{OU}}}")
    assert not problems
    assert found.value == Process({"delivery": constant(0.0), "hedged_share": constant(0.0), "median": constant(0.041),
                                   "reversion_rate": constant(2.5), "volatility": constant(1.05)})
    assert not found.is_constant


def test_the_unit_of_a_process_is_that_of_its_prices():
    found, problems = read("{process: mean_reverting, unit: USD/MWh, median: 41, delivery: 36, strike: {value: 0.05, unit: "
     "USD/kWh}, "
                           "start: 41, reversion_rate: 2.5, volatility: 1.05, hedged_share: 0.5}")
    assert not problems
    amounts = {name: marginal.parameters[0] for name, marginal in found.value.parameters.items()}
    assert amounts == {"median": 0.041, "reversion_rate": 2.5, "volatility": 1.05, "delivery": 0.036, "hedged_share": 0.5,
    "start": 0.041,
                       "strike": 0.05}


def test_each_parameter_may_be_uncertain():
    found, problems = read("{process: mean_reverting, unit: USD/MWh, median: {distribution: lognormal, p5: 30, p95: 50}, "
                           "reversion_rate: {distribution: uniform, low: 2, high: 3}, volatility: 1}")
    assert not problems
    parameters = found.value.parameters
    assert parameters["median"].quantile(0.05) == pytest.approx(0.03) and parameters["reversion_rate"].family == "uniform"


@pytest.mark.parametrize(("text", "messages"), [
    ("{process: arima}", ["process: found the text 'arima'; expected mean_reverting"]),
    ("{process: }", ["process: found nothing; expected mean_reverting"]),
    ("{process: mean_reverting}", [f"{name}: is missing; a mean_reverting process needs median, reversion_rate and volatility"
                                   for name in PROCESS_REQUIRED]),
    ("{process: mean_reverting, medain: 1, reversion_rate: 2, volatility: 1}",
     ["medain: unknown parameter 'medain'; did you mean 'median'?"]),
    ("{%s, hedged_share: 1.5}",
    ["hedged_share: found 1.5; expected at least 0 and at most 1; where 1.5 % is meant, write 0.015"]),
    ("{%s, start: stationry}", ["start: found the text 'stationry'; expected a number"]),
    ("{%s, jumps: {rate: 1}}", [f"jumps.{name}: is missing; jumps have a rate [1/year], and the mean and sd of their size in logs"
                                for name in ("mean", "sd")]),
    ("{%s, jumps: 1}", ["jumps: found 1; expected {rate, mean, sd}"]),
    ("{%s, jumps: {rate: 1, mean: 0, sd: 1, size: 2}}", ["jumps.size: unknown parameter 'size'; expected rate, mean or sd"]),
    ("{%s, jumps: {rate: -1, mean: 0, sd: 1}}", ["jumps.rate: found -1 per year; expected at least 0 and at most 120 per year"]),
    ("{%s, start: stationary, jumps: {rate: 1, mean: 0, sd: 1}}", [
        "start: found 'stationary' beside jumps, whose long-run distribution has no closed form; expected a price, or no start "
        "(the median)"]),
    ("{%s, hedged_share: 0.5, jumps: {rate: 1, mean: 0, sd: 1}}",
     ["strike: is missing; a hedge needs it where the process has jumps or starts away from its median"]),
    ("{%s, unit: USD/MW}", ["unit: found the unit 'USD/MW', which measures something else; expected 'USD/kWh', or one that "
     "converts to it"]),
    ("{%s, delivery: -1}", ["delivery: found -1 USD/kWh; expected at least 0 and at most 10 USD/kWh"]),
    ("{%s, start: 0.08, hedged_share: 0.5}",
     ["strike: is missing; a hedge needs it where the process has jumps or starts away from its median"]),
    ("{process: mean_reverting, median: 0, reversion_rate: -1, volatility: x}",
     ["median: found 0 USD/kWh; expected above 0 and at most 10 USD/kWh",
      "reversion_rate: found -1 per year; expected above 0 and at most "
      "1000 per year",
      "volatility: found the text 'x'; expected a number"]),
    ("{process: mean_reverting, median: 0.05, reversion_rate: 0.01, volatility: 2}",
     [": found a volatility and a reversion_rate that let the log price spread by 14.1 (one sd, in the long run); expected "
      "at most 5: "
      "volatility is per √year, reversion_rate per year"])])
def test_wrong_processes_say_what_was_expected(text, messages):
    assert wrong(text.replace("%s", OU)) == messages


@pytest.mark.parametrize("more",
["start: 0.08, strike: 0.05, hedged_share: 0.5", "start: 0.041, hedged_share: 0.5", "start: 0.08"])
def test_a_hedge_with_its_strike_or_at_the_median_is_right(more):
    assert not read(f"{{{OU}, {more}}}")[1]


def test_an_input_that_does_not_move_takes_no_process():
    assert wrong(f"{{{OU}}}", "power") == [": found a process, but power does not move in time; expected a number or a "
     "distribution"]
    assert not read("{process: mean_reverting, median: 2, reversion_rate: 1, volatility: 0.3}", "rental_price")[1]


def test_jumps_and_a_stationary_start():
    found, problems = read(f"{{{OU}, start: stationary, hedged_share: 0.5}}")
    assert not problems and found.value.starts_anywhere and "start" not in found.value.parameters
    found, problems = read(f"{{{OU}, jumps: {{rate: 0.5, mean: {{distribution: normal, mean: 0.5, sd: 0.1}}, sd: 0.2}}}}")
    assert not problems and found.value.has_jumps
    assert found.value.parameters["jumps.mean"].family == "normal"


# --- nominal rates, epidemics, two kinds of evidence -----------------------------------------------------------


def test_a_rate_may_be_nominal():
    found, problems = read("{value: 10, unit: '%/year', basis: nominal}", "discount_rate")
    assert not problems and found.is_nominal and found.value == constant(0.1)
    assert not read("{value: 0.1, basis: real}", "discount_rate")[0].is_nominal
    assert wrong("{value: 0.1, basis: nomnal}", "discount_rate") == [
        "basis: found the text 'nomnal'; expected real or nominal; did you mean 'nominal'?"]
    assert wrong("{value: 0.1, basis: nominal}", "throughput_degradation")[0].startswith("basis: unknown key 'basis'")


def test_an_epidemic_is_a_mixture():
    found, problems = read("{probability: 0.1, rate_multiplier: 8, source: ORNL}", "failure_epidemic")
    assert not problems and found.evidence.source == "ORNL"
    assert [found.value.quantile(p) for p in (0.001, 0.899, 0.901, 0.999)] == [1, 1, 8, 8]
    spread = read("{probability: 0.1, rate_multiplier: {distribution: uniform, low: 4, high: 8}}", "failure_epidemic")[0]
    assert spread.value.quantile(0.95) == pytest.approx(6)
    assert read("{probability: 0, rate_multiplier: 8}", "failure_epidemic")[0].value == constant(1.0)
    assert read("{probability: 1, rate_multiplier: 8}", "failure_epidemic")[0].value == constant(8.0)


@pytest.mark.parametrize(("text", "message"), [
    ("{probability: 0.1}", "rate_multiplier: is missing; an epidemic of failures has a probability and a rate_multiplier"),
    ("{probability: 1.1, rate_multiplier: 2}", "probability: found 1.1; expected at least 0 and at most 1; where 1.1 % is meant, "
     "write 0.011"),
    ("{probability: 0.1, rate_multiplier: 0.5}", "rate_multiplier: found 0.5; expected at least 1 and at most 1000"),
    ("{probability: 0.1, rate_multiplier: 2, rate: 3}", "rate: unknown key 'rate'; did you mean 'date'?"),
    ("{probability: {distribution: uniform, low: 0, high: 1}, rate_multiplier: 2}",
     "probability: found a distribution; expected a number: an uncertain probability of one event is its mean")])
def test_what_is_wrong_with_an_epidemic(text, message):
    assert wrong(text, "failure_epidemic") == [message]


def test_two_kinds_of_evidence_of_which_one_is_used():
    text = "{measured: {value: 800, source: us}, claim: {value: 1000, source: them}%s}"
    for more, value, kind in (("", 800, "measured"), (", use: claim", 1000, "claim")):
        found, problems = read(text % more, "throughput")
        assert not problems and found.value == constant(value) and found.kind == kind and found.path == "shared.throughput"
    assert read(text % "", "throughput")[0].evidence.source == "us"
    assert wrong("{measured: 800}", "throughput") == [
        "claim: is missing; an input that names its kind of evidence has both: measured and claim"]
    assert wrong("{measured: 800, claim: -1}", "throughput") == ["claim: found -1 token/s/GPU; expected above 0 token/s/GPU"]
    assert wrong("{measured: 800, claim: 900, use: claims}", "throughput")[0].startswith("use: found the text 'claims'; expected")


# --- units by path --------------------------------------------------------------------------------------------


def test_each_path_has_its_unit():
    plain = Input("platforms.a.capex", INPUT["capex"], constant(1.0))
    moving, _ = read(f"{{{OU}, strike: 1, jumps: {{rate: 1, mean: 0, sd: 1}}}}")
    units = units_of({plain.path: plain, moving.path: moving})
    assert units["platforms.a.capex"] == "USD/GPU" and units["shared.energy_price"] == "USD/kWh"
    assert units["shared.energy_price.median"] == units["shared.energy_price.strike"] == "USD/kWh"
    assert units["shared.energy_price.reversion_rate"] == units["shared.energy_price.jumps.rate"] == "1/year"
    assert units["shared.energy_price.hedged_share"] == "1"


def test_every_parameter_of_a_process_has_a_quantity():
    for name in (*PROCESS_REQUIRED, *PROCESS_OPTIONAL, *(f"jumps.{name}" for name in JUMPS)):
        assert parameter_quantity(name, INPUT["energy_price"]).name == name.removeprefix("jumps.")

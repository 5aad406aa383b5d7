"""Inputs with their evidence, and price processes."""

import pytest

from simulator.quantities import INPUT
from simulator.study.document import parse
from simulator.study.families import constant
from simulator.study.inputs import PROCESS_OPTIONAL, PROCESS_REQUIRED, parameter_quantity, read_input, unit_of
from simulator.study.model import Evidence, Process
from simulator.study.problems import Place
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
    assert found.value == Process(constant(0.041), constant(2.5), constant(1.05), constant(0.0), constant(0.0), None, None)
    assert list(found.value.parameters()) == ["median", "reversion_rate", "volatility", "delivery", "hedged_share"]
    assert not found.is_constant


def test_the_unit_of_a_process_is_that_of_its_prices():
    found, problems = read("{process: mean_reverting, unit: USD/MWh, median: 41, delivery: 36, strike: {value: 0.05, unit: "
     "USD/kWh}, "
                           "start: 41, reversion_rate: 2.5, volatility: 1.05, hedged_share: 0.5}")
    assert not problems
    amounts = {name: marginal.parameters[0] for name, marginal in found.value.parameters().items()}
    assert amounts == {"median": 0.041, "reversion_rate": 2.5, "volatility": 1.05, "delivery": 0.036, "hedged_share": 0.5,
    "start": 0.041,
                       "strike": 0.05}


def test_each_parameter_may_be_uncertain():
    found, problems = read("{process: mean_reverting, unit: USD/MWh, median: {distribution: lognormal, p5: 30, p95: 50}, "
                           "reversion_rate: {distribution: uniform, low: 2, high: 3}, volatility: 1}")
    assert not problems
    assert found.value.median.quantile(0.05) == pytest.approx(0.03) and found.value.reversion_rate.family == "uniform"


@pytest.mark.parametrize(("text", "messages"), [
    ("{process: arima}", ["process: found the text 'arima'; expected mean_reverting"]),
    ("{process: }", ["process: found nothing; expected mean_reverting"]),
    ("{process: mean_reverting}", [f"{name}: is missing; a mean_reverting process needs median, reversion_rate and volatility"
                                   for name in PROCESS_REQUIRED]),
    ("{process: mean_reverting, medain: 1, reversion_rate: 2, volatility: 1}",
     ["medain: unknown parameter 'medain'; did you mean 'median'?"]),
    ("{%s, hedged_share: 1.5}",
    ["hedged_share: found 1.5; expected at least 0 and at most 1; where 1.5 % is meant, write 0.015"]),
    ("{%s, start: stationary}", ["start: found the text 'stationary'; expected a number"]),
    ("{%s, jumps: {rate: 1}}", ["jumps: this version does not act on 'jumps' yet; take it out to run the study without it"]),
    ("{%s, unit: USD/MW}", ["unit: found the unit 'USD/MW', which measures something else; expected 'USD/kWh', or one that "
     "converts to it"]),
    ("{%s, delivery: -1}", ["delivery: found -1 USD/kWh; expected at least 0 and at most 10 USD/kWh"]),
    ("{%s, start: 0.08, hedged_share: 0.5}",
     ["strike: is missing; a hedge needs it where the process starts away from its median"]),
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


# --- units by path --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "unit"), [
    ("shared.utilization", "1"), ("platforms.a.capex", "USD/GPU"), ("platforms.a.throughput_factors.x", "1"),
    ("shared.throughput_factors.x", "1"), ("shared.energy_price.median", "USD/kWh"),
    ("platforms.b.rental_price.strike", "USD/GPU/hour"),
    ("shared.energy_price.reversion_rate", "1/year"), ("shared.energy_price.hedged_share", "1")])
def test_each_path_has_its_unit(path, unit):
    assert unit_of(path) == unit


def test_every_parameter_of_a_process_has_a_quantity():
    for name in (*PROCESS_REQUIRED, *PROCESS_OPTIONAL):
        assert parameter_quantity(name, INPUT["energy_price"]).name == name

"""Digits and sentences follow the numbers."""

import math

import pytest
import studies
from hypothesis import given
from hypothesis import strategies as st

import simulator
from simulator.analysis.intervals import Estimate
from simulator.reporting import wording


def estimate(value, error=0.0):
    return Estimate(value, error, value - 2 * error, value + 2 * error)


@pytest.mark.parametrize(("value", "error", "text"), [
    (0.123456, 0.0, "0.123"), (0.123456, 0.004, "0.12"), (0.123456, 0.04, "0.1"), (0.123456, 0.4, "0.1"),
    (4.198, 0.00001, "4.20"), (53929.4, 0.0, "53,900"), (1234567.0, 200.0, "1,230,000"), (1234567.0, 40_000.0, "1,200,000"),
    (0.0, 0.0, "0"), (-0.0456, 0.0, "-0.0456"), (9.996, 0.0, "10.0"), (0.00001234, 0.0, "0.0000123")])
def test_numbers_have_the_digits_their_error_allows(value, error, text):
    assert wording.number(estimate(value, error)) == text


@given(st.floats(1e-6, 1e9), st.floats(1e-9, 1e9))
def test_no_digit_is_blurred_by_the_error_unless_it_is_the_only_one(value, error):
    decimals = wording.digits(value, error)
    leading = -math.floor(math.log10(value))
    assert decimals == leading or 10.0**-decimals >= 1.96 * error * (1 - 1e-9)
    assert leading <= decimals <= leading + 2


@pytest.mark.parametrize(("value", "error", "n", "text"), [
    (0.7249, 0.002, 10**6, "72 %"), (0.0312, 0.0001, 10**6, "3.1 %"), (0.9999, 0.00001, 10**6, "over 99.9 %"),
    (0.0, 0.0, 10**6, "0 %"), (0.0, 0.0, 4096, "under 0.1 %"), (1.0, 0.0, 10**6, "100 %"), (1.0, 0.0, 4096, "over 99.9 %"),
    (0.0, 0.0, 512, "under 1 %"), (1.0, 0.0, 512, "over 99 %"), (0.996, 0.001, 4096, "over 99 %"),
    (0.9985, 0.0005, 4096, "over 99 %"),
    (0.003, 0.0005, 4096, "under 1 %"), (0.004, 0.0001, 10**6, "0.4 %"), (0.5, 0.0, 10**6, "50 %")])
def test_percentages(value, error, n, text):
    from simulator.analysis.intervals import probability

    assert wording.percent(probability(estimate(value, error), n)) == text


def test_lists_read_as_sentences():
    assert [wording.listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def rented(price, throughput):
    return {"ownership": "rent", "throughput": throughput, "rental_price": price}


def headline(load, **platforms):
    data = studies.study(platforms=platforms)
    del data["shared"]["energy_price"]
    return wording.headline(simulator.run(load(data)))


def test_a_clear_winner_is_named_with_its_range_and_ratio(load):
    text = headline(load, a=rented(2.0, 100), b=rented(2.0, 200))
    assert text.startswith("b is cheapest in over 99.9 % of simulated futures. It costs 4.2")
    assert text.endswith("; a costs 2.00 times as much.")
    assert "90 % of outcomes: 3.39 to 6.2" in text


def test_ties_and_near_ties_have_no_winner(load):
    assert headline(load, a=rented(2.0, 100), b=rented(2.0, 100)).startswith("No clear winner: a is cheapest in 50 %")
    wide = {"distribution": "lognormal", "p5": 90, "p95": 111}
    assert headline(load, a=rented(2.0, wide), b=rented(2.01, wide)).startswith("No clear winner")


def test_one_platform_makes_no_comparison(load):
    assert headline(load, a=rented(2.0, 100)).startswith("a costs 8.")


def test_not_modelled_names_what_is_left_out(load):
    text = wording.not_modelled(simulator.run(load(studies.study())))
    assert "for a: hosting price" in text and "throughput degradation" in text and text.startswith("Not modelled")

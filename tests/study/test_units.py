"""Units are read as people write them, convert there and back, and never across dimensions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.quantities import INPUTS, RESULTS
from simulator.units import HOURS_PER_MONTH, SECONDS_PER_MONTH, UnitError, conversion, convert, parse_unit

# Groups of units of one dimension, as people write them.
ALIKE = {
    "money": ["USD", "$", "kUSD", "MUSD", "cent", "¢", "USD/GPU", "k$"],
    "energy price": ["USD/kWh", "USD/MWh", "¢/kWh", "cent/kWh", "$/GWh", "USD/kW/hour", "USD/kW-month",
                     "USD/kW/month", "USD/MW/year"],  # hosting measures the same: money for power over time
    "power": ["kW", "W", "MW", "GW", "kW/GPU"],
    "duration": ["year", "years", "yr", "month", "day", "h", "hours", "minute", "s"],
    "rate": ["1/year", "%/year", "1/month", "1/GPU/year", "%/yr"],
    "number": ["1", "%", "-", "percent"],
    "speed": ["token/s", "tokens/second", "token/s/GPU", "Mtoken/day", "tok/s", "million tokens/hour"],
    "price of tokens": ["USD/million tokens", "USD/Mtoken", "¢/ktoken"],
    "carbon": ["g/kWh", "kg/MWh", "t/GWh", "gCO2e/kWh"],
}


@pytest.mark.parametrize(("unit", "canonical", "factor"), [
    ("USD/MWh", "USD/kWh", Fraction(1, 1000)), ("¢/kWh", "USD/kWh", Fraction(1, 100)), ("%", "1", Fraction(1, 100)),
    ("month", "year", Fraction(1, 12)), ("day", "year", Fraction(4, 1461)), ("hour", "year", Fraction(1, 8766)),
    ("USD/kW/year", "USD/kW/month", Fraction(1, 12)), ("MW", "kW/GPU", Fraction(1000)), ("W", "kW", Fraction(1, 1000)),
    ("USD/hour", "USD/GPU/hour", Fraction(1)), ("token/minute", "token/s/GPU", Fraction(1, 60)),
    ("Mtoken/hour", "token/s", Fraction(2500, 9)), ("TFLOP/s", "PFLOP/s/GPU", Fraction(1, 1000)),
    ("1/month", "1/year", Fraction(12)),
    ("%/year", "1/year", Fraction(1, 100)), ("kUSD/GPU", "USD/GPU", Fraction(1000)),
    ("USD/kW-month", "USD/kW/month", Fraction(1)),
    ("t/GWh", "g/kWh", Fraction(1)), ("MWh", "kWh", Fraction(1000)), ("kW*hour", "kWh", Fraction(1)),
])
def test_known_conversions_are_exact(unit, canonical, factor):
    assert conversion(unit, canonical) == factor


def test_the_constants_agree_with_the_units():
    assert conversion("month", "hour") == HOURS_PER_MONTH
    assert conversion("month", "second") == SECONDS_PER_MONTH == 2_629_800


@given(st.sampled_from(sorted(ALIKE)), st.data())
def test_there_and_back_is_where_it_began(group, data):
    one, other = (data.draw(st.sampled_from(ALIKE[group])) for _ in range(2))
    assert conversion(one, other) * conversion(other, one) == 1
    value = data.draw(st.floats(1e-6, 1e9))
    assert convert(convert(value, one, other), other, one) == pytest.approx(value, rel=1e-15)


@given(st.sampled_from(sorted(ALIKE)), st.sampled_from(sorted(ALIKE)), st.data())
def test_dimensions_do_not_mix(one, other, data):
    unit, canonical = data.draw(st.sampled_from(ALIKE[one])), data.draw(st.sampled_from(ALIKE[other]))
    if one == other:
        assert conversion(unit, canonical) > 0
    else:
        with pytest.raises(UnitError, match="measures something else"):
            conversion(unit, canonical)


@given(st.floats(-1e300, 1e300))
def test_the_same_unit_changes_no_bit(value):
    assert convert(value, "USD/kWh", "USD/kWh") == value


def test_a_conversion_rounds_once():
    assert convert(41.0, "USD/MWh", "USD/kWh") == 0.041  # 41 × 0.001 is 0.041000000000000002
    assert convert(7.0, "%", "1") == 0.07


@pytest.mark.parametrize("unit", ["EUR/kWh", "€", "GBP", "CNY/GPU", "¥/kWh", "kEUR"])
def test_other_currencies_are_refused_with_what_to_do(unit):
    with pytest.raises(UnitError, match=r"expected USD: convert the amount"):
        parse_unit(unit)


@pytest.mark.parametrize(("unit", "words"), [
    ("kwh", "did you mean 'kWh'"), ("USD/kwh", "'kwh' is unknown"), ("hoour", "did you mean 'hour'"), ("Ws", "Ws"), ("as", "as"),
    ("parsec", "unknown unit 'parsec'"), ("USD//kWh", "missing before or after"), ("USD/", "missing before or after"),
    ("/year", "missing before or after"), ("", "missing"), ("kW-", "missing before or after")])
def test_what_is_no_unit_is_refused(unit, words):
    with pytest.raises(UnitError) as error:
        parse_unit(unit)
    assert words in str(error.value)


@given(st.text(max_size=40))
def test_any_text_is_a_unit_or_an_error(text):
    try:
        unit = parse_unit(text)
    except UnitError:
        return
    assert unit.factor > 0


def test_every_unit_of_the_registry_is_one():
    for quantity in (*INPUTS, *(result for result in RESULTS if " per " not in result.unit)):
        assert conversion(quantity.unit, quantity.unit) == 1, quantity.name


def test_an_amount_too_large_for_a_number_overflows():
    with pytest.raises(OverflowError):
        convert(1e308, "MUSD", "USD")

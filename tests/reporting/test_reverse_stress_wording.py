"""When the choice loses, in words: units, digits, one platform or several."""

import pytest
import studies

from simulator.analysis.intervals import Estimate
from simulator.experiments.sensitivity.reverse_stress import Box, Limit, ReverseStress
from simulator.reporting.reverse_stress_wording import reverse_stress_in_words


def share(value):
    return Estimate(value, 0.001, value - 0.002, value + 0.002)


def words(load, *limits, density=0.83, **changes):
    data = studies.study(**changes)
    data["platforms"]["a"] |= {"label": "Alpha", "failure_rate": 0.05, "replacement_cost": 0.5, "fleet_size": 72}
    data["platforms"]["b"] |= {"label": "Beta"}
    cheapest = {"a": 1 - density, "b": density}
    box = Box(tuple(Limit(*limit) for limit in limits), share(0.062), share(density), share(0.44), cheapest)
    return reverse_stress_in_words(load(data), ReverseStress("a", share(0.12), box))


def test_the_other_wins_where_it_mostly_does(load):
    assert words(load, ("shared.utilization", None, 0.3817)) == (
        "Beta wins when the utilization is under 38 %, which happens in 6 % of futures. It wins in 83 % of those. 44 % of all "
        "futures in which Alpha is not the cheapest are among these.")


def test_the_winner_is_least_sure_where_it_mostly_wins(load):
    found = words(load, ("shared.utilization", None, 0.3817), density=0.31)
    assert found.startswith("Alpha is least sure to win when the utilization is under 38 %, which happens in 6 % of futures. "
                            "It is not the cheapest in 31 % of those, against 12 % of all.")


@pytest.mark.parametrize(("limit", "said"), [
    (("platforms.a.gpu_lifetime", None, 4.3217), "the GPU lifetime of Alpha is under 4.3 years"),
    (("platforms.a.capex", 51234.0, 55678.0), "the capex of Alpha is between 51,000 and 56,000 USD/GPU"),
    (("platforms.a.throughput_factors.delivered_share", 0.8123, None), "the delivered share of Alpha is over 0.81"),
    (("shared.energy_price", 0.08765, None), "the energy price, its mean over 60 months, is over 0.088 USD/kWh"),
    (("platforms.b.throughput", 3012.0, 3049.0), "the throughput of Beta is about 3,000 token/s/GPU"),
    (("platforms.a.failures", 1.234, None), "failures of Alpha are over 1.2 sd from what was to be expected"),
    (("shared.discount_rate", 0.0876, None), "the discount rate is over 8.8 % a year")])
def test_limits_with_their_units(load, limit, said):
    assert f" when {said}, which happens in " in words(load, limit)


def test_several_limits_are_listed(load):
    found = words(load, ("shared.utilization", None, 0.38), ("platforms.a.capex", 50000.0, None), ("platforms.a.pue", None, 1.2))
    assert "the utilization is under 38 %, the capex of Alpha is over 50,000 USD/GPU and the PUE of Alpha is under 1.2," in found

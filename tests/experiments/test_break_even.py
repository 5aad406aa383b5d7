"""Break-even values and crossover maps against closed forms, and against runs of the study at the values found."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
import studies
from hypothesis import given, settings
from hypothesis import strategies as st
from test_one_at_a_time import PRICE, lognormal, study

import simulator
from simulator.experiments.sensitivity.break_even import break_even
from simulator.experiments.sensitivity.conditional import conditional
from simulator.experiments.sensitivity.crossover import crossover

NORMAL = NormalDist()
A = {"rental_price": lognormal(2.5, 0.4), "throughput": lognormal(900, 0.2)}
B = {"rental_price": lognormal(4, 0.5), "throughput": lognormal(1500, 0.3)}
UTILIZATION = {"distribution": "uniform", "low": 0.2, "high": 0.8}


def by_input(study, *inputs):
    return {found.input: found for found in break_even(study, (1, 0), inputs)}


@pytest.mark.parametrize("correlations", [None, [["platforms.b.rental_price", "platforms.b.throughput", 0.7]]])
def test_lognormal_costs_break_even_where_their_medians_do(load, correlations):
    found = by_input(load(study({"utilization": UTILIZATION}, correlations, a=A, b=B)))
    expected = {"platforms.b.rental_price": 2.5 / 900 * 1500, "platforms.a.rental_price": 4 / 1500 * 900,
                "platforms.b.throughput": 4 / 2.5 * 900, "platforms.a.throughput": 2.5 / 4 * 1500}
    for path, value in expected.items():
        (exact,), (drawn,) = found[path].at_medians, found[path].on_draws
        assert exact.value.value == pytest.approx(value, rel=1e-12) and exact.value.standard_error == 0
        assert abs(drawn.value.value - value) < 4 * drawn.value.standard_error < 0.05 * value
        above = path in ("platforms.a.rental_price", "platforms.b.throughput")
        assert exact.later_is_cheaper_above == drawn.later_is_cheaper_above == above
        assert found[path].cheaper_on_draws == "" and not found[path].never
    load_factor = found["shared.utilization"]
    assert load_factor.never and load_factor.at_medians == () and load_factor.cheaper_on_draws == "b"


def test_claimed_errors_are_the_spread_over_seeds(load):
    found = [by_input(load(study({"utilization": 1}, a=A, b=B), f"simulation.seed={seed}"), "platforms.b.rental_price")
             for seed in range(40)]
    values = [one["platforms.b.rental_price"].on_draws[0].value for one in found]
    off = [(value.value - 2.5 / 900 * 1500) / value.standard_error for value in values]
    assert 0.75 < float(np.std(off)) < 1.35 and abs(float(np.mean(off))) < 0.6


def test_with_everything_drawn_is_not_with_everything_at_its_median(load):
    """The median of a product of two uniforms on 0.1 … 1 is not the product of their medians."""
    wide = {"distribution": "uniform", "low": 0.1, "high": 1}
    data = study({"utilization": 1}, a={"rental_price": 2, "throughput": 1000},
                 b={"rental_price": 1, "throughput": {"distribution": "uniform", "low": 100, "high": 1000},
                    "throughput_factors": {"delivered_share": wide}})
    found = by_input(load(data), "platforms.b.rental_price")["platforms.b.rental_price"]
    product = np.sort(np.outer(*[np.linspace(0.1, 1, 4001)] * 2).ravel())[4001**2 // 2]
    (exact,), (drawn,) = found.at_medians, found.on_draws
    assert exact.value.value == pytest.approx(2 * 0.55**2, rel=1e-12)
    assert abs(drawn.value.value - 2 * product) < 4 * drawn.value.standard_error < 0.02
    assert abs(product - 0.55**2) > 0.02


def test_never_within_the_range_is_said(load):
    found = by_input(load(study({"utilization": UTILIZATION}, a=A, b={**B, "rental_price": 400})))
    assert all(one.never and one.cheaper_on_draws == one.cheaper_at_medians == "a" for one in found.values())
    price = found["platforms.b.rental_price"]
    assert (price.low, price.high, price.uncertain, price.unit) == (100, 1600, False, "USD/GPU/hour")
    quantile = 900 * math.exp(0.2 * NORMAL.inv_cdf(0.001))
    assert found["platforms.a.throughput"].low == pytest.approx(quantile)


def test_equal_platforms_are_neither_cheaper(load):
    found = by_input(load(study({"utilization": UTILIZATION, "rental_price": 2, "throughput": lognormal(900, 0.2)}, a={}, b={})))
    assert {one.cheaper_on_draws for one in found.values()} == {one.cheaper_at_medians for one in found.values()} == {"neither"}


def test_several_values_and_the_study_at_them(load):
    """What is bought dear is cheapest over a middling life: at first capital is dear, in the end hardware is worn."""
    data = studies.study()
    data["shared"] |= {"utilization": 0.6, "energy_price": 0.08}
    data["platforms"]["a"] |= {"throughput": 5000, "throughput_degradation": 0.45, "capex": 20000, "gpu_lifetime": 5,
                               "throughput_factors": {"delivered_share": 0.9}}
    data["platforms"]["b"] |= {"throughput": 4000, "rental_price": 2.1}
    data["simulation"] = {"trials": 512, "horizon": 15}
    base = load(data)
    found = by_input(base, "platforms.a.gpu_lifetime")["platforms.a.gpu_lifetime"]
    assert len(found.at_medians) == len(found.on_draws) == 2
    assert [flip.later_is_cheaper_above for flip in found.at_medians] == [False, True]
    for flip, drawn in zip(found.at_medians, found.on_draws, strict=True):
        run = simulator.run(base.with_inputs({"platforms.a.gpu_lifetime": flip.value.value}))
        assert run.estimate("b/a", "ratio", "mean").value == pytest.approx(1, abs=1e-9)
        assert drawn.value.value == pytest.approx(flip.value.value, rel=1e-4)


def test_the_median_of_a_process(load):
    """Costs are proportional to it, so that the break-even is its value ÷ the median ratio of a run."""
    data = study({"utilization": 1, "gpu_lifetime": 2}, a={"rental_price": 2.2, "throughput": 900},
                 b={"rental_price": PRICE, "throughput": 900})
    base = load(data)
    found = by_input(base)["platforms.b.rental_price.median"]
    (exact,), (drawn,) = found.at_medians, found.on_draws
    assert exact.value.value == pytest.approx(2.2, rel=1e-12)
    ratio = simulator.run(base.with_inputs({"simulation.trials": 65536})).estimate("b/a", "ratio", "p50")
    expected = 2 / ratio.value
    assert abs(drawn.value.value - expected) < 4 * (drawn.value.standard_error + expected * ratio.standard_error) < 0.1


@settings(max_examples=25)
@given(st.floats(0.5, 8), st.floats(0.5, 8), st.floats(500, 4000), st.floats(500, 4000))
def test_certain_platforms_break_even_by_the_rule_of_three(price_a, price_b, throughput_a, throughput_b):
    data = study({"utilization": 0.5}, a={"rental_price": price_a, "throughput": throughput_a},
                 b={"rental_price": price_b, "throughput": throughput_b})
    found = by_input(_loaded(data), "platforms.b.rental_price")["platforms.b.rental_price"]
    expected = price_a * throughput_b / throughput_a
    if price_b / 4 * 1.0001 < expected < price_b * 3.9999:
        assert found.at_medians[0].value.value == pytest.approx(expected, rel=1e-12)
        assert found.on_draws[0].value.value == pytest.approx(expected, rel=1e-5)
    elif not price_b / 4.0001 < expected < price_b * 4.0001:
        assert found.never and found.cheaper_on_draws == ("a" if expected < price_b else "b")


def _loaded(data):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        return simulator.load(studies.write(Path(folder) / "study.yaml", data))


@pytest.mark.parametrize(("path", "message"), [
    ("shared.utilisation", "did you mean 'shared.utilization'"), ("shared.energy_price", "such as shared.energy_price.median"),
    ("nothing", "expected a path such as"), ("shared.hosting_price", "is 0 and has no multiples")])
def test_what_cannot_be_moved_is_refused_in_words(load, path, message):
    data = studies.study()
    data["shared"]["hosting_price"] = 0
    with pytest.raises(ValueError, match=message):
        break_even(load(data), (1, 0), [path])


def test_other_platforms_do_not_matter(load):
    """To a pair, also where they are correlated with it."""
    two = study({"utilization": UTILIZATION}, a=A, b=B)
    three = study({"utilization": UTILIZATION}, [["platforms.c.throughput", "platforms.d.throughput", 0.5]], a=A,
                  c={"rental_price": 3, "throughput": lognormal(1000, 0.1)}, b=B,
                  d={"rental_price": 3, "throughput": lognormal(1000, 0.1)})
    assert break_even(load(three), (2, 0)) == break_even(load(two), (1, 0))
    assert {one.input for one in break_even(load(three), (3, 1))} >= {"platforms.c.rental_price", "platforms.d.throughput"}


# --- maps ---------------------------------------------------------------------------------------------------

def test_a_map_at_the_medians_is_exact(load):
    base = load(study({"utilization": UTILIZATION}, a=A, b=B))
    found = crossover(base, "platforms.a.throughput", "platforms.b.rental_price", (1, 0), (4, 7), drawn=False)
    expected = np.log(found.y_values / 1500 / (2.5 / found.x_values[:, None]))
    assert found.log_ratio == pytest.approx(expected, abs=1e-12) and found.unsure is None


def test_a_map_on_draws_has_the_band_in_which_the_ranking_is_unsure(load):
    base = load(study({"utilization": UTILIZATION}, a=A, b=B))
    found = crossover(base, "platforms.a.throughput", "platforms.b.rental_price", (1, 0), (3, 9))
    expected = np.log(found.y_values / 1500 / (2.5 / found.x_values[:, None]))
    sigma = math.hypot(0.4, 0.3)
    assert np.all(np.abs(found.log_ratio - expected) < 5 * found.log_ratio_error) and found.log_ratio_error.max() < 0.03
    cheaper = np.vectorize(NORMAL.cdf)(-expected / sigma)
    assert np.abs(found.probability_cheaper - cheaper).max() < 0.02
    clear = (np.abs(cheaper - 0.5) < 0.43) | (np.abs(cheaper - 0.5) > 0.47)
    assert np.array_equal(found.unsure[clear], (np.abs(cheaper - 0.5) < 0.45)[clear])
    assert found.unsure.any() and not found.unsure.all()
    assert np.all(found.probability_low <= found.probability_cheaper) and np.all(found.probability_high <= 1)


@pytest.mark.parametrize(("x", "y", "points", "message"), [
    ("shared.utilization", "shared.utilization", (3, 3), "twice"),
    ("shared.utilization", "platforms.a.throughput", (1, 3), "at least 2"),
    ("shared.energy_price", "shared.utilization", (3, 3), "no input in use")])
def test_a_map_that_cannot_be_drawn_is_refused(load, x, y, points, message):
    with pytest.raises(ValueError, match=message):
        crossover(load(study({"utilization": UTILIZATION}, a=A, b=B)), x, y, (1, 0), points)


def test_an_energy_price_that_makes_a_cost_negative_has_no_ratio(load):
    data = studies.study()
    data["shared"]["energy_price"] = {"distribution": "uniform", "low": -0.9, "high": -0.8}
    data["platforms"]["a"] |= {"capex": 1}
    with pytest.raises(ValueError, match="not positive"):
        crossover(load(data), "shared.energy_price", "shared.utilization", (1, 0), (2, 2), drawn=False)
    assert by_input(load(data))["shared.energy_price"].cheaper_on_draws == "a"


# --- given that an input is low or high ------------------------------------------------------------------------

@pytest.mark.parametrize("rank", [0, 0.6])
def test_what_comes_along_with_a_dear_input_counts(load, rank):
    """log cost = … + 0.4 z₁ − 0.2 z₂ with correlated normals: E[e^{…} | z₁ in its lowest tenth] in closed form."""
    correlations = [["platforms.a.rental_price", "platforms.a.throughput", rank]] if rank else None
    base = load(study({"utilization": 1}, correlations, a=A), "simulation.trials=16384")
    r = 2 * math.sin(math.pi * rank / 6)
    slope, rest = 0.4 - 0.2 * r, 0.2**2 * (1 - r**2)
    median = 2.5e6 / (900 * 3600)
    low = median * math.exp((rest + slope**2) / 2) * NORMAL.cdf(NORMAL.inv_cdf(0.1) - slope) / 0.1
    high = median * math.exp((rest + slope**2) / 2) * NORMAL.cdf(NORMAL.inv_cdf(0.1) + slope) / 0.1
    found = {one.input: one.platforms[0] for one in conditional(base)}["platforms.a.rental_price"]
    for one, expected in zip(found, (low, high), strict=True):
        assert abs(one.mean.value - expected) < 5 * one.mean.standard_error < 0.05 * expected


def test_a_process_is_low_where_its_price_is(load):
    base = load(study({"utilization": 1, "gpu_lifetime": 5}, a={"rental_price": PRICE, "throughput": 1e6 / 3600}))
    (only,) = conditional(base, threads=1)
    low, high = only.platforms[0]
    assert only.input == "platforms.a.rental_price" and only.unit == "USD/GPU/hour"
    assert low.mean.value < low.threshold < 2.1 < high.threshold < high.mean.value, "the cost is the mean price, undiscounted"
    assert conditional(base, threads=3) == (only,)

"""The fast NumPy that speed is measured against computes the model: held against its slow statement, on equal inputs."""

from __future__ import annotations

import numpy as np
import pytest
from benchmark_study import STUDY, platform_inputs, reference_results

from benchmarks import careful_numpy


@pytest.fixture(scope="module")
def drawn():
    """Inputs by platform and the shocks of the price, [months, n]."""
    rng = np.random.default_rng(3)
    return platform_inputs(rng, 700), rng.standard_normal((72, 700))


@pytest.fixture(scope="module")
def found(drawn):
    inputs, shocks = drawn
    months = iter(shocks)
    return careful_numpy.results_of(STUDY, inputs, lambda room: np.copyto(room, next(months)))


@pytest.mark.parametrize("name", ["a", "b"])
def test_equal_inputs_give_equal_results(found, drawn, name):
    wanted = reference_results(name, *drawn)
    for quantity in (*careful_numpy.OUTPUTS, "present_cost", "present_tokens"):
        np.testing.assert_allclose(found[name][quantity], wanted[quantity], rtol=1e-11, err_msg=quantity)
    for part in careful_numpy.PARTS:
        np.testing.assert_allclose(found[name][part], wanted["parts"][part], rtol=1e-10, atol=1e-14, err_msg=part)


def test_blocks_are_put_together():
    trials = careful_numpy.simulate(STUDY, 700, np.random.default_rng(5), block=256)
    rng = np.random.default_rng(5)
    blocks = [careful_numpy.one_block(STUDY, n, rng) for n in (256, 256, 188)]
    np.testing.assert_array_equal(trials["b", "flops_per_dollar"],
                                  np.concatenate([block["b"]["flops_per_dollar"] for block in blocks]))
    costs = [np.concatenate([block[name]["cost_per_million_tokens"] for block in blocks]) for name in ("a", "b")]
    np.testing.assert_allclose(trials["b/a", "ratio"], costs[1] / costs[0], rtol=1e-15)
    np.testing.assert_array_equal(trials["b/a", "cheaper"], costs[1] < costs[0])
    np.testing.assert_allclose(trials["a", "regret"], np.maximum(costs[0] - costs[1], 0), rtol=1e-12)


def test_statistics_of_numbers_that_are_known():
    x = np.random.default_rng(1).permutation(np.arange(1.0, 1001.0))
    ones = np.full(1000, 2.0)
    told = careful_numpy.statistics({("a", "cost_per_million_tokens"): x.copy(), ("a", "tokens_per_dollar"): x.copy(),
                                     ("a", "present_cost"): ones, ("a", "present_tokens"): 4 * ones})
    cost = {statistic: value for (_, quantity, statistic), value in told.items() if quantity == "cost_per_million_tokens"}
    assert cost["mean"] == 500.5
    assert cost["sd"] == pytest.approx(np.sqrt((1000**2 - 1) / 12 * 1000 / 999))
    assert [cost[f"p{p}"] for p in (5, 10, 25, 50, 75, 90, 95)] == [50, 100, 250, 500, 750, 900, 950]
    assert cost["cvar95"] == 975.5
    assert told["a", "tokens_per_dollar", "cvar95"] == 25.5  # more is better: the worst are the least
    assert told["a", "break_even_price", ""] == 250_000

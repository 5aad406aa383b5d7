"""Cost along frontiers: against single runs, against the law that cost goes as 1 ÷ throughput, and in closed form."""

import copy
import json
import math

import jsonschema
import numpy as np
import pytest
import studies

import simulator
from simulator.experiments.frontier import NoFrontierError, frontier_costs
from simulator.experiments.frontier_document import document, table
from simulator.reporting.frontier_wording import findings
from simulator.study.frontier import Frontier

A = {"interactivity": [10, 100], "throughput": [24000, 240], "spread": 0.2}  # a power law: 2.4e6 x^-2
B = {"interactivity": [20, 50, 200], "throughput": [2000, 800, 200], "spread": 0.1}  # a power law: 4e4 x^-1


def study(a=A, b=B, **changes):
    data = studies.study(**{"simulation": {"trials": 2048}, **changes})
    for name, frontier in (("a", a), ("b", b)):
        if frontier:
            del data["platforms"][name]["throughput"]
            data["platforms"][name] |= {"frontier": copy.deepcopy(frontier),
                                        "operating_point": {"model": "R1", "interactivity": 30}}
    return data


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return frontier_costs(simulator.load(studies.write(tmp_path_factory.mktemp("x") / "study.yaml", study())))


def test_each_platform_is_run_inside_its_measured_range_and_at_its_ends(found):
    for name, low, high in (("a", 10, 100), ("b", 20, 200)):
        x = [row.interactivity for row in found.rows_of(name)]
        assert x == sorted(x) and (x[0], x[-1]) == (low, high) and len(x) == len(set(x)) and 30 in x
    union = sorted({row.interactivity for row in found.rows if row.on_grid})
    assert len(union) >= 13 and {10, 20, 30, 100, 200} <= set(union)
    assert 50 in [row.interactivity for row in found.rows_of("b")], "measured points are run too"


def test_every_measured_point_is_run_however_near_another(load):
    near = {"interactivity": [20, 50, 50.001, 200], "throughput": [2000, 800, 300, 200], "spread": 0.1}
    x = [row.interactivity for row in frontier_costs(load(study(b=near))).rows_of("b")]
    assert set(near["interactivity"]) <= set(x)


def test_a_row_is_a_run_of_the_study_there(found, load):
    row = next(row for row in found.rows_of("b") if row.interactivity == 30)
    alone = simulator.run(load(study(), "platforms.b.operating_point.interactivity=30"))
    assert row.throughput == pytest.approx(4e4 / 30)
    assert {p: alone.estimate("b", "cost_per_million_tokens", p).value for p in ("p5", "p50", "p95")} == pytest.approx(
        {p: estimate.value for p, estimate in row.cost.items()})
    assert row.probability_cheapest.value == alone.estimate("b", "probability_cheapest").value


def test_draws_are_common_so_cost_goes_as_one_over_throughput(found):
    for name in ("a", "b"):
        for p in ("p5", "p50", "p95"):
            products = [row.cost[p].value * row.throughput for row in found.rows_of(name)]
            assert np.ptp(products) < 1e-9 * products[0]


def test_the_flip_is_where_the_law_has_it_and_where_a_run_has_it(found, load):
    (pair,) = found.pairs
    cost = {row.platform: row for row in found.rows if row.interactivity == 30}
    # cost a ~ x², cost b ~ x: their ratio at 30 times (x / 30) is 1
    expected = 30 / (cost["a"].cost["p50"].value / cost["b"].cost["p50"].value)
    median, even = pair.flips
    assert (median.of, even.of) == ("median", "probability")
    assert median.interactivity.value == pytest.approx(expected, rel=1e-6)
    assert (median.cheaper_below, median.cheaper_above) == ("a", "b")
    assert median.interactivity.low < median.interactivity.value < median.interactivity.high
    x = even.interactivity.value
    there = simulator.run(load(study(), *(f"platforms.{name}.operating_point.interactivity={x!r}" for name in "ab")))
    assert there.estimate("b/a", "ratio", "p50").value == pytest.approx(1, rel=1e-6)
    assert there.estimate("b/a", "probability_cheaper").value == pytest.approx(0.5, abs=1 / 2048)


def test_the_flip_in_closed_form(load):
    """Everything certain but the throughput: costs are rent ÷ throughput, and cross where the throughputs per dollar do."""
    data = study(shared={"utilization": 0.5})
    data["platforms"] = {name: {"ownership": "rent", "rental_price": price, "frontier": {**frontier, "spread": 0.0},
                                "operating_point": {"interactivity": 30}}
                         for name, frontier, price in (("a", A, 4.0), ("b", B, 3.0))}
    # 4 / (2.4e6 x^-2) = 3 / (4e4 x^-1) at x = 45; with a rent of 12 at x = 15, below the common range
    flips = frontier_costs(load(data)).pairs[0].flips
    assert [flip.interactivity.value for flip in flips] == pytest.approx([45, 45], rel=1e-9)
    assert all(flip.interactivity.standard_error == 0 for flip in flips)
    data["platforms"]["a"]["rental_price"] = 12.0
    assert frontier_costs(load(data)).pairs[0].flips == ()


def test_platforms_that_never_share_an_interactivity_are_not_compared(load):
    apart = {"interactivity": [150, 200], "throughput": [200, 100], "spread": 0.1}
    found = frontier_costs(load(study(b=apart), "platforms.b.operating_point.interactivity=170"))
    assert found.pairs[0].rows == () and "no common interactivity" in findings(found)[0]
    assert all(row.probability_cheapest is None for row in found.rows)


def test_a_platform_without_a_frontier_is_run_at_its_own_interactivity_only(load):
    data = study(b=None)
    data["platforms"]["b"]["operating_point"] = {"model": "R1", "interactivity": 44.5}
    found = frontier_costs(load(data))
    (row,) = found.rows_of("b")
    assert row.interactivity == 44.5 and row.throughput is None and row.probability_cheapest is not None
    assert len(found.pairs[0].rows) == 1 and found.pairs[0].flips == () and found.left_out == ()
    assert "the only interactivity at which both are known" in findings(found)[0]


def test_a_platform_with_neither_is_left_out_by_name(load):
    found = frontier_costs(load(study(b=None)))
    assert found.left_out == ("b",) and found.rows_of("b") == [] and findings(found) == []


def test_a_study_without_frontiers_is_refused(load):
    with pytest.raises(NoFrontierError, match="expected at least one"):
        frontier_costs(load(studies.study()))


def test_a_stated_throughput_gives_way_to_the_frontier(load, found):
    data = study()
    data["platforms"]["b"]["throughput"] = 1.0
    assert frontier_costs(load(data)).rows_of("b")[0].cost == found.rows_of("b")[0].cost


def test_the_same_frontiers_give_the_same_whatever_else_is_in_the_study(load, found):
    data = study()
    data["platforms"]["c"] = {**copy.deepcopy(data["platforms"]["b"]), "rental_price": 9}
    again = frontier_costs(load(data))
    common = {row.interactivity: row.cost for row in again.rows_of("a")}
    assert all(common[row.interactivity] == row.cost for row in found.rows_of("a"))


def test_findings_say_it_plainly(found, load):
    (sentence,) = findings(found)
    assert sentence.startswith("The ranking of a and b flips once: a costs less (medians) from 20.0 to ")
    assert "It never flips between" in sentence and "Each costs less in half of the futures at" in sentence
    (never,) = findings(frontier_costs(load(study(), "platforms.b.rental_price=30")))
    assert never.startswith("a costs less than b wherever both were measured, from 20.0 to 100 token/s/user")
    assert never.endswith("the ranking never flips there.")


def test_the_document_and_the_table_hold_the_rows(found):
    whole = json.loads(json.dumps(document(found), allow_nan=False))
    jsonschema.validate(whole, {"type": "object", "required": ["schema", "study", "digest", "platforms", "pairs", "warnings"]})
    point = whole["platforms"]["a"]["points"][0]
    assert point["interactivity"] == 10
    assert set(point["cost_per_million_tokens"]["p50"]) == {"value", "standard_error", "low", "high"}
    assert whole["pairs"]["b/a"]["flips"][0]["cheaper_below"] == "a" and whole["pairs"]["b/a"]["low"] == 20
    rows = table(found)
    assert len({(r["platform"], r["interactivity"], r["quantity"], r["statistic"]) for r in rows}) == len(rows)
    wanted = next(r for r in rows if (r["platform"], r["interactivity"], r["statistic"]) == ("a", 10, "p95"))
    assert wanted["value"] == found.rows_of("a")[0].cost["p95"].value and wanted["unit"] == "USD"


def test_a_band_is_that_of_a_lognormal_throughput(load):
    """Everything else certain, ln(P95 ÷ P5) is 2 · 1.645 times the spread."""
    data = study(shared={"utilization": 0.5}, simulation={"trials": 65536})
    data["platforms"] = {"b": {"ownership": "rent", "rental_price": 2, "frontier": B, "operating_point": {"interactivity": 30}}}
    for row in frontier_costs(load(data)).rows:
        assert math.log(row.cost["p95"].value / row.cost["p5"].value) == pytest.approx(2 * 1.6448536 * 0.1, rel=2e-3)
        assert row.throughput == Frontier(tuple(B["interactivity"]), tuple(B["throughput"])).throughput_at(row.interactivity)

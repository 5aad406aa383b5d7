"""What changed between two runs: errors of differences, and parts that add up."""

import copy
import math

import numpy as np
import pytest
import studies

import simulator
from simulator import run_folder
from simulator.experiments import attribution as module
from simulator.experiments.attribution import attribute
from simulator.experiments.compare import compare
from simulator.experiments.comparison_document import document
from simulator.finished_run import read_run
from simulator.study.differences import differences

MEAN = ("b", "mean")


@pytest.fixture
def made(tmp_path):
    """A finished run of data with `change` made to it: `made(change)`."""
    def run(change=lambda data: None, trials=2048):
        data = studies.study()
        data["simulation"]["trials"] = trials
        change(data)
        study = simulator.load(studies.write(tmp_path / "study.yaml", data))
        return read_run(run_folder.save(simulator.run(study), tmp_path / "runs"))
    return run


def certain(rental_price, throughput, **factors):
    """Platform b alone, certain: its cost is rental price ÷ (3600 × throughput × utilization) a token."""
    return studies.study(simulation={"horizon": 10}, shared={"utilization": 0.5, "discount_rate": 0.0}, platforms={"b": {
        **studies.RENTED, "rental_price": rental_price, "throughput": throughput, "throughput_factors": factors or {"x": 1.0}}})


def attributed(load, old, new):
    first, second = load(old), load(new)
    found = attribute(first, second, differences(first, second))
    assert found is not None
    return found


def by_name(found, key=MEAN):
    return {part.changes[0].name.split(".")[-1]: part.effect[key].value for part in found.parts}


def test_two_factors_have_the_parts_that_shapley_gives_them(load):
    """cost = k·r/t: φ_r = k (r' − r)(1/t + 1/t')/2, φ_t = k (1/t' − 1/t)(r + r')/2."""
    (r, t), (r2, t2) = (2.0, 3000.0), (3.0, 5000.0)
    k = 1e6 / (3600 * 0.5)
    found = attributed(load, certain(r, t), certain(r2, t2))
    parts = by_name(found)
    assert found.method == "shapley"
    assert parts["rental_price"] == pytest.approx(k * (r2 - r) * (1 / t + 1 / t2) / 2, rel=1e-9)
    assert parts["throughput"] == pytest.approx(k * (1 / t2 - 1 / t) * (r + r2) / 2, rel=1e-9)
    assert found.whole[MEAN].value == pytest.approx(k * (r2 / t2 - r / t), rel=1e-9)
    rent = next(part for part in found.parts if part.changes[0].name.endswith("rental_price"))
    assert rent.first_in[MEAN].value == pytest.approx(k * (r2 - r) / t, rel=1e-9)
    assert rent.last_in[MEAN].value == pytest.approx(k * (r2 - r) / t2, rel=1e-9)


def shapley_by_permutations(values, new_values):
    """Parts of a product of factors, by its definition: the mean over all orders."""
    from itertools import permutations

    names = list(values)
    parts = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        now = dict(values)
        for name in order:
            before = math.prod(now.values())
            now[name] = new_values[name]
            parts[name] += (math.prod(now.values()) - before) / len(orders)
    return parts


def test_four_factors_have_the_parts_of_the_definition(load):
    values, others = dict(zip("uvwx", (1.0, 0.8, 0.9, 0.7), strict=True)), dict(zip("uvwx", (0.5, 0.9, 0.6, 1.1), strict=True))
    found = attributed(load, certain(2.0, 4000.0, **values), certain(2.0, 4000.0, **others))
    scale = 1e6 * 2.0 / (3600 * 0.5 * 4000)
    expected = shapley_by_permutations({k: 1 / v for k, v in values.items()}, {k: 1 / v for k, v in others.items()})
    assert by_name(found) == pytest.approx({name: scale * part for name, part in expected.items()}, rel=1e-9)


@pytest.mark.parametrize(("count", "method"), [(3, "shapley"), (7, "two orders"), (26, "two orders")])
def test_parts_add_up_to_the_whole_in_every_statistic(load, count, method):
    def study(shift):
        factors = {f"f{k}": 0.9 + 0.01 * k * shift for k in range(1, count)}
        return certain({"distribution": "uniform", "low": 2 + shift, "high": 3},
                       {"distribution": "uniform", "low": 3000, "high": 5000}, **factors)

    found = attributed(load, study(0.0), study(0.5))
    assert found.method == (method if count < 26 else "shapley"), "many changes are those of a platform"
    assert len(found.parts) == (count if count < 26 else 1)
    for key, whole in found.whole.items():
        assert math.fsum(part.effect[key].value for part in found.parts) == pytest.approx(whole.value, rel=1e-9, abs=1e-15)


def test_two_orders_are_exact_where_changes_interact_in_pairs(load, monkeypatch):
    old, new = certain(2.0, 3000.0), certain(3.0, 5000.0)
    exact = by_name(attributed(load, old, new))
    monkeypatch.setattr(module, "MOST_FOR_ALL_SUBSETS", 1)
    found = attributed(load, old, new)
    assert found.method == "two orders" and by_name(found) == pytest.approx(exact, rel=1e-12)


def test_changes_that_need_one_another_are_made_together(load):
    """Renting in place of buying: neither the word nor the price stands alone."""
    old = studies.study()
    new = copy.deepcopy(old)
    new["platforms"]["a"] = {**studies.RENTED, "throughput": old["platforms"]["a"]["throughput"],
                             "throughput_factors": old["platforms"]["a"]["throughput_factors"]}
    new["shared"]["utilization"] = 0.5
    del new["shared"]["energy_price"]
    found = attributed(load, old, new)
    together = {change.name for part in found.parts if len(part.changes) > 1 for change in part.changes}
    assert {"platforms.a.ownership", "platforms.a.capex", "platforms.a.rental_price"} <= together
    assert ["shared.utilization"] in [[change.name for change in part.changes] for part in found.parts]


def test_the_whole_is_the_change_of_the_studies_themselves(load):
    old = studies.study()
    new = copy.deepcopy(old)
    new["shared"] |= {"utilization": 0.5, "energy_price": {**studies.PROCESS, "median": 60}}
    found = attributed(load, old, new)
    costs = [simulator.run(load(each, "simulation.trials=8192")).estimate("a", "cost_per_million_tokens", "mean").value
             for each in (old, new)]
    assert found.whole["a", "mean"].value == pytest.approx(costs[1] - costs[0], rel=1e-12)


def test_nothing_to_explain(load):
    same = load(studies.study())
    assert attribute(same, same, differences(same, same)) is None


def test_the_same_run_differs_in_nothing(made):
    run = made()
    found = compare(run, run)
    assert found.same_draws and all(each.is_the_same and each.is_paired for each in found.results)
    assert found.attribution is None and found.versions == () and found.differences.changes == ()
    assert found.rankings[0] == found.rankings[1]


def rent(data):
    data["platforms"]["b"]["rental_price"] = 2.1


def test_on_the_same_draws_the_error_is_that_of_the_difference(made):
    first, second = made(), made(rent)
    found = {(each.owner, each.quantity, each.statistic): each for each in compare(first, second).results}
    mean = found["b", "cost_per_million_tokens", "mean"]
    apart = math.hypot(mean.old.standard_error, mean.new.standard_error)
    assert mean.is_paired and 0 < mean.change.standard_error < 0.2 * apart
    assert mean.change.value == pytest.approx(0.05 * mean.old.value) and not mean.is_within_error
    assert found["a", "cost_per_million_tokens", "mean"].is_the_same
    assert {("b/a", "ratio", "p50"), ("b/a", "probability_cheaper", ""), ("b", "probability_cheapest", "")} <= set(found)


@pytest.mark.parametrize("rerun", [True, False])
def test_on_other_draws_errors_are_put_together(made, rerun):
    def seed(data):
        data["simulation"]["seed"] = 5 if rerun else 0

    found = compare(made(), made(seed), rerun=rerun)
    assert found.same_draws is not rerun
    inside = [each.is_within_error for each in found.results]
    assert not any(each.is_paired for each in found.results) and np.mean(inside) > 0.7
    for each in found.results:
        assert each.change.standard_error == pytest.approx(math.hypot(each.old.standard_error, each.new.standard_error))


def test_a_run_that_does_not_come_out_again_keeps_its_own_numbers(made):
    first, second = made(), made(rent)
    first.summary["scenarios"]["base"]["platforms"]["b"]["cost_per_million_tokens"]["mean"]["value"] *= 1.01
    found = compare(first, second)
    mean = next(each for each in found.results if (each.owner, each.statistic) == ("b", "mean"))
    assert not mean.is_paired and mean.old.value == first.find("b", "cost_per_million_tokens", "mean").value
    assert "does not come out again" in found.notes[0]


def test_the_document_has_everything(made):
    def change(data):
        rent(data)
        data["shared"]["utilization"] = {**data["shared"]["utilization"], "source": "a log"}
        data["platforms"]["c"] = {**studies.RENTED, "rental_price": 3.0}

    found = document(compare(made(), made(change)))
    assert found["platforms"] == {"common": ["a", "b"], "only_first": [], "only_second": ["c"]}
    assert found["inputs"] == [{"path": "platforms.b.rental_price", "unit": "USD/GPU/hour",
                                "first": {"given": 2.0, "p5": 2.0, "p50": 2.0, "p95": 2.0},
                                "second": {"given": 2.1, "p5": 2.1, "p50": 2.1, "p95": 2.1}}]
    assert found["evidence"] == [{"path": "shared.utilization", "first": {}, "second": {"source": "a log"}}]
    (part,) = found["attribution"]["parts"]
    assert part["paths"] == ["platforms.b.rental_price"]
    assert part["effect"]["b"] == found["attribution"]["whole"]["b"] == part["first_in"]["b"]
    assert found["results"]["platforms"]["b"]["cost_per_million_tokens"]["p50"]["paired"] is True
    assert set(found["ranking"]["second"]) == {"a", "b", "c"}

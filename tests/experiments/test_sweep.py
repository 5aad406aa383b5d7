"""Sweeps: every point is the run that one would make alone, bit for bit."""

import json
import math

import numpy as np
import pytest
import studies

import simulator
from simulator.engine.run import run
from simulator.experiments.sweep import OF_PAIR, OF_PLATFORM, flips, run_sweep
from simulator.experiments.sweep_document import dataset, document, table
from simulator.quantities import COST
from simulator.study.sweeps import ad_hoc_sweep

SWEEPS = {
    "load": {"description": "How busy?", "over": {"shared.utilization": [0.2, 0.4, 0.8]}},
    "grid": {"over": {"shared.energy_price.median": {"from": 20, "to": 2000, "points": 3, "scale": "log", "unit": "USD/MWh"},
                      "shared.utilization": {"from": 0.3, "to": 0.9, "points": 3}}},
    "kinds": {"over": {"platforms.a.capex": [50000, {"distribution": "uniform", "low": 40000, "high": 60000}]}},
    "rents": {"over": {"platforms.b.rental_price": {"from": 1, "to": 3, "points": 5}}},
}


@pytest.fixture
def study(load):
    return load(studies.study(sweeps=SWEEPS), "simulation.trials=1024")


def sweep_of(study, name):
    return next(sweep for sweep in study.sweeps if sweep.name == name)


@pytest.mark.parametrize(("name", "settings"), [
    ("load", [{"shared.utilization": u} for u in (0.2, 0.4, 0.8)]),
    ("grid", [{"shared.energy_price.median": {"value": m, "unit": "USD/MWh"}, "shared.utilization": u}
              for m in (20.0, 200.0, 2000.0) for u in (0.3, 0.6, 0.9)]),
    ("kinds", [{"platforms.a.capex": value} for value in SWEEPS["kinds"]["over"]["platforms.a.capex"]]),
])
def test_each_point_is_the_run_alone_bit_for_bit(study, name, settings):
    result = run_sweep(study, sweep_of(study, name))
    positions = list(result.points())
    assert len(positions) == len(settings)
    for position, values, digest in zip(positions, settings, result.digests, strict=True):
        alone = run(study.with_inputs(values))
        assert digest == alone.study.digest
        for owners, wanted in ((("a", "b"), OF_PLATFORM), (("b/a",), OF_PAIR)):
            for owner in owners:
                for quantity, statistic in wanted:
                    assert result.estimate(position, owner, quantity, statistic) == alone.estimate(owner, quantity, statistic)


def test_threads_show_in_no_number(study):
    one, three = (run_sweep(study, sweep_of(study, "grid"), threads=threads) for threads in (1, 3))
    assert np.array_equal(one.of_platform, three.of_platform)
    assert np.array_equal(one.of_pair, three.of_pair)


def test_a_sweep_comes_on_top_of_what_the_command_sets(load):
    study = load(studies.study(sweeps=SWEEPS), "simulation.trials=1024", "shared.utilization=0.5")
    result = run_sweep(study, sweep_of(study, "load"))
    medians = [result.estimate((k,), "a", COST.name, "p50").value for k in range(3)]
    assert medians[0] > 1.5 * medians[1] > 2 * medians[2]


def test_progress_is_told_to_its_end(study):
    told = []
    run_sweep(study, sweep_of(study, "load"), progress=told.append)
    assert told == pytest.approx([1 / 3, 2 / 3, 1])


def test_where_the_ranking_flips_is_found(load):
    """The cost of a rented platform is proportional to its rent: medians are equal at a rent that can be computed."""
    study = load(studies.study(sweeps=SWEEPS), "simulation.trials=4096", "shared.utilization=0.6")
    result = run_sweep(study, sweep_of(study, "rents"))
    found = {flip.of: flip for flip in flips(result)}
    assert set(found) == {"median", "probability"}
    bought, rented = (result.estimate((4,), owner, COST.name, "p50").value for owner in ("a", "b"))
    exact = 3 * bought / rented
    assert 1 < exact < 3
    flip = found["median"]
    assert flip.at.value == pytest.approx(exact, rel=0.02)  # linear in the rent, where the log of the ratio is not
    assert (flip.cheaper_below, flip.cheaper_above) == ("b", "a")
    assert 0 < flip.at.standard_error < 0.1
    assert flips(run_sweep(study, sweep_of(study, "grid"))) == []


def test_the_dataset_has_the_swept_inputs_as_dimensions(study, tmp_path):
    result = run_sweep(study, sweep_of(study, "grid"))
    found = dataset(result)
    assert found.cost_per_million_tokens_mean.dims == ("shared.energy_price.median", "shared.utilization", "platform", "estimate")
    assert found["shared.energy_price.median"].values.tolist() == [20, 200, 2000]
    assert found["shared.energy_price.median"].attrs["units"] == "USD/MWh"
    assert found["shared.utilization"].values.tolist() == [0.3, 0.6, 0.9]
    there = found.cost_per_million_tokens_quantile.sel({"shared.energy_price.median": 200, "shared.utilization": 0.6,
                                                        "platform": "a", "quantile": 0.95})
    assert float(there.sel(estimate="value")) == result.estimate((1, 1), "a", COST.name, "p95").value
    assert {"probability_cheapest", "expected_regret", "ratio_quantile", "probability_cheaper"} <= set(found)
    found.to_netcdf(tmp_path / "sweep.nc", engine="h5netcdf")
    import xarray
    with xarray.open_dataset(tmp_path / "sweep.nc", engine="h5netcdf") as back:
        assert back.equals(found)


def test_document_and_table_say_the_same(study):
    result = run_sweep(study, sweep_of(study, "grid"))
    said, rows = document(result), table(result)
    json.dumps(said, allow_nan=False)
    assert said["over"][0]["values"] == [20, 200, 2000]
    assert said["over"][0]["scale"] == "log"
    assert len(said["points"]) == 9
    for point in said["points"]:
        row = next(row for row in rows if all(row[path] == x for path, x in point["at"].items())
                   and (row["platform"], row["quantity"], row["statistic"]) == ("b", COST.name, "p50"))
        assert row["value"] == point["platforms"]["b"][COST.name]["p50"]["value"]


@pytest.mark.parametrize(("over", "values", "unit", "logarithmic"), [
    ("shared.utilization=0.2:0.8:3", [0.2, 0.5, 0.8], "1", False),
    ("shared.utilization=0.1:0.3:3", [0.1, 0.2, 0.3], "1", False),
    ("shared.utilization=0.2, 0.8", [0.2, 0.8], "1", False),
    ("platforms.a.capex=1000:100000:3:log", [1000, 10000, 100000], "USD/GPU", True),
    ("platforms.a.capex=1:100:3:kUSD/GPU:log", [1, 50.5, 100], "kUSD/GPU", None),
    ("shared.energy_price.median=20:40:3", [20, 30, 40], "USD/MWh", False),
    ("shared.energy_price.volatility=1:2:3", [1, 1.5, 2], "1", False),
    ("platforms.a.capex.mode=[50000, 60000]", [50000, 60000], "USD/GPU", False),
    ("platforms.a.throughput_factors.delivered_share=0.9:0.5:3", [0.9, 0.7, 0.5], "1", False),
    ("simulation.horizon=8,10", [8, 10], "year", False),
])
def test_sweeps_of_the_command_line(study, over, values, unit, logarithmic):
    (swept,) = ad_hoc_sweep(study.document, [over]).swept
    assert swept.unit == unit
    if logarithmic is None:
        assert swept.coordinates[-1] == values[-1]
        assert swept.logarithmic
    else:
        assert list(swept.coordinates) == values
        assert swept.logarithmic == logarithmic
    study.with_settings([])  # and each can be run
    for value in swept.values:
        study.with_inputs({swept.path: value})


@pytest.mark.parametrize(("over", "message"), [
    ("shared.utilization", "expected PATH=FROM:TO:POINTS"),
    ("shared.utilization=0.5", "expected two values or more"),
    ("shared.utilization=0.5:0.5:3", "expected two numbers that differ"),
    ("shared.utilization=0:1:3:log", "expected both above 0"),
    ("shared.utilization=0.1:0.9:1", "at least 2"),
    ("shared.utilization=a:0.9:3", "expected a number"),
    ("shared.utilization=0.1:0.9:200000", "at most 100,000"),
    ("simulation.seed=1,2", "the same throughout"),
    ("shared.utilization={from: 0.1, too: 0.9, points: 3}", "did you mean 'to'"),
])
def test_what_is_wrong_with_them_is_said(study, over, message):
    with pytest.raises(simulator.StudyError) as wrong:
        ad_hoc_sweep(study.document, [over])
    assert message in str(wrong.value)
    assert "--over" in str(wrong.value)


@pytest.mark.parametrize(("over", "line", "message"), [
    ({"shared.utilisation": [0.2, 0.4]}, "sweeps.s: shared.utilisation", "did you mean 'utilization'"),
    ({"shared.utilization": {"from": 0.5, "to": 1.5, "points": 3}}, "sweeps.s: shared.utilization", "at most 1"),
    ({"shared.utilization": 0.5}, "sweeps.s.over.shared.utilization", "expected a list of values"),
    ({}, "sweeps.s.over", "found nothing to go over"),
])
def test_sweeps_of_a_study_are_checked_though_nobody_runs_them(load, over, line, message):
    with pytest.raises(simulator.StudyError) as wrong:
        load(studies.study(sweeps={"s": {"over": over}}))
    assert line in str(wrong.value)
    assert message in str(wrong.value)
    assert len(wrong.value.problems) == 1


def test_points_of_logarithmic_ranges_have_equal_ratios(study):
    (swept,) = ad_hoc_sweep(study.document, ["platforms.a.capex=1000:50000:7:log"]).swept
    ratios = [b / a for a, b in zip(swept.coordinates, swept.coordinates[1:], strict=False)]
    assert ratios == pytest.approx([50 ** (1 / 6)] * 6, rel=1e-10)
    assert swept.coordinates[0] == 1000
    assert math.prod(ratios) == pytest.approx(50)

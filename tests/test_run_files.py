"""Files of a run folder that are written without the packages that read them."""

import gc
import resource

import h5py
import pandas
import pyarrow.parquet
import pytest
import studies
import xarray
from hypothesis import given
from hypothesis import strategies as st

import simulator
from simulator import dataset, run_folder
from simulator.dataset import contents_of
from simulator.netcdf import write_netcdf


@pytest.mark.parametrize("platforms", [("a", "b"), ("a",)])
@pytest.mark.parametrize("description", ["", "Prices in ¢/kWh – as billed"])
def test_the_netcdf_file_opens_as_the_dataset(load, tmp_path, platforms, description):
    data = studies.study(description=description)
    data["platforms"] = {name: data["platforms"][name] for name in platforms}
    run = simulator.run(load(data))
    write_netcdf(contents_of(run), tmp_path / "results.nc")
    run.dataset.to_netcdf(tmp_path / "by_xarray.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "results.nc") as found, xarray.open_dataset(tmp_path / "by_xarray.nc") as wanted:
        xarray.testing.assert_identical(found, run.dataset)
        xarray.testing.assert_identical(found, wanted)
        assert {name: found[name].dtype for name in found.variables} == {name: wanted[name].dtype for name in wanted.variables}
        assert found.sizes == wanted.sizes and set(found.coords) == set(wanted.coords)


@pytest.mark.parametrize("rows", [
    [{"name": "a", "value": 1.5}, {"name": "é – 🙂", "value": float("inf")}, {"name": "", "value": -0.0}],
    [{"count": 1, "of": "x", "may": None}, {"count": 2, "of": "y", "may": 2.5}],
], ids=["texts and numbers", "whole and absent numbers"])
def test_a_table_is_read_as_it_was_written(tmp_path, rows):
    run_folder.write_parquet(rows, tmp_path / "table.parquet")
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "table.parquet"), pandas.DataFrame(rows))


def test_scenarios_are_written_some_at_a_time(load, tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "_SCENARIOS_AT_ONCE", 2)
    run = simulator.run(load(studies.study(simulation={"trials": 512}, what_ifs={
        f"w{k}": {"set": {"shared.utilization": 0.2 + 0.1 * k}} for k in range(4)})), what_ifs="all")
    write_netcdf(contents_of(run), tmp_path / "results.nc")
    with xarray.open_dataset(tmp_path / "results.nc") as found:
        xarray.testing.assert_identical(found, run.dataset)
        for scenario in ("base", "w0", "w3"):
            for statistic, share in (("p5", 0.05), ("p95", 0.95)):
                estimate = run.estimate("b", "cost_per_million_tokens", statistic, scenario)
                there = found["cost_per_million_tokens_quantile"].sel(scenario=scenario, platform="b", quantile=share)
                assert there.values.tolist() == [*estimate.as_dict().values()]
        assert found["change_cost_per_million_tokens_mean"].isnull().any(["platform", "estimate"]).values.tolist() == [
            True, False, False, False, False], "of the base there is no change"


@pytest.mark.parametrize("room", [0, 1000, 20_000, -1000])
def test_a_netcdf_file_without_room_fails_once(load, tmp_path, room):
    """With what the system says; and HDF5 has nothing left open."""
    run = simulator.run(load(studies.study(simulation={"trials": 512})))
    write_netcdf(contents_of(run), tmp_path / "results.nc")
    size = (tmp_path / "results.nc").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room % size, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_netcdf(contents_of(run), tmp_path / "results.nc")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    gc.collect()
    assert h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE | h5py.h5f.OBJ_DATASET) == 0


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3), max_leaves=8)


@given(st.dictionaries(st.text(max_size=5), DOCUMENTS, max_size=3), st.dictionaries(st.text(), DOCUMENTS, min_size=1, max_size=3))
def test_a_document_in_pieces_is_the_document(around, scenarios):
    document = {**around, "scenarios": scenarios, "warnings": ["a\nb"]}
    in_pieces = {**document, "scenarios": iter(scenarios.items())}
    assert "".join(run_folder.json_pieces(in_pieces)) == run_folder.json_text(document)


def test_a_long_table_is_written_in_parts(tmp_path, monkeypatch):
    rows = [{"name": f"row {k}", "value": k / 7} for k in range(25)]
    monkeypatch.setattr(run_folder, "ROWS_AT_ONCE", 5)
    monkeypatch.setattr(run_folder, "_TABLES_TO_A_GROUP", 2)
    run_folder.write_parquet(iter(rows), tmp_path / "table.parquet")
    groups = pyarrow.parquet.ParquetFile(tmp_path / "table.parquet").metadata
    assert [groups.row_group(k).num_rows for k in range(groups.num_row_groups)] == [10, 10, 5]
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "table.parquet"), pandas.DataFrame(rows))


def test_a_run_may_be_dated_by_whoever_makes_it(load, tmp_path, monkeypatch):
    run = simulator.run(load(studies.certain()))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1796040000")
    first, second = run_folder.save(run, tmp_path / "a"), run_folder.save(run, tmp_path / "b")
    assert first.name.startswith("20261130T120000-")
    assert all(file.read_bytes() == (second / file.name).read_bytes() for file in first.iterdir())

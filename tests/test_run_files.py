"""Files of a run folder that are written without the packages that read them."""

import pandas
import pytest
import studies
import xarray

import simulator
from simulator import run_folder
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

"""Utilization out of what Prometheus and the exporter of DCGM write."""

import json

import numpy as np
import pytest

from simulator.adapters.telemetry import is_telemetry, looks_like_utilization, read_telemetry, utilization
from simulator.study.tables import DataError, read_table

EXPOSITION = """\
# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",device="nvidia0",modelName="NVIDIA H100 80GB HBM3",Hostname="n1"} 87
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",device="nvidia1",modelName="NVIDIA H100 80GB HBM3",Hostname="n1"} 12
# HELP DCGM_FI_PROF_SM_ACTIVE The ratio of cycles an SM has at least 1 warp assigned.
DCGM_FI_PROF_SM_ACTIVE{gpu="0",note="a \\"quoted\\" word"} 0.25 1700000000000
DCGM_FI_PROF_SM_ACTIVE{gpu="1"} 1e-1
up 1
"""


def answer(**series):
    """A matrix: label of the GPU → values of successive hours."""
    result = [{"metric": {"__name__": "DCGM_FI_DEV_GPU_UTIL", "gpu": gpu[1:], "Hostname": "n1"},
               "values": [[1700000000 + 1800 * k + 0.781, str(value)] for k, value in enumerate(values)]}
              for gpu, values in series.items()]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def write(tmp_path, content, name="t.json"):
    (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return tmp_path / name


def shares(file, metric=None, **options):
    table = read_telemetry(file, metric)
    return utilization(table, metric or table.names[-1], *(options.get(key) for key in ("unit", "average", "time")))


def test_the_text_of_an_exporter(tmp_path):
    file = write(tmp_path, EXPOSITION, "dcgm.prom")
    assert is_telemetry(file) and is_telemetry(write(tmp_path, EXPOSITION, "dcgm.txt"))
    percent = shares(file, "DCGM_FI_DEV_GPU_UTIL")
    assert percent.shares.tolist() == [0.87, 0.12] and "2 series are pooled (gpu=0 or gpu=1)" in percent.notes[0]
    assert shares(file, "DCGM_FI_PROF_SM_ACTIVE").shares.tolist() == [0.25, 0.1]


def test_a_matrix(tmp_path):
    file = write(tmp_path, answer(g0=[50, 70, 90, 10], g1=[0, 1, 0, 1]))
    assert is_telemetry(file)
    pooled = shares(file)
    assert pooled.shares.tolist() == [0.5, 0.7, 0.9, 0.1, 0, 0.01, 0, 0.01] and "2 series are pooled" in pooled.notes[0]
    one = utilization(read_telemetry(file, None).where("gpu", "1"), "DCGM_FI_DEV_GPU_UTIL", None, None, None)
    assert one.shares.tolist() == [0, 0.01, 0, 0.01] and not one.notes, "percent by its name, though no value is above 1"


def test_means_over_hours_are_each_series_own(tmp_path):
    # 1700000000 is 22:13:20 UTC: two samples in the first hour (22:13, 22:43), two in the next.
    file = write(tmp_path, answer(g0=[50, 70, 90, 10], g1=[0, 1, 0, 1]))
    assert shares(file, average="hour").shares.tolist() == pytest.approx([0.6, 0.5, 0.005, 0.005])
    assert shares(file, average="month").shares.tolist() == pytest.approx([0.55, 0.005])


def test_a_vector_and_a_query_without_a_name(tmp_path):
    file = write(tmp_path, {"data": {"resultType": "vector", "result": [{"metric": {}, "value": [1700000000, "0.5"]},
                                                                        {"metric": {}, "value": [1700000060, "0.7"]}]}})
    assert shares(file, "value").shares.tolist() == [0.5, 0.7]


def test_a_csv_of_percent(tmp_path):
    file = write(tmp_path, "time,gpu,gpu_util\n2024-01-01T00:00,0,50\n2024-01-01T00:30,0,60\n2024-01-01T00:00,1,\n", "u.csv")
    assert not is_telemetry(file) and looks_like_utilization("gpu_util")
    found = utilization(read_table(file), "gpu_util", None, None, None)
    assert found.shares.tolist() == [0.5, 0.6]
    assert any("taken for percent" in note for note in found.notes) and any("1 missing" in note for note in found.notes)
    assert utilization(read_table(file), "gpu_util", "%", "hour", None).shares.tolist() == pytest.approx([0.55])


def test_missing_samples_are_no_zeros(tmp_path):
    file = write(tmp_path, answer(g0=[50, "NaN", 70]))
    found = shares(file)
    assert found.shares.tolist() == [0.5, 0.7] and not np.isnan(found.shares).any()


@pytest.mark.parametrize(("content", "name", "metric", "words"), [
    (EXPOSITION, "t.prom", None, "found 3 metrics; expected --column with one of them: DCGM_FI_DEV_GPU_UTIL"),
    (EXPOSITION, "t.prom", "DCGM_FI_DEV_GPU_UTL", "did you mean 'DCGM_FI_DEV_GPU_UTIL'"),
    (EXPOSITION + "what is this\n", "t.prom", "up", "t.prom:9: found 'what is this'"),
    ({"status": "error", "resultType": "", "error": "query timed out"}, "t.json", None, "query timed out"),
    ({"data": {"resultType": "matrix", "result": [{"metric": {}}]}}, "t.json", None, "JSON of another form"),
    ({"data": {"resultType": "matrix", "result": []}}, "t.json", None, "found no samples"),
    (answer(g0=[50, 120]), "t.json", None, "found 120; expected a utilization from 0 to 100 %"),
    (answer(g0=[50, -1]), "t.json", None, "found -1"),
    (answer(g0=["NaN", "NaN"]), "t.json", None, "holds no number")])
def test_what_is_refused_in_words(tmp_path, content, name, metric, words):
    with pytest.raises(DataError) as caught:
        shares(write(tmp_path, content, name), metric)
    assert words in str(caught.value) and name in str(caught.value)

"""InferenceX files: what is read off them, by other means too, and what is refused."""

import csv
import datetime
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from simulator.adapters.inferencex import Selection, import_inferencex, model_name, read_rows
from simulator.adapters.measurements import BenchmarkError

REAL = Path(__file__).parents[3] / "shared" / "data" / "inferencex_dsr1_to_2026-03.csv"
H200 = Selection("h200", "dsr1", 8192, 1024)


def row(interactivity, throughput, **changes):
    return {"hardware": "h200", "framework": "sglang", "model": "dsr1", "precision": "fp8", "spec_method": "none",
            "disagg": "False", "isl": 8192, "osl": 1024, "conc": 4, "date": "2026-01-05", "tput_per_gpu": throughput,
            "output_tput_per_gpu": 7e9, "input_tput_per_gpu": 8e9, "median_intvty": interactivity, **changes}


ROWS = [row(20, 2000, conc=64), row(40, 1000, conc=16, precision="fp4", framework="trt"), row(80, 400, conc=4, disagg="True"),
        row(30, 500), row(20, 900, hardware="b200"), row(20, 3000, isl=1024), row(25, 1900, date="2026-03-01", spec_method="mtp")]


def as_csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture
def write(tmp_path):
    def written(content, name="results.csv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else
                         (as_csv(content) if not isinstance(content, str) else content).encode())
        return file
    return written


def refused(file, selection=H200, interactivity=50.0):
    with pytest.raises(BenchmarkError) as error:
        import_inferencex(file, selection, interactivity)
    return "\n".join(error.value.messages)


def test_the_throughput_is_that_of_the_frontier_of_the_rows_asked_for(write):
    found = import_inferencex(write(ROWS), H200, 50)
    assert [m.interactivity for m in found.points] == [20, 25, 40, 80]
    curve = PchipInterpolator(np.log([20, 25, 40, 80]), np.log([2000, 1900, 1000, 400]))
    assert found.throughput["median"] == pytest.approx(float(np.exp(curve(np.log(50)))), rel=1e-4)
    assert found.operating_point == {"model": "DeepSeek-R1", "precision": "fp4 and fp8", "interactivity": 50,
                                     "input_tokens": 8192, "output_tokens": 1024, "token_basis": "total"}
    assert found.throughput["unit"] == "token/s/GPU" and found.throughput["grade"] == "primary"
    assert found.throughput["date"] == "2026-03-01" and "from 2026-01-05 to 2026-03-01" in found.throughput["source"]
    for words in ("interpolation 0.", "repeatability 0.014", "drift 0.056", "over 5 runs", "disaggregated", "1000 at 40"):
        assert words in found.throughput["note"]
    assert found.frontier["interactivity"] == [20, 25, 40, 80] and found.frontier["throughput"] == [2000, 1900, 1000, 400]


def test_only_the_total_throughput_counts(write):
    without = [{key: value for key, value in each.items() if key not in ("output_tput_per_gpu", "input_tput_per_gpu")}
               for each in ROWS]
    assert import_inferencex(write(without), H200, 50) == import_inferencex(write(ROWS), H200, 50)


@pytest.mark.parametrize(("changes", "points"), [
    ({"precision": "fp4"}, [40]), ({"precision": "FP8"}, [20, 25, 30, 80]), ({"framework": "trt"}, [40]),
    ({"spec_method": "mtp"}, [25]), ({"disagg": True}, [80]), ({"disagg": False}, [20, 25, 40]),
    ({"as_of": datetime.date(2026, 2, 28)}, [20, 40, 80]), ({"hardware": "H200"}, [20, 25, 40, 80]),
    ({"model": "DeepSeek-R1"}, [20, 25, 40, 80]), ({"input_tokens": 1024}, [20]), ({"hardware": "b200"}, [20])])
def test_filters(write, changes, points):
    selection = Selection(**{"hardware": "h200", "model": "dsr1", "input_tokens": 8192, "output_tokens": 1024, **changes})
    assert [m.interactivity for m in import_inferencex(write(ROWS), selection, points[0]).points] == points


def test_what_came_later_changes_nothing(write):
    history = [row(20, 1000 * 1.01**k, date=f"2026-01-{k + 1:02}") for k in range(12)]
    later = [row(20, 9000, date=f"2026-06-{k + 1:02}", conc=k % 3) for k in range(20)]
    selection = Selection("h200", "dsr1", 8192, 1024, as_of=datetime.date(2026, 3, 1))
    assert import_inferencex(write(history + later), selection, 20) == import_inferencex(write(history), selection, 20)


def test_json_gives_the_same_as_csv(write):
    artefact = [{{"hardware": "hw", "spec_method": "spec_decoding"}.get(key, key): value for key, value in each.items()}
                | {"disagg": each["disagg"] == "True"} for each in ROWS]
    from_json = import_inferencex(write(json.dumps(artefact), "results.json"), H200, 50)
    from_csv = import_inferencex(write(ROWS), H200, 50)
    assert from_json.throughput["median"] == from_csv.throughput["median"] and from_json.spread == from_csv.spread


def test_rows_that_stand_twice_change_nothing(write):
    assert import_inferencex(write(ROWS + ROWS), H200, 50).throughput["median"] == import_inferencex(
        write(ROWS), H200, 50).throughput["median"]


def test_a_single_point_has_no_frontier_and_serves_at_its_own_interactivity(write):
    file = write([row(20, 900)])
    found = import_inferencex(file, H200, 20)
    assert found.frontier is None and list(found.inputs()) == ["operating_point", "throughput"]
    assert found.throughput["median"] == 900
    assert "measured at 20 token/s/user only" in refused(file, interactivity=21)


@pytest.mark.parametrize(("text", "name"), [
    ("dsr1", "DeepSeek-R1"), ("DeepSeek-R1", "DeepSeek-R1"), ("deepseek-ai/DeepSeek-R1-0528", "DeepSeek-R1"),
    ("gptoss120b", "gpt-oss-120b"), ("openai/gpt-oss-120b", "gpt-oss-120b"), ("llama-4", "llama-4")])
def test_models_have_one_name(text, name):
    assert model_name(text) == name


@pytest.mark.parametrize(("changes", "words"), [
    ({"hardware": "h20"}, ["--hardware", "'h20'", "h200 (6) or b200 (1)", "did you mean 'h200'"]),
    ({"model": "llama"}, ["--model", "'llama'", "dsr1"]), ({"input_tokens": 4096}, ["8192/1024 (5) or 1024/1024 (1)"]),
    ({"precision": "fp16"}, ["--precision", "fp8 (4) or fp4 (1)"]), ({"framework": "sglan"}, ["did you mean 'sglang'"]),
    ({"spec_method": "eagle"}, ["--spec-method", "none (4) or mtp (1)"]),
    ({"precision": "fp4", "disagg": True}, ["--disagg", "'True' among h200, dsr1, 8192/1024, fp4"]),
    ({"as_of": datetime.date(2025, 1, 1)}, ["--as-of", "2026-01-05"])])
def test_rows_that_are_not_there_are_answered_with_those_that_are(write, changes, words):
    selection = Selection(**{"hardware": "h200", "model": "dsr1", "input_tokens": 8192, "output_tokens": 1024, **changes})
    message = refused(write(ROWS), selection)
    assert all(word in message for word in words), message


@pytest.mark.parametrize("outside", [19.9, 80.1, -1, 0, float("nan")])
def test_outside_the_range_it_says_what_is_measured(write, outside):
    assert "measured from 20 to 80 token/s/user, and nothing is extrapolated" in refused(write(ROWS), interactivity=outside)


@pytest.mark.parametrize(("content", "words"), [
    (b"", "empty"), (b" \n", "empty"), (b"\x89PNG\x00", "binary"), (b"a\xff\xfe", "UTF-8"), ("hardware,model\n", "no rows"),
    ("[]", "no rows"), ("[1]", "row 1: found 1"), ('[{"hardware": "h200"', "results.csv:1: not valid JSON"),
    ("a,b\n1,2\n", "found no column hardware, model"), ("[" * 100_000, "not valid JSON"),
    (as_csv(ROWS) + "h200,x\n", "results.csv:9: found 2 columns; expected 14"), (as_csv(ROWS) + 'h200,"x\n', "not valid CSV")])
def test_files_that_are_no_results(write, content, words):
    assert words in refused(write(content))


@pytest.mark.parametrize(("column", "value", "words"), [
    ("tput_per_gpu", 0, "results.csv:3: tput_per_gpu: found the text '0'; expected a number above 0"),
    ("tput_per_gpu", -5, "results.csv:3: tput_per_gpu"),
    ("median_intvty", "fast", "results.csv:3: median_intvty: found the text 'fast'"),
    ("median_intvty", "", "found nothing"), ("tput_per_gpu", "nan", "above 0"), ("tput_per_gpu", "inf", "above 0"),
    ("isl", 0.5, "isl: found 0.5; expected a whole number"), ("date", "soon", "date: found 'soon'"),
    ("hardware", "", "hardware: is missing")])
def test_rows_that_are_wrong_are_named_by_line(write, column, value, words):
    rows = [dict(each) for each in ROWS]
    rows[1][column] = value
    assert words in refused(write(rows))


def test_everything_that_is_wrong_is_said_at_once_and_not_without_end(write):
    rows = [row(20, -1) for _ in range(30)]
    with pytest.raises(BenchmarkError) as error:
        read_rows(write(rows))
    assert len(error.value.messages) == 30 and error.value.shown()[-1] == "and 20 more" and len(error.value.shown()) == 11


def test_a_file_that_is_not_there(tmp_path):
    assert "no such file" in refused(tmp_path / "x.csv") and "folder" in refused(tmp_path)


@given(st.lists(st.tuples(st.floats(1, 500), st.floats(1, 20000)), min_size=2, max_size=12, unique_by=lambda p: p[0]),
       st.floats(0, 1))
@settings(max_examples=40)
def test_whatever_was_measured_the_answer_lies_between_its_neighbours(tmp_path_factory, points, where):
    file = tmp_path_factory.mktemp("x") / "results.csv"
    file.write_text(as_csv([row(x, y) for x, y in points]))
    kept = sorted(p for p in points if not any(q[0] >= p[0] and q[1] >= p[1] and q != p for q in points))
    x = min(max(kept[0][0] * (kept[-1][0] / kept[0][0]) ** where, kept[0][0]), kept[-1][0])
    found = import_inferencex(file, H200, x)
    assert [(m.interactivity, m.throughput) for m in found.points] == kept
    low, high = min(y for a, y in kept if a <= x), max(y for a, y in kept if a >= x)
    assert high * (1 - 1e-4) <= found.throughput["median"] <= low * (1 + 1e-4)
    assert 0 < found.throughput["sigma"] < 20


# --- the real file ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not REAL.exists(), reason="the benchmark's file is not here")
@pytest.mark.parametrize(("hardware", "x", "throughput", "count", "points"), [
    ("gb300", 40, 16129, 23, 9), ("gb300", 50, 15663, 23, 9), ("h200", 40, 1884.3, 86, 8), ("h200", 50, 1184.7, 86, 8)])
def test_the_real_file(hardware, x, throughput, count, points):
    found = import_inferencex(REAL, Selection(hardware, "dsr1", 8192, 1024), x)
    assert found.throughput["median"] == throughput and (found.rows, len(found.points)) == (count, points)
    assert 0.03 < found.spread.sd < 0.4


@pytest.mark.skipif(not REAL.exists(), reason="the benchmark's file is not here")
def test_the_real_file_by_other_means():
    import pandas

    data = pandas.read_csv(REAL)
    for hardware in data.hardware.unique():
        chosen = data[(data.hardware == hardware) & (data.isl == 8192) & (data.osl == 1024)]
        x, y = chosen.median_intvty.to_numpy(), chosen.tput_per_gpu.to_numpy()
        more, as_much = (x[None] > x[:, None]) | (y[None] > y[:, None]), (x[None] >= x[:, None]) & (y[None] >= y[:, None])
        kept = ~(more & as_much).any(axis=1)
        x, y = x[kept][np.argsort(x[kept])], y[kept][np.argsort(x[kept])]
        at = float(np.sqrt(x[0] * x[-1]))
        found = import_inferencex(REAL, Selection(hardware, "DeepSeek-R1", 8192, 1024), at)
        assert [m.interactivity for m in found.points] == x.tolist()
        assert found.throughput["median"] == pytest.approx(np.exp(PchipInterpolator(np.log(x), np.log(y))(np.log(at))), rel=1e-4)


@pytest.mark.skipif(not REAL.exists(), reason="the benchmark's file is not here")
def test_the_claimed_interpolation_error_is_that_of_points_left_out():
    """Over every frontier of the file: as many points lie within the claimed 90 % as should."""
    from simulator.adapters.spread import interpolation, leave_one_out
    from simulator.study.frontier import Frontier, pareto

    groups = {}
    for each in read_rows(REAL):
        groups.setdefault((each.measurement.hardware, each.measurement.lengths), []).append(each.measurement)
    scores = []
    for runs in groups.values():
        kept = [runs[k] for k in pareto([m.interactivity for m in runs], [m.throughput for m in runs])]
        whole = Frontier(tuple(m.interactivity for m in kept), tuple(m.throughput for m in kept))
        for k in range(1, len(kept) - 1):
            x, y = (values[:k] + values[k + 1:] for values in (whole.interactivity, whole.throughput))
            scores.append(leave_one_out(whole, k) / interpolation(Frontier(x, y), whole.interactivity[k]).sd)
    assert len(scores) == 130 and 0.9 < np.sqrt(np.mean(np.square(scores))) < 1.2
    assert 0.8 < np.mean(np.abs(scores) < 1.645) < 0.95

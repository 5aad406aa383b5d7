"""Results of vLLM's benchmark: what is read off them, and what is refused."""

import json
import math

import pytest

from simulator.adapters.measurements import BenchmarkError
from simulator.adapters.vllm import import_vllm


def result(tpot, total, **changes):
    return {"date": "20260325-141500", "backend": "vllm", "model_id": "meta-llama/Llama-3.3-70B-Instruct", "num_prompts": 200,
            "max_concurrency": 16, "completed": 200, "total_input_tokens": 204_800, "total_output_tokens": 51_200,
            "request_throughput": 3.1, "output_throughput": total / 5, "total_token_throughput": total,
            "mean_tpot_ms": tpot * 1.1, "median_tpot_ms": tpot, **changes}


@pytest.fixture
def write(tmp_path):
    def written(content, name="a.json"):
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file
    return written


def refused(files, **options):
    with pytest.raises(BenchmarkError) as error:
        import_vllm(files, **{"gpus": 4, "hardware": "h200", **options})
    return "\n".join(error.value.messages)


def test_one_result_is_one_point(write):
    found = import_vllm([write(result(20, 8000))], 4, "h200", precision="fp8")
    assert found.operating_point == {"model": "meta-llama/Llama-3.3-70B-Instruct", "precision": "fp8", "interactivity": 50,
                                     "input_tokens": 1024, "output_tokens": 256, "token_basis": "total"}
    assert found.throughput["median"] == 2000 and found.throughput["date"] == "2026-03-25" and found.frontier is None
    assert "Measured there: 2000 at 50 (concurrency 16, 2026-03-25)" in found.throughput["note"]
    assert found.throughput["sigma"] == pytest.approx(math.hypot(0.01, 0.014, 0.056), abs=1e-4)


def test_several_files_make_a_frontier(write):
    files = [write(result(1000 / x, 4 * 40_000 / x, max_concurrency=c), f"{c}.json") for x, c in ((20, 64), (40, 16), (80, 4))]
    found = import_vllm(files, 4, "h200", 50)
    assert found.throughput["median"] == pytest.approx(800) and found.frontier["interactivity"] == [20, 40, 80]
    assert all(file.name in found.throughput["source"] for file in files)


@pytest.mark.parametrize("content", [
    json.dumps([result(20, 8000), result(40, 20_000)]),
    json.dumps(result(20, 8000)) + "\n" + json.dumps(result(40, 20_000)) + "\n"])
def test_a_file_may_hold_several(write, content):
    assert [m.throughput for m in import_vllm([write(content)], 4, "h200", 50).points] == [5000, 2000]


def test_the_model_may_be_named(write):
    assert import_vllm([write(result(20, 8000))], 4, "h200", model="Llama 3.3 70B").operating_point["model"] == "Llama 3.3 70B"


@pytest.mark.parametrize(("changes", "words"), [
    ({"median_tpot_ms": 0}, "a.json: median_tpot_ms: found 0; expected a number above 0"),
    ({"total_token_throughput": -1}, "found -1"),
    ({"total_token_throughput": "fast"}, "found the text 'fast'"), ({"completed": 0}, "completed: found 0"),
    ({"median_tpot_ms": None}, "found nothing"), ({"median_tpot_ms": True}, "found true"),
    ({"date": "soon"}, "found the text 'soon'"),
    ({"model_id": None}, "model_id: is missing")])
def test_a_result_that_is_wrong(write, changes, words):
    assert words in refused([write(result(20, 8000, **changes))])


@pytest.mark.parametrize("name", ["total_token_throughput", "median_tpot_ms", "completed", "total_input_tokens", "model_id"])
def test_a_field_that_is_missing(write, name):
    assert f"{name}: is missing" in refused([write({key: value for key, value in result(20, 8000).items() if key != name})])


@pytest.mark.parametrize(("content", "words"), [
    ("", "empty"), ("{", "a.json:1: not valid JSON"), ("5", "found 5"), ("[]", "an empty list"), ("x\0", "binary"),
    ('{"a": 1}\n{', "not valid JSON")])
def test_files_that_are_no_results(write, content, words):
    assert words in refused([write(content)])


def test_results_of_different_work_are_not_mixed(write):
    one = write(result(20, 8000))
    other = write(result(30, 9000, model_id="x"), "b.json")
    assert "different models: meta-llama/Llama-3.3-70B-Instruct" in refused([one, other])
    longer = write(result(30, 9000, total_input_tokens=409_600), "c.json")
    assert "from 1024 to 2048 input tokens" in refused([one, longer])
    assert import_vllm([one, write(result(30, 9000, total_input_tokens=206_000), "d.json")], 4, "h200", 40).rows == 2


def test_where_to_read_off_has_to_be_said_and_measured(write):
    files = [write(result(20, 8000)), write(result(40, 20_000), "b.json")]
    assert "25, 50 token/s/user" in refused(files)
    assert "measured from 25 to 50 token/s/user" in refused(files, interactivity=51)
    assert "measured at 50 token/s/user only" in refused(files[:1], interactivity=51)
    assert "no such file" in refused([files[0].with_name("none.json")])

"""`tco import` as its users run it: what it prints can be pasted, and mistakes have a message and status 2."""

import json
import math
import subprocess
import sys

import pytest
import studies

from simulator.study import load
from simulator.study.document import read_text

CSV = """\
hardware,framework,model,precision,spec_method,disagg,isl,osl,conc,date,tput_per_gpu,median_intvty
h200,sglang,dsr1,fp8,none,False,8192,1024,64,2026-01-05,2000,20
h200,sglang,dsr1,fp8,none,False,8192,1024,16,2026-01-05,1000,40
h200,sglang,dsr1,fp8,none,False,8192,1024,4,2026-01-05,400,80
"""
ASKED = ["--hardware", "h200", "--model", "dsr1", "--input-tokens", "8192", "--output-tokens", "1024"]


def tco(*arguments):
    return subprocess.run([sys.executable, "-m", "simulator", "import", *map(str, arguments)], capture_output=True, text=True,
                          check=False)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(CSV)
    return path


def test_what_it_prints_can_be_pasted_into_a_platform(file, tmp_path):
    done = tco("inferencex", file, *ASKED, "--interactivity", 50, "--no-frontier")
    assert (done.returncode, done.stderr) == (0, "")
    pasted = read_text(done.stdout, "pasted").tree
    assert list(pasted) == ["operating_point", "throughput"]
    data = studies.study()
    data["platforms"]["b"].update(pasted)
    study = load(studies.write(tmp_path / "study.yaml", data))
    throughput = study.platforms[1].inputs["throughput"]
    median, sigma = pasted["throughput"]["median"], pasted["throughput"]["sigma"]
    assert throughput.value.parameters == pytest.approx((math.log(median), sigma))
    assert study.platforms[1].operating_point.interactivity == 50 and throughput.evidence.grade == "primary"


def test_json_is_one_document_with_the_components_of_the_spread(file):
    done = tco("inferencex", file, *ASKED, "--interactivity", 50, "--json")
    document = json.loads(done.stdout)
    assert list(document) == ["schema", "operating_point", "throughput", "frontier", "spread", "measured"]
    assert [part["component"] for part in document["spread"]] == ["interpolation", "repeatability", "drift"]
    total = sum(part["sd"] ** 2 for part in document["spread"]) ** 0.5
    assert document["throughput"]["sigma"] == pytest.approx(total, abs=1e-4)
    assert document["measured"] == {"rows": 3, "points": 3, "unit": "token/s/user", "low": 20, "high": 80}


def test_vllm(tmp_path):
    result = {"model_id": "m", "completed": 10, "total_input_tokens": 10_000, "total_output_tokens": 2000, "median_tpot_ms": 20,
              "total_token_throughput": 8000}
    (tmp_path / "a.json").write_text(json.dumps(result))
    done = tco("vllm", tmp_path / "a.json", "--gpus", 8, "--hardware", "h200")
    assert (done.returncode, done.stderr) == (0, "")
    pasted = read_text(done.stdout, "pasted").tree
    assert pasted["operating_point"]["interactivity"] == 50 and pasted["throughput"]["median"] == 1000


@pytest.mark.parametrize(("arguments", "words"), [
    ([*ASKED, "--interactivity", "90"], "measured from 20 to 80 token/s/user"),
    ([*ASKED[2:], "--hardware", "h20", "--interactivity", "50"], "did you mean 'h200'"),
    ([*ASKED, "--interactivity", "fast"], "valid number"), (ASKED, "--interactivity"),
    ([*ASKED, "--interactivity", "50", "--as-of", "x"], "x"),
    ([*ASKED, "--interactivity", "50", "--as-of", "2020-01-01"], "the first is of 2026-01-05")])
def test_mistakes_have_a_message_and_status_2(file, arguments, words):
    done = tco("inferencex", file, *arguments)
    assert (done.returncode, done.stdout) == (2, "") and words in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["inferencex", "none.csv", *ASKED, "--interactivity", "50"],
                                       ["vllm", "none.json", "--gpus", "8", "--hardware", "x"],
                                       ["vllm", "none.json", "--gpus", "0"],
                                       ["vlm"]])
def test_files_that_are_not_there_and_wrong_command_lines(arguments):
    done = tco(*arguments)
    assert done.returncode == 2 and done.stderr and "Traceback" not in done.stderr

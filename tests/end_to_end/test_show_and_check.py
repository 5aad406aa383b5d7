"""`tco show` and `tco check` as their users run them; runs that read files."""

import json
import subprocess
import sys

import pytest
import studies

import simulator


def tco(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "simulator", *map(str, arguments)], capture_output=True, text=True, check=False,
                          **options)


@pytest.fixture
def library(tmp_path):
    """A part with a platform, and a study that extends it."""
    (tmp_path / "parts").mkdir()
    part = {"schema": 1, "platforms": {"a": {**studies.BOUGHT, "power": {"value": 2.1, "grade": "weak", "date": "2026-11"}}}}
    studies.write(tmp_path / "parts" / "a.yaml", part)
    (tmp_path / "study.yaml").write_text("""\
schema: 1
study: Shown
extends: parts/a.yaml
as_of: 2026-11-25
simulation: {trials: 1024, horizon: 10}
shared:
  utilization: {distribution: metalog, p10: 0.4, p50: 0.6, p90: 0.7, low: 0, high: 1, source: us}
  discount_rate: {value: 8, unit: "%/year", basis: nominal}
  inflation: 0.02
  energy_price: {process: mean_reverting, median: 0.041, start: stationary, reversion_rate: 2.5, volatility: 1.05}
  failure_rate: 0.02
  replacement_cost: 0.5
  failure_epidemic: {probability: 0.1, rate_multiplier: 4}
correlations: {pairs: [[shared.utilization, platforms.a.throughput, -0.2]]}
""", encoding="utf-8")
    return tmp_path


def test_show_says_what_and_from_where(library):
    done = tco("show", "study.yaml", "--set", "platforms.a.pue=1.3", cwd=library)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "study.yaml:7" in lines["utilization"] and "metalog" in lines["utilization"] and "●" in lines["utilization"]
    assert lines["utilization"].split()[1:4] == ["0.329", "0.600", "0.724"]
    assert "0.08" in lines["discount_rate"] and "nominal" in lines["discount_rate"]
    assert "parts/a.yaml:1" in lines["power"] and "weak" in lines["power"] and "2026-11" in lines["power"]
    assert "--set platforms.a.pue=1.3" in lines["pue"]
    assert "process, long run" in lines["energy_price"] and "stationary" in lines["start"]
    assert "mixture" not in done.stdout and "epidemic" in lines["failure_epidemic"]
    assert "-0.2" in lines["shared.utilization"]
    assert "weak evidence, in 1 of 13 inputs" in done.stderr


def test_show_of_a_wrong_study(library):
    done = tco("show", "study.yaml", "--set", "platforms.a.pue=0.3", cwd=library)
    assert done.returncode == 2 and not done.stdout and "expected at least 1" in done.stderr


def test_check_takes_a_folder(library):
    done = tco("check", ".", cwd=library)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["parts/a.yaml: right; for studies to extend",
                                        "study.yaml: right; 1 platform, 13 inputs, 7 of them uncertain"]


def test_check_finds_what_is_wrong_in_a_part(library):
    part = json.loads((library / "parts" / "a.yaml").read_text())
    part["platforms"]["a"] |= {"pue": 0.2, "utilizaton": 0.5}
    studies.write(library / "parts" / "a.yaml", part)
    done = tco("check", "parts", "--quiet", cwd=library)
    assert done.returncode == 2
    assert "2 things to put right" in done.stderr and "did you mean 'utilization'" in done.stderr and "at least 1" in done.stderr


@pytest.mark.parametrize(("arguments", "words"), [
    (("check", "empty"), "found no files that end in .yaml or .yml"), (("check", ".", "--set", "shared.utilization=0.5"), "go with study"),
    (("run", "."), "found a folder")])
def test_folders_that_do_not_fit(library, arguments, words):
    (library / "empty").mkdir()
    done = tco(*arguments, cwd=library)
    assert done.returncode == 2 and words in done.stderr


def test_a_run_that_reads_a_file_can_be_run_again(tmp_path):
    data = studies.study()
    (tmp_path / "rents.csv").write_text("month,usd\n1,2.0\n2,2.5\n3,4.0\n", encoding="utf-8")
    data["platforms"]["b"]["rental_price"] = {"distribution": "mixture", "components": [
        {"weight": 1, "distribution": "empirical", "file": "rents.csv", "column": "usd"}, {"weight": 1, "value": 3}]}
    file = studies.write(tmp_path / "study.yaml", data)
    first = json.loads(tco("run", file, "--json", "--out", tmp_path / "runs").stdout)
    (folder,) = (tmp_path / "runs" / "test").iterdir()
    (tmp_path / "rents.csv").unlink()
    again = tco("run", folder / "study.yaml", "--json", "--out", tmp_path / "again")
    assert json.loads(again.stdout) == first
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [name for name in manifest["files"] if name.startswith("data-") and name.endswith(".csv")]


def test_what_a_file_holds_is_in_the_digest(tmp_path):
    data = studies.study()
    data["platforms"]["b"]["rental_price"] = {"distribution": "empirical", "file": "rents.csv", "column": "usd"}
    file = studies.write(tmp_path / "study.yaml", data)
    digests = []
    for last in (4, 5):
        (tmp_path / "rents.csv").write_text(f"usd\n2\n{last}\n", encoding="utf-8")
        digests.append(simulator.load(file).digest)
    assert digests[0] != digests[1]

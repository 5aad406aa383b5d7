"""`tco report`: what it writes, and what it says where it cannot."""

import base64
import json
import os
import shutil
import sys

import pytest
import studies
from command import tco

import simulator
from simulator import run_folder

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two runs of one study, the second one with a what-if, and one of another."""
    place = tmp_path_factory.mktemp("runs")
    data = studies.study(study="Rent or buy", simulation={"trials": 512, "horizon": 10},
                         what_ifs={"dear": {"set": {"platforms.b.rental_price": 20}}})
    study = simulator.load(studies.write(place / "study.yaml", data))
    alone = studies.study(study="Alone", simulation={"trials": 512, "horizon": 10}, platforms={"a": studies.BOUGHT})
    runs = [simulator.run(study), simulator.run(study.with_inputs({"simulation.seed": 5}), what_ifs="all"),
            simulator.run(simulator.load(studies.write(place / "alone.yaml", alone)))]
    folders = [run_folder.save(run, place / "runs") for run in runs]
    dated = []
    for day, folder in enumerate(folders, 1):  # the second of the same study is the later one
        dated.append(folder.rename(folder.with_name(f"2026010{day}T000000-{folder.name.partition('-')[2]}")))
    return dated


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made[1], tmp_path / made[1].name)


def test_the_report_lies_beside_the_run_and_leaves_it_whole(run):
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    done = tco("report", run, "--formats", "html,md,xlsx", "--budget-line", "0.2", "--title", "For the board")
    assert done.exit_code == 0 and done.stdout == "" and f"written: {run / 'report.html'}" in done.stderr
    assert {file.name: file.read_bytes() for file in run.iterdir() if file.name in before} == before
    assert {file.name for file in run.iterdir()} - set(before) == {"report.html", "report.md", "report.xlsx", "charts"}
    text = (run / "report.html").read_text(encoding="utf-8")
    assert "<h1" in text and "For the board" in text and "budget" in text
    assert tco("verify", run).exit_code == 0
    assert tco("report", run, "--quiet").stderr == ""


def test_of_a_folder_the_latest_run_of_each_study_is_taken(made, tmp_path):
    done = tco("report", made[0].parents[1], "--formats", "md", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# Overview") and "Rent or buy" in text and "Alone" in text
    assert made[1].name in text and made[0].name not in text


def test_a_logo_travels_within_the_file(run, tmp_path):
    (tmp_path / "logo.png").write_bytes(PIXEL)
    assert tco("report", run, "--logo", tmp_path / "logo.png").exit_code == 0
    assert f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}" in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("arguments", "says"), [
    (("--formats", "htm"), "found the format htm; expected some of html, pdf, xlsx, md, svg, png; did you mean 'html'"),
    (("--formats", "html,,md"), "found no name"),
    (("--budget-line", "cheap"), "--budget-line cheap: expected an amount of USD per million tokens above 0, such as 0.5"),
    (("--budget-line", "-1"), "above 0"), (("--budget-line", "nan"), "above 0"), (("--budget-line", "1e400"), "above 0"),
    (("--logo", "nowhere.png"), "--logo nowhere.png: cannot be read: No such file"),
    (("--logo", __file__), "no picture of these kinds; expected a PNG, JPEG, GIF or SVG file"),
])
def test_what_is_wrong_on_the_command_line_is_said(run, arguments, says):
    done = tco("report", run, *arguments)
    assert done.exit_code == 2 and says in done.stderr and not (run / "report.html").exists()


def damaged(run, how):
    if how == "no summary":
        (run / "summary.json").unlink()
    elif how == "half a summary":
        (run / "summary.json").write_bytes((run / "summary.json").read_bytes()[:2000])
    elif how == "another summary":
        summary = json.loads((run / "summary.json").read_text())
        del summary["scenarios"]["base"]["platforms"]["b"]["cost_per_million_tokens"]
        (run / "summary.json").write_text(json.dumps(summary))
    elif how == "no study":
        (run / "study.yaml").unlink()
    elif how == "no manifest":
        (run / "manifest.json").unlink()
    else:
        shutil.rmtree(run)


@pytest.mark.parametrize(("how", "says"), [
    ("no summary", "it is not whole: found no summary.json"), ("half a summary", "summary.json is no whole JSON document"),
    ("another summary", "summary.json does not hold what a run of its study reports"), ("no study", "found no study.yaml"),
    ("no manifest", "found no manifest.json"), ("no folder", "does not exist")])
def test_a_broken_run_is_told_and_gives_no_report(run, how, says):
    damaged(run, how)
    done = tco("report", run)
    assert done.exit_code == 2 and says in done.stderr and "Traceback" not in done.stderr
    assert not (run / "report.html").exists()


def test_a_table_that_is_gone_is_no_loss(run):
    for name in ("summary.parquet", "results.nc"):
        (run / name).unlink()
    assert tco("report", run).exit_code == 0


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_is_told(run):
    run.chmod(0o555)
    done = tco("report", run)
    run.chmod(0o755)
    assert done.exit_code == 1 and "choose another place with --out" in done.stderr


def test_a_place_that_is_no_folder_is_told(run, tmp_path):
    (tmp_path / "file").write_text("")
    done = tco("report", run, "--out", tmp_path / "file" / "inside")
    assert done.exit_code != 0 and "choose another place with --out" in done.stderr


def test_without_the_extra_pdf_says_how_to_get_it(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    done = tco("report", run, "--formats", "html,pdf")
    assert done.exit_code == 1 and "pip install 'tco-simulator[pdf]'" in done.stderr and not (run / "report.html").exists()


def test_pdf_of_the_same_pages(run):
    pytest.importorskip("weasyprint", reason="the extra [pdf] is not installed", exc_type=(ImportError, OSError))
    assert tco("report", run, "--formats", "pdf").exit_code == 0
    first = (run / "report.pdf").read_bytes()
    assert first.startswith(b"%PDF") and len(first) > 100_000
    assert tco("report", run, "--formats", "pdf").exit_code == 0 and (run / "report.pdf").read_bytes() == first

"""`tco compare` as its users run it."""

import json

import pytest
import studies
from command import tco


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run with overrides: `run("shared.utilization=0.5")`."""
    place = tmp_path_factory.mktemp("compare")
    data = studies.study(simulation={"trials": 1024, "horizon": 10},
                         correlations={"pairs": [["platforms.a.capex", "shared.utilization", 0.2]]})
    study = studies.write(place / "study.yaml", data)
    made_before = {}

    def made(*overrides):
        options = [part for override in overrides for part in ("--set", override)]
        out = made_before.setdefault(overrides, place / f"runs-{len(made_before)}")
        if not out.exists():
            done = tco("run", study, "--out", out, "--quiet", *options)
            assert done.exit_code == 0, done.stderr
        (folder,) = (out / "test").iterdir()
        return folder
    return made


def test_it_says_what_is_promised(run):
    done = tco("compare", run(), run("shared.utilization=0.4", "shared.energy_price.median=60",
                                     "shared.energy_price.start=stationary", "platforms.a.label=Alpha",
                                     "platforms.a.capex.source=a quotation"))
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    for row in (["shared.utilization", "0.651", "(0.450", "to", "0.820)", "0.4"],
                ["shared.energy_price.median", "0.041", "0.06", "USD/kWh"],
                ["shared.energy_price.start", "not", "stated", "stationary", "USD/kWh"]):
        assert row in lines
    for words in ("Evidence alone (source, date, grade or note) differs of: platforms.a.capex.",
                  "Without effect on costs, and different: platforms.a.label.", "Cost per million tokens",
                  "Ranking by median cost: ", "averaged over all orders", "if made alone", "of the difference on the same draws"):
        assert words in done.stdout, words
    assert "Traceback" not in done.stdout


def test_words_and_correlations_and_settings(run):
    pairs = '{copula: {family: t, degrees_of_freedom: 4}, pairs: [[platforms.a.capex, shared.utilization, 0.4]]}'
    done = tco("compare", run(), run(f"correlations={pairs}", "simulation.seed=7", "platforms.a.attrition=without_replacement"))
    assert done.exit_code == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["correlations:", "platforms.a.capex", "~", "shared.utilization", "0.2", "0.4"] in lines
    assert ["correlations:", "copula", "gaussian", "t", "4"] in lines
    assert ["platforms.a.attrition", "not", "stated", "without_replacement"] in lines
    assert ["simulation.seed", "0", "7"] in lines
    assert "within simulation error" in done.stdout and "put together from those of both runs" in done.stdout


def test_the_same_run(run):
    done = tco("compare", run(), run())
    assert done.exit_code == 0 and "The studies are the same." in done.stdout and "same" in done.stdout
    assert "explains" not in done.stdout


def test_json_is_one_document_whose_parts_add_up(run):
    done = tco("compare", run(), run("shared.utilization=0.4", "platforms.a.capex=60000"), "--json")
    found = json.loads(done.stdout)
    attribution = found["attribution"]
    assert (found["schema"], found["same_draws"], attribution["method"]) == (1, True, "shapley")
    for name, whole in attribution["whole"].items():
        for statistic, estimate in whole.items():
            parts = sum(part["effect"][name][statistic]["value"] for part in attribution["parts"])
            assert parts == pytest.approx(estimate["value"], rel=1e-9, abs=1e-15)
    cost = found["results"]["platforms"]["a"]["cost_per_million_tokens"]["mean"]
    assert cost["second"]["value"] - cost["first"]["value"] == pytest.approx(cost["change"]["value"])


def test_without_running_anything(run):
    found = json.loads(tco("compare", run(), run("shared.utilization=0.4"), "--no-rerun", "--json").stdout)
    assert "attribution" not in found
    assert found["results"]["platforms"]["a"]["cost_per_million_tokens"]["mean"]["paired"] is False


def test_versions_that_differ_are_listed(run, tmp_path):
    import shutil

    folder = shutil.copytree(run(), tmp_path / "copy")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["versions"]["numpy"] = "0.9"
    manifest["machine"]["processor"] = "sparc"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    done = tco("compare", folder, run(), "--no-rerun")
    assert "numpy" in done.stdout and "0.9" in done.stdout and "sparc" in done.stdout


def test_folders_that_are_no_runs_have_status_2(run, tmp_path):
    done = tco("compare", run(), tmp_path)
    assert (done.exit_code, done.stdout) == (2, "") and "found no manifest.json" in done.stderr
    assert tco("compare", run()).exit_code == 2

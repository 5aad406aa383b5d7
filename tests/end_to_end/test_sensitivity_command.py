"""`tco sensitivity` as its users run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import rented_lognormals
import studies
from PIL import Image
from typer.testing import CliRunner

import simulator
from simulator.cli.app import app


def tco(*arguments, cwd=None):
    return subprocess.run([sys.executable, "-m", "simulator", *map(str, arguments)], capture_output=True, text=True, check=False,
                          cwd=cwd, env={**os.environ, "PYTHONPATH": str(Path(simulator.__file__).parents[1])})


def here(*arguments):
    """In this process, which has the kernels at hand."""
    return CliRunner().invoke(app, ["sensitivity", *map(str, arguments)], catch_exceptions=False)


FILES = {"sensitivity.json", "sensitivity.parquet", "sensitivity.nc", "study.yaml",
         *(f"{name}.{kind}" for name in ("tornado-a", "tornado-b", "shapley-a", "shapley-b", "spider-a", "crossover")
           for kind in ("svg", "png"))}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = tmp_path_factory.mktemp("sensitivity")
    data = studies.study(simulation={"trials": 1024})
    data["shared"]["utilization"]["grade"] = "judgement"  # so that an alternative applies
    data["platforms"]["a"]["label"], data["platforms"]["b"]["label"] = "Alpha", "Beta"
    done = tco("sensitivity", studies.write(place / "study.yaml", data), "--out", place / "out")
    assert done.returncode == 0, done.stderr
    return place / "out", done, json.loads((place / "out" / "sensitivity.json").read_text())


def test_it_says_what_drives_costs_and_where_the_ranking_flips(finished):
    folder, done, _ = finished
    for words in ("What drives the cost of Alpha, USD per million tokens", "P10 → P90", "share of variance", "share of tail",
                  "rank correlation", "Utilization", "By group: workload", "Beta against Alpha: what drives the ratio",
                  "both cost the same at", "cheaper above it", "GPU lifetime of Alpha",
                  "Over the ranges of throughput of Beta and", "By expected cost the choice is Alpha",
                  "Knowing everything before choosing would be worth", "Beta wins when",
                  "Share of tail: the same of how much the dearest 5 % of futures cost beyond the mean."):
        assert words in done.stdout, words
    assert f"written to {folder}" in done.stderr and "left out" not in done.stderr


def test_the_document_has_the_names_of_the_interface(finished):
    document = finished[2]
    base = document["scenarios"]["base"]
    cost = base["platforms"]["a"]["cost_per_million_tokens"]
    assert document["schema"] == 1
    assert {"input", "at_p10", "at_p90", "swing"} <= set(cost["tornado"][0])
    assert {"value", "standard_error"} <= set(cost["sobol"][0]["first"]) & set(cost["sobol"][0]["total"])
    assert {"value", "standard_error"} <= set(cost["shapley"][0]["effect"])
    assert cost["shapley"][0]["input"] == "shared.utilization"
    assert {"input", "value", "standard_error"} <= set(cost["rank_correlation"][0])
    pair = base["pairs"]["b/a"]
    assert pair["log_ratio"]["shapley"][0]["effect"]["value"] > 0.3
    assert {"input", "value", "standard_error", "unit"} <= set(pair["break_even"][0])
    assert base["decision"]["unit"] == "USD" and {"value", "standard_error"} <= set(base["decision"]["evpi"])
    assert {"input", "value", "standard_error"} <= set(base["decision"]["evppi"][0])
    assert "sentence" in base["reverse_stress"] and base["reverse_stress"]["box"]["limits"]


def test_inputs_are_named_by_their_paths_and_shares_are_of_one_whole(finished):
    base = finished[2]["scenarios"]["base"]
    for platform in base["platforms"].values():
        cost = platform["cost_per_million_tokens"]
        for shares in (cost["shapley"], cost["shapley_groups"], cost["tail"]["shapley"], platform["log_cost"]["shapley"]):
            assert sum(one["effect"]["value"] for one in shares) == pytest.approx(1)
        assert {one["input"] for one in cost["shapley"]} == {one["input"] for one in cost["rank_correlation"]}
        assert all(one["input"].startswith(("shared.", "platforms.")) for one in cost["shapley"])
        swings = [bar["swing"] for bar in cost["tornado"]]
        assert swings == sorted(swings, reverse=True)
    decision = base["decision"]
    assert all(0 <= one["value"] <= decision["evpi"]["value"] for one in (*decision["evppi"], *decision["evppi_groups"]))


def test_break_even_values_and_inputs_without_one_are_all_inputs(finished):
    pair = finished[2]["scenarios"]["base"]["pairs"]["b/a"]
    for where in (pair, pair["at_medians"]):
        flips, never = ({one["input"] for one in where[name]} for name in ("break_even", "never"))
        assert flips and never and not flips & never
    for one in pair["break_even"]:
        assert one["range"]["low"] <= one["value"] <= one["range"]["high"] and one["later_is_cheaper"] in ("above", "below")


def test_the_folder_is_whole(finished):
    folder, _, document = finished
    assert {file.name for file in folder.iterdir()} == FILES
    import pyarrow.parquet
    import xarray

    rows = pyarrow.parquet.read_table(folder / "sensitivity.parquet").to_pylist()
    assert {"study", "platform", "method", "input", "statistic", "value", "standard_error", "unit"} <= set(rows[0])
    (row,) = [row for row in rows if (row["platform"], row["quantity"], row["method"], row["input"]) == (
        "a", "cost_per_million_tokens", "shapley", "shared.utilization")]
    told = document["scenarios"]["base"]["platforms"]["a"]["cost_per_million_tokens"]["shapley"][0]["effect"]
    assert row["value"] == told["value"] and row["standard_error"] == told["standard_error"]
    with xarray.open_dataset(folder / "sensitivity.nc") as dataset:
        effect = dataset.shapley_cost_per_million_tokens_effect
        assert effect.attrs["units"] == "1" and effect.dims == ("platform", "input", "estimate")
        assert effect.sel(platform="a", input="shared.utilization", estimate="value") == told["value"]
        assert dataset.tornado_cost_per_million_tokens_swing.attrs["units"] == "USD"
        assert dataset.input_units.sel(input="platforms.a.capex") == "USD/GPU"
        assert len(dataset.data_vars) == len({(row["quantity"], row["method"], row["statistic"], row["input"] in dataset.group)
                                              for row in rows})


def test_charts_name_inputs_and_axes(finished):
    folder = finished[0]
    for name, words in (("tornado-a", ("Utilization", "USD per million tokens", "input at its P10", "49.5 to 78.7 %")),
                        ("shapley-a", ("Share, %", "of what the dearest 5 % cost")),
                        ("spider-a", ("Percentile of the input", "GPU lifetime")),
                        ("crossover", ("Throughput of Beta, token/s/GPU", "Line: both cost the same"))):
        svg = (folder / f"{name}.svg").read_text()
        assert all(word in svg for word in words), name
        with Image.open(folder / f"{name}.png") as image:
            assert min(image.size) > 400


def test_json_is_one_document(tmp_path):
    data = studies.study(simulation={"trials": 512})
    one, two = (studies.write(tmp_path / f"{name}.yaml", {**data, "study": name}) for name in ("one", "two"))
    done = here(one, "--json", "--methods", "tornado,rank-correlation", "--out", tmp_path / "out", "--set",
                "shared.utilization=0.5")
    printed = json.loads(done.stdout)
    assert printed["methods"] == ["tornado", "rank_correlation"] and printed == json.loads(
        (tmp_path / "out" / "sensitivity.json").read_text())
    assert "sobol" not in printed["scenarios"]["base"]["platforms"]["a"]["cost_per_million_tokens"]
    assert "decision" not in printed["scenarios"]["base"] and printed["scenarios"]["base"]["pairs"]["b/a"]["ratio"]["tornado"]
    done = here(one, two, "--json", "--quiet", "--methods", "tornado", "--out", tmp_path / "both")
    assert [document["study"] for document in json.loads(done.stdout)] == ["one", "two"] and done.stderr == ""
    assert {folder.name for folder in (tmp_path / "both").iterdir()} == {"one", "two"}


def test_correlated_inputs_go_on_without_sobol_indices(tmp_path):
    file = studies.write(tmp_path / "study.yaml", rented_lognormals.study({}, rented_lognormals.TRIPLE, rented_lognormals.PAIRS))
    done = here(file, "--methods", "sobol,shapley", "--out", tmp_path / "out")
    assert done.exit_code == 0 and "share of variance" in done.stdout and "Sobol" not in done.stdout
    assert "note: sobol is left out: found platforms.a.rental_price and platforms.b.rental_price correlated" in done.stderr
    (left,) = json.loads((tmp_path / "out" / "sensitivity.json").read_text())["left_out"]
    assert left["method"] == "sobol"
    done = here(file, "--methods", "sobol", "--out", tmp_path / "alone")
    assert done.exit_code == 2 and "use Shapley effects" in done.stderr and not (tmp_path / "alone").exists()


def test_a_certain_study_and_a_single_platform(tmp_path):
    done = here(studies.write(tmp_path / "study.yaml", studies.certain()), "--out", tmp_path / "out")
    assert done.exit_code == 0 and "Nothing is uncertain in this study" in done.stdout
    assert "Rental price of b" in done.stdout and "b stays cheaper" in done.stdout
    alone = studies.certain()
    del alone["platforms"]["b"]
    file = studies.write(tmp_path / "alone.yaml", alone)
    done = here(file, "--out", tmp_path / "one")
    assert done.exit_code == 0 and "Nothing is uncertain" in done.stdout and "there is only one platform" in done.stderr
    assert {path.name for path in (tmp_path / "one").iterdir()} == {
        "sensitivity.json", "sensitivity.nc", "sensitivity.parquet", "study.yaml"}
    done = here(file, "--out", tmp_path / "two", "--methods", "shapley")
    assert done.exit_code == 2 and "shapley: nothing is uncertain" in done.stderr


def test_one_uncertain_input_has_all_of_the_variance(tmp_path):
    data = studies.certain()
    del data["platforms"]["b"]
    data["platforms"]["a"]["rental_price"] = {"distribution": "uniform", "low": 1, "high": 3}
    done = here(studies.write(tmp_path / "study.yaml", data), "--out", tmp_path / "out")
    assert done.exit_code == 0 and "Rental price moves the cost" in (tmp_path / "out" / "tornado-a.svg").read_text()
    cost = json.loads((tmp_path / "out" / "sensitivity.json").read_text())["scenarios"]["base"]["platforms"]["a"]
    (share,) = cost["cost_per_million_tokens"]["shapley"]
    assert share["input"] == "platforms.a.rental_price" and share["effect"]["value"] == pytest.approx(1)


@pytest.mark.parametrize(("arguments", "words"), [
    (["--methods", "tornado,sobel"], "--methods tornado,sobel: found the method 'sobel'; expected tornado, "),
    (["--methods", ""], "found no name; expected tornado, spider"),
    (["--map", "shared.utilization"], "found 1 path; expected two with ',' between"),
    (["--map", "shared.utilisation,platforms.a.capex"], "--map: found the text 'shared.utilisation', which is no input in use "
     "that is one number; did you mean 'shared.utilization'?"),
    (["--map", "shared.utilization,shared.utilization"], "found shared.utilization twice"),
    (["--set", "sensitivity={methods: [x]}"], "found the method 'x'"),
    (["--set", "shared.utilization=7"], "utilization")])
def test_mistakes_have_a_message_and_status_2(tmp_path, arguments, words):
    file = studies.write(tmp_path / "study.yaml", studies.study(simulation={"trials": 512}))
    done = here(file, "--out", tmp_path / "out", *arguments)
    assert (done.exit_code, done.stdout) == (2, "") and words in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_a_place_that_is_none_is_said_before_the_work(tmp_path):
    file = studies.write(tmp_path / "study.yaml", studies.study())
    done = here(file, "--out", file / "out")
    assert done.exit_code == 1 and "no folder" in done.stderr

"""`tco fit` as its users run it."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import studies

import simulator
from simulator.quantities import INPUT
from simulator.study.distributions import Marginal
from simulator.study.document import Document, read_text
from simulator.study.inputs import read_input
from simulator.study.model import Process
from simulator.study.reader import Reader

DATA = Path(simulator.__file__).resolve().parents[1].parent / "shared" / "data"
PJM, ERCOT, TITAN = (DATA / name for name in ("power_price_monthly_US-MIDA-PJM.csv", "power_price_monthly_US-TEX-ERCO.csv",
                                              "gpu_lifetimes_titan_old.csv"))
shared = pytest.mark.skipif(not DATA.exists(), reason="the files are not here")


@pytest.fixture
def fit(tmp_path, monkeypatch, capsys):
    """Run the command in this process, in a folder of its own; returns status, output and messages."""
    from simulator.cli import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tco", "fit", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code or 0
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def write(path, columns):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def fleet(n=400, seed=1):
    rng = np.random.default_rng(seed)
    life, end = 7 * rng.weibull(2.5, n), rng.uniform(1, 8, n)
    seen = np.minimum(life, end).round(5)
    return {"years": seen, "failed": (life <= end).astype(int), "entry": (0.2 * seen).round(5)}


def prices(n=60, seed=2):
    rng, x = np.random.default_rng(seed), [0.0]
    for _ in range(n - 1):
        x.append(0.8 * x[-1] + 0.3 * rng.normal())
    return {"month": [f"{2020 + k // 12}-{k % 12 + 1:02d}" for k in range(n)], "price_usd_per_mwh": (40 * np.exp(x)).round(4)}


def as_input(text):
    """The printed YAML as a study reads it."""
    tree = read_text(text, "printed").tree
    (name, found), = tree.items()
    reader = Reader(Document({name: found}, {}))
    value = read_input(reader, found, (name,), INPUT[name])
    assert not reader.problems, [str(problem) for problem in reader.problems]
    return name, found, value


def test_lifetimes_are_printed_ready_to_paste(fit, tmp_path):
    write(tmp_path / "fleet.csv", fleet())
    status, out, err = fit("fleet.csv", "--duration", "years", "--event", "failed")
    assert status == 0 and "Candidates by AIC" in out
    name, found, value = as_input(out)
    assert name == "gpu_lifetime" and isinstance(value.value, Marginal) and found["unit"] == "year"
    assert found["source"] == "fleet.csv, column years" and "400 units" in found["note"] and "standard errors" in found["note"]
    status, quiet, err = fit("fleet.csv", "--duration", "years", "--event", "failed", "--quiet")
    assert (status, err) == (0, "") and "#" not in quiet and as_input(quiet)[1] == found


def test_lifetimes_as_json(fit, tmp_path):
    write(tmp_path / "fleet.csv", fleet())
    status, out, _ = fit("fleet.csv", "--duration", "years", "--event", "failed", "--entry", "entry", "--json")
    document = json.loads(out)
    assert status == 0 and set(document) == {"input", "best", "candidates", "warnings"}
    weibull = next(one for one in document["candidates"] if one["distribution"] == "weibull")
    assert set(weibull["standard_errors"]) == {"shape", "scale"} and "ks" not in weibull
    aics = [one["aic"] for one in document["candidates"]]
    assert aics == sorted(aics) and "truncated" in document["best"]["note"]


def test_a_price_process(fit, tmp_path):
    write(tmp_path / "p.csv", prices())
    status, out, _ = fit("p.csv", "--column", "price_usd_per_mwh", "--process", "mean_reverting")
    name, found, value = as_input(out)
    assert (status, name, found["unit"], found["date"]) == (0, "energy_price", "USD/MWh", "2020-01 to 2024-12")
    assert isinstance(value.value, Process)
    assert value.value.parameters["median"].parameters[0] == pytest.approx(found["median"] / 1000)
    _, out, _ = fit("p.csv", "--process", "mean_reverting", "--json")
    document = json.loads(out)
    assert document["best"]["process"] == "mean_reverting" and document["best"]["median"] == found["median"]
    assert set(document["candidates"][0]["standard_errors"]) == {"median", "reversion_rate", "volatility"}


@pytest.mark.parametrize(("name", "draw"), [
    ("utilization", lambda rng: rng.beta(6, 4, 300)), ("capex", lambda rng: rng.lognormal(10.8, 0.1, 300)),
    ("throughput", lambda rng: rng.weibull(6, 300) * 5000)])
def test_distributions_for_inputs_of_a_study_can_be_read_back(fit, tmp_path, name, draw):
    write(tmp_path / "d.csv", {name: draw(np.random.default_rng(3)).round(6)})
    status, out, _ = fit("d.csv", "--column", name)
    assert status == 0 and as_input(out)[0] == name


def test_an_input_that_begins_at_1_needs_its_ends(fit, tmp_path):
    write(tmp_path / "d.csv", {"pue": (1 + np.random.default_rng(3).beta(3, 6, 300)).round(6)})
    status, _, err = fit("d.csv", "--column", "pue")
    assert status == 0 and "a study refuses it" in err, "no other candidate begins at 1"
    _, out, err = fit("d.csv", "--column", "pue", "--low", "1", "--high", "2")
    assert as_input(out)[1]["distribution"] == "beta" and "refuses" not in err


@pytest.mark.parametrize(("column", "unit"), [("years", "year"), ("time_to_failure_hours", "hour"), ("cost_per_gpu_hour", None),
                                              ("usd_per_mwh", "USD/MWh"), ("weight", None)])
def test_units_that_the_names_of_columns_say(fit, tmp_path, column, unit):
    write(tmp_path / "d.csv", {column: (1 + np.random.default_rng(3).gamma(3, 1, 100)).round(4)})
    assert json.loads(fit("d.csv", "--column", column, "--json")[1])["best"].get("unit") == unit


def test_a_run_with_what_was_printed(fit, tmp_path):
    write(tmp_path / "fleet.csv", fleet())
    write(tmp_path / "p.csv", prices())
    study = studies.study()
    for arguments in (["fleet.csv", "--duration", "years", "--event", "failed"], ["p.csv", "--process", "mean_reverting"]):
        name, found, _ = as_input(fit(*arguments)[1])
        (study["platforms"]["a"] if name == "gpu_lifetime" else study["shared"])[name] = found
    study["platforms"]["a"]["residual_value"] = 0
    loaded = simulator.load(studies.write(tmp_path / "study.yaml", {**study, "simulation": {"trials": 512, "horizon": 15}}))
    run = simulator.run(loaded)
    assert run.estimate("a", "cost_per_million_tokens", "mean").value > 0


@pytest.mark.parametrize(("arguments", "suffix"), [(("--duration", "years", "--event", "failed"), ".png"),
                                                   (("--column", "years"), ".SVG")])
def test_the_picture(fit, tmp_path, arguments, suffix):
    write(tmp_path / "fleet.csv", fleet())
    first = fit("fleet.csv", *arguments, "--picture", f"one{suffix}")
    fit("fleet.csv", *arguments, "--picture", f"two{suffix}")
    one, two = (tmp_path / f"{name}{suffix}" for name in ("one", "two"))
    assert first[0] == 0 and one.stat().st_size > 5000 and one.read_bytes() == two.read_bytes()


@shared
def test_titan(fit):
    status, out, _ = fit(TITAN, "--duration", "years_observed", "--event", "failed", "--json")
    weibull = next(one for one in json.loads(out)["candidates"] if one["distribution"] == "weibull")
    assert status == 0 and (round(weibull["shape"], 2), round(weibull["scale"], 2)) == (2.64, 7.11)
    _, out, err = fit(TITAN, "--duration", "years_observed", "--event", "failed", "--distribution", "weibull")
    assert as_input(out)[1]["shape"] == 2.638 and "asked for" in err


@shared
def test_pjm(fit):
    status, out, err = fit(PJM, "--column", "price_usd_per_mwh", "--process", "mean_reverting", "--unit", "USD/MWh", "--json")
    best, digits = json.loads(out)["best"], {"reversion_rate": 2, "volatility": 2, "median": 1}
    assert status == 0 and [round(best[name], d) for name, d in digits.items()] == [3.19, 1.26, 40.9]
    assert "makes this fit" not in err


@shared
def test_ercot_warns_of_the_month_that_makes_it(fit):
    status, out, err = fit(ERCOT, "--column", "price_usd_per_mwh", "--process", "mean_reverting")
    assert status == 0 and "one month makes this fit: without 2021-02" in err and "2021-02 makes this fit" in out
    _, out, _ = fit(ERCOT, "--column", "price_usd_per_mwh", "--process", "mean_reverting", "--json")
    assert any("2021-02" in warning for warning in json.loads(out)["warnings"])


def test_telemetry(fit, tmp_path):
    lines = "".join(f'DCGM_FI_DEV_GPU_UTIL{{gpu="{gpu}"}} {40 + 2 * gpu}\n' for gpu in range(24))
    (tmp_path / "dcgm.prom").write_text(lines)
    status, out, err = fit("dcgm.prom")
    assert status == 0 and as_input(out)[0] == "utilization"
    assert "not the share of serving capacity" in err and "24 series are pooled" in err
    status, _, err = fit("dcgm.prom", "--where", "gpu=77")
    assert status == 2 and "no row has '77'" in err


def test_idle_and_full_gpus_are_told_to_be_averaged(fit, tmp_path):
    rng = np.random.default_rng(1)
    stamps = [f"2024-01-{1 + k // 24:02d}T{k % 24:02d}:00" for k in range(480)]
    write(tmp_path / "u.csv", {"time": stamps, "gpu_util": rng.choice([0, 30, 60, 100], 480)})
    status, _, err = fit("u.csv", "--column", "gpu_util")
    assert status == 0 and "a study refuses it" in err and "--average day" in err
    status, out, err = fit("u.csv", "--column", "gpu_util", "--average", "day")
    assert status == 0 and as_input(out)[0] == "utilization" and "refuses" not in err


LIVES = ["--duration", "years", "--event", "failed"]
SMALL = {"years": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "failed": [1, 1, 1, 1, 1, 0], "entry": [0.0] * 6}
BAD = {
    "an empty file": (b"", ["--column", "a"], "x.csv: found an empty file"),
    "a binary file": (b"\x89PNG\x00\x00", ["--column", "a"], "binary file"),
    "a missing column": (SMALL, ["--column", "yeers"], "did you mean 'years'"),
    "a missing event": (SMALL, ["--duration", "years", "--event", "faild"], "did you mean 'failed'"),
    "text for a number": ({**SMALL, "years": [1, 2, "three", 4, 5, 6]}, ["--column", "years"],
                          "x.csv:4: years: found the text 'three'"),
    "equal values": ({"a": [3.0] * 20}, ["--column", "a"], "20 values that are all 3"),
    "too few values": ({"a": [1, 2, 3]}, ["--column", "a"], "found 3 values; expected at least 10"),
    "negative durations": ({**SMALL, "years": [1, -2, 3, 4, 5, 6]}, LIVES, "x.csv:3: years: found -2; expected 0 or more"),
    "a failure at 0": ({**SMALL, "years": [1, 0, 3, 4, 5, 6]}, LIVES, "x.csv:3: years: found 0; expected above 0 for a failure"),
    "a missing duration": ({**SMALL, "years": [1, "", 3, 4, 5, 6]}, LIVES, "x.csv:3: years: found nothing"),
    "an event of 2": ({**SMALL, "failed": [1, 2, 1, 1, 1, 0]}, LIVES, "x.csv:3: failed: found '2'; expected 1 for a failure"),
    "events in words": ({**SMALL, "failed": ["dead"] * 6}, LIVES, "x.csv:2: failed: found 'dead'"),
    "no failures": ({**SMALL, "failed": [0] * 6}, LIVES, "found no failure in 6 units"),
    "an entry after the end": ({**SMALL, "entry": [0, 2.5, 0, 0, 0, 0]}, [*LIVES, "--entry", "entry"],
                               "x.csv:3: entry: found 2.5; expected an age at entry below years"),
    "no event": (SMALL, ["--duration", "years"], "expected --event as well"),
    "an event alone": (SMALL, ["--event", "failed"], "expected --duration as well"),
    "both questions": (SMALL, [*LIVES, "--column", "years"], "lifetimes are fitted by themselves"),
    "no question": (SMALL, [], "expected --column"),
    "unknown process": (SMALL, ["--process", "mean_revert"], "did you mean 'mean_reverting'"),
    "unknown distribution": (SMALL, ["--column", "years", "--distribution", "weibul"], "did you mean 'weibull'"),
    "unknown unit": ({"a": list(range(1, 20))}, ["--column", "a", "--unit", "USD/MWhh"], "did you mean"),
    "a unit of something else": ({"capex": list(range(1, 20))}, ["--column", "capex", "--unit", "kW"], "measures something else"),
    "another currency": ({"capex": list(range(1, 20))}, ["--column", "capex", "--unit", "EUR"], "expected USD"),
    "low above high": (SMALL, ["--column", "years", "--low", "5", "--high", "1"], "expected low below high"),
    "values outside": ({"a": list(range(1, 20))}, ["--column", "a", "--low", "0", "--high", "9"], "10 of 19 values"),
    "a condition without a value": (SMALL, ["--column", "years", "--where", "failed"], "expected COLUMN=VALUE"),
    "a condition that nothing meets": (SMALL, ["--column", "years", "--where", "failed=7"], "no row has '7'"),
    "a picture of another kind": (SMALL, ["--column", "years", "--picture", "x.pdf"], "expected .svg or .png"),
    "a cap without a process": (SMALL, ["--column", "years", "--cap", "3"], "with --process mean_reverting only"),
    "an unknown period": (SMALL, ["--column", "years", "--average", "week"], "expected hour, day or month"),
    "prices without a unit": ({"month": [f"2024-{k:02d}" for k in range(1, 13)], "price": range(30, 42)},
                              ["--process", "mean_reverting"], "expected --unit"),
    "prices below 0": ({"month": [f"2024-{k:02d}" for k in range(1, 13)], "usd_per_mwh": [-5, *range(30, 41)]},
                       ["--process", "mean_reverting"], "give the constant back as a negative 'delivery'"),
    "too few months": ({"month": [f"2024-{k:02d}" for k in range(1, 10)], "usd_per_mwh": [30, 40, 35, 38, 31, 44, 37, 33, 39]},
                       ["--process", "mean_reverting"], "found 8 pairs of consecutive months"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_and_questions_give_one_message(fit, tmp_path, case):
    content, arguments, words = BAD[case]
    if isinstance(content, bytes):
        (tmp_path / "x.csv").write_bytes(content)
    else:
        write(tmp_path / "x.csv", content)
    status, out, err = fit("x.csv", *arguments)
    assert (status, out) == (2, "") and words in err
    assert len(err.splitlines()) == 1 and "Traceback" not in err
    assert [file.name for file in tmp_path.iterdir()] == ["x.csv"], "nothing is written"


def test_files_that_are_not_there(fit, tmp_path):
    (tmp_path / "prices.csv").write_text("a\n1\n")
    assert fit("price.csv", "--column", "a")[0] == 2
    status, _, err = fit("prices.xlsx", "--column", "a")
    assert status == 2 and "did you mean 'prices.csv'" in err
    (tmp_path / "p.xlsx").write_bytes(b"PK")
    assert "save the sheet as CSV" in fit("p.xlsx", "--column", "a")[2]


@pytest.mark.parametrize(("column", "status"), [("years", 0), ("yeers", 2)])
def test_the_command_itself(tmp_path, column, status):
    write(tmp_path / "fleet.csv", fleet(100))
    done = subprocess.run([sys.executable, "-m", "simulator", "fit", tmp_path / "fleet.csv", "--column", column, "--json"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == status and "Traceback" not in done.stderr
    assert json.loads(done.stdout)["best"]["unit"] == "year" if status == 0 else "did you mean 'years'" in done.stderr

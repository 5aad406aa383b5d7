"""Every mistake in a study gives one message with place and remedy, status 2, no traceback, and nothing is written."""

import subprocess
import sys

import pytest
import studies

STUDY = """\
schema: 1
study: test
simulation: {trials: 1024, seed: 1}
shared:
  utilization: {distribution: beta, p5: 0.45, p95: 0.82}
  discount_rate: 0.08
  energy_price: {process: mean_reverting, median: 0.041, reversion_rate: 2.5, volatility: 1.05}
platforms:
  a:
    ownership: buy
    gpu_lifetime: {distribution: triangular, low: 3, mode: 5, high: 7}
    throughput: 900
    throughput_factors: {delivered: 0.85}
    capex: {distribution: pert, low: 30000, mode: 37000, high: 45000}
    power: 1.4
    pue: 1.3
    operating_point: {model: R1, input_tokens: 8192, output_tokens: 1024, token_basis: total}
  b:
    ownership: rent
    throughput: 900
    rental_price: 2
    operating_point: {model: R1, input_tokens: 8192, output_tokens: 1024, token_basis: total}
    label: B
    gpu_lifetime: 5
"""

# What is replaced by what, and what the message has to say: line, path, found or expected.
CASES = {
    "unknown key at the top": ("study: test", "studdy: test", 2, "studdy", "did you mean 'study'"),
    "unknown key of the simulation": ("seed: 1", "sede: 1", 3, "simulation.sede", "did you mean 'seed'"),
    "unknown shared input": ("discount_rate: 0.08", "discount_rte: 0.08", 6, "shared.discount_rte",
    "did you mean 'discount_rate'"),
    "unknown input of a platform": ("pue: 1.3", "peu: 1.3", 16, "platforms.a.peu", "did you mean 'pue'"),
    "unknown key of an operating point": ("{model: R1, input_tokens: 8192", "{modell: R1, input_tokens: 8192", 17,
                                          "platforms.a.operating_point.modell", "did you mean 'model'"),
    "unknown distribution": ("distribution: beta", "distribution: betta", 5, "shared.utilization.distribution", "'beta'"),
    "unknown parameter": ("mode: 37000", "mod: 37000", 14, "platforms.a.capex.mod", "did you mean 'mode'"),
    "unknown parameter of a process": ("volatility: 1.05", "volatilty: 1.05", 7, "shared.energy_price.volatilty", "'volatility'"),
    "unknown parameter of a factor": ("{delivered: 0.85}", "{delivered: {distribution: pert, low: 0.6, mod: 0.8, high: 1}}", 13,
                                      "platforms.a.throughput_factors.delivered.mod", "did you mean 'mode'"),
    "unknown key beside a value": ("pue: 1.3", "pue: {value: 1.3, sorce: x}", 16, "platforms.a.pue.sorce",
    "did you mean 'source'"),
    "unknown key of a horizon": ("seed: 1", "horizon: {value: 10, unt: year}", 3, "simulation.horizon.unt",
    "did you mean 'unit'"),
    "unknown parameter beside percentiles": ("p5: 0.45, p95: 0.82", "P5: 0.45, p95: 0.82", 5, "shared.utilization.P5",
                                             "did you mean 'p5'"),
    "capitals": ("pue: 1.3", "PUE: 1.3", 16, "platforms.a.PUE", "did you mean 'pue'"),
    "nothing near": ("pue: 1.3", "pue: 1.3\n    zzzz: 1", 17, "platforms.a.zzzz", "'tco schema' lists"),
    "unknown process": ("process: mean_reverting", "process: arima", 7, "shared.energy_price.process", "mean_reverting"),
    "unknown ownership": ("ownership: rent", "ownership: lease", 19, "platforms.b.ownership", "buy or rent"),
    "unknown sampler": ("seed: 1", "sampler: sobl", 3, "simulation.sampler", "did you mean 'sobol'"),
    "unknown basis": ("token_basis: total}\n  b", "token_basis: all}\n  b", 17, "operating_point.token_basis", "total"),
    "unknown grade": ("utilization: {", "utilization: {grade: guess, ", 5, "shared.utilization.grade", "judgement"),
    "half a plan": ("study: test", "study: test\nplan: {tokens_per_year: 1}", 3, "plan.years", "is missing"),
    "duplicate key": ("    power: 1.4", "    power: 1.4\n    power: 1.5", 16, "platforms.a.power", "line 15"),
    "text for a number": ("throughput: 900\n    throughput_f", "throughput: fast\n    throughput_f", 12, "platforms.a.throughput",
                          "expected a number"),
    "flag for a number": ("power: 1.4", "power: true", 15, "platforms.a.power", "found true"),
    "nothing for a number": ("power: 1.4", "power:", 15, "platforms.a.power", "nothing"),
    "list for a number": ("power: 1.4", "power: [1.4]", 15, "platforms.a.power", "a list"),
    "text with a unit": ("power: 1.4", "power: 1.4 kW", 15, "platforms.a.power", "unit"),
    "text for a mapping": ("shared:\n", "shared: x\nx:\n", 4, "shared", "expected"),
    "number for a platform": ("  b:\n    ownership: rent", "  c: 3\n  b:\n    ownership: rent", 18, "platforms.c", "found 3"),
    "not a number": ("power: 1.4", "power: .nan", 15, "platforms.a.power", "finite"),
    "infinite": ("power: 1.4", "power: .inf", 15, "platforms.a.power", "finite"),
    "too large for a number": ("power: 1.4", "power: 1e999", 15, "platforms.a.power", "finite"),
    "pue below 1": ("pue: 1.3", "pue: 0.9", 16, "platforms.a.pue", "at least 1"),
    "utilization over 1": ("discount_rate: 0.08", "discount_rate: 0.08\n  availability: 1.2", 7, "shared.availability",
    "at most 1"),
    "negative money": ("rental_price: 2", "rental_price: -2", 21, "platforms.b.rental_price", "above 0"),
    "no lifetime": ("gpu_lifetime: {distribution: triangular, low: 3, mode: 5, high: 7}", "gpu_lifetime: 0", 11, "gpu_lifetime",
    "above 0"),
    "percentiles out of order": ("p5: 0.45, p95: 0.82", "p5: 0.85, p95: 0.82", 5, "shared.utilization", "out of order"),
    "one percentile of two": ("p5: 0.45, p95: 0.82", "p5: 0.45", 5, "shared.utilization", "two percentiles"),
    "a percentile twice": ("p5: 0.45, p95: 0.82", "p5: 0.45, p05: 0.82", 5, "shared.utilization.p05", "a second time"),
    "a percentile and a mean": ("p5: 0.45, p95: 0.82", "p5: 0.45, mean: 0.6", 5, "shared.utilization",
    "beta takes alpha and beta"),
    "percentile 0": ("p5: 0.45, p95: 0.82", "p0: 0.45, p95: 0.82", 5, "shared.utilization.p0", "above p0 and below p100"),
    "percentiles outside a beta": ("p5: 0.45, p95: 0.82", "p5: 0.45, p95: 1.2", 5, "shared.utilization",
    "between low 0 and high 1"),
    "percentile 100": ("p95: 0.82", "p100: 0.82", 5, "shared.utilization.p100", "p"),
    "corners out of order": ("low: 3, mode: 5, high: 7", "low: 3, mode: 9, high: 7", 11, "platforms.a.gpu_lifetime",
    "rising order"),
    "uniform upside down": ("power: 1.4", "power: {distribution: uniform, low: 2, high: 1}", 15, "platforms.a.power", "2"),
    "leaves its bounds below": ("pue: 1.3", "pue: {distribution: normal, mean: 1.3, sd: 0.1}", 16, "platforms.a.pue",
    "at least 1"),
    "leaves its bounds above": ("{distribution: beta, p5: 0.45, p95: 0.82}", "{distribution: lognormal, median: 0.5, sigma: 0.2}",
    5,
                                "shared.utilization", "at most 1"),
    "leaves its bounds in a factor": ("{delivered: 0.85}", "{delivered: {distribution: normal, mean: 0.85, sd: 0.2}}", 13,
                                      "platforms.a.throughput_factors.delivered", "above 0"),
    "leaves its bounds in a process": ("volatility: 1.05",
    "volatility: 1.05, hedged_share: {distribution: normal, mean: 0.5, sd: 0.1}", 7,
                                       "shared.energy_price.hedged_share", "at most 1"),
    "too wide to compute with": ("power: 1.4", "power: {distribution: lognormal, median: 1, sigma: 200}", 15, "platforms.a.power",
    "too wide"),
    "too narrow to compute with": ("throughput: 900\n    throughput_f",
    "throughput: {distribution: gamma, mean: 9, sd: 1e-9}\n    throughput_f",
                                   12, "platforms.a.throughput", "at most 100000"),
    "reaches zero": ("power: 1.4", "power: {distribution: triangular, low: -1, mode: 1, high: 2}", 15, "platforms.a.power",
    "above 0"),
    "unit of another dimension": ("power: 1.4", "power: {value: 1.4, unit: kWh}", 15, "platforms.a.power.unit", "kW/GPU"),
    "unit that is not one": ("power: 1.4", "power: {value: 1.4, unit: horsepower}", 15, "platforms.a.power.unit", "horsepower"),
    "another currency": ("rental_price: 2", "rental_price: {value: 2, unit: EUR/hour}", 21, "platforms.b.rental_price.unit",
    "USD"),
    "a percentage": ("discount_rate: 0.08", "discount_rate: 8", 6, "shared.discount_rate", "where 8 % is meant, write 0.08"),
    "unit in capitals": ("power: 1.4", "power: {value: 1.4, unit: KW}", 15, "platforms.a.power.unit", "did you mean 'kW'"),
    "half a unit": ("power: 1.4", "power: {value: 1.4, unit: kW/}", 15, "platforms.a.power.unit", "missing before or after"),
    "no unit": ("power: 1.4", "power: {value: 1.4, unit: [kW]}", 15, "platforms.a.power.unit",
    "expected a unit such as 'kW/GPU'"),
    "unit of a parameter": ("mode: 37000", "mode: {value: 37, unit: kW}", 14, "platforms.a.capex.mode.unit", "USD/GPU"),
    "unit of a process": ("median: 0.041", "unit: USD/MW, median: 0.041", 7, "shared.energy_price.unit", "USD/kWh"),
    "rate that compounds by the month": ("discount_rate: 0.08", "discount_rate: {value: 1, unit: '%/month'}", 6,
                                         "shared.discount_rate.unit", "%/year"),
    "input of the other ownership": ("rental_price: 2", "rental_price: 2\n    capex: 5", 22, "platforms.b.capex", "buy"),
    "the other ownership altogether": ("ownership: rent", "ownership: buy", 21, "platforms.b.rental_price", "rent"),
    "missing for a bought one": ("    capex: {distribution: pert, low: 30000, mode: 37000, high: 45000}\n", "", 9,
    "platforms.a.capex",
                                 "is missing"),
    "missing for all": ("  utilization: {distribution: beta, p5: 0.45, p95: 0.82}\n", "", 8, "platforms.a.utilization",
    "is missing"),
    "missing parameter": (", reversion_rate: 2.5", "", 7, "shared.energy_price.reversion_rate", "is missing"),
    "missing time of a gain": ("power: 1.4", "power: 1.4\n    software_gain: 0.2", 9, "platforms.a.software_gain_time",
    "software_gain"),
    "missing ownership": ("    ownership: rent\n", "", 18, "platforms.b.ownership", "buy or rent"),
    "missing schema": ("schema: 1\n", "", 1, "schema", "schema: 1"),
    "another schema": ("schema: 1", "schema: 7", 1, "schema", "found schema 7"),
    "no platforms": (STUDY[STUDY.index("platforms:"):], "", 1, "platforms", "at least one platform"),
    "lives cut with no residual": ("seed: 1", "horizon: 5", 11, "gpu_lifetime", "residual_value"),
    "operating points that differ": ("model: R1, input_tokens: 8192, output_tokens: 1024, token_basis: total}\n  b",
                                     "model: R2, input_tokens: 8192, output_tokens: 1024, token_basis: total}\n  b", 22,
                                     "operating_point.model", "compare_across_operating_points"),
    "hedge without a strike": ("volatility: 1.05", "volatility: 1.05, start: 0.08, hedged_share: 0.5", 7,
    "shared.energy_price.strike",
                               "is missing"),
    "process where nothing moves": ("power: 1.4", "power: {process: mean_reverting, median: 1}", 15, "platforms.a.power",
    "process"),
    "no trials": ("trials: 1024", "trials: 0", 3, "simulation.trials", "at least 1"),
    "absurd trials": ("trials: 1024", "trials: 1e15", 3, "simulation.trials", "1,000,000,000,000"),
    "part of a trial": ("trials: 1024", "trials: 10.5", 3, "simulation.trials", "whole number"),
    "one replicate": ("seed: 1", "replicates: 1", 3, "simulation.replicates", "16"),
    "negative seed": ("seed: 1", "seed: -1", 3, "simulation.seed", "at least 0"),
    "horizon of the next century": ("seed: 1", "horizon: 80", 3, "simulation.horizon", "15 years"),
    "name with a point": ("  b:\n", "  b.c:\n", 18, "platforms", "letters"),
    "alias": ("  discount_rate: 0.08", "  discount_rate: &r 0.08\n  residual_decay: *r", 6, "shared.discount_rate", "alias"),
    "anchor": ("power: 1.4", "power: &power 1.4", 15, "platforms.a.power", "the anchor '&power'"),
    "merge key": ("    pue: 1.3", "    <<: {pue: 1.3}", 16, "platforms.a", "the merge key '<<'"),
    "key that is a mapping": ("power: 1.4", "power: 1.4\n    ? {a: 1}\n    : 2", 16, "platforms.a", "plain text"),
    "key that is very long": ("power: 1.4", f"power: 1.4\n    {'x' * 500}: 1", 16, "platforms.a", "500 characters"),
    "key that is a number": ("power: 1.4", "power: 1.4\n    5: 1", 16, "platforms.a.5", "unknown input '5'"),
    "key that is nothing": ("power: 1.4", "power: 1.4\n    ~: 1", 16, "platforms.a.~", "unknown input '~'"),
    "date for a number": ("power: 1.4", "power: 2026-01-31", 15, "platforms.a.power", "expected a number"),
    "integer without end": ("power: 1.4", f"power: 1{'0' * 5000}", 15, "platforms.a.power", "5,001 characters"),
    "nested without end": ("power: 1.4", "power: " + "[" * 500 + "]" * 500, 15, "", "nested deeper than 24 levels"),
    "tab": ("    power: 1.4", "\tpower: 1.4", 15, "", "a tab"),
    "quotation mark left open": ("label: B", "label: 'B", 23, "", "never closed"),
    "changed by reading": ("study: test", "study: 1.10", 2, "study", "between quotation marks"),
    "tag": ("power: 1.4", "power: !!python/object:os.system 1", 15, "platforms.a.power", "tag"),
    "two documents": ("platforms:", "---\nplatforms:", 8, "", "document"),
    "not YAML": ("platforms:", "platforms: [", 8, "", "YAML"),
    "missing file": ("schema: 1", "schema: 1\nextends: absent.yaml", 2, "extends", "absent.yaml"),
    "circle": ("schema: 1", "schema: 1\nextends: [study.yaml]", 2, "extends", "circle"),
    "extends a number": ("schema: 1", "schema: 1\nextends: 5", 2, "extends", "found 5"),
    "extends nothing": ("schema: 1", "schema: 1\nextends:", 2, "extends", "found nothing"),
    "extends a folder": ("schema: 1", "schema: 1\nextends: .", 2, "extends", "found a folder"),
    "published of no platform": ("study: test", "study: test\npublished: [{quantity: capex, of: a/c, value: 1}]", 3,
    "published.0.of",
                                 "two with '/' between"),
    "labels that are alike": ("label: B", "label: a", 23, "platforms.b.label", "which a has too"),
    "published nonsense": ("study: test", "study: test\npublished: [{quantity: capexx, of: a, value: 1}]", 3,
    "published.0.quantity",
                           "did you mean 'capex'"),
}

# One slip of the pen that is several mistakes; all others have to give one message and no consequences of it.
SEVERAL = {"text for a mapping", "alias", "missing for all", "the other ownership altogether"}


def tco(monkeypatch, capsys, *arguments):
    """Run the command in this process; returns its status and what it said."""
    from simulator.cli import main

    monkeypatch.setattr(sys, "argv", ["tco", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code, capsys.readouterr()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_study_that_the_cases_spoil_is_right(folder, monkeypatch, capsys):
    (folder / "study.yaml").write_text(STUDY)
    status, said = tco(monkeypatch, capsys, "check", "study.yaml")
    assert (status, said.err) == (0, "") and "2 platforms" in said.out


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("case", CASES)
def test_one_mistake_gives_its_message(folder, monkeypatch, capsys, case, command):
    good, bad, line, path, words = CASES[case]
    assert good in STUDY
    (folder / "study.yaml").write_text(STUDY.replace(good, bad, 1))
    status, said = tco(monkeypatch, capsys, command, "study.yaml")
    assert (status, said.out) == (2, "")
    assert f"study.yaml:{line}:" in said.err and path in said.err and words in said.err
    assert said.err.startswith("study.yaml: 1 thing to put right") or case in SEVERAL
    assert [file.name for file in folder.iterdir()] == ["study.yaml"], "nothing is written"


@pytest.mark.parametrize(("content", "words"), [
    (b"", "empty"), (b"# nothing\n", "empty"), (b"\x89PNG\r\n\x1a\n\x00\x00", "binary"), (b"a: \xff\xfe", "UTF-8"),
    (b"schema: \x00", "binary"),
    (b"- a\n- b\n", "found a list"), (b"just words", "found the text"), (b"a: " + b"[" * 100 + b"]" * 100, "nested"),
    (b"x: " + b"y" * 3_000_000, "bytes")])
def test_files_that_are_no_study(folder, monkeypatch, capsys, content, words):
    (folder / "study.yaml").write_bytes(content)
    status, said = tco(monkeypatch, capsys, "run", "study.yaml")
    assert status == 2 and words in said.err and "study.yaml" in said.err


def test_files_that_are_not_there_and_folders(folder, monkeypatch, capsys):
    (folder / "stuff.yaml").write_text(STUDY)
    status, said = tco(monkeypatch, capsys, "run", "stuf.yaml")
    assert status == 2 and "there is no such file" in said.err and "stuff.yaml" in said.err
    status, said = tco(monkeypatch, capsys, "run", ".")
    assert status == 2 and "folder" in said.err


def test_a_circle_of_three_files_names_them(folder, monkeypatch, capsys):
    for name, below in [("one", "two"), ("two", "three"), ("three", "one")]:
        (folder / f"{name}.yaml").write_text(f"schema: 1\nextends: {below}.yaml\n")
    status, said = tco(monkeypatch, capsys, "check", "one.yaml")
    assert status == 2 and "one.yaml" in said.err and "three.yaml" in said.err and "circle" in said.err


@pytest.mark.parametrize(("override", "words"), [
    ("shared.utilisation=0.5", "did you mean 'utilization'"), ("platforms.c.pue=1.2", "its platforms are a, b"),
    ("shared", "PATH=VALUE"),
    ("=3", "PATH=VALUE"), ("shared.utilization=2", "at most 1"), ("shared.discount_rate.valeu=3", "shared.discount_rate"),
    ("simulation.trials=abc", "whole number"), ("shared.utilization=[", "YAML"), ("a..b=3", "a"), ("platforms=3", "platforms"),
    ("shared=3", "shared"), ("extends=x", "extends"), ("platforms.a.warranty.low=3", "platforms.a.warranty"),
    ("shared.energy_price.hedgd_share=1", "hedged_share")])
def test_overrides_are_checked_like_the_file(folder, monkeypatch, capsys, override, words):
    (folder / "study.yaml").write_text(STUDY)
    status, said = tco(monkeypatch, capsys, "run", "study.yaml", "--set", override)
    assert status == 2 and words in said.err and "--set" in said.err


def test_everything_is_reported_at_once_and_in_order(folder, monkeypatch, capsys):
    text = STUDY
    spoilt = ["unknown key at the top", "unknown key of the simulation", "unknown shared input", "unknown parameter of a process",
              "no lifetime", "text for a number", "unknown parameter of a factor", "unknown parameter", "negative money",
              "pue below 1",
              "flag for a number", "unknown key of an operating point", "percentiles out of order", "another schema", "no trials",
              "unknown ownership", "unit of a process"]
    for case in spoilt:
        text = text.replace(CASES[case][0], CASES[case][1], 1)
    (folder / "study.yaml").write_text(text)
    status, said = tco(monkeypatch, capsys, "check", "study.yaml")
    assert status == 2
    assert said.err.startswith(f"study.yaml: {len(spoilt)} things to put right"), "all mistakes, and no consequences of them"
    for case in spoilt:
        assert any(CASES[case][3] in line and CASES[case][4] in line for line in said.err.splitlines()), case
    lines = [int(message.split(":")[1]) for message in said.err.splitlines()[1:]]
    assert lines == sorted(lines)


def test_good_studies_are_still_checked_beside_bad_ones(folder, monkeypatch, capsys):
    (folder / "good.yaml").write_text(STUDY)
    (folder / "bad.yaml").write_text(STUDY.replace("pue: 1.3", "pue: 0.3"))
    status, said = tco(monkeypatch, capsys, "check", "bad.yaml", "good.yaml")
    assert status == 2 and "good.yaml: right" in said.out and "bad.yaml" in said.err


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("case",
["unknown shared input", "duplicate key", "not a number", "tag", "circle", "not YAML", "another currency"])
def test_the_command_itself_says_so_too(folder, command, case):
    good, bad, line, path, words = CASES[case]
    (folder / "study.yaml").write_text(STUDY.replace(good, bad, 1))
    out = ["--out", "results"] if command == "run" else []
    done = subprocess.run([sys.executable, "-m", "simulator", command, "study.yaml", *out], capture_output=True, text=True,
    check=False)
    assert (done.returncode, done.stdout) == (2, "") and "Traceback" not in done.stderr
    assert f"study.yaml:{line}:" in done.stderr and path in done.stderr and words in done.stderr
    assert not (folder / "results").exists()


def test_mistakes_in_other_files_are_reported_with_those_of_the_study(folder, monkeypatch, capsys):
    (folder / "study.yaml").write_text("extends: [base.yaml, broken.yaml, absent.yaml]\n" + STUDY.replace("pue: 1.3", "pue: 0.3"))
    (folder / "base.yaml").write_text("shared:\n  warranty: -1\n")
    (folder / "broken.yaml").write_text("shared: {opex: 1\n")
    (folder / "over.yaml").write_text("\n\nplatforms: {b: {rental_price: -2}}\n")
    status, said = tco(monkeypatch, capsys, "check", "study.yaml", "-f", "over.yaml", "-f", "nowhere.yaml", "--set", "a..b=3")
    assert status == 2
    starts = ["study.yaml: 7 things to put right", "  base.yaml:2: shared.warranty: found -1", "  broken.yaml:1: not valid YAML",
              "  nowhere.yaml: there is no such file", "  over.yaml:3: platforms.b.rental_price: found -2",
              "  study.yaml:1: extends: absent.yaml: there is no such file", "  study.yaml:17: platforms.a.pue: found 0.3",
              "  --set a..b=3: a..b: found a path with an empty name"]
    for line, start in zip(said.err.splitlines(), starts, strict=True):
        assert line.startswith(start)


@pytest.mark.parametrize("arguments",
[["run"], ["runn", "x"], ["run", "study.yaml", "--trials", "many"], ["run", "study.yaml", "--threads", "-1"]])
def test_a_wrong_command_line_has_status_2_and_no_traceback(folder, arguments):
    studies.write(folder / "study.yaml", studies.study())
    done = subprocess.run([sys.executable, "-m", "simulator", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr and "Traceback" not in done.stderr

"""A run comes out again, and what does not is found."""

import json
import shutil
from dataclasses import replace
from datetime import date

import pytest
import studies

import simulator
from simulator import run_folder
from simulator.experiments import verify as module
from simulator.experiments.verify import verify
from simulator.finished_run import read_run

COST = ("scenarios", "base", "platforms", "a", "cost_per_million_tokens")


def write(folder, name, data):
    (folder / name).write_text(json.dumps(data))


def read(folder, name):
    return json.loads((folder / name).read_text())


def made_otherwise(folder, change):
    """The folder as if its run had come out so: `change` edits the summary, and the manifest has its digest."""
    summary = read(folder, "summary.json")
    change(summary)
    write(folder, "summary.json", summary)
    manifest = read(folder, "manifest.json")
    manifest["files"]["summary.json"] = run_folder.file_digest(folder / "summary.json")
    write(folder, "manifest.json", manifest)


def of_version(folder, **versions):
    manifest = read(folder, "manifest.json")
    manifest["versions"] |= versions
    write(folder, "manifest.json", manifest)


def at(summary, path):
    for key in path:
        summary = summary[key]
    return summary


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run with what-ifs, both kinds of evidence, old evidence, a data file and a stop rule."""
    place = tmp_path_factory.mktemp("verify")
    (place / "shares.csv").write_text("share\n" + "\n".join(f"{0.5 + k / 100}" for k in range(40)) + "\n")
    data = studies.study(what_ifs={"dear": {"set": {"shared.energy_price.median": 0.08}}})
    data["simulation"]["trials"] = 1024
    own = data["platforms"]["a"]
    own["throughput_factors"]["delivered_share"] = {"distribution": "empirical", "file": "shares.csv", "column": "share"}
    own["throughput"] = {"measured": {**own["throughput"], "date": "2020-01-01"}, "claim": {"value": 7000}}
    study = simulator.load(studies.write(place / "study.yaml", data))
    run = simulator.run(study, what_ifs="all", until="20%")
    return run_folder.save(run, place / "runs", {"picture.svg": lambda path: path.write_text("<svg/>")})


@pytest.fixture
def copied(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


def test_a_run_with_everything_comes_out_bit_for_bit(finished):
    found = verify(finished)
    assert found.holds and found.exactly and found.moved == () and found.largest == 0.0 and found.added == 0
    summary = read(finished, "summary.json")
    assert set(summary["scenarios"]) == {"base", "with_claims", "dear"} and "until" in summary
    assert found.compared > 3 * 150


@pytest.mark.parametrize("exactly", [True, False])
def test_a_number_that_differs_is_named_and_what_differs_most_comes_first(copied, exactly):
    def change(summary):
        cost = at(summary, COST)
        cost["p95"]["value"] *= 1.01
        cost["mean"]["value"] *= 1.5
        summary["scenarios"]["dear"]["platforms"]["b"]["expected_regret"]["value"] *= 1 + 2e-5

    made_otherwise(copied, change)
    if not exactly:
        of_version(copied, numpy="1.0")
    found = verify(copied)
    assert not found.holds and found.exactly is exactly and found.altered == ()
    assert [each.name for each in found.differences] == [
        "base.a.cost_per_million_tokens.mean.value", "base.a.cost_per_million_tokens.p95.value", "dear.b.expected_regret.value"]
    assert [each.relative for each in found.differences] == pytest.approx([1 / 3, 0.01 / 1.01, 2e-5], rel=1e-4)
    assert found.largest == found.differences[0].relative


def test_one_bit_matters_where_all_is_the_same_and_not_after_an_upgrade(copied):
    def change(summary):
        cost = at(summary, COST)["mean"]
        cost["value"] += 2**-52 * cost["value"]

    made_otherwise(copied, change)
    assert len(verify(copied).differences) == 1
    of_version(copied, scipy="0.9", matplotlib="0.1")
    found = verify(copied)
    assert found.holds and not found.exactly and 0 < found.largest < 1e-15
    assert [name for name, _, _ in found.moved] == ["scipy", "matplotlib"]


def test_a_library_that_makes_no_numbers_leaves_bits_to_compare(copied):
    of_version(copied, matplotlib="0.1")
    found = verify(copied)
    assert found.exactly and found.holds and found.moved[0][:2] == ("matplotlib", "0.1")


def test_another_kind_of_machine_is_named(copied):
    manifest = read(copied, "manifest.json")
    manifest["machine"]["processor"] = "sparc"
    write(copied, "manifest.json", manifest)
    found = verify(copied)
    assert found.holds and not found.exactly
    ((name, then, now),) = found.moved
    assert name == "machine" and then.endswith(" sparc") and now != then


@pytest.mark.parametrize("value", [0.0, 1e-4, 0.2, 1e6])
def test_the_tolerance_is_of_the_value_and_of_its_error(value):
    error = 0.05
    number = {"value": value, "standard_error": error, "low": value - 0.1, "high": value + 0.1}
    allowed = 1e-9 * value + 1e-6 * error
    for key in number:
        for share, expected in ((0.9, 0), (1.1, 1)):
            moved = {**number, key: number[key] + share * allowed}
            differences, compared, _, _ = module._compared({"x": number}, {"x": moved}, exactly=False)
            assert (len(differences), compared) == (expected, 4), (key, share)


def test_what_is_new_or_gone_is_told_apart():
    old, new = {"a": 1.0, "b": 2.0}, {"b": 2.0, "c": 3.0}
    differences, compared, _, added = module._compared(old, new, exactly=False)
    assert [(each.name, each.new) for each in differences] == [("a", None)] and (compared, added) == (1, 1)
    differences, _, _, added = module._compared(old, new, exactly=True)
    assert [each.name for each in differences] == ["a", "c"] and added == 0


def test_words_of_another_version_are_not_compared_but_verdicts_are():
    old = {"warnings": ["one"], "digest": "0", "verdict": "never"}
    new = {"warnings": ["two", "three"], "digest": "1", "verdict": "always"}
    for exactly, names in ((True, {"warnings.0", "warnings.1", "digest", "verdict"}), (False, {"verdict"})):
        assert {each.name for each in module._compared(old, new, exactly)[0]} == names


def test_a_minus_sign_of_zero_is_a_bit():
    assert len(module._compared({"x": 0.0}, {"x": -0.0}, exactly=True)[0]) == 1
    assert module._compared({"x": 0.0}, {"x": -0.0}, exactly=False)[0] == ()


@pytest.mark.parametrize("typed", ["1e999", "1" + 400 * "0", '"much"', "null", "[1, 2]"])
@pytest.mark.parametrize("version", [{}, {"numpy": "1.0"}])
def test_what_somebody_typed_over_a_number_is_named(copied, typed, version):
    made_otherwise(copied, lambda summary: at(summary, COST)["mean"].update(value="typed"))
    text = (copied / "summary.json").read_text()
    (copied / "summary.json").write_text(text.replace('"typed"', typed))
    of_version(copied, **version)
    found = verify(copied)
    assert not found.holds and any(each.path[:6] == (*COST, "mean") for each in found.differences)
    json.dumps(found.document(), allow_nan=False)


def test_files_that_changed_or_are_gone_are_named(copied):
    (copied / "picture.svg").write_text("<svg>other</svg>")
    (copied / "results.nc").unlink()
    found = verify(copied)
    assert (found.altered, found.missing, found.differences, found.holds) == (("picture.svg",), ("results.nc",), (), False)


def test_data_that_changed_are_named_and_give_other_numbers(copied):
    (file,) = copied.glob("data-*.csv")
    file.write_text("share\n0.5\n0.6\n")
    found = verify(copied)
    assert found.altered == (file.name,) and found.differences


def test_how_old_evidence_is_is_told_as_of_the_day_of_the_run(finished, monkeypatch):
    """A year later the same note has to come out."""
    class Later(date):
        @classmethod
        def today(cls):
            return cls(2031, 5, 1)

    monkeypatch.setattr("simulator.study.reading.date", Later)
    assert any("on 2031-05-01" in warning for warning in read_run(finished).study.warnings)
    assert verify(finished).holds


def test_a_run_with_one_kind_of_evidence_throughout_comes_out_again(finished, tmp_path):
    study = read_run(finished).study.with_evidence("claim")
    folder = run_folder.save(simulator.run(study), tmp_path)
    assert read_run(folder).study.digest == study.digest and verify(folder).holds


def test_a_manifest_without_a_date_is_no_hindrance(copied):
    run = read_run(copied)
    assert module.on_its_day(replace(run, manifest={**run.manifest, "finished": "yesterday"})) is run.study

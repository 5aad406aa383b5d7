"""Files, overlays and overrides become one tree: mappings merged, lists and inputs replaced whole, the later wins."""

import copy
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import studies
from hypothesis import given
from hypothesis import strategies as st

from simulator.quantities import INPUT
from simulator.study import StudyError, load
from simulator.study.document import Document
from simulator.study.loading import MOST_FILES_DEEP, digest, is_input, load_tree, with_overrides, with_values
from simulator.study.problems import Place


def document(tree):
    return Document(copy.deepcopy(tree), {(): Place("x.yaml", 1)})


def overridden(tree, *overrides):
    """The tree with overrides applied, which all have to be right."""
    found = with_overrides(document(tree), overrides)
    assert not found.problems
    return found.tree


@pytest.fixture
def files(tmp_path):
    """Write files by name; returns the folder."""
    def written(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path
    return written


# --- merging --------------------------------------------------------------------------------------------------


def test_the_later_file_wins_and_what_it_does_not_say_stays(files):
    folder = files(a="shared: {power: 1, pue: 1.1}\nstudy: a", b="shared: {pue: 1.2, opex: 5}",
                   top="extends: [a.yaml, b.yaml]\nshared: {opex: 6}", over="shared: {power: 7}")
    found = load_tree(folder / "top.yaml", [folder / "over.yaml"], ["shared.power=8"])
    assert not found.problems
    assert found.tree == {"shared": {"power": 8, "pue": 1.2, "opex": 6}, "study": "a"}


def test_inputs_and_lists_are_replaced_whole(files):
    folder = files(a="shared:\n  power: {distribution: uniform, low: 1, high: 2, source: s}\n"
                     "  throughput_factors: {x: {value: 1}, y: 2}\n"
                     "simulation: {horizon: {value: 60, unit: month}, seed: 3}\nlist: [1, 2]",
                   top="extends: a.yaml\nshared: {power: {value: 3}, throughput_factors: {x: {distribution: beta}}}\n"
                       "simulation: {horizon: {value: 5}}\nlist: [3]")
    assert load_tree(folder / "top.yaml").tree == {
        "shared": {"power": {"value": 3}, "throughput_factors": {"x": {"distribution": "beta"}, "y": 2}},
        "simulation": {"horizon": {"value": 5}, "seed": 3}, "list": [3]}


def test_values_know_the_file_they_came_from(files):
    folder = files(a="shared:\n  power: {distribution: uniform, low: 1, high: 2}\n  pue: 1.1",
                   top="extends: a.yaml\n\nshared:\n\n  power: 3")
    places = load_tree(folder / "top.yaml", overrides=["shared.pue=1.3"]).places
    found = {path: (Path(place.file).name, place.line) for path, place in places.items() if path}
    assert found[("shared", "power")] == ("top.yaml", 5)
    assert ("shared", "power", "low") not in found, "nothing is left of what was replaced"
    assert found[("shared", "pue")] == ("--set shared.pue=1.3", 0)


# Values under a, b and mappings under c, d: where a value replaces a mapping, the order of merging does matter.
TREES = st.recursive(
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 3)),
    lambda inside: st.builds(lambda values, mappings: {**values, **mappings},
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 3)),
                             st.dictionaries(st.sampled_from("cd"), inside)), max_leaves=8)


@given(TREES, TREES, TREES)
def test_merging_is_associative(one, two, three):
    from simulator.study.loading import _merged

    parts = [document({"x": tree}) for tree in (one, two, three)]
    left = _merged(_merged(parts[0], parts[1]), parts[2]).tree
    assert left == _merged(parts[0], _merged(parts[1], parts[2])).tree


@given(TREES)
def test_merging_a_tree_with_itself_changes_nothing(tree):
    from simulator.study.loading import _merged

    assert _merged(document({"x": tree}), document({"x": tree})).tree == {"x": tree}


def test_what_is_an_input():
    for name in INPUT:
        assert is_input(("shared", name)) and is_input(("platforms", "a", name))
        assert not is_input((name,)) and not is_input(("shared", name, "low"))
    assert is_input(("shared", "throughput_factors", "x")) and not is_input(("shared", "throughput_factors"))
    assert is_input(("simulation", "horizon")) and not is_input(("simulation", "trials"))


# --- extends --------------------------------------------------------------------------------------------------


def test_extended_files_are_found_beside_the_file_that_names_them(files):
    folder = files(top="extends: inside/mid.yaml")
    (folder / "inside").mkdir()
    (folder / "inside" / "mid.yaml").write_text("extends: ../base.yaml\nshared: {pue: 0.5}")
    (folder / "base.yaml").write_text("shared: {power: x}")
    found = load_tree(folder / "top.yaml")
    assert not found.problems and found.tree == {"shared": {"power": "x", "pue": 0.5}}
    assert found.places[("shared", "power")].file == str(folder / "base.yaml")


@pytest.mark.parametrize(("top", "words"), [
    ("extends: 5", "found 5; expected a file's path"), ("extends: [5]", "found 5"), ("extends: {a: b}", "found a mapping"),
    ("extends:", "found nothing"), ("extends: ''", "an empty text"), ("extends: [[a]]", "a list of 1"),
    ("extends: bse.yaml", "'base.yaml'"),
    ("extends: .", "found a folder"), ("extends: top.yaml", "found a circle: top.yaml → top.yaml"),
    ("extends: one.yaml", "one.yaml → two.yaml → three.yaml → one.yaml"), ('extends: "a\\0b"', "cannot be printed"),
    ("extends: broken.yaml", "not valid YAML"), ("extends: empty.yaml", "empty.yaml: found an empty file")])
def test_extends_that_lead_nowhere(files, top, words):
    folder = files(top=f"schema: 1\n{top}\nplatforms: {{a: {{ownership: rnt}}}}", base="schema: 1", one="extends: two.yaml",
                   two="extends: three.yaml", three="extends: one.yaml", broken="a: [", empty="")
    with pytest.raises(StudyError) as error:
        load(folder / "top.yaml")
    first, second = error.value.problems
    assert any(words in problem.message for problem in (first, second))
    assert not any("top.yaml → top.yaml → top.yaml" in problem.message for problem in (first, second))
    assert any("did you mean 'rent'" in problem.message for problem in (first, second)), "the rest is checked as well"


def test_one_missing_file_asked_for_twice_is_missing_in_both_places(files):
    folder = files(top="extends: [one.yaml, two.yaml]", one="extends: absent.yaml", two="\nextends: absent.yaml")
    lines = [(Path(problem.place.file).name, problem.place.line) for problem in load_tree(folder / "top.yaml").problems]
    assert lines == [("one.yaml", 1), ("two.yaml", 2)]


def test_a_file_reached_by_many_ways_is_read_once(files):
    names = [f"f{k}" for k in range(MOST_FILES_DEEP - 2)]
    texts = {name: f"extends: [{below}.yaml, {below}.yaml]" for name, below in pairwise(names)}
    folder = files(**texts, **{names[-1]: "shared: {power: 1}\nshared: {power: 2}"})
    started = time.perf_counter()
    found = load_tree(folder / "f0.yaml")
    assert time.perf_counter() - started < 2, "2^30 ways lead to the last file"
    assert found.tree == {"shared": {"power": 1}}
    (problem,) = found.problems
    assert "stands twice" in problem.message


def test_chains_of_files_are_bounded(files):
    folder = files(**{f"f{k}": f"extends: f{k + 1}.yaml" for k in range(MOST_FILES_DEEP + 5)})
    (problem,) = load_tree(folder / "f0.yaml").problems
    assert f"more than {MOST_FILES_DEEP} files" in problem.message


# --- overrides ------------------------------------------------------------------------------------------------

TREE = {"schema": 1, "simulation": {"trials": 5, "seed": 1},
        "shared": {"power": 1, "utilization": {"distribution": "beta", "p5": 0.4, "p97.5": 0.8},
                   "energy_price": {"process": "mean_reverting", "median": {"value": 41, "unit": "USD/MWh"}, "volatility": 1}},
        "platforms": {"a": {"ownership": "buy"}}}


@pytest.mark.parametrize(("override", "path", "value"), [
    ("shared.power=2", ("shared", "power"), 2),
    (" shared.power = {value: 2, unit: W}", ("shared", "power"), {"value": 2, "unit": "W"}),
    ("shared.utilization.p5=0.3", ("shared", "utilization", "p5"), 0.3),
    ("shared.utilization.p97.5=.9", ("shared", "utilization", "p97.5"), .9),
    ("shared.utilization=0.5", ("shared", "utilization"), 0.5),
    ("shared.utilization={value: 1}", ("shared", "utilization"), {"value": 1}),
    ("shared.energy_price.median=0.05", ("shared", "energy_price", "median"), 0.05),
    ("shared.energy_price.median={value: 82}", ("shared", "energy_price", "median"), {"value": 82}),
    ("shared.energy_price.median.value=82", ("shared", "energy_price", "median"), {"value": 82, "unit": "USD/MWh"}),
    ("platforms.a.throughput_factors.x=0.9", ("platforms", "a", "throughput_factors"), {"x": 0.9}),
    ("platforms.a.operating_point={model: m}", ("platforms", "a", "operating_point"), {"model": "m"}),
    ("simulation={trials: 9}", ("simulation",), {"trials": 9, "seed": 1}), ("study=a=b", ("study",), "a=b"),
    ("study=", ("study",), None)])
def test_an_override_changes_its_path_and_nothing_else(override, path, value):
    found = overridden(TREE, override)
    inside, untouched = found, copy.deepcopy(TREE)
    for key in path:
        inside = inside[key]
    assert inside == value
    place, original = found, untouched
    for key in path[:-1]:
        place, original = place[key], original.setdefault(key, {})
    place.pop(path[-1])
    original.pop(path[-1], None)
    assert found == untouched


def test_later_overrides_win():
    assert overridden(TREE, "shared.power=2", "shared.power=3")["shared"]["power"] == 3


@pytest.mark.parametrize(("override", "words"), [
    ("shared.power", "PATH=VALUE"), ("=3", "PATH=VALUE"), ("", "PATH=VALUE"), ("a..b=3", "empty name"), (".=3", "empty name"),
    ("shared.=3", "empty name"), ("extends=x", "-f FILE"), ("platforms=3", "path of all platforms"),
    ("platforms.a=3", "a whole platform"),
    ("platforms.A.pue=3", "did you mean 'a'"), ("platforms.x.pue=3", "its platforms are a"),
    ("shared.power.low=3", "found 1 at shared.power"),
    ("shared.utilization.p5.x=3", "found 0.4 at shared.utilization.p5"), ("shared.opex.low=3", "found no shared.opex"),
    ("simulation.horizon.value=3", "found no simulation.horizon"), ("schema.x=1", "found 1 at schema"),
    ("shared.power=[", "not valid YAML"),
    ("shared.power={a: 1, a: 2}", "stands twice"), ("shared.power=*x", "alias"), ("shared.power=\x1b[31m", "U+001B")])
def test_overrides_that_lead_nowhere_say_so(override, words):
    found = with_overrides(document(TREE), [override])
    (problem,) = found.problems
    assert words in problem.message and problem.place.file.startswith("--set ") and found.tree == TREE


def test_all_overrides_that_are_wrong_are_reported():
    assert len(with_overrides(document(TREE), ["x", "a..b=1", "shared.power=2", "platforms.z.pue=3"]).problems) == 3


@pytest.mark.parametrize("platforms", [None, 3, "a", [], ["a"], {}, {"a": None}, {"a": 3}])
def test_platforms_of_the_wrong_kind_do_not_break_an_override(platforms):
    found = with_overrides(document({"platforms": platforms}), ["platforms.a.pue=3"])
    assert found.problems or found.tree["platforms"]["a"] == {"pue": 3}


# --- values from Python ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "plain"), [
    (np.float64(0.5), 0.5), (np.float32(0.5), 0.5), (np.int64(3), 3), (np.array(2.5), 2.5), (np.array([1.0, 2.0]), [1.0, 2.0]),
    ((1, np.int8(2)), [1, 2]), ({"value": np.float64(1), np.str_("unit"): "W"}, {"value": 1.0, "unit": "W"}),
    (np.True_, True), ("x", "x"),
    (None, None)])
def test_values_of_numpy_become_plain(value, plain):
    found = with_values(document(TREE), {"shared.power": value})
    assert not found.problems and found.tree["shared"]["power"] == plain
    assert type(found.tree["shared"]["power"]) is type(plain)
    digest(found.tree)


@pytest.mark.parametrize("value", [object(), 1j, {1, 2}, np.datetime64("2026-01-01"), 10**400, b"x", {"value": object()}])
def test_other_objects_are_refused(value):
    (problem,) = with_values(document(TREE), {"shared.power": value}).problems
    assert "expected a number, a text, a list or a mapping" in problem.message and problem.path == "shared.power"


def test_a_mapping_within_itself_is_refused():
    endless = {}
    endless["value"] = endless
    (problem,) = with_values(document(TREE), {"shared.power": endless}).problems
    assert "nested" in problem.message


def test_with_inputs_takes_numpy_and_reports_everything(tmp_path):
    study = load(studies.write(tmp_path / "study.yaml", studies.study()))
    changed = study.with_inputs({"shared.utilization": np.float64(0.5), "platforms.a.capex": np.int64(50000),
    "simulation.trials": np.int32(8192)})
    assert changed.platforms[0].inputs["utilization"].value.parameters == (0.5,)
    assert changed.simulation.trials == 8192 and changed.digest != study.digest
    assert study.platforms[0].inputs["utilization"].value.family == "beta", "the study itself is as it was"
    assert changed.digest == study.with_inputs({"shared.utilization": 0.5, "platforms.a.capex": 50000,
    "simulation.trials": 8192}).digest
    with pytest.raises(StudyError) as error:
        study.with_inputs({"shared.utilization": np.nan, "platforms.c.pue": 1.2, "shared.discount_rate": 5, 7: 1})
    assert [problem.path for problem in error.value.problems] == ["7", "platforms.c.pue", "shared.discount_rate",
    "shared.utilization"]


# --- speed ----------------------------------------------------------------------------------------------------


def test_loading_does_not_slow_down_with_the_square_of_the_size(files):
    def platform(name):
        return f"  {name}:\n    ownership: rent\n" + "".join(
            f"    {key}: {{distribution: uniform, low: 1, high: 1.2, source: x}}\n"
            for key in ("throughput", "rental_price", "power", "pue", "peak_flops", "gpu_lifetime"))

    base = "platforms:\n" + "".join(platform(f"p{k}") for k in range(12))
    top = "extends: [base0.yaml, base1.yaml, base2.yaml, base3.yaml]\nschema: 1\nshared: {utilization: 0.5}\n" + base
    folder = files(**{f"base{k}": base for k in range(4)}, top=top)
    load(folder / "top.yaml")
    started = time.perf_counter()
    load(folder / "top.yaml")
    assert time.perf_counter() - started < 1.5

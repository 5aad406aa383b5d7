"""What-ifs of a study: what they set, over what and under what, and what is wrong with them."""


import pytest
import studies
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator
from simulator.study.loading import with_what_if
from simulator.study.reading import read_study
from simulator.study.what_ifs import UnknownWhatIfError, names_of, settings_of

LINES = """\
schema: 1
study: test
shared:
  utilization: 0.6
  discount_rate: 0.08
  energy_price: {process: mean_reverting, median: 0.041, reversion_rate: 2.5, volatility: 1.05}
platforms:
  a:
    ownership: buy
    gpu_lifetime: 5
    throughput: 900
    capex: {distribution: pert, low: 30000, mode: 37000, high: 45000}
    power: 1.4
    pue: 1.3
what_ifs:
  idle:
    description: Nobody comes.
    set: {shared.utilization: 0.3}
  idle_and_old:
    extends: idle
    set:
      platforms.a.gpu_lifetime: 3
"""

WRONG = {
    "misspelt input": ("shared.utilization: 0.3", "shared.utilisation: 0.3", 18, "what_ifs.idle: shared.utilisation",
                       "did you mean 'utilization'"),
    "misspelt platform": ("platforms.a.gpu", "platforms.aa.gpu", 22, "platforms.aa.gpu_lifetime", "no platform 'aa'"),
    "misspelt parameter": ("{shared.utilization: 0.3}", "{platforms.a.capex.mod: 3}", 18, "platforms.a.capex.mod",
                           "did you mean 'mode'"),
    "inside a number": ("{shared.utilization: 0.3}", "{shared.utilization.p5: 0.3}", 18, "shared.utilization.p5",
                        "has no 'p5' inside"),
    "out of bounds": ("shared.utilization: 0.3", "shared.utilization: 1.3", 18, "what_ifs.idle: shared.utilization", "at most 1"),
    "a circle": ("    description: Nobody comes.", "    extends: idle_and_old", 17, "what_ifs.idle.extends",
                 "idle → idle_and_old → idle"),
    "extends itself": ("    description: Nobody comes.", "    extends: idle", 17, "what_ifs.idle.extends", "idle → idle"),
    "extends nothing": ("extends: idle", "extends: idel", 20, "what_ifs.idle_and_old.extends", "did you mean 'idle'"),
    "unknown key": ("description: Nobody", "descripton: Nobody", 17, "what_ifs.idle.descripton", "did you mean 'description'"),
    "no set": ("    set: {shared.utilization: 0.3}\n", "", 16, "what_ifs.idle.set", "is missing"),
    "other draws": ("{shared.utilization: 0.3}", "{simulation.seed: 3}", 18, "what_ifs.idle.set.simulation.seed",
                    "same throughout"),
    "a name with a meaning": ("  idle:\n", "  all:\n", 16, "what_ifs.all", "a meaning of its own"),
    "a what-if inside": ("{shared.utilization: 0.3}", "{what_ifs.idle.cost: 3}", 18, "what_ifs.idle.set.what_ifs.idle.cost",
                         "not a part of the world"),
    "what is told of a study": ("{shared.utilization: 0.3}", "{sensitivity.methods: [tornado]}", 18,
                                "what_ifs.idle.set.sensitivity.methods", "not a part of the world"),
    "what a choice is to serve": ("{shared.utilization: 0.3}", "{plan.years: 3}", 18, "what_ifs.idle.set.plan.years",
                                  "not a part of the world"),
    "an uncertain cost": ("description: Nobody comes.", "cost: {distribution: uniform, low: 0, high: 1}", 17,
                          "what_ifs.idle.cost", "expected a number"),
    "a cost of nobody": ("description: Nobody comes.", "cost: {b: 0.1}", 17, "what_ifs.idle.cost.b", "unknown platform"),
}


def written(tmp_path, text=LINES):
    file = tmp_path / "study.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def value(study, path):
    return study.inputs()[path].value.parameters[0]


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_file_line_and_path_though_nobody_runs_it(tmp_path, case):
    before, after, line, path, message = WRONG[case]
    assert LINES.count(before) == 1
    with pytest.raises(simulator.StudyError) as wrong:
        simulator.load(written(tmp_path, LINES.replace(before, after)))
    text = str(wrong.value)
    assert f"study.yaml:{line}: " in text, text
    assert path in text, text
    assert message in text, text
    expected = 2 if case == "a circle" else 1
    assert len(wrong.value.problems) <= expected + (case == "a name with a meaning"), text


def test_everything_wrong_is_said_at_once(tmp_path):
    text = LINES.replace("shared.utilization: 0.3", "shared.utilisation: 0.3").replace("platforms.a.gpu_lifetime: 3",
                                                                                      "platforms.a.gpu_lifetim: 3")
    with pytest.raises(simulator.StudyError) as wrong:
        simulator.load(written(tmp_path, text.replace("pue: 1.3", "peu: 1.3")))
    assert [problem.place.line for problem in wrong.value.problems] == [14, 18, 22]


def test_what_ifs_build_on_one_another(tmp_path):
    study = simulator.load(written(tmp_path))
    assert [what_if.name for what_if in study.what_ifs] == ["idle", "idle_and_old"]
    assert value(study, "shared.utilization") == 0.6
    idle, old = study.with_what_if("idle"), study.with_what_if("idle_and_old")
    assert (value(idle, "shared.utilization"), value(idle, "platforms.a.gpu_lifetime")) == (0.3, 5)
    assert (value(old, "shared.utilization"), value(old, "platforms.a.gpu_lifetime")) == (0.3, 3)
    with pytest.raises(KeyError):
        study.with_what_if("busy")


def test_names_that_are_asked_for(tmp_path):
    study = simulator.load(written(tmp_path))
    assert names_of(study, "all") == names_of(study, ["idle", "all"]) == ["idle", "idle_and_old"]
    assert names_of(study, ["idle_and_old", "idle_and_old"]) == ["idle_and_old"]
    with pytest.raises(UnknownWhatIfError, match="did you mean 'idle'"):
        names_of(study, ["idel"])


@settings(max_examples=40)
@given(st.permutations(["extended", "study", "parent", "what_if", "overlay", "set"]).flatmap(
    lambda order: st.integers(1, 6).map(lambda count: set(order[:count]))))
def test_each_override_wins_over_the_one_before(tmp_path_factory, who):
    """Whichever of the sources give a value: the last in the order of the interface has it, in the base without what-ifs."""
    tmp_path = tmp_path_factory.mktemp("study")
    values = {"extended": 0.11, "study": 0.12, "parent": 0.13, "what_if": 0.14, "overlay": 0.15, "set": 0.16}
    order = list(values)
    base = studies.study()
    shared = base["shared"]
    del shared["utilization"]
    below = {"schema": 1, "shared": {"utilization": 0.10}}
    if "extended" in who:
        below["shared"]["utilization"] = values["extended"]
    if "study" in who:
        shared["utilization"] = values["study"]
    studies.write(tmp_path / "below.yaml", below)
    base["extends"] = ["below.yaml"]
    base["what_ifs"] = {"parent": {"set": {"shared.discount_rate": 0.05}}, "child": {"extends": "parent", "set": {}}}
    if "parent" in who:
        base["what_ifs"]["parent"]["set"]["shared.utilization"] = values["parent"]
    if "what_if" in who:
        base["what_ifs"]["child"]["set"]["shared.utilization"] = values["what_if"]
    overlays = [studies.write(tmp_path / "over.yaml", {"shared": {"utilization": values["overlay"]}})] if "overlay" in who else []
    overrides = [f"shared.utilization={values['set']}"] if "set" in who else []
    study = simulator.load(studies.write(tmp_path / "study.yaml", base), overlays, overrides)
    winner = max(who, key=order.index)
    assert value(study.with_what_if("child"), "shared.utilization") == values[winner]
    without = max(who - {"parent", "what_if"}, key=order.index, default=None)
    assert value(study, "shared.utilization") == (values[without] if without else 0.10)
    # The resolved study says the same when it is read alone.
    from simulator.study.settled import with_alternatives
    alone = simulator.load(studies.write(tmp_path / "alone.yaml", with_alternatives(study, dict(study.document.tree), {})))
    assert alone.digest == study.digest
    assert value(alone.with_what_if("child"), "shared.utilization") == values[winner]


@pytest.mark.parametrize(("override", "path", "expected"), [
    ("shared.energy_price.median=0.08", "shared.energy_price", {"median": 0.08, "volatility": 1.05}),
    ("shared.energy_price.median={value: 80, unit: USD/MWh}", "shared.energy_price", {"median": 0.08, "volatility": 1.05}),
    ("shared.energy_price.hedged_share=1", "shared.energy_price", {"hedged_share": 1.0, "median": 0.041}),
])
def test_a_path_inside_an_input_changes_that_parameter_in_a_what_if_as_by_set(tmp_path, override, path, expected):
    text = f"{override.partition('=')[0]}: {override.partition('=')[2]}"
    named = simulator.load(written(tmp_path, LINES.replace("{shared.utilization: 0.3}", f"{{{text}}}"))).with_what_if("idle")
    set_by_command = simulator.load(written(tmp_path), overrides=[override])
    for study in (named, set_by_command):
        parameters = study.inputs()[path].value.parameters
        for name, wanted in expected.items():
            assert parameters[name].parameters[0] == pytest.approx(wanted, rel=1e-15)
    assert named.digest == set_by_command.digest


def test_inputs_are_replaced_whole_and_what_is_inside_alone(tmp_path):
    text = LINES.replace("{shared.utilization: 0.3}", "{platforms.a.capex: {distribution: uniform, low: 1, high: 2}}")
    study = simulator.load(written(tmp_path, text)).with_what_if("idle")
    assert study.inputs()["platforms.a.capex"].value.family == "uniform"
    text = LINES.replace("{shared.utilization: 0.3}", "{platforms.a.capex.high: 50000, platforms.a.throughput_factors.x: 0.5}")
    study = simulator.load(written(tmp_path, text)).with_what_if("idle")
    assert study.document.tree["platforms"]["a"]["capex"] == {"distribution": "pert", "low": 30000, "mode": 37000, "high": 50000}
    assert value(study, "platforms.a.throughput_factors.x") == 0.5


def test_what_ifs_of_extended_files_are_merged_by_path(tmp_path):
    written(tmp_path)
    above = tmp_path / "above.yaml"
    above.write_text("extends: study.yaml\nwhat_ifs: {idle: {set: {shared.utilization: 0.2, platforms.a.pue: 1.1}}}\n",
                     encoding="utf-8")
    study = simulator.load(above)
    assert study.what_ifs[0].description == "Nobody comes."
    old = study.with_what_if("idle_and_old")
    assert [value(old, path) for path in ("shared.utilization", "platforms.a.pue", "platforms.a.gpu_lifetime")] == [0.2, 1.1, 3]


def test_an_overlay_may_bring_a_what_if_and_win_over_another(tmp_path):
    overlay = studies.write(tmp_path / "over.yaml", {"shared": {"utilization": 0.9},
                                                     "what_ifs": {"dear": {"set": {"platforms.a.pue": 1.9}}}})
    study = simulator.load(written(tmp_path), [overlay])
    assert value(study.with_what_if("dear"), "platforms.a.pue") == 1.9
    assert value(study.with_what_if("idle"), "shared.utilization") == 0.9


def test_what_the_command_sets_need_not_fit_a_what_if_that_nobody_runs(tmp_path):
    text = LINES.replace("{shared.utilization: 0.3}", "{shared.energy_price: 0.08}")
    study = simulator.load(written(tmp_path, text), overrides=["shared.energy_price.median=0.05"])
    with pytest.raises(simulator.StudyError, match="which has no 'median' inside"):
        study.with_what_if("idle")


def test_the_digest_is_of_the_base_alone(tmp_path):
    study = simulator.load(written(tmp_path))
    without = simulator.load(written(tmp_path, LINES[:LINES.index("what_ifs")]))
    assert study.digest == without.digest != study.with_what_if("idle").digest


def test_costs_are_for_all_platforms_or_for_each(tmp_path):
    for text, expected in [("0.5", {"a": 0.5}), ("{value: 0.5, unit: USD/Mtoken}", {"a": 0.5}), ("{a: 0.25}", {"a": 0.25})]:
        study = simulator.load(written(tmp_path, LINES.replace("description: Nobody comes.", f"cost: {text}")))
        assert study.what_ifs[0].costs == expected
        assert study.what_ifs[1].costs == {}


def test_the_schema_takes_what_the_reader_takes():
    from simulator.study.json_schema import study_schema

    properties = study_schema()["properties"]
    assert set(properties["what_ifs"]["additionalProperties"]["properties"]) == {"description", "extends", "set", "cost"}


@pytest.mark.parametrize("layers", [(), ("shared.utilization=0.5",), ("what_ifs.idle.description=Few come.",)])
def test_a_what_if_beside_others_is_the_study_that_is_read_with_its_values_alone(tmp_path, layers):
    """What a study keeps of its reading, for the next what-if, changes nothing in any."""
    data = studies.study(what_ifs={
        "idle": {"set": {"shared.utilization": {"distribution": "uniform", "low": 0.1, "high": 0.3}}},
        "idler": {"extends": "idle", "set": {"shared.utilization.high": 0.2, "platforms.a.capex.low": 40000}},
        "dear": {"set": {"shared.energy_price.median": {"value": 90, "unit": "USD/MWh"}}},
        "one_life": {"set": {"platforms.a.gpu_lifetime": 4, "simulation.horizon": 8}}},
        sweeps={"load": {"over": {"shared.utilization": [0.2, 0.4]}}})
    study = simulator.load(studies.write(tmp_path / "study.yaml", data), overrides=layers)
    for name in ("idle", "idler", "dear", "one_life", "idle", "dear"):
        found = study.with_what_if(name)
        document = with_what_if(study.document, settings_of(study.what_ifs_by_name, name))
        alone = read_study(document, study.name)
        assert found == alone and found.digest == alone.digest and found.inputs() == alone.inputs()
        assert found.document.tree == document.tree and found.document.places == document.places
        assert found.with_what_if("dear").inputs() == alone.with_what_if("dear").inputs()
        assert {given.place for given in found.inputs().values()} == {given.place for given in alone.inputs().values()}

"""From a tree to a study: what it holds, what is refused, and that one mistake makes one problem."""

import copy
import dataclasses
import json

import pytest
import studies
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.quantities import INPUT, NEEDS, REQUIRED
from simulator.study import StudyError, load
from simulator.study.distributions import DISTRIBUTIONS
from simulator.study.document import parse
from simulator.study.loading import with_overrides
from simulator.study.reading import as_path, read_study

POINT = {"model": "R1", "precision": "fp4", "interactivity": 50, "input_tokens": 8192, "output_tokens": 1024,
"token_basis": "total"}


def read(data, *overrides):
    document = parse(json.dumps(data, ensure_ascii=False), "study.yaml")
    return read_study(with_overrides(document, overrides), "study")


def problems(data, *overrides):
    with pytest.raises(StudyError) as error:
        read(data, *overrides)
    return [f"{problem.path}: {problem.message}" for problem in error.value.problems]


def changed(path, value):
    """The study of the tests with one value replaced; `...` takes it out."""
    data = studies.study()
    inside = data
    *parents, last = path.split(".")
    for key in parents:
        inside = inside.setdefault(key, {})
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return data


# --- what a study holds ---------------------------------------------------------------------------------------


def test_a_study_holds_what_was_written():
    study = read(studies.study(description="Two",
    simulation={"trials": 65536, "replicates": 16, "seed": 7, "horizon": {"value": 120, "unit": "month"}}))
    assert (study.name, study.description, study.simulation.seed, study.simulation.horizon) == ("test", "Two", 7, 10.0)
    assert (study.simulation.trials, study.simulation.trials_per_replicate, study.simulation.sampler) == (65536, 4096, "sobol")
    a, b = study.platforms
    assert (a.name, a.ownership, b.name, b.ownership) == ("a", "buy", "b", "rent")
    assert a.inputs["utilization"].path == b.inputs["utilization"].path == "shared.utilization"
    assert b.inputs["gpu_lifetime"].value.parameters == (1.0,) and "energy_price" not in b.inputs
    assert [factor.path for factor in a.factors] == ["platforms.a.throughput_factors.delivered_share"]
    assert "throughput_factors" in b.not_modelled() and "gpu_lifetime" not in b.not_modelled()


def test_the_name_is_that_of_the_file_where_none_is_given(tmp_path):
    data = studies.study()
    del data["study"]
    assert load(studies.write(tmp_path / "my_study.yaml", data)).name == "my_study"


def test_a_platform_overrides_a_shared_input_and_a_shared_factor():
    study = read(changed("platforms.a.utilization", 0.5), "shared.throughput_factors.x=0.9",
    "platforms.b.throughput_factors.x=0.8")
    a, b = study.platforms
    assert a.inputs["utilization"].path == "platforms.a.utilization" and b.inputs["utilization"].path == "shared.utilization"
    assert [factor.path for factor in a.factors] == ["platforms.a.throughput_factors.delivered_share",
    "shared.throughput_factors.x"]
    assert [factor.path for factor in b.factors] == ["platforms.b.throughput_factors.x"]


def test_a_study_is_frozen_and_its_digest_is_that_of_its_content():
    study = read(studies.study())
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.name = "x"
    assert study.digest == read(studies.study()).digest != read(studies.study(), "shared.discount_rate=0.09").digest


@pytest.mark.parametrize(("simulation", "trials", "words"), [
    ({"trials": 1000}, 1024, "1,000 trials asked for, 1,024 run: 32 replicates of 32, a power of two"),
    ({"trials": 1}, 512, "1 trials asked for, 512 run"), ({"trials": 1000, "sampler": "random"}, 1024, "32 replicates of 32"),
    ({"trials": 1e6, "replicates": 16}, 16 * 65536, "1,000,000 trials asked for")])
def test_trials_are_rounded_up_and_the_notice_says_so(simulation, trials, words):
    study = read(studies.study(simulation=simulation))
    assert study.simulation.trials == trials and any(words in warning for warning in study.warnings)


# --- required, other ownership, unused ------------------------------------------------------------------------


@pytest.mark.parametrize("key", REQUIRED["buy"])
def test_what_a_bought_platform_needs(key):
    data = studies.study()
    for place in (data["shared"], data["platforms"]["a"]):
        place.pop(key, None)
    missing = [problem for problem in problems(data) if problem.startswith(f"platforms.a.{key}: is missing")]
    assert missing == [f"platforms.a.{key}: is missing; a platform with 'ownership: buy' needs it, here or under shared "
                       f"({INPUT[key].meaning}{'' if INPUT[key].unit == '1' else f' [{INPUT[key].unit}]'})"]


@pytest.mark.parametrize("key", REQUIRED["rent"])
def test_what_a_rented_platform_needs(key):
    data = studies.study(platforms={"b": studies.RENTED}, shared={"utilization": 0.5})
    for place in (data["shared"], data["platforms"]["b"]):
        place.pop(key, None)
    (message,) = problems(data)
    assert message.startswith(f"platforms.b.{key}: is missing; a platform with 'ownership: rent' needs it")


@pytest.mark.parametrize(("key", "needed"), NEEDS.items())
def test_an_input_that_needs_another(key, needed):
    assert problems(changed(f"platforms.a.{key}", 1)) == [f"platforms.a.{needed}: is missing; {key} needs it"]


@pytest.mark.parametrize("key", [name for name, quantity in INPUT.items() if quantity.ownership == "buy"])
def test_inputs_of_bought_platforms_are_refused_on_rented_ones(key):
    found = [message for message in problems(changed(f"platforms.b.{key}", 1)) if "ownership: buy" in message]
    assert found == [f"platforms.b.{key}: found an input of platforms with 'ownership: buy', but this one has 'ownership: rent'; "
                     "expected it left out, or the other ownership"]


def test_a_shared_input_that_no_platform_can_use_is_refused():
    data = studies.study(platforms={"b": studies.RENTED})
    assert problems(data) == ["shared.energy_price: found an input of platforms with 'ownership: buy', and there is none here; "
                              "expected it left out"]


@pytest.mark.parametrize(("path", "value", "warning"), [
    ("platforms.a.residual_decay", 0.1, "a: residual_decay has no effect without residual_value"),
    ("platforms.a.failure_rate", 0.1, "a: failure_rate has no effect without replacement_cost"),
    ("shared.software_gain_time", 1, "b: software_gain_time has no effect without software_gain")])
def test_an_input_without_effect_is_named(path, value, warning):
    assert warning in read(changed(path, value)).warnings


def test_a_shared_input_that_every_platform_overrides_is_named():
    study = read(changed("platforms.a.utilization", 0.5), "platforms.b.utilization=0.6")
    assert "shared.utilization is not used: every platform has its own" in study.warnings


# --- one mistake, one problem ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "wrong", "message"), [
    ("shared.utilization", "utilizaton", "shared.utilizaton: unknown input 'utilizaton'; did you mean 'utilization'?"),
    ("platforms.a.capex", "cpex", "platforms.a.cpex: unknown input 'cpex'; did you mean 'capex'?"),
    ("platforms.a.ownership", "Owner-ship", "platforms.a.Owner-ship: unknown input 'Owner-ship'; did you mean 'ownership'?"),
    ("platforms.a.throughput_factors", "throughput_factor", "platforms.a.throughput_factor: unknown input 'throughput_factor'; "
     "did you mean 'throughput_factors'?"),
    ("shared", "shred", "shred: unknown key 'shred'; did you mean 'shared'?"),
    ("platforms", "Platforms", "Platforms: unknown key 'Platforms'; did you mean 'platforms'?"),
    ("schema", "shema", "shema: unknown key 'shema'; did you mean 'schema'?"),
    ("simulation.trials", "trails", "simulation.trails: unknown key 'trails'; did you mean 'trials'?"),
    ("shared.energy_price.median", "mdian", "shared.energy_price.mdian: unknown parameter 'mdian'; did you mean 'median'?")])
def test_a_misspelt_key_is_not_missing_as_well(path, wrong, message):
    data = studies.study()
    inside = data
    *parents, last = path.split(".")
    for key in parents:
        inside = inside[key]
    inside[wrong] = inside.pop(last)
    assert problems(data) == [message]


@pytest.mark.parametrize(("path", "value", "message"), [
    ("shared.utilization", 75, "shared.utilization: found 75; expected above 0 and at most 1; where 75 % is meant, write 0.75"),
    ("platforms.a.capex", None, "platforms.a.capex: found nothing; expected a number"),
    ("platforms.a.ownership", "bougt", "platforms.a.ownership: found the text 'bougt'; expected buy or rent"),
    ("shared", 3, "shared: found 3; expected a mapping of inputs"),
    ("shared", None, "shared: found nothing; expected a mapping of inputs"),
    ("platforms", [1], "platforms: found a list of 1; expected a mapping of platforms by name"),
    ("platforms", {}, "platforms: is missing; expected at least one platform"),
    ("platforms.a", 3, "platforms.a: found 3; expected a platform: ownership, throughput, …"),
    ("platforms.a", {}, "platforms.a: found an empty mapping; expected a platform: ownership, throughput, …"),
    ("simulation", "x", "simulation: found the text 'x'; expected a mapping with trials, replicates, sampler, antithetic, "
     "seed, horizon"),
    ("simulation.horizon", {"distribution": "uniform", "low": 1, "high": 2},
     "simulation.horizon: found a distribution; expected a number of years"),
    ("simulation.horizon", "x", "simulation.horizon: found the text 'x'; expected a number"),
    ("simulation.horizon", 16, "simulation.horizon: found 16 years; expected above 0 and at most 15 years"),
    ("schema", True, "schema: found true; this version reads schema 1"),
    ("schema", ..., "schema: is missing; expected 'schema: 1'"),
    ("study", None, "study: found nothing; expected text"),
    ("description", ["a"], "description: found a list of 1; expected text"),
    ("compare_across_operating_points", "yes", "compare_across_operating_points: found the text 'yes'; expected true or false"),
    ("shared.horizon", 5, "shared.horizon: found the horizon, which all platforms share; expected it under simulation"),
    ("shared.operating_point", {},
    "shared.operating_point: unknown input 'operating_point'; expected one of those that 'tco schema' lists"),
    ("platforms.a.throughput_factors", 0.5,
    "platforms.a.throughput_factors: found 0.5; expected named factors, such as delivered_share: 0.85"),
    ("platforms.a.throughput_factors.x y", 1,
    "platforms.a.throughput_factors.x y: found the name 'x y'; expected letters, digits, '_' and "
     "'-', at most 60 and the first one a letter or digit"),
    ("platforms.a.label", 7.5, None), ("platforms.a.label", [], "platforms.a.label: found an empty list; expected text"),
    ("platforms.a.operating_point", 3,
    "platforms.a.operating_point: found 3; expected a mapping with model, precision, interactivity, "
     "input_tokens, output_tokens, token_basis, note"),
    ("platforms.a.operating_point", {"interactivity": 0},
    "platforms.a.operating_point.interactivity: found 0; expected above 0 token/s/user"),
    ("platforms.a.operating_point", {"input_tokens": 0.5},
    "platforms.a.operating_point.input_tokens: found 0.5; expected a whole number, "
     "at least 1 and at most 1,000,000,000"),
    ("published", 3, "published: found 3; expected a list of {quantity, of, value}"),
    ("published", [[]], "published.0: found an empty list; expected {quantity, of, value}"),
    ("published", [{"quantity": [], "of": "a", "value": 1}],
    "published.0.quantity: found an empty list; expected an input or a result"),
    ("published", [{"quantity": "capex", "of": {}, "value": 1}],
    "published.0.of: found an empty mapping; expected a platform, or two with '/' "
     "between"),
    ("published", [{"quantty": "capex", "of": "a", "value": 1}],
    "published.0.quantty: unknown key 'quantty'; did you mean 'quantity'?")])
def test_one_wrong_value_is_one_problem(path, value, message):
    assert message is None or problems(changed(path, value)) == [message]


def test_names_that_would_break_a_path_are_refused():
    for name in ("a.b", "a b", "", "-a", "x" * 61, "é"):
        data = studies.study()
        data["platforms"][name] = data["platforms"].pop("b")
        (message,) = problems(data)
        assert "expected letters, digits, '_' and '-'" in message


def test_problems_come_by_file_and_line(tmp_path):
    (tmp_path / "a.yaml").write_text("shared:\n  pue: 0\n  power: 0")
    (tmp_path / "b.yaml").write_text("schema: 1\nextends: a.yaml\nplatforms: 3\nx: 1\nshared: {opex: -1}")
    with pytest.raises(StudyError) as error:
        load(tmp_path / "b.yaml", overrides=["shared.warranty=-1"])
    places = [(problem.place.file.rpartition("/")[2], problem.place.line) for problem in error.value.problems]
    assert places == [("a.yaml", 2), ("a.yaml", 3), ("b.yaml", 3), ("b.yaml", 4), ("b.yaml", 5), ("--set shared.warranty=-1", 0)]


# --- horizon and operating points -----------------------------------------------------------------------------


def test_a_horizon_that_cuts_lives_wants_a_residual_value():
    (message,) = problems(changed("simulation.horizon", 6))
    assert message == ("platforms.a.gpu_lifetime: found lives of up to 7 years, which the horizon of 6 years cuts; expected "
     "a residual_value "
                       "for a (0 may be said), or a longer horizon (at most 15 years)")
    study = read(changed("simulation.horizon", 6), "platforms.a.residual_value=0")
    assert "a: the horizon of 6 years cuts 12% of lives" in study.warnings
    # A residual value that is itself wrong is one mistake.
    assert len(problems(changed("simulation.horizon", 6), "platforms.a.residual_value=2")) == 1
    assert len(problems(changed("simulation.horizon", 6), "shared.residual_valu=0.1")) == 1


def test_lives_that_end_with_the_horizon_are_not_cut():
    lives = {"distribution": "discrete", "values": [3, 6], "weights": [1, 1]}
    assert not any("cuts" in warning for warning in read(changed("platforms.a.gpu_lifetime", lives),
    "simulation.horizon=6").warnings)


@pytest.mark.parametrize(("field", "other"), [("model", "R2"), ("input_tokens", 1024), ("output_tokens", 1), ("token_basis",
"output")])
def test_different_work_is_not_compared_in_silence(field, other):
    data = changed("platforms.a.operating_point", POINT)
    data["platforms"]["b"]["operating_point"] = {**POINT, field: other}
    (message,) = problems(data)
    assert message == (f"platforms.b.operating_point.{field}: found different work on different platforms (a: "
     f"{POINT[field]}, b: {other}); "
                       f"expected the same {field} everywhere, or 'compare_across_operating_points: true'")
    study = read({**data, "compare_across_operating_points": True})
    assert any(f"operating points differ in {field}" in warning for warning in study.warnings)


def test_different_interactivity_is_warned_about():
    data = changed("platforms.a.operating_point", POINT)
    data["platforms"]["b"]["operating_point"] = {**POINT, "interactivity": 150, "precision": "fp8"}
    assert [w for w in read(data).warnings if "points differ" in w] == [
        "operating points differ in interactivity: a 50 token/s/user, b 150 token/s/user", "operating points differ in "
        "precision: a fp4, b fp8"]


def test_half_an_operating_point_does_not_also_differ():
    data = changed("platforms.a.operating_point", POINT)
    data["platforms"]["b"]["operating_point"] = {**POINT, "token_basis": "all"}
    assert problems(data) == ["platforms.b.operating_point.token_basis: found the text 'all'; expected total or output"]


# --- whatever is written --------------------------------------------------------------------------------------

WORDS = st.sampled_from([*DISTRIBUTIONS, *list(INPUT)[:12], "value", "unit", "distribution", "process", "mean_reverting", "p5",
"p95", "low",
                         "high", "schema", "platforms", "shared", "simulation", "trials", "published", "USD", "%", "year", "buy",
                         "", "a.b", "x" * 99])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.sampled_from([10**310, 1e308, 5e-324, "5 USD",
"2026-01-01"])
TREES = st.recursive(LEAVES, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(WORDS, inside, max_size=4),
max_leaves=12)


@st.composite
def spoilt(draw):
    """A valid study with something replaced, renamed, added or taken out, somewhere."""
    data = studies.study(published=[{"quantity": "capex", "of": "a", "value": 5}])
    data["platforms"]["a"]["operating_point"] = dict(POINT)
    for _ in range(draw(st.integers(1, 4))):
        inside = data
        while True:
            keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            key = draw(st.sampled_from(keys))
            if draw(st.booleans()) and isinstance(inside[key], (dict, list)) and inside[key]:
                inside = inside[key]
                continue
            how = draw(st.sampled_from(["replace", "rename", "add", "remove"])) if isinstance(inside, dict) else "replace"
            if how == "replace":
                inside[key] = draw(TREES)
            elif how == "add":
                inside[draw(WORDS)] = draw(TREES)
            else:
                value = inside.pop(key)
                if how == "rename":
                    inside[draw(WORDS)] = value
            break
        if not data:
            break
    return data


@given(spoilt(), st.lists(st.tuples(st.sampled_from(["shared", "platforms.a", "simulation", "", "a."]), WORDS, TREES),
max_size=2))
@settings(max_examples=300, deadline=None)
def test_any_study_is_read_or_refused_with_all_its_problems(tmp_path_factory, data, overrides):
    text = json.dumps(data, ensure_ascii=False).replace("Infinity", ".inf").replace("NaN", ".nan")
    file = tmp_path_factory.mktemp("studies") / "study.yaml"
    file.write_text(text, encoding="utf-8", errors="replace")
    try:
        study = load(file, overrides=[f"{place}.{word}={json.dumps(value)}" for place, word, value in overrides])
    except StudyError as error:
        assert error.problems and all(problem.message for problem in error.problems)
        return
    assert study.platforms
    try:
        study.with_inputs({f"{place}.{word}": copy.deepcopy(value) for place, word, value in overrides})
    except StudyError as error:
        assert error.problems


@pytest.mark.parametrize(("text", "word"), [("Hopper against Blackwell!", "hopper-against-blackwell"), ("", "study"), ("é",
"study"),
                                            ("../..", "study"), ("x" * 90, "x" * 60)])
def test_a_name_as_a_folder(text, word):
    assert as_path(text, "study") == word

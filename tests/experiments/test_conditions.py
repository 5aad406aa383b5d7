"""Conditions on results: read, refused where no summary can have the number, and found."""

import pytest
import studies

import simulator
from simulator.experiments.conditions import ConditionError, Outline, check_conditions, condition, find, find_all, outline_of

OUTLINE = Outline(("base", "costly"), ("a", "b-1"), ("b-1/a",))
OTHER = Outline(("base",), ("c",), ())


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    data = studies.study(what_ifs={"costly": {"set": {"shared.discount_rate": 0.2}}})
    study = simulator.load(studies.write(tmp_path_factory.mktemp("study") / "study.yaml", data))
    return study, simulator.run(study, what_ifs="all").summary.document


@pytest.mark.parametrize(("text", "value", "holds"), [
    ("platforms.a.x < 1", 1, False), ("platforms.a.x <= 1", 1, True), ("platforms.a.x>=1", 1, True),
    ("platforms.a.x > 1e0", 1, False),
    ("platforms.a.x == 1", 1, True), (" platforms.a.x != 1 ", 1, False), ("platforms.a.x < -0.5", -1, True)])
def test_comparisons(text, value, holds):
    found = find(condition(f"{text.replace('.x', '.expected_regret')}"),
                 {"scenarios": {"base": {"platforms": {"a": {"expected_regret": {"value": value}}}}}})
    assert (found.value, found.holds) == (value, holds)


@pytest.mark.parametrize(("text", "said"), [
    ("", "expected PATH < NUMBER"), ("platforms.a.x", "expected PATH"), ("platforms.a.x = 1", "expected PATH"),
    ("platforms.a.x < fast", "'fast' after <; expected a number"), ("platforms.a.x < nan", "expected a number"),
    ("platform.a.x < 1", "did you mean 'platforms'"), ("platforms.a < 1", "the whole path"),
    ("platforms..x < 1", "the whole path"),
    ("platforms.a.x < 1 < 2", "expected PATH")])
def test_what_is_no_condition(text, said):
    with pytest.raises(ConditionError, match=said):
        condition(text)


@pytest.mark.parametrize(("path", "said"), [
    ("scenarios.costli.platforms.a.expected_regret", "scenario 'costli'; did you mean 'costly'"),
    ("scenarios.base.platform.a.expected_regret", "did you mean 'platforms'"),
    ("platforms.b1.expected_regret", "platform 'b1'; did you mean 'b-1'"),
    ("pairs.a/b-1.ratio.p50", "pair 'a/b-1'; did you mean 'b-1/a'"),
    ("platforms.a.probability_cheepest", "did you mean 'probability_cheapest'"),
    ("platforms.a.cost_per_million_tokens.p96", "did you mean 'p95'"),
    ("platforms.a.cost_per_million_tokens", "ends before its statistic; expected cvar95, mean"),
    ("platforms.a.cost_per_million_tokens.p95.hihg", "did you mean 'high'"),
    ("platforms.a.parts.capx.mean", "did you mean 'capex'"),
    ("platforms.a.parts", "ends before its quantity; expected capex"),
    ("platforms.a.probability_cheapest.mean", "expected high, low, standard_error or value"),
    ("pairs.b-1/a.probability_cheapest", "did you mean 'probability_cheaper'")])
def test_a_misspelt_path_is_refused_with_the_nearest_name(path, said):
    with pytest.raises(ConditionError, match=said):
        check_conditions([condition(f"{path} < 1")], [OTHER, OUTLINE])


def test_a_condition_that_one_of_several_studies_has_is_taken():
    check_conditions([condition("platforms.a.expected_regret < 1")], [OTHER, OUTLINE])
    found, missed = find_all([condition("platforms.a.expected_regret < 1"), condition("platforms.a.gross_margin.p5 < 0")], [
        {"scenarios": {"base": {"platforms": {"c": {}}}}},
        {"scenarios": {"base": {"platforms": {"a": {"expected_regret": {"value": 0.5}}}}}}])
    assert [len(each) for each in found] == [0, 1] and missed == ("platforms.a.gross_margin.p5 < 0",)


def test_the_outline_of_a_study_is_that_of_its_summary(summary):
    study, document = summary
    outline = outline_of(study, ["costly"])
    assert list(outline.scenarios) == list(document["scenarios"])
    for scenario in document["scenarios"].values():
        assert list(outline.platforms) == list(scenario["platforms"]) and list(outline.pairs) == list(scenario["pairs"])


def numbers(found, path=()):
    for key, value in found.items():
        if isinstance(value, dict):
            yield from numbers(value, (*path, key))
        elif isinstance(value, (int, float)):
            yield (*path, key), value


def test_every_number_of_a_real_summary_can_be_asked_for(summary):
    study, document = summary
    outline, asked = outline_of(study, ["costly"]), 0
    for path, value in numbers(document["scenarios"]):
        for way in {path, path[:-1] if path[-1] == "value" else path}:
            wanted = condition(f"scenarios.{'.'.join(way)} == {value!r}")
            check_conditions([wanted], [outline])
            assert find(wanted, document).holds, way
            asked += 1
    assert asked > 1000

"""Which methods of sensitivity a study asks for: what is read, what is refused."""

import pytest
import studies

from simulator.study import StudyError
from simulator.study.sensitivity import METHODS, SensitivityChoice, in_order


@pytest.mark.parametrize(("stated", "choice"), [
    ({"methods": ["tornado", "sobol", "shapley"], "target": "cost_per_million_tokens"},
     SensitivityChoice(("tornado", "sobol", "shapley"), "cost_per_million_tokens")),
    ({"methods": ["shapley", "shapley"]}, SensitivityChoice(("shapley",))), ({}, SensitivityChoice())])
def test_methods_are_read(load, stated, choice):
    assert load(studies.study(sensitivity=stated)).sensitivity == choice


def test_what_else_is_asked_changes_no_result_and_no_digest(load):
    assert load(studies.study(sensitivity={"methods": ["tornado"]})).digest == load(studies.study()).digest


@pytest.mark.parametrize(("stated", "message"), [
    (None, "sensitivity: found nothing; expected {methods: [tornado, shapley]}"),
    ({"methods": []}, "sensitivity.methods: found an empty list; expected a list of methods, such as [tornado, shapley]; "
     "leave it out for all"),
    ({"methods": "tornado"}, "sensitivity.methods: found the text 'tornado'; expected a list of methods, such as [tornado, "
     "shapley]; leave it out for all"),
    ({"methods": ["tornado", "sobel"]}, f"sensitivity.methods.1: found the method 'sobel'; expected {', '.join(METHODS[:-1])} or "
     f"{METHODS[-1]}; did you mean 'sobol'?"),
    ({"method": ["tornado"]}, "sensitivity.method: unknown key 'method'; did you mean 'methods'?"),
    ({"target": "capex"}, "sensitivity.target: found the text 'capex'; expected cost_per_million_tokens")])
def test_what_is_wrong_is_said(load, stated, message):
    with pytest.raises(StudyError) as error:
        load(studies.study(sensitivity=stated))
    assert [f"{problem.path}: {problem.message}" for problem in error.value.problems] == [message]


def test_methods_come_in_the_order_in_which_they_are_told():
    assert in_order(["shapley", "tornado", "shapley"]) == ("tornado", "shapley")

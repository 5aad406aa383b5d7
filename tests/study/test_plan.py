"""How many tokens a study is to serve: what is read, what is refused."""

import pytest
import studies

from simulator.study import StudyError
from simulator.study.plan import TokenPlan


@pytest.mark.parametrize(("stated", "plan"), [
    ({"tokens_per_year": 5e13, "years": 5}, TokenPlan(5e13, 5)),
    ({"tokens_per_year": {"value": 50, "unit": "Ttoken/year"}, "years": {"value": 30, "unit": "months"}}, TokenPlan(5e13, 2.5)),
    ({"tokens_per_year": {"value": 1, "unit": "Mtoken/s", "source": "a contract"}, "years": 1}, TokenPlan(8766 * 3600e6, 1))])
def test_a_plan_is_read_with_its_units(load, stated, plan):
    assert load(studies.study(plan=stated)).plan == plan


def test_there_may_be_none(load):
    assert load(studies.study()).plan is None


@pytest.mark.parametrize(("stated", "message"), [
    (None, "plan: found nothing; expected {tokens_per_year, years}"), (5, "plan: found 5; expected {tokens_per_year, years}"),
    ({"years": 5}, "plan.tokens_per_year: is missing; a plan has tokens_per_year and years"),
    ({"tokens_per_yer": 1, "years": 5}, "plan.tokens_per_yer: unknown key 'tokens_per_yer'; did you mean 'tokens_per_year'?"),
    ({"tokens_per_year": 0, "years": 5}, "plan.tokens_per_year: found 0 token/year; expected above 0 token/year"),
    ({"tokens_per_year": 1, "years": 500}, "plan.years: found 500 years; expected above 0 and at most 100 years"),
    ({"tokens_per_year": "many", "years": 5}, "plan.tokens_per_year: found the text 'many'; expected a number"),
    ({"tokens_per_year": {"value": 1, "unit": "USD"}, "years": 5},
     "plan.tokens_per_year.unit: found the unit 'USD', which measures something else; "
     "expected 'token/year', or one that converts to it"),
    ({"tokens_per_year": {"distribution": "uniform", "low": 1, "high": 2}, "years": 5},
     "plan.tokens_per_year: found a distribution; expected a number [token/year]: a plan is what is decided")])
def test_what_is_wrong_is_said(load, stated, message):
    with pytest.raises(StudyError) as error:
        load(studies.study(plan=stated))
    assert [f"{problem.path}: {problem.message}" for problem in error.value.problems] == [message]


def test_one_plan_has_one_discount_rate(load):
    data = studies.study(plan={"tokens_per_year": 1e12, "years": 5})
    data["platforms"]["b"]["discount_rate"] = 0.12
    with pytest.raises(StudyError, match=r"rates \(platforms.b.discount_rate, shared.discount_rate\); expected one"):
        load(data)
    del data["shared"]["discount_rate"]
    data["platforms"]["a"]["discount_rate"] = 0.12
    with pytest.raises(StudyError):
        load(data)
    del data["platforms"]["b"]["discount_rate"]
    assert load(data).plan

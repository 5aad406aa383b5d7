"""No sentence of a report says what the numbers do not."""

import dataclasses

import numpy as np
import pytest

from simulator.analysis.intervals import Estimate, with_normal_bounds
from simulator.experiments.exceedance import Curve, Exceedance
from simulator.experiments.sensitivity.break_even import BreakEven, Flip
from simulator.experiments.through_time import Fan
from simulator.records import Records
from simulator.reporting.report import claims, flips
from simulator.reporting.report.earnings import earnings_claim
from simulator.reporting.report.front import evidence_in_words, front_of
from simulator.reporting.report.pages import pages_of
from simulator.reporting.wording import number
from simulator.study.correlations import Correlations, Group


def with_chances(run, chances, error=0.001):
    """The run with other probabilities of being cheapest."""
    def changed(record):
        if record.quantity != "probability_cheapest" or record.group:
            return record
        return dataclasses.replace(record, estimate=with_normal_bounds(chances[record.owner], error))
    return dataclasses.replace(run, records=Records(map(changed, run.records)))


def with_shares(asked, shares, error=0.01):
    """The sensitivity with other shares of the variance of the cost of platform a, the largest first."""
    effects = []
    for effect in asked.shapley:
        if (effect.output.quantity, effect.output.of, effect.of) == ("cost_per_million_tokens", "a", "variance"):
            players = effect.players[:len(shares)]
            effect = dataclasses.replace(effect, players=players, shares=tuple(with_normal_bounds(s, error) for s in shares))
        effects.append(effect)
    return dataclasses.replace(asked, shapley=tuple(effects))


@pytest.mark.parametrize(("chance", "error", "clear"), [
    (0.72, 0.001, True), (0.61, 0.02, False), (0.55, 0.001, False), (0.6, 0, True)])
def test_a_winner_is_clear_at_sixty_percent_for_sure(numbers_of, chance, error, clear):
    run = with_chances(numbers_of("two").run, {"a": chance, "b": 1 - chance}, error)
    for says in (claims.ranking_claim(run), claims.front_headline(run, numbers_of("two").sensitivity)):
        assert ("No clear winner" in says) is not clear
    assert (f"{100 * chance:.0f} %" in claims.ranking_claim(run)) or error > 0.01


def test_the_gap_inside_the_error_is_no_win(numbers_of):
    chances = dict.fromkeys((f"p{k}" for k in range(12)), 0.0) | {"p3": 0.62, "p2": 0.61}
    run = with_chances(numbers_of("twelve").run, chances, 0.005)
    assert claims.ranking_claim(run) == "No clear winner: Accelerator 3 is the cheapest in 62 % of futures, Accelerator 2 in 61 %"


@pytest.mark.parametrize(("shares", "expected"), [
    ((0.7, 0.2, 0.1), " drives 70 % of the spread of its cost."),
    ((0.41, 0.4, 0.19), " drive most of the spread of its cost: about 41 % and 40 %."),
    ((1.0,), " drives 100 % of the spread of its cost."),
    ((1.0, 0.001), " drives 100 % of the spread of its cost."),
])
def test_one_driver_or_two(numbers_of, shares, expected):
    found = claims.driver(with_shares(numbers_of("two").sensitivity, shares), "a")
    assert found.endswith(expected) and (" and " in found.partition(" drive")[0]) is ("drive most" in expected)


def test_no_driver_where_nothing_is_uncertain(numbers_of):
    certain = numbers_of("certain")
    assert claims.driver(certain.sensitivity, "a") == ""
    cost = number(certain.run.estimate("b", "cost_per_million_tokens", "p50"))
    assert claims.ranges_claim(certain.run) == f"b costs {cost} USD per million tokens; nothing is uncertain"
    assert "in every future" in claims.exceedance_claim(certain.run, dataclasses.replace(certain.exceedance, at=()))
    assert claims.ranking_claim(certain.run) == "b is the cheapest in 100 % of futures"


def flip(path, value, later_above, uncertain=True):
    turn = Flip(with_normal_bounds(value, 0.001), later_above)
    return BreakEven(path, "1", 0.1, 0.9, uncertain, (), (turn,), "", "")


@pytest.mark.parametrize(("later_above", "best", "expected"), [
    (True, "a", "With utilization above 40 %, b costs less in most futures."),
    (False, "a", "With utilization below 40 %, b costs less in most futures."),
    (True, "b", "With utilization below 40 %, a costs less in most futures."),
    (False, "b", "With utilization above 40 %, a costs less in most futures."),
])
def test_a_flip_names_the_side_on_which_the_other_wins(numbers_of, later_above, best, expected):
    values = (flip("shared.utilization", 0.4, later_above),)
    asked = dataclasses.replace(numbers_of("two").sensitivity, break_even={(1, 0): values})
    assert claims.flip(asked, best, "ab".replace(best, "")) == expected


def test_certain_inputs_are_no_headline_and_what_never_flips_is_said(numbers_of):
    asked = numbers_of("two").sensitivity
    certain = dataclasses.replace(asked, break_even={(1, 0): (flip("platforms.a.pue", 2.0, True, uncertain=False),)})
    assert claims.flip(certain, "a", "b") == ""
    never = BreakEven("shared.utilization", "1", 0.1, 0.9, True, (), (), "a", "a")
    says = claims.flip(dataclasses.replace(asked, break_even={(1, 0): (never,)}), "a", "b")
    assert says == "a stays cheaper than b with utilization anywhere from 10.0 to 90.0 %."


def test_the_budget_is_told_by_its_chance_and_its_error(numbers_of):
    run = numbers_of("two").run
    curve = Curve(np.array([0.1, 0.2]), np.array([1.0, 0.0]), np.zeros(2))

    def says(chance, error):
        estimate = Estimate(chance, error, max(chance - 2 * error, 0), min(chance + 2 * error, 1))
        return claims.exceedance_claim(run, Exceedance({"a": curve, "b": curve}, (0.25,), {"a": (estimate,), "b": (estimate,)}))

    assert says(0.123, 0.001) == "a costs more than the budget of 0.25 USD in 12 % of futures"
    assert says(0.0, 0.0) == "a costs more than the budget of 0.25 USD in 0 % of futures"
    assert says(0.0002, 0.0001).endswith("in under 0.1 % of futures")


@pytest.mark.parametrize(("medians", "expected"), [
    ((0.5, 0.4, 0.3), "a costs 0.50 USD per million tokens in its first year of service, 0.30 in year 3 (medians)"),
    ((0.5, 0.3, 0.31), "a costs 0.50 USD per million tokens in its first year of service, about 0.30 from the second on "
                       "(medians)"),
    ((0.5, 0.51, 0.501), "a costs about as much in each year of service: 0.50 USD per million tokens (median)"),
    ((0.5,), "a costs about as much in each year of service: 0.50 USD per million tokens (median)"),
    ((), "What a costs from year to year"),
])
def test_time_is_told_by_the_first_and_the_last_year(numbers_of, medians, expected):
    values = np.repeat(np.array(medians, float)[:, None], 5, axis=1)
    fan = Fan(np.arange(1, 1 + len(medians)), values, np.ones(len(medians)))
    assert claims.time_claim(with_chances(numbers_of("two").run, {"a": 0.9, "b": 0.1}), {"a": fan}) == expected


def test_what_ifs_that_turn_the_ranking_are_named(numbers_of):
    run = numbers_of("two").run
    assert claims.leaders(run)[0] == "a"
    assert claims.what_ifs_claim(run, ["idle", "cheap"]) == "The ranking turns in 1 of 2 other worlds: b under “cheap”"
    stays = claims.what_ifs_claim(run, ["idle"])
    assert stays.startswith("a stays the one that is cheapest most often; “idle” moves its mean cost most, from 0.")
    assert stays.endswith(" USD per million tokens") and "±" not in stays


@pytest.mark.parametrize(("name", "kickers"), [
    ("two", ["Ranges", "Exceedance", "Who beats whom", "Where the money goes", "What drives it", "Where it flips", "Through time",
             "Does it pay?", "What if"]),
    ("one", ["Ranges", "Exceedance", "Where the money goes", "What drives it", "Through time"]),
    ("claimed", ["Ranges", "Exceedance", "Where the money goes", "What drives it", "Through time", "What if"]),
    ("rent", ["Ranges", "Exceedance", "Where the money goes", "What drives it"]),
    ("certain", ["Ranges", "Exceedance", "Who beats whom", "Where the money goes", "Where it flips"]),
])
def test_pages_that_have_nothing_to_say_are_left_out(numbers_of, name, kickers):
    pages = pages_of(numbers_of(name))
    assert [page.kicker for page in pages] == kickers
    for page in pages:
        assert page.title and not page.title.endswith(".") and page.tables
        for table in page.tables:
            assert table.rows and all(len(row) == len(table.headings) for row in table.rows)


def test_the_front_has_at_most_three_numbers_and_the_grades(numbers_of):
    for name in ("two", "one", "certain", "twelve", "decades", "tie"):
        front = front_of(numbers_of(name))
        assert 1 <= len(front.facts) <= 3 and front.headline.endswith(".") and len(front.date) == 10
    assert evidence_in_words(numbers_of("nasty").run).startswith("Evidence of ")
    assert evidence_in_words(numbers_of("rent").run) == "Evidence: none of 3 inputs states a grade."
    assert front_of(numbers_of("two"), "A title").title == "A title"


def test_two_that_always_cost_the_same_do_not_beat_one_another(numbers_of):
    ranking = next(page for page in pages_of(numbers_of("tie")) if page.name == "ranking")
    assert ranking.title.startswith("No clear winner") and ranking.tables[0].rows[0][-1] == "the same"
    assert "equal" in " ".join(ranking.text)


def test_a_claim_is_told_beside_the_measurement(numbers_of):
    numbers = numbers_of("claimed")
    run, front = numbers.run, front_of(numbers)
    claimed = number(run.estimate("a", "cost_per_million_tokens", "p50", "with_claims"))
    assert any("With vendors' claims" in point and f" {claimed} USD" in point for point in front.points)
    page = next(page for page in pages_of(numbers) if page.name == "what-ifs")
    assert [row[0] for row in page.tables[0].rows] == ["base", "with claims"] and "“with claims” moves" in page.title


@pytest.mark.parametrize(("loss", "error", "expected"), [
    (0.2, 0.001, "At these prices a loses money in 20 % of futures, the others more often"),
    (0.7, 0.001, "At these prices every platform loses money in most futures: a least often, in 70 %"),
])
def test_whether_it_pays(numbers_of, loss, error, expected):
    run = numbers_of("priced").run

    def changed(record):
        if record.quantity != "probability_of_loss":
            return record
        return dataclasses.replace(record, estimate=with_normal_bounds(loss + 0.1 * (record.owner == "b"), error))

    run = dataclasses.replace(run, records=Records(map(changed, run.records)))
    assert earnings_claim(run) == expected
    page = next(page for page in pages_of(numbers_of("priced")) if page.name == "earnings")
    results = {row[0] for row in page.tables[1].rows}
    assert any(name.startswith("Net present value") for name in results) and any("Break-even" in name for name in results)


def test_inputs_that_are_tied_turn_nothing_by_themselves(numbers_of):
    asked = numbers_of("two").sensitivity
    values = (flip("platforms.a.throughput", 5000.0, True), flip("shared.utilization", 0.4, True))
    both = ("platforms.a.throughput", "platforms.b.throughput")
    together = Correlations(Group(both, ((1.0, 1.0), (1.0, 1.0))))
    asked = dataclasses.replace(asked, break_even={(1, 0): values}, study=dataclasses.replace(asked.study, correlations=together))
    assert [one.input for one, _ in claims.turning_points(asked, "a", "b")] == ["shared.utilization"]


def test_inputs_of_other_platforms_drive_nothing_here(numbers_of):
    asked = numbers_of("two").sensitivity
    effects = tuple(dataclasses.replace(effect, players=("platforms.b.rental_price", *effect.players[1:]))
                    if effect.output.of == "a" else effect for effect in with_shares(asked, (0.8, 0.15)).shapley)
    assert " drives 15 % of" in claims.driver(dataclasses.replace(asked, shapley=effects), "a")


def test_winners_over_several_are_told_in_one_sentence():
    where = " inputs takes within its range."
    found = flips._by_winner([f"A stays cheaper than B whatever value any one of 3{where}", "Something else.",
                              f"A stays cheaper than C whatever value any one of 5{where}"])
    assert found == ["A stays cheaper than B and C whatever value any one input takes within its range.", "Something else."]

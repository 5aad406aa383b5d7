"""The choice of a study in a class of alternatives to its world: known answers, worst cases, and what changes nothing."""

import dataclasses

import pytest
import studies

from simulator import sensitivity
from simulator.engine.run import run
from simulator.experiments.sensitivity.alternatives import NONE_APPLIES, alternatives
from simulator.experiments.sensitivity.players import NotApplicable
from simulator.experiments.sensitivity.robustness import robustness
from simulator.reporting.robustness_wording import robustness_in_words
from simulator.reporting.sensitivity_document import document
from simulator.reporting.sensitivity_table import contents, table
from simulator.reporting.sensitivity_terminal import sensitivity_summary

PER_HOUR = 1e6 / (1000 * 3600)  # USD per million tokens of a USD an hour at 1000 token/s
LOGNORMAL = {"distribution": "lognormal", "p5": 30, "p95": 60}  # its median is √(30·60)


def uniform(low, high, **more):
    return {"distribution": "uniform", "low": low, "high": high, **more}


def rented(rent, **more):
    return {"ownership": "rent", "throughput": 1000, "rental_price": rent, **more}


def two(first, second, **changes):
    return studies.study(shared={"utilization": 1}, simulation={"trials": 32768},
                         platforms={"a": {"label": "First", **first}, "b": {"label": "Second", **second}}, **changes)


def claimed():
    """b costs 0.9, a what its rent is (1 in the mean); if the claim holds, half of it."""
    return two(rented(uniform(0.8, 1.2, grade="weak"), throughput={"measured": 1000, "claim": 2000}), rented(0.9))


def correlated(rank=0.9999, copula="gaussian", names=("a", "b")):
    cheap, dear = names
    platforms = {cheap: rented(uniform(0.8, 1.2)), dear: rented(uniform(0.9, 1.3))}
    pairs = [["platforms.a.rental_price", "platforms.b.rental_price", rank]]
    return two(platforms["a"], platforms["b"], correlations={"copula": copula, "pairs": pairs})


def named(found):
    return {world.name: world for world in found.worlds}


def test_a_ranking_that_flips_under_one_alternative(load):
    study = load(claimed())
    found = robustness(study)
    assert found.choice == "b" and found.base.ranking == ("b", "a")
    assert found.base.probability_cheapest.value == pytest.approx(0.75, abs=1e-3)
    assert found.base.expected_regret.value == pytest.approx(0.0125 * PER_HOUR, rel=1e-2)
    assert found.base.ratio.value == pytest.approx(0.9, rel=1e-3)
    assert [world.name for world in found.worlds] == ["weak_at_medians", "with_claims"]
    known, claims = found.worlds
    assert known.ranking == ("b", "a") and known.probability_cheapest.value == 1
    assert known.expected_regret.value == known.change.value == known.change.standard_error == 0
    assert known.ahead.value == pytest.approx(0.1 * PER_HOUR, rel=1e-9) and known.ahead.standard_error < 1e-12
    assert found.flips == found.reordered == (claims,) and found.worst is claims
    assert claims.expected_regret.value == pytest.approx(0.4 * PER_HOUR, rel=1e-4)
    assert claims.ahead.value == pytest.approx(-0.4 * PER_HOUR, rel=1e-4) and claims.ahead.low < claims.ahead.high < 0
    assert claims.ratio.value == pytest.approx(0.9 / 0.5, rel=1e-3) and claims.probability_cheapest.value == 0
    assert robustness_in_words(study, found).startswith(
        "By expected cost the choice is Second, but First with claims throughout (1 of 2 alternatives); worst: with claims "
        "throughout (cheapest in 0 % of futures, against 75 % in the base; expected regret 0.111")


def test_what_is_tied_stays_so(load):
    """A rank correlation of 1 is one thing of two names, and no belief that might be otherwise."""
    found = robustness(load(correlated(rank=1)))
    assert "no_correlations" not in named(found)
    data = correlated(rank=1)
    data["shared"] = {"utilization": uniform(0.4, 0.6)}
    for platform in data["platforms"].values():
        platform.pop("utilization", None)
    data["correlations"]["pairs"].append(["shared.utilization", "platforms.a.rental_price", 0.3])
    data["correlations"]["pairs"].append(["shared.utilization", "platforms.b.rental_price", 0.3])
    apart = named(robustness(load(data)))["no_correlations"]
    assert apart.probability_cheapest.value == 1


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_correlations_that_make_a_choice_safe(load, names):
    study = load(correlated(names=names))
    found = robustness(study)
    apart = named(found)["no_correlations"]
    assert found.choice == names[0] and not found.flips and found.worst is apart
    assert found.base.probability_cheapest.value == 1
    assert apart.probability_cheapest.value == pytest.approx(1 - 0.045 / 0.16, abs=0.01)
    assert apart.expected_regret.value == pytest.approx(0.3**3 / 6 / 0.16 * PER_HOUR, rel=0.02)
    assert apart.ahead.value == pytest.approx(0.1 * PER_HOUR, rel=1e-2)
    assert found.base.ratio.value == pytest.approx(1 / 1.1, rel=1e-2)
    for world in (found.base, *found.worlds):
        assert world.ratio.low <= world.ratio.value <= world.ratio.high < 1
    assert robustness_in_words(study, found).startswith(
        f"The choice stays {study.platforms['ab'.index(names[0])].label} in all 2 alternatives; worst: without correlations "
        "(cheapest in 72 % of futures, against ")


@pytest.mark.parametrize(("mine", "other", "words"), [
    ("gaussian", {"family": "t", "degrees_of_freedom": 4}, "with a t copula of 4 degrees of freedom"),
    ({"family": "t", "degrees_of_freedom": 7}, "gaussian", "with a Gaussian copula")])
def test_the_other_copula_has_the_same_rank_correlations(load, mine, other, words):
    swapped = alternatives(load(correlated(0.6, mine)))[0]
    assert (swapped.name, swapped.words) == ("other_copula", words)
    assert swapped.study().correlations == load(correlated(0.6, other)).correlations


def test_a_copula_that_cannot_have_the_correlations_is_left_out(load):
    data = two(rented(uniform(0.8, 1.2)), rented(uniform(0.9, 1.3)))
    data["shared"]["utilization"] = uniform(0.5, 0.7)
    paths = ["platforms.a.rental_price", "platforms.b.rental_price", "shared.utilization"]
    pairs = [[first, second, -0.482] for k, first in enumerate(paths) for second in paths[k + 1:]]
    found = robustness(load({**data, "correlations": {"pairs": pairs}}))
    assert [*named(found)] == ["no_correlations"]
    assert found.left_out[0].startswith("with a t copula of 4 degrees of freedom: found correlations that nothing can have")


def test_what_costs_do_not_depend_on_changes_nothing(load):
    found = robustness(load(studies.study(platforms={
        "a": {**studies.BOUGHT, "carbon_intensity": uniform(0.2, 0.6, grade="weak")}, "b": studies.RENTED})))
    (world,) = found.worlds
    assert world.change.value == world.change.standard_error == world.change.low == world.change.high == 0
    assert dataclasses.replace(world, name="base", words=found.base.words) == found.base


@pytest.mark.parametrize(("where", "graded", "held"), [
    ("shared.energy_price", {**studies.PROCESS, "grade": "weak"}, "shared.energy_price.volatility=0"),
    ("shared.energy_price", {**studies.PROCESS, "median": LOGNORMAL, "grade": "judgement"},
     "shared.energy_price={process: mean_reverting, unit: USD/MWh, median: 42.4264068711928, delivery: 36, reversion_rate: 2.5, "
     "volatility: 0, hedged_share: 0.5}"),
    ("platforms.a.capex", {"distribution": "pert", "low": 40000, "mode": 60000, "high": 80000, "grade": "weak"},
     "platforms.a.capex=60000"),
    ("shared.discount_rate", uniform(0.06, 0.1, grade="weak", basis="nominal"),
     "shared.discount_rate={value: 0.08, basis: nominal}"),
    ("platforms.a.failure_epidemic", {"probability": 0.1, "rate_multiplier": 8, "grade": "judgement"},
     "platforms.a.failure_epidemic={probability: 0, rate_multiplier: 8}")])
def test_evidence_left_out_stands_at_its_median(load, where, graded, held):
    data = studies.study()
    data["platforms"]["a"] |= {"failure_rate": 0.1}
    data["shared"]["inflation"] = 0.02
    around = data["shared"] if where.startswith("shared") else data["platforms"]["a"]
    around[where.rpartition(".")[2]] = graded
    (alternative,) = alternatives(load(data))
    found, wanted = (run(study, costs_alone=True).estimate("a", "cost_per_million_tokens", "mean")
                     for study in (alternative.study(), load(data, held)))
    assert found.value == pytest.approx(wanted.value, rel=1e-12) and found.standard_error == pytest.approx(wanted.standard_error)


def test_where_no_alternative_applies(load):
    study = load(studies.study())
    with pytest.raises(NotApplicable, match=r"^no alternative applies: no input is correlated, graded weak"):
        robustness(study)
    with pytest.raises(NotApplicable, match=r"^robustness: no alternative applies"):
        sensitivity(study, ["robustness"])
    found = sensitivity(study, ["robustness", "tornado"])
    assert found.robustness is None and [(left.method, left.reason) for left in found.left_out] == [("robustness", NONE_APPLIES)]


def test_one_platform_has_no_ranking(load):
    data = claimed()
    del data["platforms"]["b"]
    with pytest.raises(NotApplicable, match="only one platform"):
        robustness(load(data))


def test_claims_may_flip_what_is_certain(load):
    study = load(claimed(), "platforms.a.rental_price=1")
    found = sensitivity(study, ["robustness"]).robustness
    assert [world.name for world in found.flips] == ["with_claims"] and found.base.probability_cheapest.value == 1


def test_every_form_of_the_answer_has_the_same_numbers(load):
    found = sensitivity(load(claimed()), ["robustness"], threads=2)
    said = document(found)["scenarios"]["base"]["robustness"]
    assert said["choice"] == "b" and said["worst"] == "with_claims" and said["flips"] == ["with_claims"] and "sentence" in said
    regret = found.robustness.worst.expected_regret
    assert said["alternatives"]["with_claims"]["expected_regret"] == {"unit": "USD", **regret.as_dict()}
    rows = {(row["quantity"], row["statistic"]): row for row in table(found) if row["method"] == "robustness"}
    assert rows["expected_regret", "with_claims"]["value"] == regret.value and len(rows) == 3 * 6
    _, values, _ = contents(found).variables["robustness_expected_regret_with_claims"]
    assert values[1, 0] == regret.value
    words = [str(part) for part in sensitivity_summary(found).renderables]
    assert "If the world is not as the study says" in words


def test_threads_and_more_trials_than_are_looked_at_change_nothing(load):
    study = load(claimed())
    few = dataclasses.replace(study, simulation=dataclasses.replace(study.simulation, trials=16384))
    assert robustness(study, threads=1) == robustness(few, threads=2)


def test_words_say_what_is_not_sure_and_what_changes_behind_the_choice(load):
    study = load(claimed())
    found = robustness(study)
    known, claims = found.worlds
    unsure = dataclasses.replace(claims, ahead=dataclasses.replace(claims.ahead, high=0.01))
    said = robustness_in_words(study, dataclasses.replace(found, worlds=(known, unsure)))
    assert "but First with claims throughout, within the simulation error, (1 of 2" in said
    safe = dataclasses.replace(found, worlds=(known,))
    assert robustness_in_words(study, safe) == ("The choice stays Second in the one alternative, with all that is graded weak at "
                                                "its median, and is the cheapest in all simulated futures.")
    behind = dataclasses.replace(known, ranking=("b", "c", "a"))
    assert robustness_in_words(study, dataclasses.replace(found, worlds=(behind, known))).endswith(
        "of each. Behind it, platforms change places with all that is graded weak at its median.")


def test_a_cost_that_is_not_positive_has_no_ratio(load):
    data = studies.study()
    data["shared"]["energy_price"] = uniform(-1, 0.2, grade="weak")
    data["platforms"]["a"]["capex"] = 100
    found = robustness(load(data))
    assert found.base.ratio is None and "ratio_to_rival_p50" not in [quantity for quantity, *_ in found.base.numbers()]


def test_of_equal_regrets_the_one_in_which_the_choice_is_rarer_is_worst(load):
    found = robustness(load(claimed()))
    known, claims = found.worlds
    rarer = dataclasses.replace(known, name="rarer", probability_cheapest=claims.probability_cheapest)
    assert dataclasses.replace(found, worlds=(known, rarer)).worst is rarer

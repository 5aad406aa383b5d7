"""Futures in which the choice loses: found where they are, tested on trials held back."""

import numpy as np
import pytest
import studies

from simulator.engine.sample_of_trials import sample_of_trials
from simulator.experiments.sensitivity.ranked_sample import rank_sample
from simulator.experiments.sensitivity.reverse_stress import reverse_stress
from simulator.reporting.reverse_stress_wording import reverse_stress_in_words


def stressed(study):
    return reverse_stress(rank_sample(sample_of_trials(study), tuple(platform.name for platform in study.platforms)))


def threshold(**more):
    """b is dearer but where a's rent is over 1.1 USD: in the upper 10 % of futures, and nowhere else."""
    return studies.study(shared={"utilization": {"distribution": "beta", "p5": 0.45, "p95": 0.82}}, simulation={"trials": 32768},
                         platforms={"a": {"label": "First", "ownership": "rent", "throughput": 1000, **more,
                                          "rental_price": {"distribution": "uniform", "low": 0.2, "high": 1.2}},
                                    "b": {"label": "Second", "ownership": "rent", "throughput": 1000, "rental_price": 1.1}})


def test_a_threshold_is_found(load):
    found = stressed(load(threshold()))
    assert found.winner == "a" and found.loses.value == pytest.approx(0.1, abs=1e-3)
    (limit,) = found.box.limits
    assert limit.input == "platforms.a.rental_price" and limit.high is None and limit.low == pytest.approx(1.1, abs=0.02)
    assert found.box.density.value > 0.9 and found.box.coverage.value > 0.9
    assert found.box.support.value == pytest.approx(0.1, abs=0.02) and found.box.cheapest["b"] > 0.9


def test_what_is_said_holds_on_the_trials_held_back(load):
    study = load(threshold(throughput={"distribution": "uniform", "low": 700, "high": 1500}))
    sample = sample_of_trials(study)
    found = reverse_stress(rank_sample(sample, ("a", "b")))
    columns = {factor.path: sample.values[places[0]] for factor, places in zip(sample.factors, sample.columns, strict=True)}
    within = np.ones(sample.trials, bool)
    for limit in found.box.limits:
        within &= columns[limit.input] > (-np.inf if limit.low is None else limit.low)
        within &= columns[limit.input] <= (np.inf if limit.high is None else limit.high)
    lost, held_back = sample.costs[0] > sample.costs[1], sample.replicate % 2 == 1
    assert found.box.support.value == pytest.approx(within[held_back].mean(), rel=1e-6)
    assert found.box.density.value == pytest.approx(lost[held_back & within].mean(), rel=1e-3)
    assert found.box.coverage.value == pytest.approx(within[held_back & lost].mean(), rel=1e-3)
    assert found.box.density.value > 2 * found.loses.value and "shared.utilization" not in [x.input for x in found.box.limits]


@pytest.mark.parametrize(("rent", "words"), [
    (5, "First is the cheapest in all simulated futures: none was found in which the choice is wrong."),
    (1.1999, "of 32,768 trials too few are lost to say which.")])
def test_a_winner_that_hardly_ever_loses(load, rent, words):
    study = load(threshold(), f"platforms.b.rental_price={rent}")
    found = stressed(study)
    assert found.box is None and reverse_stress_in_words(study, found).endswith(words)


def test_one_platform(load):
    data = threshold()
    del data["platforms"]["b"]
    study = load(data)
    found = stressed(study)
    assert found.box is None and found.loses.value == 0
    assert reverse_stress_in_words(study, found) == "First is the only platform: there is no choice that could be wrong."


def test_nothing_uncertain(load):
    study = load(threshold(), "platforms.a.rental_price=1", "shared.utilization=0.5")
    assert stressed(study).box is None

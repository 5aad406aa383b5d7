"""Every package computes the same closed form of four factors, and so does the study that tco runs."""

from __future__ import annotations

import math
from importlib import import_module

import numpy as np
import pytest

import simulator
from benchmarks import closed_form
from benchmarks.packages import STUDY

EXACT_MEAN = (1e6 / 3600 * sum(closed_form.RENTAL_PRICE) / 3
              * math.exp(closed_form.THROUGHPUT[1]**2 / 2) / closed_form.THROUGHPUT[0]
              * (sum(closed_form.UTILIZATION) - 1) / (closed_form.UTILIZATION[0] - 1)
              * math.log(closed_form.FACTOR[1] / closed_form.FACTOR[0]) / (closed_form.FACTOR[1] - closed_form.FACTOR[0]))


@pytest.fixture(scope="module")
def run():
    return simulator.run(simulator.load(STUDY, overrides=["simulation.trials=65536"]))


def test_the_study_is_the_closed_form(run):
    mean = run.estimate("a", "cost_per_million_tokens", "mean")
    assert mean.value == pytest.approx(EXACT_MEAN, abs=5 * mean.standard_error)


@pytest.mark.parametrize("package", closed_form.PACKAGES)
def test_a_package_finds_the_same(run, package):
    pytest.importorskip(package)
    trials = 2000 if package == "monaco" else 50_000
    mean, percentiles = import_module(f"benchmarks.closed_form.by_{package}").run(trials)
    assert mean == pytest.approx(EXACT_MEAN, rel=5 * 0.37 / math.sqrt(trials))
    wanted = [run.estimate("a", "cost_per_million_tokens", f"p{100 * p:g}").value for p in closed_form.PERCENTILES]
    np.testing.assert_allclose(percentiles, wanted, rtol=6 / math.sqrt(trials))

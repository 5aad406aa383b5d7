"""The C that speed is measured against computes the model: its trials are distributed as NumPy's, its statistics are theirs."""

from __future__ import annotations

import numpy as np
import pytest
from benchmark_study import STUDY

from benchmarks import careful_numpy
from benchmarks.reference import NotCompiledError, Reference

TRIALS, NUMPY_TRIALS = 1 << 17, 1 << 16


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    try:
        return Reference(STUDY, tmp_path_factory.mktemp("compiled"))
    except NotCompiledError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def plain():
    return careful_numpy.simulate(STUDY, NUMPY_TRIALS, np.random.default_rng(2))


def test_every_mean_is_that_of_numpy(program, plain):
    told = program.run(TRIALS, threads=1)
    assert told.means.keys() == plain.keys()
    for key, mean in told.means.items():
        error = plain[key].std() * np.sqrt(1 / NUMPY_TRIALS + 1 / TRIALS)
        assert mean == pytest.approx(plain[key].mean(), rel=1e-12, abs=4.5 * error), key


def test_every_distribution_is_that_of_numpy(program, plain):
    p = np.array(careful_numpy.PERCENTILES)
    bound = 4.5 * np.sqrt(p * (1 - p) * (1 / NUMPY_TRIALS + 1 / TRIALS))
    for key, percentiles in program.run(TRIALS, threads=1).percentiles.items():
        shares = np.searchsorted(np.sort(plain[key]), percentiles) / NUMPY_TRIALS
        np.testing.assert_array_less(np.abs(shares - p), bound, str(key))


def test_its_statistics_are_those_of_its_trials(program):
    told = program.run(TRIALS, threads=1)
    ranks = np.ceil(TRIALS * np.array(careful_numpy.PERCENTILES)).astype(int)
    for key in program.ranked:
        x = np.sort(program.row(*key, TRIALS))
        assert told.means[key] == pytest.approx(x.mean(), rel=1e-10)
        assert told.sds[key] == pytest.approx(x.std(ddof=1), rel=1e-8)
        np.testing.assert_array_equal(told.percentiles[key], x[ranks - 1])
        # The boundary trial counts with the fraction by which it reaches into the tail.
        tail = (x if key[1].startswith(("tokens", "flops")) else x[::-1])[:TRIALS // 20 + 1]
        share = TRIALS / 20 - TRIALS // 20
        assert told.worst[key] == pytest.approx((tail[:-1].sum() + share * tail[-1]) / (TRIALS / 20), rel=1e-10), key


def test_trials_do_not_depend_on_threads(program):
    one, two = (program.run(4096, threads=threads).percentiles for threads in (1, 2))
    for key, percentiles in one.items():
        np.testing.assert_array_equal(percentiles, two[key])

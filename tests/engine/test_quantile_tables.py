"""Every shape that a study may have can be tabulated, narrow ones too, where SciPy's own inverses are rough."""

import itertools

import numpy as np
import pytest
from scipy import special

from simulator.engine.quantile_tables import log_quantile, quantile_table
from simulator.study.builders import LARGEST_SHAPE, LEAST_SHAPE

SHAPES = [LEAST_SHAPE, 0.3, 1, 30, 1000, 3000, 1e4, LARGEST_SHAPE]


@pytest.mark.parametrize("shape", [*itertools.product(SHAPES, repeat=2)], ids=str)
def test_any_beta_has_a_table(shape):
    assert len(quantile_table("beta", tuple(map(float, shape)))) <= 1024


@pytest.mark.parametrize("shape", SHAPES)
def test_any_gamma_has_a_table(shape):
    assert len(quantile_table("gamma", (float(shape),))) <= 1024


def test_quantiles_of_a_narrow_beta_lead_back():
    # One relative step of 1e-13 in q changes Φ(z) by up to 1e-11 here: the sd of log q is 3 %, and the tail is steep.
    z = np.linspace(-7, 0, 500)
    q = np.exp(log_quantile("beta", (1000.0, 10000.0), z))
    np.testing.assert_allclose(special.betainc(1000, 10000, q), special.ndtr(z), rtol=5e-11)

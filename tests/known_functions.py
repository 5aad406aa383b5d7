"""Functions whose sensitivities are known, of standard normals float64[…, inputs]; uniform inputs are Φ of those."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

G_COEFFICIENTS = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])


def ishigami(z):
    x = np.pi * (2 * ndtr(z) - 1)
    return np.sin(x[..., 0]) + 7 * np.sin(x[..., 1]) ** 2 + 0.1 * x[..., 2] ** 4 * np.sin(x[..., 0])


def sobol_g(z):
    return np.prod((np.abs(4 * ndtr(z) - 2) + G_COEFFICIENTS) / (1 + G_COEFFICIENTS), axis=-1)


def linear(z):
    """β = (1, 2), σ = (1, 3)."""
    return z @ np.array([1.0, 6.0])


def product_of_lognormals(z):
    """σ = .1, .2, .3."""
    return np.exp(z @ np.array([0.1, 0.2, 0.3]))

"""The cost of a million tokens from four factors, 10⁶ · rental_price / (3600 · throughput · utilization · factor).

Each package has a module with `run(trials)`, which draws, computes and gives the mean and seven percentiles as the package's own
users would have them, and `most_trials` where more than that would take too long.
"""

from __future__ import annotations

from typing import Any

RENTAL_PRICE = (2.0, 2.9, 4.0)  # USD/GPU/hour, triangular: low, mode, high
THROUGHPUT = (900.0, 0.15)  # token/s/GPU, lognormal: median, sd of the log
UTILIZATION = (8.0, 5.0)  # beta: alpha, beta
FACTOR = (0.6, 1.0)  # uniform: low, high
PERCENTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
PACKAGES = ("numpy", "openturns", "chaospy", "monaco", "squigglepy")

Answer = tuple[float, list[float]]  # mean, percentiles


def cost(rental_price: Any, throughput: Any, utilization: Any, factor: Any) -> Any:
    """USD for a million tokens; numbers or arrays."""
    return 1e6 * rental_price / (3600 * throughput * utilization * factor)

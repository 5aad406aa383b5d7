"""Studies whose costs are lognormal, and every statistic of a lognormal in closed form.

The cost of a rented platform is rental_price · 1e6 / (throughput · factors · utilization · 3600): a lognormal, where
its inputs are.
"""

from __future__ import annotations

import math
from statistics import NormalDist

NORMAL = NormalDist()
PERCENTILES = ("p5", "p10", "p25", "p50", "p75", "p90", "p95")


def lognormal(median, sigma):
    return {"distribution": "lognormal", "median": median, "sigma": sigma}


def rented(**inputs):
    return {"ownership": "rent", **inputs}


def study(shared, trials=65536, **platforms):
    return {"schema": 1, "simulation": {"trials": trials}, "shared": shared, "platforms": platforms}


def lognormal_statistics(median, sigma, more_is_better=False):
    """Every statistic that is reported, in closed form; the bad tail is the high one, or the low one."""
    mean, z = median * math.exp(sigma**2 / 2), NORMAL.inv_cdf(0.95)
    known = {name: median * math.exp(sigma * NORMAL.inv_cdf(float(name[1:]) / 100)) for name in PERCENTILES}
    tail = NORMAL.cdf(-z - sigma) if more_is_better else NORMAL.cdf(sigma - z)
    return {"mean": mean, "sd": mean * math.sqrt(math.expm1(sigma**2)), **known, "cvar95": mean * tail / 0.05}


def two_lognormals(sigma_shared, sigmas=(0.3, 0.2), shift=0.2):
    """Costs a and b, `shift` apart in logs, of which a shared factor brings `sigma_shared` to both."""
    def own(sigma):
        return math.sqrt(sigma**2 - sigma_shared**2)

    factor = lognormal(0.7, sigma_shared) if sigma_shared else 0.7
    return study({"utilization": 1, "throughput_factors": {"delivered_share": factor}},
                 a=rented(rental_price=lognormal(2, own(sigmas[0])), throughput=1000),
                 b=rented(rental_price=lognormal(2 * math.exp(shift), own(sigmas[1])), throughput=1000))


def regrets(median, sigmas, shift, sigma):
    """Expected regrets of a and b, whose logs are `shift` apart and whose log ratio has an sd of `sigma`.

    That of b is an option to exchange it for a (Margrabe 1978): E[(B − A)⁺].
    """
    a, b = median * math.exp(sigmas[0]**2 / 2), median * math.exp(shift + sigmas[1]**2 / 2)
    d = math.log(b / a) / sigma + sigma / 2
    of_b = b * NORMAL.cdf(d) - a * NORMAL.cdf(d - sigma)
    return of_b - (b - a), of_b

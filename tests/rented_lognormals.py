"""Studies of rented platforms whose log cost is linear in normals, and one with everything, for sensitivities."""

from __future__ import annotations

import studies

SAMPLERS = ("sobol", "latin_hypercube", "random", "antithetic")
PRICE, THROUGHPUT, FACTOR = "platforms.a.rental_price", "platforms.a.throughput", "shared.throughput_factors.delivered_share"


def lognormal(sigma, median=1.0):
    return {"distribution": "lognormal", "median": median, "sigma": sigma}


def study(shared, platforms, pairs=(), copula="gaussian", sampler="sobol"):
    """Rented platforms: cost is rental_price / (throughput · factors · utilization) but for a constant."""
    drawn = {"sampler": "random", "antithetic": True} if sampler == "antithetic" else {"sampler": sampler}
    return {"schema": 1, "simulation": {"seed": 5, "trials": 4096, **drawn}, "shared": {"utilization": 0.5, **shared},
            "platforms": {name: {"ownership": "rent", "rental_price": 2, "throughput": 900, **given}
                          for name, given in platforms.items()},
            "correlations": {"copula": copula, "pairs": [list(pair) for pair in pairs]}}


def product(**more):
    """σ = .1, .2, .3, on a's price and throughput, and on a factor."""
    return study({"throughput_factors": {"delivered_share": lognormal(0.3, 0.8)}},
                 {"a": {"rental_price": lognormal(0.1, 2), "throughput": lognormal(0.2, 900)}}, **more)


TRIPLE = {name: {"rental_price": lognormal(sigma)} for name, sigma in (("a", 0.1), ("b", 0.2), ("c", 0.3))}
PATHS = [f"platforms.{name}.rental_price" for name in TRIPLE]
PAIRS = [(PATHS[0], PATHS[1], 0.6), (PATHS[1], PATHS[2], -0.4), (PATHS[0], PATHS[2], 0.2)]


def whole():
    """Processes with jumps, failures of single GPUs, and inputs that depend on one another."""
    data = studies.study()
    median = {"distribution": "uniform", "low": 30, "high": 50}
    data["shared"]["energy_price"] = {**studies.PROCESS, "strike": 40, "median": median,
                                      "jumps": {"rate": 1.0, "mean": 0.3, "sd": 0.2}}
    data["platforms"]["a"] |= {"failure_rate": 0.05, "replacement_cost": 0.5, "fleet_size": 72}
    data["platforms"]["c"] = {**studies.BOUGHT, "energy_price": {**studies.PROCESS, "median": 60}}
    data["correlations"] = {"copula": {"family": "t", "degrees_of_freedom": 5}, "pairs": [
        ["shared.utilization", "platforms.a.throughput", -0.3], ["shared.energy_price", "platforms.c.energy_price", 0.5],
        ["shared.energy_price.median", "platforms.a.gpu_lifetime", 0.4]]}
    return data

"""The study that the benchmarks time, and what the slow statement of the model says of given inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy_model
from ruamel.yaml import YAML

STUDY = YAML(typ="safe").load((Path(__file__).parents[2] / "benchmarks" / "study.yaml").read_text())


def platform_inputs(rng, n):
    """Every input that does not move in time, drawn, by platform: {name: {input: [n]}}."""
    def drawn(inputs):
        found = {name: numpy_model._draw(rng, n, given) for name, given in numpy_model._named(inputs).items()
                 if not numpy_model._is_process(given)}
        factors = [found.pop(name) for name in list(found) if name.startswith("throughput_factors.")]
        return {**found, **({"throughput_factor": np.prod(factors, axis=0)} if factors else {})}

    shared = drawn(STUDY["shared"])
    return {name: {**shared, **drawn(platform)} for name, platform in STUDY["platforms"].items()}


def price_paths(shocks):
    """The price of energy in each month, [n, months], from standard normals [months, n]."""
    process = STUDY["shared"]["energy_price"]
    kappa, sigma, mu = process["reversion_rate"], process["volatility"], np.log(process["median"])
    x, paid = np.full(shocks.shape[1], mu), np.empty(shocks.shape[::-1])
    for t, shock in enumerate(shocks):
        x = mu + (x - mu) * np.exp(-kappa / 12) + sigma * np.sqrt((1 - np.exp(-kappa / 6)) / (2 * kappa)) * shock
        strike = np.exp(mu + sigma**2 / (4 * kappa))
        paid[:, t] = process["delivery"] + process["hedged_share"] * strike + (1 - process["hedged_share"]) * np.exp(x)
    return paid


def reference_results(name, inputs, shocks):
    """What `numpy_model` makes of one platform's inputs."""
    given = dict(inputs[name])
    given["throughput_factors.all"] = given.pop("throughput_factor")
    n = shocks.shape[1]
    neutral = {key: np.full(n, float(value)) for key, value in numpy_model.NEUTRAL.items() if key not in given}
    x = {**neutral, **given, "energy_price": price_paths(shocks)}
    return numpy_model.one_platform(x, STUDY["platforms"][name], STUDY["simulation"]["horizon"], np.random.default_rng(1))

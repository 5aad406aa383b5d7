"""What tco is timed against computes what tco computes: NumPy and C held against its single trials, NumPy against its results.

Single trials are equal where the price of energy does not move, since nobody shares the shocks of a price that does; that such a
price is the same in distribution is held on whole runs here, and in equal shocks in test_careful_numpy.py.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
from benchmark_study import STUDY

import simulator
from benchmarks import careful_numpy
from benchmarks.measuring import STUDY as FILE
from benchmarks.reference import CHUNK, NotCompiledError, Reference

QUANTITIES = (*careful_numpy.OUTPUTS, *careful_numpy.PARTS)
PLATFORMS = tuple(STUDY["platforms"])
STILL = copy.deepcopy(STUDY)
STILL["shared"]["energy_price"]["volatility"] = 0.0


@pytest.fixture(scope="module")
def sample():
    """Single trials of tco, 512 of them, at a price of energy that does not move."""
    chosen = ("simulation.trials=8192", "simulation.replicates=16", "shared.energy_price.volatility=0")
    return simulator.run(simulator.load(FILE, overrides=chosen)).sample


@pytest.fixture(scope="module")
def whole():
    """All results of tco, the price moving."""
    return simulator.run(simulator.load(FILE, overrides=["simulation.trials=65536"]))


@pytest.fixture(scope="module")
def trials():
    """Trials of NumPy's own, the price moving."""
    return careful_numpy.simulate(STUDY, 1 << 16, np.random.default_rng(9))


def inputs_of(sample, platform):
    """Inputs of a platform's trials, by name, those of the price left out."""
    found = {path.split(".")[-1]: values for path, values in sample.inputs.items()
             if path.startswith((f"platforms.{platform}.", "shared.")) and "energy_price" not in path}
    return {**found, "throughput_factor": found.pop("delivered")}


def test_numpy_makes_the_trials_of_tco(sample):
    found = careful_numpy.results_of(STILL, {name: inputs_of(sample, name) for name in PLATFORMS}, lambda room: room.fill(0))
    for position, name in enumerate(PLATFORMS):
        for quantity in QUANTITIES:
            wanted = sample.outputs[position, quantity]
            np.testing.assert_allclose(found[name][quantity], wanted, rtol=1e-9, err_msg=f"{name} {quantity}")


def test_c_makes_the_trials_of_tco(sample, tmp_path):
    drawn = {name: inputs_of(sample, name) for name in PLATFORMS}
    for trial in range(0, 512, 32):
        fixed = copy.deepcopy(STILL)
        for place in (fixed["shared"], *fixed["platforms"].values()):
            place.pop("throughput_factors", None)
        for name, inputs in drawn.items():
            own = {key: float(values[trial]) for key, values in inputs.items()}
            fixed["shared"] |= {key: own.pop(key) for key in STUDY["shared"] if key in own}
            fixed["platforms"][name] |= {**own, "throughput_factors": {"delivered": own["throughput_factor"]}}
        try:
            told = Reference(fixed, tmp_path).run(CHUNK, threads=1)
        except NotCompiledError as error:
            pytest.skip(str(error))
        for position, name in enumerate(PLATFORMS):
            for quantity in QUANTITIES:
                assert told.means[name, quantity] == pytest.approx(sample.outputs[position, quantity][trial], rel=1e-9), quantity


@pytest.mark.parametrize("name", PLATFORMS)
def test_means_of_tco_are_those_of_numpy(whole, trials, name):
    for quantity in QUANTITIES:
        told = f"parts.{quantity}" if quantity in careful_numpy.PARTS else quantity
        found, x = whole.estimate(name, told, "mean"), trials[name, quantity]
        error = np.hypot(found.standard_error, x.std() / np.sqrt(x.size))
        assert found.value == pytest.approx(x.mean(), abs=4.5 * error), quantity


@pytest.mark.parametrize(("owner", "quantity"), [*((name, output) for name in PLATFORMS for output in careful_numpy.OUTPUTS),
                                                 ("b/a", "ratio")])
def test_percentiles_of_tco_are_those_of_numpy(whole, trials, owner, quantity):
    x = np.sort(trials[owner, quantity])
    for p in careful_numpy.PERCENTILES:
        share = np.searchsorted(x, whole.estimate(owner, quantity, f"p{100 * p:g}").value) / x.size
        # tco's own error, of Sobol' points, is no more than that of as many plain trials.
        assert share == pytest.approx(p, abs=4.5 * np.sqrt(2 * p * (1 - p) / x.size))

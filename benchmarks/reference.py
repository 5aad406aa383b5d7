"""`reference.c` compiled and called: the same study as a serious program in C, with OpenMP and glibc's vectorised libm."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.careful_numpy import OUTPUTS, PARTS, PERCENTILES

Array = np.ndarray[Any, np.dtype[np.float64]]
SOURCE = Path(__file__).parent / "reference.c"
CHUNK = 1024  # trials: those asked for are a multiple of it
FLAGS = ("-O3", "-march=native", "-fopenmp", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-shared", "-fPIC")
LIBRARIES = ("-lmvec", "-lm")

SHARED = ("utilization", "discount_rate", "throughput_degradation")
# In the order of the C program; "" is the one factor of throughput.
OWN = ("gpu_lifetime", "throughput", "", "software_gain", "software_gain_time", "deployment_time", "utilization_ramp",
       "availability", "power", "idle_power_fraction", "pue", "capex", "facility_capex", "facility_lifetime", "hosting_price",
       "hosting_escalation", "opex", "maintenance_rate", "failure_rate", "replacement_cost", "warranty", "residual_value",
       "residual_decay", "peak_flops")
PROCESS = ("reversion_rate", "volatility", "median", "delivery", "hedged_share")
_CONSTANT, _UNIFORM, _TRIANGULAR, _LOGNORMAL, _TABULATED = range(5)
_TABLE, _REACH = 512, 7.04  # intervals of a table, over ±7.04 of the standard normal
_INPUT = np.dtype([("family", np.int64), ("parameters", np.float64, 3)])


class NotCompiledError(RuntimeError):
    """No compiler, or one that does not take the program."""


def compiler() -> str:
    """The C compiler at hand. Raises NotCompiledError."""
    found = next((path for name in ("gcc", "cc", "clang") if (path := shutil.which(name))), None)
    if found is None:
        raise NotCompiledError("no C compiler: looked for gcc, cc and clang")
    return found


def _compiled(folder: Path) -> ctypes.CDLL:
    """The program as a library in a folder, compiled where it is not there yet. Raises NotCompiledError."""
    library = folder / "reference.so"
    if library.exists():
        return ctypes.CDLL(str(library))
    done = subprocess.run([compiler(), *FLAGS, "-o", str(library), str(SOURCE), *LIBRARIES], capture_output=True, text=True)
    if done.returncode:
        raise NotCompiledError(f"{compiler()} stopped: {(done.stderr.strip() or 'no word why').splitlines()[0]}")
    return ctypes.CDLL(str(library))


def _table(given: Mapping[str, Any]) -> tuple[Array, float, float]:
    """Cubics of a standard quantile function over the normal, float64[_TABLE, 4], with its offset and scale."""
    from scipy import special

    z = np.linspace(-_REACH, _REACH, _TABLE + 1)
    nodes = 0.5 - 0.5 * np.cos(np.pi * (np.arange(4) + 0.5) / 4)
    points = z[:-1, None] + nodes * (z[1] - z[0])
    low, high = special.ndtr(points), special.ndtr(-points)
    if given["distribution"] == "gamma":
        offset, scale = 0.0, given["scale"]
        values = np.where(points < 0, special.gammaincinv(given["shape"], low), special.gammainccinv(given["shape"], high))
    else:
        alpha, beta, offset, scale = given.get("alpha"), given.get("beta"), 0.0, 1.0
        if given["distribution"] == "pert":
            offset, scale = given["low"], given["high"] - given["low"]
            alpha, beta = 1 + 4 * (given["mode"] - offset) / scale, 1 + 4 * (given["high"] - given["mode"]) / scale
        values = np.where(points < 0, special.betaincinv(alpha, beta, low), special.betainccinv(alpha, beta, high))
    return np.linalg.solve(np.vander(nodes, increasing=True), values.T).T, float(offset), float(scale)


@dataclass(frozen=True)
class Told:
    """What a run gives, by platform (or pair) and quantity: means of all; of ranked rows the sd, percentiles, worst 5 %."""

    means: dict[tuple[str, str], float]
    sds: dict[tuple[str, str], float]
    percentiles: dict[tuple[str, str], Array]
    worst: dict[tuple[str, str], float]


class Reference:
    """The program with a study's inputs."""

    def __init__(self, study: Mapping[str, Any], folder: Path) -> None:
        """Compile it into a folder, once. Raises NotCompiledError."""
        self._library, self._study = _compiled(folder), study
        tables: list[Array] = []
        inputs = [_input(study["shared"][name], tables) for name in SHARED]
        for platform in study["platforms"].values():
            (factor,) = platform["throughput_factors"].values()
            inputs += [_input(platform[name] if name else factor, tables) for name in OWN]
        self._inputs, self._tables = np.array(inputs, _INPUT), np.ascontiguousarray(tables)
        process = study["shared"]["energy_price"]
        self._process = np.array([*(process[name] for name in PROCESS), study["simulation"]["horizon"]], float)
        self._rows = np.empty(0)

    @cached_property
    def ranked(self) -> tuple[tuple[str, str], ...]:
        """Platform (or pair) and quantity of each ranked row."""
        first, second = self._study["platforms"]
        return ((f"{second}/{first}", "ratio"), *((name, output) for name in (first, second) for output in OUTPUTS))

    @cached_property
    def _others(self) -> tuple[tuple[str, str], ...]:
        first, second = self._study["platforms"]
        of_platforms = ((name, quantity) for name in (first, second) for quantity in (*PARTS, "present_cost", "present_tokens"))
        return (*of_platforms, (f"{second}/{first}", "cheaper"), (first, "cheapest"), (second, "cheapest"),
                (first, "regret"), (second, "regret"))

    def run(self, trials: int, threads: int, seed: int = 1, statistics: bool = True) -> Told:
        """Simulate a multiple of CHUNK trials; without statistics only the means of what is not ranked are told."""
        if self._rows.size < trials * len(self.ranked):
            self._rows = np.ones(trials * len(self.ranked))  # touched, so that no later run pays for its pages
        means, moments = np.empty(len(self._others)), np.empty((len(self.ranked), 2))
        quantiles = np.empty((len(self.ranked), len(PERCENTILES) + 1))
        self._library.omp_set_num_threads(threads)
        given = (array.ctypes.data_as(ctypes.c_void_p) for array in (self._inputs, self._tables, self._process))
        filled = (array.ctypes.data_as(ctypes.c_void_p) for array in (self._rows, means, moments, quantiles))
        self._library.run(ctypes.c_int64(trials), ctypes.c_uint64(seed), *given, int(statistics), *filled)
        told = dict(zip(self._others, means.tolist(), strict=True))
        if not statistics:
            return Told(told, {}, {}, {})
        return Told(told | dict(zip(self.ranked, moments[:, 0].tolist(), strict=True)),
                    dict(zip(self.ranked, moments[:, 1].tolist(), strict=True)),
                    dict(zip(self.ranked, quantiles[:, :-1], strict=True)),
                    dict(zip(self.ranked, quantiles[:, -1].tolist(), strict=True)))

    def row(self, owner: str, quantity: str, trials: int) -> Array:
        """A ranked row of the last run, of that many trials [trials]."""
        at = self.ranked.index((owner, quantity))
        return self._rows[at * trials:(at + 1) * trials]


def _input(given: Any, tables: list[Array]) -> tuple[int, tuple[float, float, float]]:
    """An input as the program reads it; a table that it needs is added to `tables`."""
    if not isinstance(given, Mapping):
        return _CONSTANT, (float(given), 0.0, 0.0)
    if given["distribution"] == "uniform":
        return _UNIFORM, (given["low"], given["high"], 0.0)
    if given["distribution"] == "triangular":
        return _TRIANGULAR, (given["low"], given["mode"], given["high"])
    if given["distribution"] == "lognormal":
        return _LOGNORMAL, (given["median"], given["sigma"], 0.0)
    table, offset, scale = _table(given)
    tables.append(table)
    return _TABULATED, (len(tables) - 1, offset, scale)

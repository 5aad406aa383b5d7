"""The one place where a study becomes numbers: `Study` to the arrays that the kernels take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from simulator.engine.addresses import dimensions, stream
from simulator.engine.quantile_tables import mixture_table, quantile_table
from simulator.engine.sobol_directions import direction_numbers
from simulator.kernels import cost, distributions
from simulator.kernels.processes import PROCESS_ROWS, bridge_nodes
from simulator.kernels.trajectories import Plan
from simulator.quantities import INPUT
from simulator.study import metalog
from simulator.study.families import Marginal
from simulator.study.model import Input, Platform, Process, Study
from simulator.units import MONTHS

_CODES = {"constant": distributions.CONSTANT, "uniform": distributions.UNIFORM, "triangular": distributions.TRIANGULAR,
          "normal": distributions.NORMAL, "truncated_normal": distributions.TRUNCATED_NORMAL,
          "lognormal": distributions.LOGNORMAL, "weibull": distributions.WEIBULL, "exponential": distributions.EXPONENTIAL}


@dataclass(frozen=True)
class Compiled:
    """A study ready to run.

    plan        arrays for the kernels
    rows        what each row of `values` is: the path of the input, or "" for a constant that stands for nothing given
    dimensions  the Sobol' dimension of each column in use, and the stream that scrambles it and its index there
    """

    plan: Plan
    rows: tuple[str, ...]
    sobol_dimensions: tuple[int, ...]
    sobol_streams: np.ndarray[Any, np.dtype[np.uint64]]
    sobol_indices: np.ndarray[Any, np.dtype[np.int64]]

    def columns(self, bits: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """Direction numbers of the dimensions in use, uint64[dimensions, bits]."""
        return np.array([_columns(dimension, bits) for dimension in self.sobol_dimensions],
                        dtype=np.uint64).reshape(len(self.sobol_dimensions), bits)


@lru_cache(maxsize=8192)
def _columns(dimension: int, bits: int) -> tuple[int, ...]:
    return tuple(int(word) for word in direction_numbers(dimension, bits))


class _Rows:
    """Rows of `values` under construction: one a path, with its marginal as the kernels know it."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.family: list[int] = []
        self.parameters: list[list[float]] = []
        self.tables: list[np.ndarray[Any, np.dtype[np.float64]]] = [np.zeros((1, distributions.TABLE_DEGREE + 1))]
        self.by_path: dict[str, int] = {}

    def constant(self, value: float) -> int:
        """A row that holds a number the study does not give."""
        return self._add("", distributions.CONSTANT, [value])

    def given(self, path: str, marginal: Marginal) -> int:
        """The row of an input, made where it is new."""
        if path not in self.by_path:
            self.by_path[path] = self._add(path, *self._coded(marginal))
        return self.by_path[path]

    def _add(self, path: str, family: int, parameters: Sequence[float]) -> int:
        self.paths.append(path)
        self.family.append(family)
        self.parameters.append([*parameters, *[0.0] * (distributions.PARAMETERS - len(parameters))])
        return len(self.paths) - 1

    def _table(self, table: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
        first = sum(len(part) for part in self.tables)
        self.tables.append(table)
        return [float(first), float(len(table))]

    def _coded(self, marginal: Marginal) -> tuple[int, list[float]]:
        p = marginal.parameters
        if marginal.family == "beta":
            return distributions.LOG_TABLE, [*self._table(quantile_table("beta", p[:2])), p[2], p[3] - p[2]]
        if marginal.family == "gamma":
            return distributions.LOG_TABLE, [*self._table(quantile_table("gamma", p[:1])), 0.0, p[1]]
        if marginal.family == "mixture":
            first, rows = self._table(mixture_table(marginal))
            return distributions.PIECEWISE, [first, rows - 1]
        if marginal.family == "metalog":
            low, high, *coefficients = p
            table = np.zeros((2, distributions.TABLE_DEGREE + 1))
            for row, polynomial in zip(table, metalog.polynomials(coefficients), strict=True):
                row[: len(polynomial)] = polynomial
            bounds = (low > -np.inf) * distributions.BOUNDED_BELOW + (high < np.inf) * distributions.BOUNDED_ABOVE
            return distributions.METALOG, [self._table(table)[0], float(bounds), *np.nan_to_num([low, high], neginf=0, posinf=0)]
        if marginal.family == "empirical":
            values = np.zeros((-(-len(p) // 8), 8))
            values.ravel()[: len(p)] = p
            return distributions.EMPIRICAL, [self._table(values)[0], float(len(p))]
        if marginal.family == "discrete":
            count = len(p) // 2
            table = np.zeros((count, distributions.TABLE_DEGREE + 1))
            table[:, 0], table[:, 1] = p[:count], p[count:]
            return distributions.DISCRETE, self._table(table)
        return _CODES[marginal.family], list(p)


def compile_study(study: Study, wanted: Sequence[tuple[int, int]], pairs: Sequence[tuple[int, int]]) -> Compiled:
    """Turn a study into a plan.

    wanted  (platform's position, output of `kernels.cost`) of each result row; pairs of platforms' positions
    """
    rows = _Rows()
    missing = rows.constant(float("nan"))
    markets: dict[str, tuple[list[int], list[int]]] = {}
    platform_rows = [[_input_row(rows, platform, name, missing, markets) for name in cost.INPUT_ROWS]
                     for platform in study.platforms]
    factors = [[rows.given(factor.path, _marginal(factor)) for factor in platform.factors] for platform in study.platforms]
    widest = max((len(found) for found in factors), default=0)
    market_paths = list(markets)
    drawn = [row for row, family in enumerate(rows.family) if family != distributions.CONSTANT]
    placed = dimensions([rows.paths[row] for row in drawn], market_paths)

    row_dimension = np.full(len(rows.paths), -1, np.int64)
    row_dimension[drawn] = np.arange(len(drawn))
    row_stream = np.array([stream(path) for path in rows.paths], np.uint64)
    market_stream = np.array([stream(path) for path in market_paths], np.uint64)
    market_first = len(drawn) + MONTHS * np.arange(len(market_paths), dtype=np.int64)
    sobol = [placed[rows.paths[row]] for row in drawn] + [placed[path] + k for path in market_paths for k in range(MONTHS)]

    def market_of(platform: Platform, name: str) -> int:
        given = platform.inputs.get(name)
        return market_paths.index(given.path) if given and isinstance(given.value, Process) else -1

    plan = Plan(
        family=np.array(rows.family, np.int64), parameters=np.array(rows.parameters), tables=np.concatenate(rows.tables),
        stream=row_stream, dimension=row_dimension,
        market_rows=np.array([found for found, _ in markets.values()], np.int64).reshape(-1, len(PROCESS_ROWS)),
        market_flags=np.array([flags for _, flags in markets.values()], np.int64).reshape(-1, 2),
        market_stream=market_stream, market_dimension=market_first, nodes=bridge_nodes(),
        platform_rows=np.array(platform_rows, np.int64),
        factor_rows=np.array([[*found, *[-1] * (widest - len(found))] for found in factors],
                             np.int64).reshape(len(factors), widest),
        features=np.array([_features(platform) for platform in study.platforms], np.int64),
        energy_market=np.array([market_of(platform, "energy_price") for platform in study.platforms], np.int64),
        rental_market=np.array([market_of(platform, "rental_price") for platform in study.platforms], np.int64),
        wanted=np.array(wanted, np.int64).reshape(-1, 2), pairs=np.array(pairs, np.int64).reshape(-1, 2),
        horizon=study.simulation.horizon)
    return Compiled(
        plan, tuple(rows.paths), tuple(sobol),
        np.concatenate([row_stream[drawn], np.repeat(market_stream, MONTHS)]),
        np.concatenate([np.zeros(len(drawn), np.int64), np.tile(np.arange(MONTHS, dtype=np.int64), len(market_paths))]))


def _marginal(given: Input) -> Marginal:
    assert isinstance(given.value, Marginal)
    return given.value


def _input_row(rows: _Rows, platform: Platform, name: str, missing: int,
               markets: dict[str, tuple[list[int], list[int]]]) -> int:
    """The row of one input of a platform; a process becomes a market, with a row for each of its parameters."""
    given = platform.inputs.get(name)
    if given is None:
        neutral = INPUT[name].neutral
        return missing if neutral is None else rows.constant(neutral)
    if isinstance(given.value, Marginal):
        return rows.given(given.path, given.value)
    if given.path not in markets:
        parameters = given.value.parameters()
        markets[given.path] = (
            [rows.given(f"{given.path}.{part}", parameters[part]) if part in parameters else missing for part in PROCESS_ROWS],
            [int("start" in parameters), int("strike" in parameters)])
    return missing


def _features(platform: Platform) -> int:
    """What the platform's months need, as bits for the kernel."""
    def moves(name: str) -> bool:
        return name in platform.inputs and isinstance(platform.inputs[name].value, Process)

    bits = cost.RENTED if platform.ownership == "rent" else 0
    for name, bit in (("utilization_ramp", cost.HAS_RAMP), ("software_gain", cost.HAS_GAIN),
                      ("hosting_escalation", cost.HAS_ESCALATION), ("warranty", cost.HAS_WARRANTY),
                      ("facility_capex", cost.HAS_FACILITY)):
        bits |= bit if name in platform.inputs else 0
    return bits | (cost.ENERGY_MOVES if moves("energy_price") else 0) | (cost.RENT_MOVES if moves("rental_price") else 0)

"""The one place where a study becomes numbers: `Study` to the arrays that the kernels take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from simulator.engine.addresses import dimensions, stream
from simulator.engine.quantile_tables import mixture_table, quantile_table, student_table
from simulator.engine.sobol_directions import direction_numbers
from simulator.kernels import distributions, processes
from simulator.kernels import platform as layout
from simulator.kernels.trajectories import Plan
from simulator.quantities import INPUT, WITH_REPLACEMENT, WORDS
from simulator.study import metalog
from simulator.study.correlations import cholesky
from simulator.study.families import Marginal, constant
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
    markets     the path of each process, in the order of the plan
    dimensions  the Sobol' dimension of each column in use, and the stream that scrambles it and its index there
    """

    plan: Plan
    rows: tuple[str, ...]
    markets: tuple[str, ...]
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
        self.nameless: set[int] = set()

    def constant(self, value: float) -> int:
        """A row that holds a number the study does not give."""
        return self._add("", distributions.CONSTANT, [value])

    def hidden(self, path: str, marginal: Marginal) -> int:
        """A row that is drawn like an input but is none."""
        self.by_path[path] = self._add(path, *self._coded(marginal))
        self.nameless.add(self.by_path[path])
        return self.by_path[path]

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

    def table(self, table: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
        first = sum(len(part) for part in self.tables)
        self.tables.append(table)
        return [float(first), float(len(table))]

    def _coded(self, marginal: Marginal) -> tuple[int, list[float]]:
        p = marginal.parameters
        if marginal.family == "beta":
            return distributions.LOG_TABLE, [*self.table(quantile_table("beta", p[:2])), p[2], p[3] - p[2]]
        if marginal.family == "gamma":
            return distributions.LOG_TABLE, [*self.table(quantile_table("gamma", p[:1])), 0.0, p[1]]
        if marginal.family == "mixture":
            first, rows = self.table(mixture_table(marginal))
            return distributions.PIECEWISE, [first, rows - 1]
        if marginal.family == "metalog":
            low, high, *coefficients = p
            table = np.zeros((2, distributions.TABLE_DEGREE + 1))
            for row, polynomial in zip(table, metalog.polynomials(coefficients), strict=True):
                row[: len(polynomial)] = polynomial
            bounds = (low > -np.inf) * distributions.BOUNDED_BELOW + (high < np.inf) * distributions.BOUNDED_ABOVE
            return distributions.METALOG, [self.table(table)[0], float(bounds), *np.nan_to_num([low, high], neginf=0, posinf=0)]
        if marginal.family == "empirical":
            values = np.zeros((-(-len(p) // 8), 8))
            values.ravel()[: len(p)] = p
            return distributions.EMPIRICAL, [self.table(values)[0], float(len(p))]
        if marginal.family == "discrete":
            count = len(p) // 2
            table = np.zeros((count, distributions.TABLE_DEGREE + 1))
            table[:, 0], table[:, 1] = p[:count], p[count:]
            return distributions.DISCRETE, self.table(table)
        return _CODES[marginal.family], list(p)


def compile_study(study: Study, wanted: Sequence[tuple[int, int]], pairs: Sequence[tuple[int, int]]) -> Compiled:
    """Turn a study into a plan.

    wanted  (platform's position, output of `kernels.platform`) of each result row; pairs of platforms' positions
    """
    rows = _Rows()
    missing = rows.constant(float("nan"))
    platform_rows = [[_input_row(rows, platform, name, missing) for name in layout.INPUT_ROWS] for platform in study.platforms]
    factors = [[rows.given(factor.path, _marginal(factor)) for factor in platform.factors] for platform in study.platforms]
    widest = max((len(found) for found in factors), default=0)
    moving = {path: given.value for path, given in study.inputs().items() if isinstance(given.value, Process)}
    # One that others depend on is drawn even where no platform pays it any more, so that leaving out a platform moves no draw.
    markets = {path: moving.get(path) for path in sorted({*moving, *study.correlations.shocks.members})}
    inflation = study.platforms[0].inputs.get("inflation")
    inflation_row = rows.given(inflation.path, _marginal(inflation)) if inflation else missing
    market_rows = [[_parameter_row(rows, path, process, name, missing, inflation_row) for name in processes.PROCESS_ROWS]
                   for path, process in markets.items()]
    copula = _copula(study, rows)
    market_paths = list(markets)
    members = set(copula.rows)
    drawn = [row for row, family in enumerate(rows.family) if family != distributions.CONSTANT or row in members]
    placed = dimensions([rows.paths[row] for row in drawn], market_paths)

    row_dimension = np.full(len(rows.paths), -1, np.int64)
    row_dimension[drawn] = np.arange(len(drawn))
    row_stream = np.array([stream(path) for path in rows.paths], np.uint64)
    market_stream = np.array([stream(path) for path in market_paths], np.uint64)
    sobol = [placed[rows.paths[row]] for row in drawn] + [placed[path] + k for path in market_paths for k in range(MONTHS)]

    def market_of(platform: Platform, name: str) -> int:
        given = platform.inputs.get(name)
        return market_paths.index(given.path) if given and isinstance(given.value, Process) else -1

    def each_platform(value: Callable[[Platform], int]) -> Any:
        return np.array([value(platform) for platform in study.platforms], np.int64)

    plan = Plan(
        family=np.array(rows.family, np.int64), parameters=np.array(rows.parameters), tables=np.concatenate(rows.tables),
        stream=row_stream, dimension=row_dimension, member=_places(copula.rows, len(rows.paths)),
        copula_rows=np.array(copula.rows, np.int64), copula_factor=copula.factor,
        chi_squared_row=np.array(copula.chi_squared, np.int64), degrees=study.correlations.degrees, student=copula.student,
        market_rows=np.array(market_rows, np.int64).reshape(-1, len(processes.PROCESS_ROWS)),
        market_flags=np.array([_flags(process, bool(inflation)) for process in markets.values()], np.int64),
        market_stream=market_stream, jump_stream=np.array([stream(f"{path}.jumps") for path in market_paths], np.uint64),
        market_dimension=len(drawn) + MONTHS * np.arange(len(market_paths), dtype=np.int64),
        market_factor=_shock_factor(study, market_paths), nodes=processes.bridge_nodes(),
        platform_rows=np.array(platform_rows, np.int64),
        factor_rows=np.array([[*found, *[-1] * (widest - len(found))] for found in factors],
                             np.int64).reshape(len(factors), widest),
        features=each_platform(_features),
        schedule=each_platform(lambda platform: WORDS["depreciation"].index(platform.depreciation)),
        token_mix=np.array([platform.token_mix or (0.0, 0.0) for platform in study.platforms]),
        failure_stream=np.array([stream(f"platforms.{platform.name}.failures") for platform in study.platforms], np.uint64),
        energy_market=each_platform(lambda platform: market_of(platform, "energy_price")),
        rental_market=each_platform(lambda platform: market_of(platform, "rental_price")),
        token_market=each_platform(lambda platform: market_of(platform, "token_price")),
        wanted=np.array(wanted, np.int64).reshape(-1, 2), pairs=np.array(pairs, np.int64).reshape(-1, 2),
        horizon=study.simulation.horizon)
    return Compiled(
        plan, tuple("" if row in rows.nameless else path for row, path in enumerate(rows.paths)), tuple(market_paths),
        tuple(sobol), np.concatenate([row_stream[drawn], np.repeat(market_stream, MONTHS)]),
        np.concatenate([np.zeros(len(drawn), np.int64), np.tile(np.arange(MONTHS, dtype=np.int64), len(market_paths))]))


def _marginal(given: Input) -> Marginal:
    assert isinstance(given.value, Marginal)
    return given.value


# Where an input that is left out takes the value of another one.
_AS_ANOTHER = {"depreciation_life": "gpu_lifetime", "cached_input_token_price": "input_token_price"}


def _input_row(rows: _Rows, platform: Platform, name: str, missing: int) -> int:
    """The row of one input of a platform; of a process, which has rows for its parameters, there is none."""
    given = platform.inputs.get(name) or platform.inputs.get(_AS_ANOTHER.get(name, ""))
    if given is None:
        neutral = INPUT[name].neutral
        return missing if neutral is None else rows.constant(neutral)
    return rows.given(given.path, given.value) if isinstance(given.value, Marginal) else missing


def _parameter_row(rows: _Rows, path: str, process: Process | None, name: str, missing: int, inflation: int) -> int:
    if process is None:
        return missing
    if name == "inflation":
        return inflation
    if name == "start" and process.starts_anywhere:
        return rows.hidden(f"{path}.start", Marginal("normal", (0.0, 1.0)))
    return rows.given(f"{path}.{name}", process.parameters[name]) if name in process.parameters else missing


def _flags(process: Process | None, inflation: bool) -> int:
    """What a process has, as bits for the kernel."""
    if process is None:
        return 0
    given = process.parameters
    return ((processes.HAS_START if "start" in given else 0) | (processes.HAS_STATIONARY_START if process.starts_anywhere else 0)
            | (processes.HAS_JUMPS if process.has_jumps else 0) | (processes.HAS_STRIKE if "strike" in given else 0)
            | (processes.IS_DEFLATED if "strike" in given and inflation else 0))


@dataclass(frozen=True)
class _Copula:
    """Rows of the members, the factor of their correlations, the row of each one's χ², the table of Student's t."""

    rows: list[int]
    factor: Any
    chi_squared: list[int]
    student: Any


def _copula(study: Study, rows: _Rows) -> _Copula:
    stated = study.correlations
    # As with markets: a member of a platform that was left out is drawn, and read by nobody.
    members = [rows.by_path[path] if path in rows.by_path else rows.hidden(path, constant(0.0)) for path in stated.inputs.members]
    factor = cholesky(stated.inputs.matrix) if members else np.zeros((0, 0))
    if not stated.degrees or not members:
        return _Copula(members, factor, [-1] * len(members), np.zeros(3))
    of_group: dict[str, int] = {}
    for linked in stated.linked:
        row = rows.hidden(f"correlations.chi_squared.{linked[0]}", Marginal("gamma", (stated.degrees / 2, 2.0)))
        of_group |= dict.fromkeys(linked, row)
    table, farthest = student_table(stated.degrees)
    return _Copula(members, factor, [of_group[path] for path in stated.inputs.members], np.array([*rows.table(table), farthest]))


def _places(chosen: Sequence[int], count: int) -> Any:
    """The position of each row among those chosen, −1 where it is not: int64[count]."""
    found = np.full(count, -1, np.int64)
    found[list(chosen)] = np.arange(len(chosen))
    return found


def _shock_factor(study: Study, market_paths: Sequence[str]) -> Any:
    """Factor of the correlations of monthly shocks, float64[markets, markets]; independent where none are stated."""
    matrix = np.eye(len(market_paths))
    group = study.correlations.shocks
    places = [market_paths.index(path) for path in group.members]
    if places:
        matrix[np.ix_(places, places)] = group.matrix
    return cholesky(matrix)


def _features(platform: Platform) -> int:
    """What the platform's months need, as bits for the kernel."""
    def moves(name: str) -> bool:
        return name in platform.inputs and isinstance(platform.inputs[name].value, Process)

    def nominal(name: str) -> bool:
        return name in platform.inputs and platform.inputs[name].is_nominal

    given = {name: name in platform.inputs for name in layout.INPUT_ROWS}
    fixed = given["contract_term"] or (given["rental_price"] and not moves("rental_price") and given["inflation"])
    retires = platform.attrition != WITH_REPLACEMENT and given["failure_rate"]
    bits = {
        layout.RENTED: platform.ownership == "rent", layout.HAS_RAMP: given["utilization_ramp"],
        layout.HAS_GAIN: given["software_gain"], layout.HAS_ESCALATION: given["hosting_escalation"],
        layout.HAS_WARRANTY: given["warranty"], layout.HAS_FACILITY: given["facility_capex"],
        layout.ENERGY_MOVES: moves("energy_price"), layout.RENT_MOVES: moves("rental_price"),
        layout.TOKEN_PRICE_MOVES: moves("token_price"), layout.HAS_TOKEN_PRICE: platform.has_token_price,
        layout.HAS_DECLINE: given["token_price_decline"], layout.HAS_TAX: given["tax_rate"], layout.RENT_IS_FIXED: fixed,
        layout.HAS_TERM: given["contract_term"], layout.HAS_FLEET: given["fleet_size"] and given["failure_rate"],
        layout.RETIRES: retires, layout.NOMINAL_DISCOUNT: nominal("discount_rate"),
        layout.NOMINAL_ESCALATION: nominal("hosting_escalation"), layout.NOMINAL_DECLINE: nominal("token_price_decline"),
        layout.TOKEN_PRICES_APART: given["output_token_price"]}
    return sum(bit for bit, holds in bits.items() if holds)

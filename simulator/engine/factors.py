"""The uncertain things of a compiled study, one by one: what sensitivities are sensitivities to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.engine.parameters import Compiled
from simulator.kernels.distributions import CONSTANT
from simulator.kernels.platform import HAS_FLEET
from simulator.kernels.processes import INFLATION
from simulator.quantities import GROUP_OF
from simulator.study.model import Process, Study


@dataclass(frozen=True)
class Factor:
    """One uncertain input, with all that is drawn for it.

    path      of the input; a whole process with all its months and parameters is one input
    group     of `quantities.GROUPS`
    rows      its rows of `Plan`; of a process those of its uncertain parameters
    market    the process's position among the markets, else −1
    platform  whose failures of single GPUs it is (path `platforms.NAME.failures`), else −1
    """

    path: str
    group: str
    rows: tuple[int, ...]
    market: int = -1
    platform: int = -1


def factors(study: Study, compiled: Compiled) -> tuple[Factor, ...]:
    """Every uncertain input that the platforms use, in the order of their paths."""
    return tuple(sorted(_factors(study, compiled), key=lambda factor: factor.path))


def _factors(study: Study, compiled: Compiled) -> Iterator[Factor]:
    plan = compiled.plan
    uncertain = np.flatnonzero(plan.family != CONSTANT)
    of_market: dict[int, int] = {}
    for market, rows in enumerate(plan.market_rows):
        of_market |= {int(row): market for place, row in enumerate(rows) if place != INFLATION}
    for row in uncertain:
        if compiled.rows[row] and row not in of_market:
            yield Factor(compiled.rows[row], _group(compiled.rows[row]), (int(row),))
    paid = {path: given for path, given in study.inputs().items() if isinstance(given.value, Process)}
    for market, path in enumerate(compiled.markets):
        if path in paid:
            rows = tuple(int(row) for row in uncertain if of_market.get(int(row)) == market)
            yield Factor(path, GROUP_OF[paid[path].quantity.name], rows, market=market)
    for position, platform in enumerate(study.platforms):
        if plan.features[position] & HAS_FLEET:
            yield Factor(f"platforms.{platform.name}.failures", GROUP_OF["failure_rate"], (), platform=position)


def _group(path: str) -> str:
    """The group of an input that is no process, by its path."""
    return GROUP_OF[path.split(".")[2 if path.startswith("platforms.") else 1]]

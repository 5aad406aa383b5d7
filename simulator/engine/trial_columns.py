"""The numbers of single trials by name: what each drew, and what came of it, as a run's sample of trials has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.engine.layout import Layout
from simulator.engine.parameters import Compiled
from simulator.engine.trials import Chunk, Trials
from simulator.kernels.platform import OUTPUT_ROWS
from simulator.kernels.trajectories import BLOCK
from simulator.quantities import PART_MEANINGS, RESULT, Quantity
from simulator.study.model import Process, Study
from simulator.study.processes import parameter_quantity

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Column:
    """One number of every trial.

    name   of an input its path, of a result `platform/quantity`
    place  where a block has it: (row,) of `Workspace.values`, or (platform, output) of `Workspace.outputs`
    """

    name: str
    unit: str
    meaning: str
    place: tuple[int, ...]

    @property
    def is_input(self) -> bool:
        return len(self.place) == 1


def columns_of(study: Study, compiled: Compiled, rows: Layout) -> tuple[Column, ...]:
    """The inputs of a study's trials, then their results and the parts of their costs."""
    quantities = _quantities(study)
    inputs = [Column(path, quantities[path].unit, quantities[path].meaning, (row,))
              for row, path in enumerate(compiled.rows) if path]
    results = [Column(f"{study.platforms[row.owner].name}/{row.quantity}", row.unit, _meaning(row.kind, row.quantity),
                      (row.owner, OUTPUT_ROWS.index(row.quantity)))
               for row in rows.rows if row.kind in ("output", "part")]
    return (*inputs, *results)


def _quantities(study: Study) -> Mapping[str, Quantity]:
    """What every input measures, and every parameter of a process, by path."""
    found: dict[str, Quantity] = {}
    for path, given in study.inputs().items():
        if isinstance(given.value, Process):
            found |= {f"{path}.{name}": parameter_quantity(name, given.quantity) for name in given.value.parameters}
        else:
            found[path] = given.quantity
    return found


def _meaning(kind: str, quantity: str) -> str:
    return f"part of the cost of a million tokens: {PART_MEANINGS[quantity]}" if kind == "part" else RESULT[quantity].meaning


def values_of(trials: Trials, columns: Sequence[Column], chunk: Chunk) -> Array:
    """The columns of a chunk of trials, inputs first, simulated in this thread: float64[columns, count]."""
    return values_at(trials, [column.place[0] for column in columns if column.is_input],
                     [column.place for column in columns if not column.is_input], chunk)


def values_at(trials: Trials, inputs: Sequence[int], results: Sequence[tuple[int, ...]], chunk: Chunk) -> Array:
    """Inputs, then results, of a chunk of trials by their places in a block, as of `Column`: float64[inputs + results, count]."""
    values, work = np.empty((len(inputs) + len(results), chunk.count)), None
    owners, outputs = np.array(results, np.int64).reshape(-1, 2).T
    room = np.empty((trials.rows, BLOCK))
    for start in range(0, chunk.count, BLOCK):
        work = trials.block(chunk.replicate, chunk.first + start, results=room, work=work)
        n = min(BLOCK, chunk.count - start)
        values[:len(inputs), start:start + n] = work.values[inputs, :n]
        values[len(inputs):, start:start + n] = work.outputs[owners, outputs, :n]
    return values

"""One part of the samples of a study: a chunk of the trials of a scenario, as a Parquet file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.engine.run import RunError
from simulator.engine.trial_columns import Column, values_of
from simulator.engine.trials import Chunk, Trials
from simulator.experiments.sample_place import SamplePlace, SamplesError
from simulator.kernels.platform import NEVER
from simulator.study.model import Study
from simulator.study.schema import header

STUDY = "_study.json"
SUFFIX = ".parquet"
_TRIAL = "trial"
_MAY_BE_NEVER = "/payback"  # how the name of a column ends whose value may be one that is never reached


@dataclass(frozen=True)
class Scenario:
    """What all parts of a scenario are given.

    begun    what `_study.json` holds at the place
    columns  that this scenario has;  schema  Arrow's, of the columns of all scenarios
    """

    place: SamplePlace
    begun: bytes
    name: str
    trials: Trials
    columns: tuple[Column, ...]
    schema: Any


def write_part(scenario: Scenario, chunk: Chunk) -> None:
    """Simulate and write one part: a task for any thread, process or machine that sees the place."""
    if scenario.place.read(STUDY) != scenario.begun:
        raise SamplesError(f"{os.uname().nodename} does not see the {STUDY} that was begun at {scenario.place.shown}: workers "
                           "need a folder that all machines share, or a URL")
    scenario.place.write(part_name(scenario, chunk), encode(scenario, chunk))


def part_name(scenario: Scenario, chunk: Chunk) -> str:
    """The name of a part, below the place: a path of hive partitions, by which readers know the scenario and the replicate."""
    width = len(str(scenario.trials.simulation.replicates - 1))
    return f"scenario={scenario.name}/replicate={chunk.replicate:0{width}}/{chunk.first:012}{SUFFIX}"


def encode(scenario: Scenario, chunk: Chunk) -> Any:
    """The bytes of a part, a pyarrow.Buffer: its trials in their order, in one row group. Raises RunError."""
    import pyarrow
    from pyarrow import parquet

    values = values_of(scenario.trials, scenario.columns, chunk)
    if not np.isfinite(values).all():
        raise RunError(f"a number is not finite in trials {chunk.first:,} to {chunk.first + chunk.count - 1:,} of replicate "
                       f"{chunk.replicate} of the scenario {scenario.name}; its run without samples says which and why")
    rows = {column.name: row for column, row in zip(scenario.columns, values, strict=True)}
    table = pyarrow.Table.from_arrays([_array(rows.get(field.name), chunk, field) for field in scenario.schema],
                                      schema=scenario.schema)
    out = pyarrow.BufferOutputStream()
    # Drawn numbers hardly repeat: a dictionary of them takes longer, and more room.
    constant = [name for name, row in rows.items() if row[0] == row[-1] and (row == row[0]).all()]
    parquet.write_table(table, out, row_group_size=chunk.count, compression="zstd", compression_level=1,
                        use_dictionary=constant or False)
    return out.getvalue()


def _array(row: Any, chunk: Chunk, field: Any) -> Any:
    """A column of a part, without a copy: NumPy arrays go by their bytes, since `pyarrow.array` imports pandas."""
    import pyarrow

    if field.name == _TRIAL:
        row = np.arange(chunk.first, chunk.first + chunk.count, dtype=np.int64)
    if row is None:
        return pyarrow.nulls(chunk.count, field.type)
    there = None
    if field.name.endswith(_MAY_BE_NEVER):
        there = pyarrow.py_buffer(np.packbits(row < NEVER, bitorder="little"))
    return pyarrow.Array.from_buffers(field.type, chunk.count, [there, pyarrow.py_buffer(row)])


def schema_of(columns: Sequence[Column], study: Study, name: str) -> Any:
    """Arrow's schema of a scenario's parts: the same columns for all, each with unit and meaning, and what study they are of."""
    import pyarrow

    fields = [pyarrow.field(_TRIAL, pyarrow.int64(), nullable=False, metadata={
        "units": "1", "meaning": "number of the trial in its replicate, from 0"})]
    fields += [pyarrow.field(column.name, pyarrow.float64(), metadata={"units": column.unit, "meaning": column.meaning})
               for column in columns]
    return pyarrow.schema(fields, {key: str(value) for key, value in {**header(study), "scenario": name}.items()})

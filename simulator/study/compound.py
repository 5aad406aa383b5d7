"""Distributions that are made of other things than numbers: a file's column, or other distributions."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from typing import Any

from simulator.study.families import Marginal
from simulator.study.problems import Path, quoted, shown
from simulator.study.reader import Reader

MOST_COMPONENTS = 50
MOST_VALUES = 1_000_000


def read_mixture(reader: Reader, found: Mapping[str, Any], path: Path, extra: tuple[str, ...],
                 read_part: Callable[[Any, Path], Marginal | None]) -> Marginal | None:
    """`{distribution: mixture, components: [{weight, and a distribution}, …]}`; `read_part` reads one of them."""
    before = reader.refusals
    reader.known_keys(found, path, ("distribution", "components", "unit", *extra), "parameter")
    inside: Path = (*path, "components")
    if "components" not in found:
        reader.missing(inside, "expected a list of {weight, and a distribution}")
        return None
    listed = found["components"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_COMPONENTS:
        reader.refuse(inside, f"found {shown(listed)}; expected a list of {{weight, and a distribution}}, at most "
                      f"{MOST_COMPONENTS}")
        return None
    weights: list[float] = []
    parts: list[Marginal] = []
    for position, item in enumerate(listed):
        place: Path = (*inside, position)
        if not isinstance(item, dict):
            reader.refuse(place, f"found {shown(item)}; expected {{weight, and a distribution}}")
            continue
        weight = reader.number(item["weight"], (*place, "weight")) if "weight" in item else None
        if "weight" not in item:
            reader.missing((*place, "weight"), "each component of a mixture has one")
        elif weight is not None and weight <= 0:
            reader.refuse((*place, "weight"), f"found {shown(weight)}; expected it above 0")
        part = read_part({key: value for key, value in item.items() if key != "weight"}, place)
        if weight is not None and part is not None:
            weights.append(weight)
            parts.append(part)
    return mixture(weights, parts) if reader.refusals == before else None


def mixture(weights: list[float], parts: list[Marginal]) -> Marginal:
    """A mixture of distributions, of which some may be mixtures; of a single one, that one."""
    largest = max(weights)  # weights may be as large as numbers go
    total = math.fsum(weight / largest for weight in weights)
    flat: list[tuple[float, Marginal]] = []
    for weight, part in zip(weights, parts, strict=True):
        inner = zip(part.parameters, part.components, strict=True) if part.family == "mixture" else [(1.0, part)]
        flat += [(weight / largest / total * share, component) for share, component in inner]
    if len(flat) == 1:
        return flat[0][1]
    return Marginal("mixture", tuple(weight for weight, _ in flat), tuple(part for _, part in flat))


def read_empirical(reader: Reader, found: Mapping[str, Any], path: Path, extra: tuple[str, ...],
                   convert: Callable[[float], float]) -> Marginal | None:
    """`{distribution: empirical, file, column}`: the column's values, `convert`ed to the canonical unit.

    The file's path is relative to the file in which it is written, and stays inside that folder.
    """
    before = reader.refusals
    reader.known_keys(found, path, ("distribution", "file", "column", "unit", *extra), "parameter")
    for key in ("file", "column"):
        if key not in found:
            reader.missing((*path, key), "an empirical distribution takes file and column")
    name, column = (reader.text(found, key, path) if key in found else "" for key in ("file", "column"))
    if reader.refusals > before:
        return None
    inside: Path = (*path, "file")
    folder = reader.folder(inside)
    if "\0" in name or FilePath(name).is_absolute() or not (folder / name).resolve().is_relative_to(folder.resolve()):
        reader.refuse(inside, f"found '{quoted(name)}', which lies outside the folder of the file that names it; expected a file "
                      "beside it or below")
        return None
    try:
        values, digest = _column_of(folder / name, column)
    except ValueError as error:  # DataError, which is not imported before a file is read
        reader.refuse(inside, str(error))
        return None
    reader.data_file(inside, folder / name, digest)
    ordered = sorted(convert(value) for value in values)
    if ordered[0] == ordered[-1]:
        reader.refuse(path, f"found {len(ordered):,} times the same value {ordered[0]:g}; expected values that differ, or a "
                      "number")
        return None
    return Marginal("empirical", tuple(ordered))


def _column_of(file: FilePath, column: str) -> tuple[list[float], str]:
    """The numbers of a column, and a digest of the file. Raises DataError."""
    import numpy as np

    from simulator.study.tables import DataError, read_bytes, table_of

    data = read_bytes(file)
    table = table_of(file, data)
    values = table.numbers(column)
    missing = np.flatnonzero(np.isnan(values))
    if len(missing):
        raise DataError(f"{table.place(int(missing[0]))}: {quoted(column)}: found nothing; expected a number in every row")
    if not 2 <= len(values) <= MOST_VALUES:
        raise DataError(f"{table.name}: found {len(values):,} value{'s' * (len(values) != 1)} in '{quoted(column)}'; expected at "
                        f"least two and at most {MOST_VALUES:,}")
    return values.tolist(), hashlib.blake2b(data, digest_size=16).hexdigest()

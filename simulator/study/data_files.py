"""A numeric column of a CSV or Parquet file."""

from __future__ import annotations

import csv
import hashlib
import math
from pathlib import Path

from simulator.study.problems import any_of, figure, nearest, quoted

MOST_BYTES = 200_000_000
MOST_VALUES = 1_000_000
_SEPARATORS = {".csv": ",;\t|", ".tsv": "\t", ".txt": ",;\t|"}


class DataError(ValueError):
    """A file that cannot be used; `of_file` where the file as a whole is wrong and not its column."""

    def __init__(self, message: str, of_file: bool = True) -> None:
        super().__init__(message)
        self.of_file = of_file


def column_of(file: Path, column: str) -> tuple[list[float], str]:
    """The numbers of a column, at least two, and a digest of the file (32 hexadecimal digits).

    Raises DataError where the file or the column cannot be read, or where a value is not a finite number.
    """
    name = quoted(file.name)
    if file.suffix.lower() not in (*_SEPARATORS, ".parquet"):
        raise DataError(f"found '{name}'; expected a file whose name ends in {any_of((*_SEPARATORS, '.parquet'))}")
    try:
        if file.stat().st_size > MOST_BYTES:
            raise DataError(f"'{name}' has over {MOST_BYTES:,} bytes; expected a smaller file")
        data = file.read_bytes()
    except OSError as error:
        near = [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else []
        missing = isinstance(error, FileNotFoundError)
        raise DataError(f"there is no file '{name}'{nearest(file.name, near)}" if missing
                        else f"'{name}' cannot be read: {error.strerror or error}") from None
    values = _parquet(file, column) if file.suffix.lower() == ".parquet" else _text(data, name, column, file.suffix.lower())
    if len(values) < 2:
        count = f"{len(values)} value{'s' * (len(values) != 1)}"
        raise DataError(f"'{name}' has {count} in '{quoted(column)}'; expected at least two", False)
    if len(values) > MOST_VALUES:
        raise DataError(f"'{name}' has {len(values):,} values; expected at most {MOST_VALUES:,}: a sample of them will do")
    return values, hashlib.blake2b(data, digest_size=16).hexdigest()


def _text(data: bytes, name: str, column: str, suffix: str) -> list[float]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"'{name}' is not text in UTF-8; expected a table of comma-separated values") from None
    if "\0" in text or not text.strip():
        kind = "a binary file" if text.strip() else "empty"
        raise DataError(f"'{name}' is {kind}; expected a table with a line of names first")
    lines = text.splitlines()
    separator = max(_SEPARATORS[suffix], key=lines[0].count)
    rows = csv.reader(lines, delimiter=separator)
    names = [cell.strip() for cell in next(rows)]
    if names.count(column) != 1:
        raise _no_column(name, column, names)
    place = names.index(column)
    values = []
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        cell = row[place].strip() if place < len(row) else ""
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DataError(f"'{name}', line {rows.line_num}: found {f'the text {quoted(cell)!r}' if cell else 'nothing'} in "
                            f"'{quoted(column)}'; expected a number", False)
        values.append(value)
    return values


def _parquet(file: Path, column: str) -> list[float]:
    import pyarrow
    from pyarrow import parquet

    name = quoted(file.name)
    try:
        names = parquet.read_schema(file).names
        if names.count(column) != 1:
            raise _no_column(name, column, names)
        found = parquet.read_table(file, columns=[column]).column(0)
        values: list[float] = found.cast(pyarrow.float64()).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"'{name}' cannot be read as a table of numbers: {quoted(str(error))}") from None
    wrong = next((k for k, value in enumerate(values) if value is None or not math.isfinite(value)), None)
    if wrong is not None:
        found_there = "nothing" if values[wrong] is None else figure(values[wrong])
        raise DataError(f"'{name}', row {wrong + 1}: found {found_there} in '{quoted(column)}'; expected a number", False)
    return values


def _no_column(name: str, column: str, names: list[str]) -> DataError:
    if names.count(column) > 1:
        return DataError(f"'{name}' has {names.count(column)} columns named '{quoted(column)}'; expected one", False)
    listed = ", ".join(map(quoted, names[:8])) + (", …" if len(names) > 8 else "")
    return DataError(f"'{name}' has no column '{quoted(column)}'{nearest(column, names) or f'; expected one of {listed}'}", False)

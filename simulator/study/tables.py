"""Other people's tables: CSV, TSV, Parquet and lists of JSON records as columns, with the line of every value.

Nothing is guessed in silence: what is no number, no table or no text is refused with its place.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.study.problems import any_of, near_name, nearest, quoted

if TYPE_CHECKING:
    import pyarrow

Array = np.ndarray[Any, np.dtype[np.float64]]
Texts = np.ndarray[Any, np.dtype[np.object_]]

MOST_BYTES = 300_000_000
SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".json", ".prom")
_ELSEWHERE = {".xlsx": "save the sheet as CSV", ".xls": "save the sheet as CSV", ".zip": "unpack it", ".gz": "unpack it",
              ".xml": "ask its source for CSV", ".pq": "call it .parquet"}
# What people write where a value is missing.
MISSING = frozenset({"", "na", "n/a", "n/e", "nan", "null", "none", "-", "--", "#n/a", "."})
_HEAD = 60  # lines that are looked at to find the header
_LONGEST_PREAMBLE = 20
_HEAD_CHARACTERS = 500_000
_EIA = "Energy Information Administration"


class DataError(ValueError):
    """A file, or a part of it, that cannot be used; the message begins with its place."""


@dataclass(frozen=True)
class Table:
    """Columns of text (CSV) or of their own kind (Parquet), and where their rows stand.

    name      what messages call the file
    columns   a pyarrow table
    rows      int64[n], each row's number in the file, from 0
    locate    the place of such a row, as a message shows it: "prices.csv:12"
    preamble  lines above the header
    """

    name: str
    columns: pyarrow.Table
    rows: np.ndarray[Any, np.dtype[np.int64]]
    locate: Callable[[int], str]
    preamble: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.columns.column_names]

    def place(self, position: int) -> str:
        """Where a row of this table stands in the file."""
        return self.locate(int(self.rows[position]))

    def check(self, column: str) -> None:
        """Raise DataError where there is no such column, with the nearest that is there."""
        found = self.names.count(column)
        if found == 0:
            near = near_name(column, self.names)
            listed = ", ".join(quoted(name) for name in self.names[:12]) + (", …" if len(self.names) > 12 else "")
            raise DataError(f"{self.name}: there is no column '{quoted(column)}'"
                            + (f"; did you mean '{near}'?" if near else f"; its columns are {listed}"))
        if found > 1:
            raise DataError(f"{self.name}: there are {found} columns '{quoted(column)}'; expected names that differ")

    def texts(self, column: str) -> Texts:
        """A column as text, object[n]; missing values are empty."""
        import pyarrow
        import pyarrow.compute as pc

        self.check(column)
        values = pc.cast(self.columns.column(column), pyarrow.string())
        return np.asarray(pc.utf8_trim_whitespace(pc.fill_null(values, "")).to_numpy(zero_copy_only=False), dtype=object)

    def numbers(self, column: str) -> Array:
        """A column as numbers, float64[n]; NaN where a value is missing. Raises DataError at the first that is no number."""
        import pyarrow
        import pyarrow.compute as pc

        self.check(column)
        values = self.columns.column(column)
        kind = values.type
        if not (pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)):
            return self._finite(column, self._own_numbers(column, values))
        text = pc.utf8_trim_whitespace(values)
        known = pc.is_in(pc.utf8_lower(text), value_set=pyarrow.array(sorted(MISSING)))
        text = pc.if_else(pc.fill_null(known, True), None, text)
        try:
            numbers = pc.cast(text, pyarrow.float64())
        except pyarrow.ArrowInvalid:
            numbers = pyarrow.array(self._one_by_one(column, text.to_pylist()), pyarrow.float64())
        return self._finite(column, np.array(pc.fill_null(numbers, float("nan")).to_numpy(zero_copy_only=False), dtype=float))

    def where(self, column: str, value: str) -> Table:
        """The rows in which a column has a value. Raises DataError where there are none."""
        texts = self.texts(column)
        chosen = texts == value
        if not chosen.any():
            present = sorted(set(texts.tolist()))
            raise DataError(f"{self.name}: no row has '{quoted(value)}' in the column '{quoted(column)}'"
                            + (nearest(value, present) or f"; there is {some(present)}"))
        return self.rows_at(np.flatnonzero(chosen))

    def rows_at(self, positions: np.ndarray[Any, np.dtype[Any]]) -> Table:
        """Some rows, by position."""
        return replace(self, columns=self.columns.take(positions), rows=self.rows[positions])

    def _own_numbers(self, column: str, values: Any) -> Array:
        import pyarrow
        import pyarrow.compute as pc

        try:
            numbers = pc.cast(values, pyarrow.float64())
        except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
            raise DataError(f"{self.name}: the column '{quoted(column)}' holds {values.type}; expected numbers") from None
        return np.array(pc.fill_null(numbers, float("nan")).to_numpy(zero_copy_only=False), dtype=float)

    def _one_by_one(self, column: str, texts: Sequence[str | None]) -> list[float | None]:
        numbers: list[float | None] = []
        for position, text in enumerate(texts):
            try:
                numbers.append(None if text is None else float(text))
            except ValueError:
                raise DataError(f"{self.place(position)}: {quoted(column)}: found the text '{quoted(str(text))}'; expected a "
                                f"number{_number_hint(str(text))}") from None
        return numbers

    def _finite(self, column: str, numbers: Array) -> Array:
        infinite = np.flatnonzero(np.isinf(numbers))
        if len(infinite):
            raise DataError(f"{self.place(int(infinite[0]))}: {quoted(column)}: found an infinite number; expected a finite one")
        return numbers


def some(values: Iterable[str], most: int = 8) -> str:
    """A few values as alternatives, shortened."""
    listed = [quoted(value) or "nothing" for value in values]
    return any_of(listed) if len(listed) <= most else f"{', '.join(listed[:most])} and {len(listed) - most:,} others"


def _number_hint(text: str) -> str:
    if re.fullmatch(r"[-+]?[\d.,\s]*\d,\d+", text):
        return ": with a decimal point, and without separators of thousands"
    return ": without its unit" if re.match(r"[-+]?[$€£]?\s?\d", text) else ""


def read_bytes(file: Path) -> bytes:
    """A whole file, not too large. Raises DataError."""
    name = quoted(str(file), 300)
    suffix = file.suffix.lower()
    try:
        if file.is_dir():
            raise DataError(f"{name}: found a folder; expected a file")
        if not file.exists():
            near = [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else []
            raise DataError(f"{name}: there is no such file{nearest(file.name, near)}")
        if suffix not in SUFFIXES:
            remedy = f"; {_ELSEWHERE[suffix]}" if suffix in _ELSEWHERE else ""
            raise DataError(f"{name}: found the suffix '{quoted(suffix)}'; expected {any_of(SUFFIXES)}{remedy}")
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MOST_BYTES:
        raise DataError(f"{name}: found more than {MOST_BYTES:,} bytes; expected a smaller file: keep the columns and rows that "
                        "are to be fitted, or a mean for each hour")
    if not data:
        raise DataError(f"{name}: found an empty file; expected a table with names of columns in its first line")
    return data


def as_text(file: Path, data: bytes) -> str:
    """A file's text. Raises DataError where it is none."""
    name = quoted(str(file), 300)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{name}: found text in UTF-16; expected UTF-8: save it so")
    if b"\0" in data[:100_000]:
        raise DataError(f"{name}: found a binary file; expected text, or Parquet with the suffix .parquet")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}:{line}: found something else than text in UTF-8; expected UTF-8: save it so") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise DataError(f"{name}: found an empty file; expected a table with names of columns in its first line")
    return text


def read_table(file: Path) -> Table:
    """A table by its suffix. Raises DataError."""
    return table_of(file, read_bytes(file))


def table_of(file: Path, data: bytes) -> Table:
    """The table that a file's content is, by the file's suffix. Raises DataError."""
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        return _read_parquet(file, data)
    text = as_text(file, data)
    return table_of_records(file, _records(file, text)) if suffix == ".json" else read_csv(file, text)


def table_of_records(file: Path, records: Sequence[dict[str, Any]]) -> Table:
    """A table of plain records, such as the entries of a JSON list: all values as text."""
    import pyarrow

    names = list(dict.fromkeys(str(key) for record in records for key in record))
    name = quoted(str(file), 300)
    if not names:
        raise DataError(f"{name}: found no records; expected a list of them, or what Prometheus answers to query_range")
    columns = {key: pyarrow.array([_plain(record.get(key)) for record in records], pyarrow.string()) for key in names}
    return Table(name, pyarrow.table(columns), np.arange(len(records)), lambda row: f"{name}, record {row + 1}")


def _plain(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else json.dumps(value)


def parse_json(file: Path, text: str) -> Any:
    """JSON. Raises DataError."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        raise DataError(f"{quoted(str(file), 300)}{f':{line}' if line else ''}: not valid JSON: "
                        f"{quoted(getattr(error, 'msg', 'nested too deeply'))}") from None


def _records(file: Path, text: str) -> list[dict[str, Any]]:
    """A list of records, alone or where EIA's API has it (response.data)."""
    found = parse_json(file, text)
    inside = found.get("response", found) if isinstance(found, dict) else found
    data = inside.get("data", None) if isinstance(inside, dict) else inside
    if not isinstance(data, list) or not all(isinstance(record, dict) for record in data):
        raise DataError(f"{quoted(str(file), 300)}: found JSON without a list of records; expected one, or 'response: "
                        "{data: […]}' as EIA has it, or what Prometheus answers to query_range")
    return data


def _read_parquet(file: Path, data: bytes) -> Table:
    import pyarrow
    import pyarrow.parquet

    name = quoted(str(file), 300)
    try:
        columns = pyarrow.parquet.read_table(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError):
        raise DataError(f"{name}: found something else than Parquet; expected Parquet, or the suffix of what it is") from None
    if columns.num_rows == 0:
        raise DataError(f"{name}: found a table without rows; expected some")
    return Table(name, columns, np.arange(columns.num_rows), lambda row: f"{name}, row {row + 1}")


def read_csv(file: Path, text: str) -> Table:
    """A table of text with names of columns in its first line, or after lines that say what it is. Raises DataError."""
    import pyarrow
    import pyarrow.csv

    name = quoted(str(file), 300)
    delimiter, header = _shape(text)
    lines = text.split("\n", header + 1)
    preamble, names_line = tuple(line.strip() for line in lines[:header]), lines[header]
    names = [cell.strip() for cell in _cells(names_line, delimiter)]
    if any(re.fullmatch(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?", cell) for cell in names):
        raise DataError(f"{name}:{header + 1}: found numbers in the first line; expected the names of the columns there")
    body = lines[header + 1] if len(lines) > header + 1 else ""
    if not body.strip():
        raise DataError(f"{name}: found a table without rows; expected some under the names of the columns")
    ragged: list[tuple[int, int]] = []

    def wrong_length(row: Any) -> str:
        ragged.append((row.number or 0, row.actual_columns))
        return "error"

    unique = [f"{position}" for position in range(len(names))]
    try:
        columns = pyarrow.csv.read_csv(
            io.BytesIO(body.encode()), pyarrow.csv.ReadOptions(column_names=unique, use_threads=False, block_size=1 << 26),
            pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values='"' in body, invalid_row_handler=wrong_length),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(unique, pyarrow.string()), strings_can_be_null=False))
    except pyarrow.ArrowInvalid as error:
        if not ragged:
            raise DataError(f"{name}: not a table: {quoted(str(error))}") from None
        row, found = ragged[0]
        place = _line_of(name, body, delimiter, header, row - 1)
        raise DataError(f"{place}: found {found} column{'s' * (found != 1)}; expected {len(names)}, as in the line with the "
                        "names of the columns") from None
    columns = columns.rename_columns(names)
    return Table(name, columns, np.arange(columns.num_rows), lambda row: _line_of(name, body, delimiter, header, row), preamble)


def _line_of(name: str, body: str, delimiter: str, header: int, row: int) -> str:
    """The place of a row: found by reading up to it, since only messages ask."""
    reader = csv.reader(io.StringIO(body), delimiter=delimiter)
    before = 0
    for count, _ in enumerate(filter(None, _counted(reader))):
        if count == row:
            break
        before = reader.line_num
    skipped = 0
    for line in body.split("\n")[before:]:
        if line:
            break
        skipped += 1
    return f"{name}:{header + 2 + before + skipped}"


def _counted(reader: Any) -> Iterable[list[str]]:
    try:
        yield from reader
    except csv.Error:
        return


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a cell of more than 100,000 characters
        return [line]


def _shape(text: str) -> tuple[str, int]:
    """The delimiter, and the line (from 0) in which the names of the columns stand."""
    whole = text if len(text) <= _HEAD_CHARACTERS else text[:text.rfind("\n", 0, _HEAD_CHARACTERS) + 1] or text
    lines = whole.rstrip().split("\n")[:_HEAD]
    kept = [line for line in lines if line.strip()]
    delimiter = max(",;\t|", key=lambda one: (min(line.count(one) for line in kept[-20:]), kept[-1].count(one)))
    first = next((k for k, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines) - 1)
    if _EIA not in "".join(lines[:10]):
        return delimiter, first
    # A title, an address, a date and the source stand above: the table begins after the last line of another length.
    counts = [len(_cells(line, delimiter)) for line in lines]
    odd = [k for k, count in enumerate(counts[:_LONGEST_PREAMBLE]) if count != counts[-1]]
    return delimiter, min(max(odd, default=-1) + 1, len(lines) - 1)

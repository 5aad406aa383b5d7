"""Reading plain data with a memory for what is wrong: every reader notes a problem and goes on."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from simulator.study.document import Document
from simulator.study.problems import Path, Place, Problem, any_of, figure, near_name, nearest, path_text, quoted, shown

_NUMBER_IN_TEXT = re.compile(r"([-+]?[\d.,_]*\d[\d.,_]*(?:[eE][-+]?\d+)?)\s*(\S.*)?", re.DOTALL)


@dataclass(frozen=True)
class DataFile:
    """A file that a study reads numbers from: the path inside the study that names it, the file, a digest of its content."""

    path: Path
    file: FilePath
    digest: str


class Reader:
    """Reads values out of a document and collects all problems, each with its place and path.

    One mistake makes one problem: what follows from it alone (the input that a misspelt key was meant to be is
    missing; an alias that was refused is not a number) is not reported as well.

    evidence  the kind of evidence that is used wherever there are two, whatever the study says; "" as the study says
    is_part   whether it is a file for others to extend, in which what a platform needs may be missing
    inputs_read  inputs that were right when much the same document was read: by path, from what, how it was asked for, and
                 the input
    """

    def __init__(self, document: Document, evidence: str = "", is_part: bool = False,
                 inputs_read: dict[Path, tuple[Any, Any, Any]] | None = None) -> None:
        self.document = document
        self.inputs_read = {} if inputs_read is None else inputs_read
        self.problems: list[Problem] = list(document.problems)
        self.refusals = 0  # grows with every problem, also with those that are not reported
        self._meant: set[Path] = set()
        self.data_files: list[DataFile] = []
        self.evidence = evidence
        self.is_part = is_part

    def place(self, path: Path) -> Place:
        """The place of a path, or of the nearest thing around it that was written somewhere."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.document.places:
                return self.document.places[path[:end]]
        return Place("study")

    def folder(self, path: Path) -> FilePath:
        """The folder of the file in which a path was written, or of the study where it came from elsewhere."""
        for place in (self.place(path), self.place(())):
            if place.line:
                return FilePath(place.file).parent
        return FilePath()

    def data_file(self, path: Path, file: FilePath, digest: str) -> None:
        """Note that the study reads a file, named at this path."""
        self.data_files.append(DataFile(path, file, digest))

    def refuse(self, path: Path, message: str) -> None:
        """Note a problem, unless the value was already found wrong as YAML."""
        self.refusals += 1
        if not any(path[:end] in self.document.wrong for end in range(len(path) + 1)):
            self.problems.append(Problem(self.place(path), path_text(path), message))

    def misread(self, path: Path) -> None:
        """Note that something was written for this path, but wrongly, so that it is not missing."""
        self._meant.add(path)

    def is_misread(self, path: Path) -> bool:
        """Whether what belongs at this path may have been written, in a way that could not be read."""
        return not self.document.whole or any(path[:end] in self._meant for end in range(1, len(path) + 1))

    def missing(self, path: Path, message: str, elsewhere: Path = ()) -> None:
        """Note that something is missing here (and `elsewhere`), unless a problem already says why."""
        if self.is_part and elsewhere:
            return
        if self.is_misread(path) or (elsewhere and self.is_misread(elsewhere)):
            self.refusals += 1
        else:
            self.refuse(path, f"is missing; {message}")

    def mapping(self, value: Any, path: Path, what: str) -> Mapping[str, Any]:
        """A mapping, or an empty one with a problem noted."""
        if isinstance(value, dict):
            return value
        self.refuse(path, f"found {shown(value)}; expected {what}")
        self.misread(path)
        return {}

    def unknown(self, path: Path, what: str, valid: Collection[str], expected: str = "") -> None:
        """Refuse a key that is not valid, with the nearest that is; `expected` in place of a list of all."""
        key = str(path[-1])
        near = near_name(key, valid)
        if near:
            self.misread((*path[:-1], near))
        self.refuse(path, f"unknown {what} '{quoted(key)}'"
                    + (f"; did you mean '{near}'?" if near else f"; expected {expected or any_of(valid)}"))

    def known_keys(self, value: Mapping[str, Any], path: Path, valid: Collection[str], what: str) -> None:
        """Refuse each key that is not valid."""
        for key in value:
            if key not in valid:
                self.unknown((*path, key), what, valid)

    def text(self, value: Mapping[str, Any], key: str, path: Path, default: str = "") -> str:
        """A text; numbers are taken where they read as they are written (`2026`, but not `1.10`)."""
        found = value.get(key, default)
        inside = (*path, key)
        if isinstance(found, bool) or not isinstance(found, (str, int, float)):
            self.refuse(inside, f"found {shown(found)}; expected text")
            return default
        written = self.place(inside).written if not isinstance(found, str) else ""
        if written and written != str(found):
            self.refuse(inside, f"found the number {quoted(written)}; expected text: put it between quotation marks")
        return str(found)

    def choice(self, value: Mapping[str, Any], key: str, path: Path, options: Iterable[str],
               default: str | None = None) -> str | None:
        """One of some words; None where it is missing or wrong and has no default."""
        options = list(options)
        if key not in value:
            if default is None:
                self.missing((*path, key), f"expected {any_of(options)}")
            return default
        found = value[key]
        if not isinstance(found, str) or found not in options:
            self.refuse((*path, key), f"found {shown(found)}; expected {any_of(options)}{nearest(found, options)}")
            return default
        return found

    def number(self, found: Any, path: Path) -> float | None:
        """A finite number."""
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            self.refuse(path, f"found {shown(found)}; expected a number{_number_hint(found)}")
            return None
        try:
            number = float(found)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.refuse(path, f"found {quoted(self.place(path).written) or figure(number)}; expected a finite number")
            return None
        return number

    def integer(self, value: Mapping[str, Any], key: str, path: Path, low: int, high: int, default: int) -> int:
        """A whole number within bounds."""
        found = value.get(key, default)
        if isinstance(found, float) and found.is_integer() and abs(found) < 2**53:
            found = int(found)  # 1e6 is a count like any other
        if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
            self.refuse((*path, key), f"found {shown(found)}; expected a whole number, at least {low:,} and at most {high:,}")
            return default
        return found

    def flag(self, value: Mapping[str, Any], key: str, path: Path) -> bool:
        """true or false; false where left out."""
        found = value.get(key, False)
        if not isinstance(found, bool):
            self.refuse((*path, key), f"found {shown(found)}; expected true or false")
            return False
        return found


def _number_hint(found: Any) -> str:
    """How a number that was written as text is to be written."""
    match = _NUMBER_IN_TEXT.fullmatch(found.strip()) if isinstance(found, str) else None
    if not match:
        return ""
    digits, unit = match[1], match[2]
    if unit:
        return f"; a unit stands beside it: {{value: {quoted(digits)}, unit: {quoted(unit)!r}}}"
    if "," in digits:
        return "; write it with a decimal point, and without separators of thousands"
    return "; take the quotation marks away" if re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", digits) else ""

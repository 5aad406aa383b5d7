"""A finished run once more, from its folder, and whether the same comes out.

Where program, libraries and kind of machine are those of the run, the summary has to be the same bit for bit. Where they are not,
a sum may be rounded otherwise; then numbers have to agree to a tolerance that no reader could see, and texts that the program
words itself are not compared.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator.analysis.intervals import Estimate
from simulator.experiments.what_ifs import run_with_what_ifs
from simulator.finished_run import FinishedRun, file_changes, read_run
from simulator.results import Run
from simulator.run_documents import estimate_of
from simulator.run_folder import json_text, machine_type
from simulator.study.document import setting
from simulator.study.model import Study
from simulator.study.problems import Place
from simulator.study.schema import SCHEMA

# What a number depends on to the last bit: kernels are compiled by numba, bounds are SciPy's quantiles.
OF_NUMBERS = ("tco-simulator", "kernels", "python", "numpy", "scipy", "numba")
# With other versions: a billionth of the value, a millionth of its standard error (of a value near 0), a trillionth of the unit.
RELATIVE, OF_ERROR, ABSOLUTE = 1e-9, 1e-6, 1e-12
# Why the run has as many trials as it has: its folder's study has them all the same.
_NOT_RUN_AGAIN = ("until",)
# What another version of the program may word otherwise.
_WORDED = ("warnings", "not_modelled", "digest", "description")

Way = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """One entry of the summary that came out otherwise; None where one of the two does not have it.

    relative  |new − old| ÷ |old|; None where either is no number, or old is 0
    """

    path: Way
    old: Any
    new: Any

    @property
    def relative(self) -> float | None:
        if not (_is_number(self.old) and _is_number(self.new)) or self.old == 0:
            return None
        try:
            found = float(abs((self.new - self.old) / self.old))
        except OverflowError:  # of a number that somebody typed
            return None
        return found if math.isfinite(found) else None

    @property
    def name(self) -> str:
        """As it is found in summary.json, without the levels that every number has."""
        return ".".join(part for part in self.path if part not in ("scenarios", "platforms", "pairs"))


@dataclass(frozen=True)
class Verification:
    """What came of running a folder's study again.

    exactly      whether bits were compared: versions and machine are those of the run
    moved        versions (and the kind of machine) that are not those of the run: what, then, now
    altered, missing  files that are not as the manifest says, and that are not there
    differences  what disagrees: the largest relative difference first, then what is not a number or is on one side alone
    compared     how many numbers were
    largest      the largest relative difference of all numbers, also of those within the tolerance
    added        how many numbers the run has now that the folder's version did not report; none of them where `exactly`
    run          the new run
    """

    folder: Path
    study: str
    exactly: bool
    moved: tuple[tuple[str, str, str], ...]
    altered: tuple[str, ...]
    missing: tuple[str, ...]
    differences: tuple[Difference, ...]
    compared: int
    largest: float
    added: int
    run: Run = field(repr=False)

    @property
    def holds(self) -> bool:
        """Whether the folder is as it was written, and the same comes out again."""
        return not (self.altered or self.missing or self.differences)

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        tolerance = {"relative": RELATIVE, "of_standard_error": OF_ERROR, "absolute": ABSOLUTE}
        return {
            "schema": SCHEMA, "folder": str(self.folder), "study": self.study, "holds": self.holds,
            "compared": "bit for bit" if self.exactly else "to a tolerance",
            **({} if self.exactly else {"tolerance": tolerance}),
            "numbers": self.compared, "largest_relative_difference": self.largest, "added_numbers": self.added,
            "versions": {name: {"run": then, "now": now} for name, then, now in self.moved},
            "changed_files": list(self.altered), "missing_files": list(self.missing),
            "differences": [{"path": list(found.path), "old": _in_json(found.old), "new": found.new,
                             **({} if found.relative is None else {"relative": found.relative})} for found in self.differences]}


def verify(folder: str | os.PathLike[str] | FinishedRun, threads: int = 0,
           progress: Callable[[float], None] | None = None) -> Verification:
    """Run a folder's study again, with its what-ifs, and compare the summary and the files.

    progress  called with the share of the run that is done, 0..1
    Raises RunFolderError and StudyError of the folder, RunError.
    """
    finished = folder if isinstance(folder, FinishedRun) else read_run(folder)
    altered, missing = file_changes(finished.folder, finished.manifest["files"])
    again = run_with_what_ifs(on_its_day(finished), threads, progress, what_ifs=finished.what_ifs)
    moved = tuple(_moved(finished))
    exactly = not any(name in (*OF_NUMBERS, "machine") for name, _, _ in moved)
    # What was not saved has no bits to compare: the new one goes the way of the old one, through text.
    old, new = dict(finished.summary), json.loads(json_text(again.summary.document))
    found = _compared(old, new, exactly)
    return Verification(finished.folder, finished.study.name, exactly, moved, altered, missing, *found, again)


def on_its_day(finished: FinishedRun) -> Study:
    """The study as of the day of the run, where it names none: how old evidence is said to be must not depend on today."""
    study = finished.study
    try:
        day = datetime.fromisoformat(finished.manifest["finished"]).astimezone().date()
    except (KeyError, TypeError, ValueError):
        return study
    if "as_of" in study.document.tree:
        return study
    return study.with_settings([setting("as_of", day.isoformat(), Place("manifest.json"))])


def _moved(finished: FinishedRun) -> Iterator[tuple[str, str, str]]:
    yield from finished.other_versions()
    then, now = machine_type(finished.manifest.get("machine", {})), machine_type()
    if then != now:
        yield "machine", then, now


def _compared(old: Mapping[str, Any], new: Mapping[str, Any], exactly: bool) -> tuple[tuple[Difference, ...], int, float, int]:
    """Differences, count of numbers compared, largest relative difference, count of numbers that only the new one has."""
    left, right = dict(_entries(old)), dict(_entries(new))
    differences, compared, largest, added = [], 0, 0.0, 0
    for path in dict.fromkeys((*left, *right)):
        if path[0] in _NOT_RUN_AGAIN or (not exactly and any(part in _WORDED for part in path)):
            continue
        if path not in left and not exactly:
            added += 1
            continue
        (was, around), (now, _) = left.get(path, (None, None)), right.get(path, (None, None))
        difference = Difference(path, was, now)
        if _is_number(was) and _is_number(now):
            compared += 1
            largest = max(largest, difference.relative or 0.0)
        if not (_same_bits(was, now) or (not exactly and _close(was, now, around))):
            differences.append(difference)
    differences.sort(key=lambda found: -1.0 if found.relative is None else -2.0 - found.relative)
    return tuple(differences), compared, largest, added


def _entries(document: Any, path: Way = (), around: Estimate | None = None) -> Iterator[tuple[Way, tuple[Any, Estimate | None]]]:
    """Everything in a document that is no mapping or list, by path, with the estimate that it is a part of."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _entries(value, (*path, key), estimate_of(document))
    elif isinstance(document, list):
        for position, value in enumerate(document):
            yield from _entries(value, (*path, str(position)))
    else:
        yield path, (document, around)


def _same_bits(was: Any, now: Any) -> bool:
    return type(was) is type(now) and repr(was) == repr(now)


def _close(was: Any, now: Any, around: Estimate | None) -> bool:
    """Whether two numbers agree to the tolerance. An error and a bound are as exact as the value that they belong to."""
    if not (_is_number(was) and _is_number(now)):
        return False
    value, error = (around.value, around.standard_error) if around else (was, 0.0)
    try:
        allowed = ABSOLUTE + RELATIVE * abs(value) + OF_ERROR * error
        return math.isfinite(was) and math.isfinite(allowed) and abs(now - was) <= allowed
    except OverflowError:  # a number that somebody typed
        return False


def _in_json(value: Any) -> Any:
    """A value as JSON may have it: 1e999 is read as infinity, which is no number there."""
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

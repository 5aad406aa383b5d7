"""The JSON documents of a run folder. Light: to list many runs takes neither a study nor numba."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simulator.analysis.intervals import Estimate
from simulator.study.schema import why_unread

EXPECTED = "expected a run folder written by 'tco run', such as runs/NAME/20260101T120000-…"
MANIFEST, SUMMARY, STUDY, TABLE = "manifest.json", "summary.json", "study.yaml", "summary.parquet"
_OF_MANIFEST = {"files": dict, "versions": dict, "study": str}
_OF_SUMMARY = {"scenarios": dict}
_ESTIMATE = {"value", "standard_error", "low", "high"}


class RunFolderError(ValueError):
    """A folder that is no run folder, or not a whole one."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """What was run, with what, and the digests of the files. Raises RunFolderError."""
    return _document(folder / MANIFEST, _OF_MANIFEST)


def read_summary(folder: Path) -> dict[str, Any]:
    """The numbers that the run reported. Raises RunFolderError."""
    found = _document(folder / SUMMARY, _OF_SUMMARY)
    base = found["scenarios"].get("base")
    if not isinstance(base, dict) or not all(isinstance(base.get(kind), dict) for kind in ("platforms", "pairs")):
        raise RunFolderError(f"{SUMMARY} is not that of a run; {EXPECTED}")
    return found


def estimate_of(found: object) -> Estimate | None:
    """A number of a summary with its error; None where it is none."""
    if not isinstance(found, dict) or found.keys() != _ESTIMATE:
        return None
    return Estimate(**found) if all(isinstance(value, (int, float)) for value in found.values()) else None


def not_whole(missing: Iterable[str]) -> RunFolderError:
    """What is to be raised of a folder that lacks files which its manifest names."""
    return RunFolderError(f"it is not whole: found no {', '.join(missing)}, which its manifest names; copy all of the folder")


def is_needed(name: str) -> bool:
    """Whether a file of a run folder says what was run or what came out; the others show it in another form."""
    return name in (STUDY, SUMMARY) or name.startswith("data-")


def _document(file: Path, kinds: Mapping[str, type]) -> dict[str, Any]:
    """A JSON document of the folder, in which what is read of it has the kind it must have."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        raise RunFolderError(f"found no {file.name} in it; {EXPECTED}") from None
    except OSError as error:
        raise RunFolderError(f"{file.name} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise RunFolderError(f"{file.name} is no whole JSON document; copy all of the folder again") from None
    if not isinstance(found, dict):
        raise RunFolderError(f"{file.name} is not that of a run; {EXPECTED}")
    unread = why_unread(found.get("schema"))
    if unread:
        raise RunFolderError(f"{file.name}: {unread}")
    if not all(isinstance(found.get(key), kind) for key, kind in kinds.items()):
        raise RunFolderError(f"{file.name} is not that of a run; {EXPECTED}")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"found {text}, which no run writes")

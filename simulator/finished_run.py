"""A run folder read back: its study, which runs as it is, and the numbers that it reported."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from simulator.analysis.intervals import Estimate
from simulator.run_folder import file_digest, versions
from simulator.study import load
from simulator.study.model import Study
from simulator.study.problems import shown

_SCHEMA = 1
_ESTIMATE = {"value", "standard_error", "low", "high"}
_EXPECTED = "expected a run folder written by 'tco run', such as runs/NAME/20260101T120000-…"


class RunFolderError(ValueError):
    """A folder that is no run folder, or not a whole one."""


@dataclass(frozen=True)
class FinishedRun:
    """A run as its folder has it.

    made_with  versions of the program, the kernels and the libraries that made it
    altered    files of the folder that are not as the run wrote them
    """

    folder: Path
    study: Study
    summary: Mapping[str, Any] = field(repr=False)
    made_with: Mapping[str, str] = field(repr=False)
    altered: tuple[str, ...] = ()

    def find(self, owner: str, quantity: str, statistic: str = "", scenario: str = "base") -> Estimate | None:
        """A reported number as of `Run.find`; None where the summary has none."""
        found: Any = self.summary["scenarios"]
        for key in (scenario, "pairs" if "/" in owner else "platforms", owner, quantity, *([statistic] if statistic else [])):
            found = found.get(key) if isinstance(found, dict) else None
        return Estimate(**found) if isinstance(found, dict) and found.keys() == _ESTIMATE else None

    def changes(self) -> list[str]:
        """What is not as it was when the run was made, and so may give other numbers."""
        now = versions()
        moved = [(name, made) for name, made in self.made_with.items() if now.get(name, made) != made]
        return [*(f"{name} was {made} and is {now[name]}" for name, made in moved),
                *(f"{name} is not as the run wrote it" for name in self.altered)]


def read_run(folder: str | os.PathLike[str]) -> FinishedRun:
    """Read a run folder. Raises RunFolderError; StudyError where its study.yaml is wrong."""
    place = Path(folder)
    if not place.is_dir():
        what = "is a file" if place.exists() else "does not exist"
        raise RunFolderError(f"{what}; {_EXPECTED}")
    if not (place / "manifest.json").is_file():
        inside = sorted(place.rglob("manifest.json"), key=lambda file: file.parent.name)
        hint = f"; the latest run in it is {inside[-1].parent}" if inside else ""
        raise RunFolderError(f"found no manifest.json in it; {_EXPECTED}{hint}")
    manifest = _document(place / "manifest.json", {"files": dict, "versions": dict, "study": str})
    needed = {name: digest for name, digest in manifest["files"].items() if _is_needed(name)}
    missing = sorted(name for name in needed if not (place / name).is_file())
    if missing:
        raise RunFolderError(f"it is not whole: found no {', '.join(missing)}, which its manifest names; copy all of the folder")
    summary = _document(place / "summary.json", {"scenarios": dict})
    altered = tuple(name for name, digest in needed.items() if file_digest(place / name) != digest)
    study = replace(load(place / "study.yaml"), name=manifest["study"])
    return FinishedRun(place, study, summary, manifest["versions"], altered)


def _is_needed(name: str) -> bool:
    """Whether a file of a run folder says what was run or what came out; the others show it in another form."""
    return name in ("study.yaml", "summary.json") or name.startswith("data-")


def _document(file: Path, kinds: Mapping[str, type]) -> dict[str, Any]:
    """A JSON document of the folder, in which what is read of it has the kind it must have."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunFolderError(f"{file.name} cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise RunFolderError(f"{file.name} is no whole JSON document; copy all of the folder again") from None
    if not isinstance(found, dict):
        raise RunFolderError(f"{file.name} is not that of a run; {_EXPECTED}")
    if found.get("schema") != _SCHEMA:
        raise RunFolderError(f"{file.name}: found schema {shown(found.get('schema'))}; this program reads schema {_SCHEMA}")
    if not all(isinstance(found.get(key), kind) for key, kind in kinds.items()):
        raise RunFolderError(f"{file.name} is not that of a run; {_EXPECTED}")
    return found

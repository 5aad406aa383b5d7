"""A run folder read back: its study, which runs as it is, and the numbers that it reported."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from simulator.analysis.intervals import Estimate
from simulator.run_documents import (
    EXPECTED,
    MANIFEST,
    STUDY,
    RunFolderError,
    estimate_of,
    is_needed,
    not_whole,
    read_manifest,
    read_summary,
)
from simulator.run_folder import file_digest, versions
from simulator.study import load
from simulator.study.inputs import KINDS
from simulator.study.model import Study

__all__ = ["FinishedRun", "RunFolderError", "file_changes", "read_run"]


@dataclass(frozen=True)
class FinishedRun:
    """A run as its folder has it.

    altered    files that the study or the summary stands in and that are not as the run wrote them
    """

    folder: Path
    study: Study
    manifest: Mapping[str, Any] = field(repr=False)
    summary: Mapping[str, Any] = field(repr=False)
    altered: tuple[str, ...] = ()

    @property
    def made_with(self) -> Mapping[str, str]:
        """Versions of the program, the kernels and the libraries that made it."""
        found: Mapping[str, str] = self.manifest["versions"]
        return found

    @property
    def what_ifs(self) -> tuple[str, ...]:
        """The what-ifs that were run, in the order of the summary."""
        found = self.manifest.get("what_ifs")
        return tuple(found) if isinstance(found, dict) else ()

    def find(self, owner: str, quantity: str, statistic: str = "", scenario: str = "base") -> Estimate | None:
        """A reported number as of `Run.find`; None where the summary has none."""
        found: Any = self.summary["scenarios"]
        for key in (scenario, "pairs" if "/" in owner else "platforms", owner, quantity, *([statistic] if statistic else [])):
            found = found.get(key) if isinstance(found, dict) else None
        return estimate_of(found)

    def changes(self) -> list[str]:
        """What is not as it was when the run was made, and so may give other numbers."""
        return [*(f"{name} was {was} and is {now}" for name, was, now in self.other_versions()),
                *(f"{name} is not as the run wrote it" for name in self.altered)]

    def other_versions(self) -> list[tuple[str, str, str]]:
        """What has another version than when the run was made: name, then, now."""
        now = versions()
        return [(name, made, now[name]) for name, made in self.made_with.items() if now.get(name, made) != made]


def read_run(folder: str | os.PathLike[str]) -> FinishedRun:
    """Read a run folder. Raises RunFolderError; StudyError where its study.yaml is wrong."""
    place = Path(folder)
    if not place.is_dir():
        what = "is a file" if place.exists() else "does not exist"
        raise RunFolderError(f"{what}; {EXPECTED}")
    if not (place / MANIFEST).is_file():
        inside = sorted(place.rglob(MANIFEST), key=lambda file: file.parent.name)
        hint = f"; the latest run in it is {inside[-1].parent}" if inside else ""
        raise RunFolderError(f"found no {MANIFEST} in it; {EXPECTED}{hint}")
    manifest = read_manifest(place)
    altered, missing = file_changes(place, {name: of for name, of in manifest["files"].items() if is_needed(name)})
    if missing:
        raise not_whole(missing)
    summary = read_summary(place)
    study = replace(load(place / STUDY), name=manifest["study"])
    if manifest.get("evidence") in KINDS:  # one kind throughout, which the study itself does not say
        study = study.with_evidence(manifest["evidence"])
    return FinishedRun(place, study, manifest, summary, altered)


def file_changes(folder: Path, digests: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the files that are not as their digests say, and of those that are not there."""
    there = {name: (folder / name).is_file() for name in digests}
    changed = tuple(name for name, of in digests.items() if there[name] and file_digest(folder / name) != of)
    return changed, tuple(sorted(name for name, is_there in there.items() if not is_there))

"""The finished runs in a folder, from their manifests and summaries alone, and those that are no whole runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from simulator.analysis.intervals import Estimate
from simulator.experiments.conditions import Condition, find
from simulator.locks import UNFINISHED
from simulator.quantities import COST
from simulator.run_documents import (
    MANIFEST,
    SUMMARY,
    RunFolderError,
    estimate_of,
    is_needed,
    not_whole,
    read_manifest,
    read_summary,
)
from simulator.study.problems import quoted
from simulator.study.reading import as_path
from simulator.study.schema import SCHEMA

_A_RUN = re.compile(r"\d{8}T\d{6}-[0-9a-f]{16}(-\d+)?")


class MomentError(ValueError):
    """A day or a time that is none."""


@dataclass(frozen=True)
class Winner:
    """The platform that is cheapest most often; its chance (none where it stands alone), and its median cost per million
    tokens [USD]."""

    name: str
    label: str
    probability_cheapest: Estimate | None
    median: Estimate


@dataclass(frozen=True)
class ListedRun:
    """One finished run."""

    folder: Path
    study: str
    finished: datetime
    trials: int
    replicates: int
    sampler: str
    seed: int
    digest: str
    what_ifs: tuple[str, ...]
    winner: Winner

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        best = self.winner
        chance = {} if best.probability_cheapest is None else {"probability_cheapest": best.probability_cheapest.as_dict()}
        return {"study": self.study, "finished": self.finished.isoformat(), "trials": self.trials, "replicates": self.replicates,
                "sampler": self.sampler, "seed": self.seed, "digest": self.digest, "what_ifs": list(self.what_ifs),
                "cheapest": {"platform": best.name, "label": best.label, **chance,
                             COST.name: {"unit": COST.unit, "p50": best.median.as_dict()}},
                "folder": str(self.folder)}


@dataclass(frozen=True)
class RunList:
    """What a folder holds: runs, newest first, and folders that are none, with the reason.

    unknown  conditions on a number that none of the runs has, as they were written
    """

    folder: Path
    runs: tuple[ListedRun, ...]
    unreadable: tuple[tuple[Path, str], ...]
    unknown: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"schema": SCHEMA, "folder": str(self.folder), "runs": [run.document() for run in self.runs],
                "unreadable": [{"folder": str(folder), "reason": reason} for folder, reason in self.unreadable]}


def moment(text: str) -> datetime:
    """A day, or a day and a time, of this place where it names none. Raises MomentError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        today = date.today().isoformat()
        raise MomentError(f"found '{quoted(text)}'; expected a day such as {today}, or {today}T14:30") from None
    return found.astimezone()


def list_runs(folder: str | os.PathLike[str], study: str = "", since: datetime | None = None,
              where: Iterable[Condition] = ()) -> RunList:
    """The finished runs in a folder and below it.

    study  only those of studies of that name, or with that in their name; capitals make no difference
    since  only those that were finished then or later
    where  only those whose numbers are so; what a run has no number for, it is not
    Raises FileNotFoundError where there is no such folder.
    """
    place = Path(folder)
    if not place.is_dir():
        raise FileNotFoundError(place)
    found, unreadable = [], []
    conditions = tuple(where)
    unknown = {each.text for each in conditions}
    for inside, reason in _candidates(place):
        if reason:
            unreadable.append((inside, reason))
            continue
        try:
            manifest, summary = read_manifest(inside), read_summary(inside)
            run = _listed(inside, manifest, summary)
        except RunFolderError as error:
            unreadable.append((inside, str(error)))
            continue
        if not _is_of(run, study) or (since is not None and run.finished < since):
            continue
        findings = [finding for each in conditions if (finding := find(each, summary))]
        unknown -= {finding.condition for finding in findings}
        if len(findings) == len(conditions) and all(finding.holds for finding in findings):
            found.append(run)
    found.sort(key=lambda run: (run.finished, run.folder.name), reverse=True)
    return RunList(place, tuple(found), tuple(sorted(unreadable)), tuple(sorted(unknown)))


def _candidates(place: Path) -> Iterator[tuple[Path, str]]:
    """Folders that are, or should be, runs; the reason why one surely is not whole, else ""."""
    for here, folders, files in os.walk(place):
        folder = Path(here)
        if folder.name.startswith(UNFINISHED):
            yield folder, "it is being written, or the run broke off while it was: remove it if no run is under way"
        elif MANIFEST in files:
            yield folder, ""
        elif SUMMARY in files or (_A_RUN.fullmatch(folder.name) and folder != place):
            yield folder, f"it is not whole: found no {MANIFEST} in it; copy all of the folder"
        else:
            continue
        folders.clear()  # nothing lies below a run


def _listed(folder: Path, manifest: Mapping[str, Any], summary: Mapping[str, Any]) -> ListedRun:
    missing = [name for name in manifest["files"] if is_needed(name) and not (folder / name).is_file()]
    if missing:
        raise not_whole(missing)
    try:
        return ListedRun(
            folder, manifest["study"], datetime.fromisoformat(manifest["finished"]).astimezone(), int(manifest["trials"]),
            int(manifest["replicates"]), str(manifest["sampler"]), int(manifest["seed"]), str(manifest["digest"]),
            tuple(manifest.get("what_ifs", {})), _winner(summary))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RunFolderError(f"its {MANIFEST} and {SUMMARY} are not those of a run; copy all of the folder again") from None


def _winner(summary: Mapping[str, Any]) -> Winner:
    platforms = summary["scenarios"]["base"]["platforms"]

    best = max(platforms, key=lambda name: platforms[name]["probability_cheapest"]["value"])
    chance, median = estimate_of(platforms[best]["probability_cheapest"]), estimate_of(platforms[best][COST.name]["p50"])
    if median is None:
        raise ValueError("a median cost is no number")
    return Winner(best, str(platforms[best]["label"]), chance if len(platforms) > 1 else None, median)


def _is_of(run: ListedRun, study: str) -> bool:
    wanted = study.casefold()
    return wanted in run.study.casefold() or wanted == as_path(run.study, "study")

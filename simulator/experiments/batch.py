"""Many studies, one after another and side by side. What is done is not done again, and one bad study stops no other."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from simulator.engine.trials import available_cores
from simulator.experiments.batch_tasks import Failed, Given, Read, ReadTask, RunTask, Written, Wrong
from simulator.experiments.cluster import Cluster
from simulator.experiments.conditions import Condition, Finding, check_conditions, find_all
from simulator.experiments.finished_runs import FinishedRuns
from simulator.experiments.workers import AnyTask, Died, Workers
from simulator.kernels.jit import is_compiled
from simulator.locks import NoLocksError, only_one_in, remove_leftovers
from simulator.run_index import write_index

RAN, SKIPPED, FAILED, WRONG, LEFT = STATUSES = ("ran", "skipped", "failed", "wrong", "left")
_STUDIES_TO_A_WORKER = 4  # under which another worker takes longer to begin than it saves: threads do for few studies
_READING = 0.05  # share of the progress bar


@dataclass(frozen=True)
class Outcome:
    """What became of a study.

    status    "ran"; "skipped": done before; "failed"; "wrong": refused; "left": not begun, since nothing can be written any more
    folder    of its run, where there is one
    why       what is the matter, one thing an item
    findings  what the conditions found in it
    """

    file: Path
    status: str
    study: str = ""
    digest: str = ""
    folder: Path | None = None
    why: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=(), repr=False)
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the document that `tco batch --json` prints."""
        found = {"file": str(self.file), "study": self.study, "status": self.status, "digest": self.digest,
                 "folder": str(self.folder) if self.folder else "", "why": list(self.why), "warnings": list(self.warnings),
                 "conditions": [finding.as_dict() for finding in self.findings]}
        return {key: value for key, value in found.items() if value}


@dataclass(frozen=True)
class Batch:
    """What became of every study, in the order in which they were given, and what is to be said of the whole.

    not_found  conditions that no run has the number for
    """

    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()
    not_found: tuple[str, ...] = ()

    def count(self, status: str) -> int:
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def held(self) -> list[tuple[Outcome, Finding]]:
        """The conditions that hold, each with the study in which it does."""
        return [(outcome, finding) for outcome in self.outcomes for finding in outcome.findings if finding.holds]


def run_batch(files: Sequence[tuple[Path, bool]], given: Given, threads: int = 0, conditions: Sequence[Condition] = (),
              progress: Callable[[float], None] | None = None, report: Callable[[int, int], None] | None = None,
              on: Cluster | None = None) -> Batch:
    """Run studies, each into a folder of its own below `given.runs`, but those that were run before.

    files     each with whether it may be a part that others extend, which is passed over
    threads   in all; every core where 0
    progress  called with the share that is done, 0..1
    report    called with how many studies are done, of how many, whenever one is
    on        workers elsewhere: one study after another, what-ifs and trials of each side by side there
    A run counts as done where its folder is whole and is of the same study, what-ifs, program version and kernels.
    Raises ConditionError before anything is run; BusyError where another batch writes there; OSError where none can.
    """
    notes: list[str] = []
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(only_one_in(given.runs))
        except NoLocksError as error:
            notes.append(f"{error.strerror or error}: see to it that no other batch writes to {given.runs} now, and remove the "
                         ".unfinished- folders of killed runs yourself")
        held.callback(_index, given.runs, notes)
        held.callback(_clear, given.runs)
        _clear(given.runs)
        threads = threads or available_cores()
        if on:
            found = _run_all(OneByOne(on), files, given, conditions, progress, report)
        else:
            with Workers(min(threads, max(1, len(files) // _STUDIES_TO_A_WORKER)), threads) as workers:
                found = _run_all(workers, files, given, conditions, progress, report)
    outcomes, not_found = _with_findings(found, conditions)
    return Batch(tuple(outcomes), tuple(notes), not_found)


class OneByOne:
    """Takes the place of `Workers` where the work of each study is done elsewhere."""

    def __init__(self, on: Cluster) -> None:
        self._on = on
        self._waiting: deque[Any] = deque()

    def answers(self, tasks: Iterable[AnyTask], progress: Callable[[AnyTask, float], None] | None = None,
                first_alone: bool = False) -> Iterator[tuple[AnyTask, Any]]:
        """Each task with its answer, in their order."""
        self._waiting = deque(tasks)
        while self._waiting:
            task = self._waiting.popleft()

            def told(share: float, of: AnyTask = task) -> None:
                if progress:
                    progress(of, share)

            yield task, task.do(1, told, self._on) if isinstance(task, RunTask) else task.do(1, told)

    def drop(self) -> list[Any]:
        """Begin no further task; return those that were not begun."""
        left = list(self._waiting)
        self._waiting.clear()
        return left


def _run_all(workers: Workers | OneByOne, files: Sequence[tuple[Path, bool]], given: Given, conditions: Sequence[Condition],
             progress: Callable[[float], None] | None, report: Callable[[int, int], None] | None) -> list[Outcome]:
    tell = progress or (lambda share: None)
    read = _read_all(workers, files, given, lambda share: tell(_READING * share))
    right = {position: answer for position, (_, answer) in enumerate(read) if isinstance(answer, Read)}
    if right:
        check_conditions(conditions, [study.outline for study in right.values()])
    outcomes = {position: Outcome(file, WRONG, why=answer.problems)
                for position, (file, answer) in enumerate(read) if isinstance(answer, Wrong)}
    finished = FinishedRuns(given.runs)
    to_run: dict[Any, int] = {}
    same: dict[int, int] = {}
    for position, study in right.items():
        file, wanted = read[position][0], study.wanted
        folder, why = finished.find(wanted)
        known = (wanted.digest, wanted.trials, tuple(wanted.what_ifs.items()))
        begun = Outcome(file, LEFT, study.name, wanted.digest, folder, (f"{why}: run again",) if why else ())
        if folder:
            begun = replace(begun, status=SKIPPED)
        elif known in to_run:
            same[position] = to_run[known]
        else:
            to_run[known] = position
        outcomes[position] = begun
    work = _Work({position: right[position].work for position in to_run.values()}, tell)

    def said() -> None:
        if report:
            report(sum(outcome.status in (RAN, SKIPPED) for outcome in outcomes.values()), len(outcomes))

    said()
    # The longest first, so that no core waits long for the last one.
    tasks = [RunTask(position, outcomes[position].file, given) for position in sorted(work.sizes, key=lambda p: -work.sizes[p])]
    for task, answer in workers.answers(tasks, lambda task, share: work.at(task.position, share), first_alone=not is_compiled()):
        outcomes[task.position] = _outcome(outcomes[task.position], answer)
        work.at(task.position, 1.0)
        said()
        if isinstance(answer, Failed) and answer.is_place:
            for left in workers.drop():
                outcomes[left.position] = replace(outcomes[left.position], why=("not begun, since nothing can be written",))
    for position, first in same.items():
        outcomes[position] = replace(outcomes[first], file=outcomes[position].file, warnings=(), status=(
            SKIPPED if outcomes[first].status == RAN else outcomes[first].status), why=(f"same study as {outcomes[first].file}",))
    return [outcomes[position] for position in sorted(outcomes)]


def _read_all(workers: Workers | OneByOne, files: Sequence[tuple[Path, bool]], given: Given,
              progress: Callable[[float], None]) -> list[tuple[Path, Read | Wrong]]:
    """Every study as it was read, in the order given, without the files that are parts."""
    tasks = [ReadTask(file, may_be_part, given) for file, may_be_part in files]
    answers: dict[Path, Read | Wrong | None] = {}
    for task, answer in workers.answers(tasks):
        answers[task.file] = Wrong((str(answer),)) if isinstance(answer, Died) else answer
        progress(len(answers) / len(tasks))
    return [(task.file, answer) for task in tasks if (answer := answers[task.file]) is not None]


def _outcome(before: Outcome, answer: Written | Failed | Wrong | Died) -> Outcome:
    if isinstance(answer, Written):
        return replace(before, status=RAN, folder=answer.folder, warnings=answer.warnings)
    if isinstance(answer, Wrong):
        return replace(before, status=WRONG, why=answer.problems)
    return replace(before, status=FAILED, why=(answer.why if isinstance(answer, Failed) else str(answer),))


def _with_findings(outcomes: list[Outcome], conditions: Sequence[Condition]) -> tuple[list[Outcome], tuple[str, ...]]:
    """The outcomes with what the conditions find in their runs; and the conditions that find their number in none of them."""
    there = [position for position, outcome in enumerate(outcomes) if outcome.folder]
    if not conditions or not there:
        return outcomes, ()
    summaries = (json.loads((folder / "summary.json").read_bytes()) for outcome in outcomes if (folder := outcome.folder))
    found, missed = find_all(conditions, summaries)
    completed = list(outcomes)
    for position, findings in zip(there, found, strict=True):
        completed[position] = replace(completed[position], findings=findings)
    return completed, missed


def _index(runs: Path, notes: list[str]) -> None:
    try:
        write_index(runs)
    except OSError as error:
        notes.append(f"the index of runs cannot be written: {error.strerror or error}")


def _clear(runs: Path) -> None:
    """Remove what killed processes have left in a folder of runs."""
    for folder in (runs, *_folders_in(runs)):
        remove_leftovers(folder)


def _folders_in(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from (inside for inside in folder.iterdir() if inside.is_dir() and not inside.name.startswith("."))


class _Work:
    """How much of all the work is done."""

    def __init__(self, sizes: dict[int, int], tell: Callable[[float], None]) -> None:
        self.sizes, self._tell = sizes, tell
        self._shares = dict.fromkeys(sizes, 0.0)

    def at(self, position: int, share: float) -> None:
        self._shares[position] = share
        done = sum(self._shares[p] * size for p, size in self.sizes.items())
        self._tell(_READING + (1 - _READING) * done / (sum(self.sizes.values()) or 1))

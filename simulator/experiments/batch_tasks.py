"""What the workers of a batch do: read a study, and run one. Whatever happens is an answer, and never an exception."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator.experiments.cluster import Cluster
from simulator.experiments.conditions import Outline, outline_of
from simulator.experiments.finished_runs import Wanted
from simulator.results import Run
from simulator.study import Study, StudyError, load, load_if_study
from simulator.study.what_ifs import UnknownWhatIfError, names_of

_NOWHERE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # no other run could be written either


@dataclass(frozen=True)
class Given:
    """What holds for every study of a batch, as of `tco run`; `save` writes a run below a folder and returns its own."""

    runs: Path
    save: Callable[[Run, Path], Path]
    overlays: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()
    what_ifs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Read:
    """A study that is right, as far as a batch has to know it.

    work  trials × platforms × scenarios: how long it takes, in proportion
    """

    name: str
    wanted: Wanted
    outline: Outline
    work: int


@dataclass(frozen=True)
class Wrong:
    """A study that cannot be run, and all that is to be put right in it."""

    problems: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """A run that is done, and its notes."""

    folder: Path
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Failed:
    """A run that failed; `is_place`: where runs are written nothing more can be."""

    why: str
    is_place: bool = False


@dataclass(frozen=True)
class ReadTask:
    """Read a study; the answer is None for a file of a folder that is no study but a part of others."""

    file: Path
    may_be_part: bool
    given: Given

    def do(self, threads: int, progress: Callable[[float], None]) -> Read | Wrong | None:
        given = self.given
        try:
            read = load_if_study if self.may_be_part else load
            study = read(self.file, given.overlays, given.overrides)
            return None if study is None else _read(study, given)
        except StudyError as error:
            return Wrong(tuple(map(str, error.problems)))
        except UnknownWhatIfError as error:
            return Wrong((f"what_ifs: {error}",))
        except Exception as error:  # one study's trouble is not that of the others
            return Wrong((_unforeseen(error),))


@dataclass(frozen=True)
class RunTask:
    """Run a study with its what-ifs and write its folder."""

    position: int
    file: Path
    given: Given

    def do(self, threads: int, progress: Callable[[float], None], on: Cluster | None = None) -> Written | Failed | Wrong:
        from simulator.engine.run import RunError
        from simulator.experiments.cluster import ClusterError, DeadlyTaskError
        from simulator.experiments.what_ifs import run_with_what_ifs

        given = self.given
        try:
            study = load(self.file, given.overlays, given.overrides)
            run = run_with_what_ifs(study, threads, progress, what_ifs=given.what_ifs, on=on)
        except DeadlyTaskError as error:
            return Failed(str(error))
        except ClusterError:  # no study's trouble, but that of all
            raise
        except StudyError as error:  # it was right when it was read
            return Wrong(tuple(map(str, error.problems)))
        except RunError as error:
            return Failed(str(error))
        except MemoryError:
            return Failed("out of memory")
        except Exception as error:
            return Failed(_unforeseen(error))
        try:
            return Written(given.save(run, given.runs), run.warnings)
        except OSError as error:
            return Failed(f"the run folder cannot be written: {error.strerror or error}", error.errno in _NOWHERE)
        except Exception as error:
            return Failed(_unforeseen(error))


def _read(study: Study, given: Given) -> Read:
    names = names_of(study, given.what_ifs)
    changed = {name: study.with_what_if(name).digest for name in names}
    outline = outline_of(study, names)
    simulation = study.simulation
    return Read(study.name, Wanted(study.digest, simulation.trials, changed), outline,
                simulation.trials * len(study.platforms) * len(outline.scenarios))


def _unforeseen(error: Exception) -> str:
    return f"a fault of the program: {type(error).__name__}: {error}"

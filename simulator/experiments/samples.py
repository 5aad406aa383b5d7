"""Every trial of a study and of the scenarios beside it, as a Parquet dataset: chunk by chunk, written by whoever simulates it.

A part is a pure function of what it is sent, and has its name only when it is whole; so parts may be written anywhere, twice, or
after an interruption. `_study.json` is written first and says whose parts they are, `_manifest.json` last and says that all are
there. Readers pass over names that begin with '_' or '.'.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from simulator.engine.layout import layout
from simulator.engine.parameters import compile_study
from simulator.engine.trial_columns import Column, columns_of
from simulator.engine.trials import Chunk, Trials, available_cores
from simulator.experiments.cluster import Cluster
from simulator.experiments.evidence import scenarios
from simulator.experiments.sample_parts import STUDY, SUFFIX, Scenario, encode, part_name, schema_of, write_part
from simulator.experiments.sample_place import SamplePlace, SamplesError, WrongPlaceError
from simulator.experiments.task_of_worker import MUST_BE_THE_SAME
from simulator.experiments.what_ifs import study_with_what_if
from simulator.kernels.trajectories import BLOCK
from simulator.locks import UNFINISHED
from simulator.run_folder import json_text, versions
from simulator.study.model import Study
from simulator.study.schema import header
from simulator.study.what_ifs import names_of

MANIFEST = "_manifest.json"
_VALUES = 1 << 22  # in a part, at most: 32 MiB before it is compressed, and about as much again while it is
_MOST_DIFFERENCES = 3


@dataclass(frozen=True)
class Samples:
    """Samples that can be written to a place, or were.

    begun    what `_study.json` holds: all that the values of parts depend on, and how they are cut
    columns  of any scenario; those that one lacks are empty there
    parts    files of all scenarios;  there  how many of them are written already
    bytes    what all parts take together, or about that
    """

    study: Study
    place: SamplePlace
    what_ifs: tuple[str, ...]
    begun: Mapping[str, Any]
    columns: tuple[Column, ...]
    parts: int
    there: int
    bytes: int

    @property
    def scenarios(self) -> Mapping[str, str]:
        """The digest of the study as each scenario has it, by name."""
        found: dict[str, str] = self.begun["scenarios"]
        return found

    @property
    def rows(self) -> int:
        return self.study.simulation.trials * len(self.scenarios)


def write_samples(study: Study, place: str | Path, what_ifs: str | Sequence[str] = (), threads: int = 0,
                  progress: Callable[[float], None] | None = None, on: Cluster | None = None) -> Samples:
    """Write every trial of a study, and of the scenarios that a run has beside it, as a Parquet dataset.

    place     the path of a new folder, or a URL such as s3://bucket/folder; or one where the same was begun, which goes on
    what_ifs  names of what-ifs, or "all";  on  workers elsewhere, which then write
    threads   0 for every core;  progress  called with the share of the parts that are there
    Raises SamplesError, WrongPlaceError among them, RunError, UnknownWhatIfError, StudyError.
    """
    return write(prepare(study, place, what_ifs), threads, progress, on)


def check_place(place: str | Path) -> None:
    """Raise SamplesError where no samples can be begun at a place, or gone on with."""
    where = SamplePlace.named(place)
    names = [name for name in where.names() if not _is_left_over(name)]
    if names and STUDY not in names:
        raise WrongPlaceError(f"{where.shown} is not empty: it holds {min(names)}; expected a new folder, or one where the same "
                              "samples were begun")
    where.check_writable()


def prepare(study: Study, place: str | Path, what_ifs: str | Sequence[str] = ()) -> Samples:
    """Samples that can be written: what they are, and about how large. Raises SamplesError where they cannot be."""
    check_place(place)
    where, names = SamplePlace.named(place), tuple(names_of(study, what_ifs))
    columns: dict[str, Column] = {}
    digests = {}
    for name, changed in _scenarios(study, names):
        digests[name] = changed.digest
        columns |= {column.name: column for column in _trials(changed, 1)[1] if column.name not in columns}
    every = tuple(sorted(columns.values(), key=lambda column: not column.is_input))
    blocks = 1 << (max(1, _VALUES // (BLOCK * len(every))).bit_length() - 1)
    parts = _trials(study, blocks)[0].chunk_count * len(digests)
    found = Samples(study, where, names, _begun(study, digests, blocks), every, parts, 0, 0)
    _check_same(where, found.begun)
    base = _scenario(found, "base", study)
    first = next(base.trials.chunks())
    size = found.rows * encode(base, first).size // first.count
    there = sum(PurePosixPath(name).suffix == SUFFIX for name in where.names())
    where.check_room(size * (1 - there / parts))
    return replace(found, there=there, bytes=size)


def write(samples: Samples, threads: int = 0, progress: Callable[[float], None] | None = None,
          on: Cluster | None = None) -> Samples:
    """Write the parts that are not there yet, then the manifest. Arguments and errors as of `write_samples`."""
    _check_same(samples.place, samples.begun)
    there = samples.place.names()
    if STUDY not in there:
        samples.place.write(STUDY, _text(samples.begun))
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done / samples.parts)

    expected: dict[str, list[str]] = {}
    for name, study in _scenarios(samples.study, samples.what_ifs):
        scenario = _scenario(samples, name, study)
        chunks = {part_name(scenario, chunk): chunk for chunk in scenario.trials.chunks()}
        expected[name] = list(chunks)
        for part in chunks:
            if part in there:
                step()
        missing = [chunk for part, chunk in chunks.items() if part not in there]
        for _ in _written(scenario, missing, threads, on):
            step()
    return _finish(samples, expected)


def _written(scenario: Scenario, chunks: list[Chunk], threads: int, on: Cluster | None) -> Iterator[None]:
    """Write parts, and tell of each."""
    if on:
        trials = chunks[0].count if chunks else 0
        for _ in on.each(write_part, scenario, chunks, lambda chunk: f"the part {part_name(scenario, chunk)}", trials):
            yield
        return
    with ThreadPoolExecutor(threads or available_cores(), thread_name_prefix="tco") as pool:
        yield from pool.map(lambda chunk: write_part(scenario, chunk), chunks)


def _scenarios(study: Study, what_ifs: Sequence[str]) -> Iterator[tuple[str, Study]]:
    """The studies that a run has, by the scenario that each is reported as."""
    yield from scenarios(study).items()
    for name in what_ifs:
        yield name, study_with_what_if(study, study.simulation, name)


def _trials(study: Study, blocks: int) -> tuple[Trials, tuple[Column, ...]]:
    """The trials of a study as its run has them, and their columns."""
    rows = layout(study)
    compiled = compile_study(study, rows.wanted, rows.pairs)
    return Trials(compiled, study.simulation, len(rows.rows), 1, blocks), columns_of(study, compiled, rows)


def _scenario(samples: Samples, name: str, study: Study) -> Scenario:
    trials, columns = _trials(study, samples.begun["trials_in_a_part"] // BLOCK)
    return Scenario(samples.place, _text(samples.begun), name, trials, columns, schema_of(samples.columns, study, name))


def _begun(study: Study, digests: Mapping[str, str], blocks: int) -> dict[str, Any]:
    """What `_study.json` holds. `digests`: of the scenarios; `blocks`: of trials in a part, at most."""
    found = versions()
    return {**header(study), **({"evidence": study.evidence} if study.evidence else {}), "trials_in_a_part": blocks * BLOCK,
            "scenarios": digests, "versions": {name: found[name] for name in MUST_BE_THE_SAME}}


def _check_same(where: SamplePlace, begun: Mapping[str, Any]) -> None:
    """Raise WrongPlaceError where other samples were begun at a place."""
    text = where.read(STUDY)
    if text is None or text == _text(begun):
        return
    try:
        there = json.loads(text)
    except ValueError:
        there = None
    if not isinstance(there, dict):
        raise WrongPlaceError(f"{where.shown}/{STUDY} cannot be read, so that nobody can tell whose samples are there; expected "
                              "a new folder")
    old, new = _flat(there), _flat(begun)
    different = [f"{key} {old.get(key, 'none')} there, {new.get(key, 'none')} here"
                 for key in {**new, **old} if old.get(key) != new.get(key)]
    told = "; ".join(different[:_MOST_DIFFERENCES]) + ("; and more" if len(different) > _MOST_DIFFERENCES else "")
    raise WrongPlaceError(f"{where.shown} holds other samples ({told}); choose a new folder, or remove what is there")


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """What `_study.json` holds, for a message: what is inside a mapping by its own name."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if not isinstance(value, dict):
            found[key] = value
        elif key == "scenarios":
            found |= {key: ", ".join(value), **{f"scenario {name}": digest for name, digest in value.items() if name != "base"}}
        else:
            found |= value
    return found


def _finish(samples: Samples, expected: Mapping[str, list[str]]) -> Samples:
    """Clear away what writers that were killed have left, and write the manifest."""
    where, there = samples.place, samples.place.names()
    gone = [part for parts in expected.values() for part in parts if part not in there]
    if gone:
        raise SamplesError(f"{where.shown} lacks {len(gone):,} parts that were written, such as {gone[0]}; run the same command "
                           "again, which writes them anew")
    for name in there:
        if _is_left_over(name):
            where.remove(name)
    sizes = {name: sum(there[part] for part in parts) for name, parts in expected.items()}
    scenarios_written = {name: {"digest": digest, "parts": len(expected[name]), "rows": samples.study.simulation.trials,
                                "bytes": sizes[name]} for name, digest in samples.scenarios.items()}
    columns = [{"name": field.name, **{key.decode(): value.decode() for key, value in field.metadata.items()}}
               for field in schema_of(samples.columns, samples.study, "base")]
    written = replace(samples, there=samples.parts, bytes=sum(sizes.values()))
    where.write(MANIFEST, _text({**samples.begun, "parts": written.parts, "rows": written.rows, "bytes": written.bytes,
                                 "scenarios": scenarios_written, "columns": columns}))
    return written


def _is_left_over(name: str) -> bool:
    """Whether a file is one that a writer was killed with, before it had its name."""
    return PurePosixPath(name).name.startswith(UNFINISHED)


def _text(document: Mapping[str, Any]) -> bytes:
    return json_text(document).encode()

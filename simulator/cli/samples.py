"""`tco run --samples`: every trial of a run, written as Parquet beside its folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from simulator.cli.common import FAILED, WRONG_INPUT, progress, said_if_failed, say

if TYPE_CHECKING:
    from simulator.experiments.cluster import Cluster
    from simulator.experiments.samples import Samples
    from simulator.study import Study


def prepare_samples(place: str, loaded: list[tuple[Path, Study]], what_ifs: list[str], is_settled: bool,
                    quiet: bool) -> Samples | None:
    """End the command, before anything is run, where samples cannot be written to a place; else say how much they will be.

    is_settled  whether the number of trials is known; where it is not, nothing more than the place is looked at
    """
    from simulator.experiments.samples import check_place

    if len(loaded) > 1:
        say(f"--samples: found {len(loaded)} studies; expected one: run them one by one, each with a place of its own")
        raise typer.Exit(WRONG_INPUT)
    if is_settled:
        return _prepared(place, loaded[0][1], what_ifs, quiet)
    with _said_if_nowhere():
        check_place(place)
    return None


def write_samples(place: str, study: Study, what_ifs: list[str], prepared: Samples | None, threads: int, quiet: bool,
                  on: Cluster | None) -> None:
    """Write every trial of a study that was run, and of its scenarios."""
    from simulator.experiments.sample_place import in_words
    from simulator.experiments.samples import write

    samples = prepared or _prepared(place, study, what_ifs, quiet)
    where, done = samples.place.shown, 0

    try:
        with _said_if_nowhere(), said_if_failed(study.name), progress(f"{study.name}: samples", quiet) as advance:
            def report(share: float) -> None:
                nonlocal done
                done = round(share * samples.parts)
                if advance:
                    advance(share)

            written = write(samples, threads, report, on)
    except KeyboardInterrupt:
        say(f"samples: {done:,} of {samples.parts:,} parts are at {where}; the same command goes on from there")
        raise
    if not quiet:
        say(f"samples written to {where}: {written.rows:,} rows in {written.parts:,} parts, {in_words(written.bytes)}")


def _prepared(place: str, study: Study, what_ifs: list[str], quiet: bool) -> Samples:
    from simulator.experiments.sample_place import in_words
    from simulator.experiments.samples import prepare

    with _said_if_nowhere(), said_if_failed(study.name):
        samples = prepare(study, place, what_ifs)
    if not quiet:
        count = len(samples.scenarios)
        say(f"samples: {study.simulation.trials:,} trials" + (f" of each of {count} scenarios" if count > 1 else "")
            + f", {len(samples.columns) + 1} columns, take about {in_words(samples.bytes)} at {samples.place.shown}"
            + (f"; {samples.there:,} of {samples.parts:,} parts are there already" if samples.there else ""))
    return samples


@contextlib.contextmanager
def _said_if_nowhere() -> Iterator[None]:
    """Why samples cannot be written is said on standard error, and ends the command."""
    from simulator.experiments.sample_place import SamplesError, WrongPlaceError

    try:
        yield
    except SamplesError as error:
        say(f"--samples: {error}")
        raise typer.Exit(WRONG_INPUT if isinstance(error, WrongPlaceError) else FAILED) from None

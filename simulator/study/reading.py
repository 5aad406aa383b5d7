"""From a resolved tree to a `Study`: everything that is wrong is found in one reading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

from simulator.quantities import INPUT
from simulator.study.checks import (
    LONGEST_HORIZON,
    check_evidence,
    check_frontiers,
    check_horizon,
    check_operating_points,
    check_terms,
    check_use,
)
from simulator.study.correlations import read_correlations
from simulator.study.document import ASKED_BESIDE, Document
from simulator.study.inputs import KINDS, read_input
from simulator.study.loading import digest, set_apart, with_layer, with_what_if
from simulator.study.model import Input, Process, Simulation, Study
from simulator.study.plan import read_plan
from simulator.study.platforms import Context, read_inputs, read_markets, read_platforms
from simulator.study.problems import Path, Problem, StudyError, path_text, shown
from simulator.study.published import read_published
from simulator.study.reader import Reader
from simulator.study.schema import SCHEMA, why_unread
from simulator.study.sensitivity import read_sensitivity
from simulator.study.sweeps import ends_of, read_sweeps
from simulator.study.what_ifs import read_what_ifs, settings_of

SAMPLERS = ("sobol", "latin_hypercube", "random")
MOST_TRIALS = 10**12
FEWEST_REPLICATES, MOST_REPLICATES = 16, 1024
FEWEST_PER_REPLICATE = 16
STUDY_KEYS = ("schema", "study", "description", "extends", "simulation", "markets", "shared", "platforms", "correlations",
              "compare_across_operating_points", "evidence", "as_of", "published", "plan", *ASKED_BESIDE)
SIMULATION_KEYS = ("trials", "replicates", "sampler", "antithetic", "seed", "horizon")


def read_study(document: Document, default_name: str, evidence: str = "",
               inputs_read: dict[Path, tuple[Any, Any, Any]] | None = None) -> Study:
    """Read and check a resolved tree. `evidence`: the kind used wherever there are two, "" as the study says.

    inputs_read  inputs read before from much the same tree, as of `Reader`; filled
    Raises StudyError with all problems.
    """
    reader = Reader(document, evidence, inputs_read=inputs_read)
    study = _read(reader, default_name)
    if reader.problems:
        raise StudyError(reader.problems)
    return study


def read_study_with_all(document: Document, default_name: str) -> Study:
    """As `read_study`, and every what-if and sweep is read as it would be run, whether it is or not. Raises StudyError."""
    reader = Reader(document)
    study = _read(reader, default_name)
    problems = list(reader.problems)
    known = {(problem.place, problem.message) for problem in problems}
    files = []
    bare, _ = set_apart(document, ASKED_BESIDE)
    named = study.what_ifs_by_name
    ways = ((("what_ifs", name), with_what_if(bare, settings_of(named, name))) for name in named)
    ends = ((("sweeps", sweep.name), with_layer(bare, end)) for sweep in study.sweeps for end in ends_of(sweep))
    for path, changed in chain(ways, ends):
        if any(wrong[:2] == path for wrong in document.wrong):
            continue  # what could not be read was said, and what follows from it would say it again
        other = Reader(changed, inputs_read=reader.inputs_read)
        _read(other, default_name)
        for problem in other.problems:
            # What came from the command line may not fit a what-if that nobody runs: it is said to who runs it.
            if problem.place.line and (problem.place, problem.message) not in known:
                known.add((problem.place, problem.message))
                problems.append(Problem(problem.place, ": ".join(filter(None, (path_text(path), problem.path))), problem.message))
        files += other.data_files
    if problems:
        raise StudyError(problems)
    return replace(study, other_files=tuple(dict.fromkeys(files)))


def check_part(document: Document) -> None:
    """Check a file that others extend: what is in it is right, what is not may stand elsewhere. Raises StudyError."""
    reader = Reader(document, is_part=True)
    _read(reader, "part")
    if reader.problems:
        raise StudyError(reader.problems)


def _read(reader: Reader, default_name: str) -> Study:
    tree = reader.document.tree
    reader.known_keys(tree, (), STUDY_KEYS, "key")
    if "schema" not in tree:
        reader.missing(("schema",), f"expected 'schema: {SCHEMA}'")
    elif unread := why_unread(tree["schema"]):
        reader.refuse(("schema",), unread)
    simulation, warnings = _read_simulation(reader, tree.get("simulation", {}))
    kind = reader.choice(tree, "evidence", (), KINDS, KINDS[0]) or KINDS[0]
    markets = read_markets(reader, tree.get("markets"), kind)
    context = Context(markets, kind, simulation.horizon)
    shared = read_inputs(reader, tree.get("shared", {}), ("shared",), (), context)
    platforms = tuple(read_platforms(reader, tree, shared, context))
    warnings += check_use(reader, tree, platforms, markets)
    warnings += check_horizon(reader, platforms, simulation.horizon)
    warnings += check_frontiers(platforms)
    warnings += check_terms(platforms, simulation.horizon)
    warnings += check_operating_points(reader, platforms, reader.flag(tree, "compare_across_operating_points", ()))
    inputs = {given.path: given for platform in platforms for given in platform.all_inputs()}
    scalars, processes = _dependable(inputs)
    correlations, notes = read_correlations(reader, tree.get("correlations"), scalars, processes)
    warnings += notes
    warnings += check_evidence(inputs.values(), _read_date(reader, tree))
    names = tree.get("platforms")
    published = read_published(reader, tree.get("published"), names if isinstance(names, dict) else ())
    plan = read_plan(reader, tree.get("plan"), platforms)
    what_ifs, sweeps = read_what_ifs(reader, tree.get("what_ifs")), read_sweeps(reader, tree.get("sweeps"))
    sensitivity = read_sensitivity(reader, tree.get("sensitivity"))
    name = reader.text(tree, "study", (), default_name)
    description = reader.text(tree, "description", ())
    files = tuple(dict.fromkeys(reader.data_files))
    return Study(name, description, simulation, platforms, _digest(reader, files), tuple(warnings), reader.document, published,
                 files, correlations, reader.evidence, plan, what_ifs, sweeps, sensitivity=sensitivity)


def _digest(reader: Reader, files: tuple[Any, ...]) -> str:
    """Of what the results depend on: not of the date that evidence is compared with, nor of what else could be asked."""
    tree = {key: value for key, value in reader.document.tree.items() if key not in ("as_of", *ASKED_BESIDE)}
    return digest(tree, *(file.digest for file in files), *([reader.evidence] if reader.evidence else ()))


def _dependable(inputs: Mapping[str, Input]) -> tuple[dict[str, bool], list[str]]:
    """Inputs and parameters that may depend on one another, with whether they are certain; and the processes."""
    scalars: dict[str, bool] = {}
    processes = []
    for path, given in inputs.items():
        if isinstance(given.value, Process):
            processes.append(path)
            scalars |= {f"{path}.{name}": marginal.is_constant for name, marginal in given.value.parameters.items()}
        else:
            scalars[path] = given.is_constant
    return scalars, processes


def _read_date(reader: Reader, tree: Mapping[str, Any]) -> date:
    """The date with which that of evidence is compared: today where the study does not say."""
    if "as_of" not in tree:
        return date.today()
    text = reader.text(tree, "as_of", ())
    try:
        return date.fromisoformat(text)
    except ValueError:
        reader.refuse(("as_of",), f"found {shown(tree['as_of'])}; expected a date such as 2026-11-25")
        return date.today()


def _read_simulation(reader: Reader, found: Any) -> tuple[Simulation, list[str]]:
    path: Path = ("simulation",)
    values = reader.mapping(found, path, f"a mapping with {', '.join(SIMULATION_KEYS)}")
    reader.known_keys(values, path, SIMULATION_KEYS, "key")
    trials = reader.integer(values, "trials", path, 1, MOST_TRIALS, 65536)
    replicates = reader.integer(values, "replicates", path, FEWEST_REPLICATES, MOST_REPLICATES, 32)
    sampler = reader.choice(values, "sampler", path, SAMPLERS, "sobol") or "sobol"
    seed = reader.integer(values, "seed", path, 0, 2**64 - 1, 0)
    horizon = LONGEST_HORIZON
    if "horizon" in values:
        stated = read_input(reader, values["horizon"], (*path, "horizon"),
                            replace(INPUT["gpu_lifetime"], name="horizon", high=LONGEST_HORIZON))
        if stated is None:
            reader.misread((*path, "horizon"))
        elif not stated.is_constant:
            reader.refuse((*path, "horizon"), "found a distribution; expected a number of years")
        elif not isinstance(stated.value, Process):
            horizon = stated.value.parameters[0]
    antithetic = reader.flag(values, "antithetic", path)
    if antithetic and sampler != "random":
        reader.refuse((*path, "antithetic"), f"found antithetic pairs with 'sampler: {sampler}', whose points are already "
                      "balanced; expected 'sampler: random', or no pairs")
    each = max(FEWEST_PER_REPLICATE, -(-trials // replicates))
    if sampler == "sobol":
        each = 1 << (each - 1).bit_length()
    elif antithetic:
        each += each % 2
    warnings = []
    if each * replicates != trials:
        power = ", a power of two" if sampler == "sobol" else ", in pairs" if antithetic else ""
        warnings.append(f"{trials:,} trials asked for, {each * replicates:,} run: {replicates} replicates of {each:,}{power}")
    return Simulation(each * replicates, replicates, sampler, seed, horizon, antithetic), warnings


def as_path(text: str, file_name: str) -> str:
    """A word for a study's folder: its name in lower case, with '-' for what a path should not hold."""
    word = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return word[:60] or re.sub(r"[^a-z0-9]+", "-", file_name.lower()).strip("-") or "study"

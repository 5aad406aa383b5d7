"""From a resolved tree to a `Study`: everything that is wrong is found in one reading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulator.quantities import INPUT, NEEDLESS_WITHOUT, NEEDS, RENT_DEFAULTS, REQUIRED, THROUGHPUT_FACTOR
from simulator.study.distributions import constant
from simulator.study.document import Document
from simulator.study.frontier_reading import read_frontier, throughput_on
from simulator.study.inputs import EVIDENCE_KEYS, read_evidence, read_input
from simulator.study.loading import digest
from simulator.study.model import Input, OperatingPoint, Platform, Process, Simulation, Study
from simulator.study.problems import Path, StudyError, figure, path_text, quoted, shown
from simulator.study.published import read_published
from simulator.study.reader import Reader
from simulator.units import MONTHS

SCHEMA = 1
SAMPLERS = ("sobol", "random")
LONGEST_HORIZON = MONTHS / 12
MOST_TRIALS = 10**12
# Names that can have a dimension of the sampler each (`engine.addresses` has the rooms).
MOST_PLATFORMS, MOST_NAMED, MOST_OWN_PROCESSES = 250, 4000, 34
FEWEST_REPLICATES, MOST_REPLICATES = 16, 1024
FEWEST_PER_REPLICATE = 16
STUDY_KEYS = ("schema", "study", "description", "extends", "simulation", "shared", "platforms", "compare_across_operating_points",
              "published")
SIMULATION_KEYS = ("trials", "replicates", "sampler", "seed", "horizon")
PLATFORM_KEYS = ("label", "vendor", "ownership", "operating_point", "frontier", "peak_flops_basis", *EVIDENCE_KEYS)
OPERATING_POINT_KEYS = ("model", "precision", "interactivity", "input_tokens", "output_tokens", "token_basis", "note")
TOKEN_BASES = ("total", "output")
# Words of the format that this version reads but cannot act on: refused, since ignoring them would change the answer.
_LATER = ("correlations", "what_ifs", "sweeps", "sensitivity", "plan")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_NAME_IN_WORDS = "letters, digits, '_' and '-', at most 60 and the first one a letter or digit"
# What an input does nothing without.
_NO_EFFECT = {**NEEDLESS_WITHOUT, **{needed: name for name, needed in NEEDS.items()}, "failure_rate": "replacement_cost"}


def read_study(document: Document, default_name: str) -> Study:
    """Read and check a resolved tree. Raises StudyError with all problems."""
    reader = Reader(document)
    tree = document.tree
    for key in tree:
        if key in _LATER:
            reader.refuse((key,), f"this version does not act on '{key}' yet; take it out to run the study without it")
    reader.known_keys({k: v for k, v in tree.items() if k not in _LATER}, (), STUDY_KEYS, "key")
    if "schema" not in tree:
        reader.missing(("schema",), f"expected 'schema: {SCHEMA}'")
    elif tree["schema"] != SCHEMA or isinstance(tree["schema"], bool):
        reader.refuse(("schema",), f"found {shown(tree['schema'])}; this version reads schema {SCHEMA}")
    simulation, warnings = _read_simulation(reader, tree.get("simulation", {}))
    shared, shared_factors = _read_inputs(reader, tree.get("shared", {}), ("shared",), ())
    platforms = _read_platforms(reader, tree, shared, shared_factors)
    warnings += _check_use(reader, tree, platforms)
    warnings += _check_horizon(reader, platforms, simulation.horizon)
    across = reader.flag(tree, "compare_across_operating_points", ())
    warnings += _check_operating_points(reader, platforms, across)
    names = tree.get("platforms")
    published = read_published(reader, tree.get("published"), names if isinstance(names, dict) else ())
    name = reader.text(tree, "study", (), default_name)
    description = reader.text(tree, "description", ())
    if reader.problems:
        raise StudyError(reader.problems)
    return Study(name, description, simulation, tuple(platforms), digest(tree), tuple(warnings), document, published)


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
    each = max(FEWEST_PER_REPLICATE, -(-trials // replicates))
    if sampler == "sobol":
        each = 1 << (each - 1).bit_length()
    warnings = []
    if each * replicates != trials:
        power = ", a power of two" if sampler == "sobol" else ""
        warnings.append(f"{trials:,} trials asked for, {each * replicates:,} run: {replicates} replicates of {each:,}{power}")
    return Simulation(each * replicates, replicates, sampler, seed, horizon), warnings


def _read_inputs(reader: Reader, found: Any, path: Path,
                 more_keys: tuple[str, ...]) -> tuple[dict[str, Input | None], dict[str, Input | None]]:
    """Inputs and throughput factors of one mapping, by name; None where one is wrong (and already reported)."""
    values = reader.mapping(found, path, "a mapping of inputs")
    inputs: dict[str, Input | None] = {}
    factors: dict[str, Input | None] = {}
    for key, value in values.items():
        inside = (*path, key)
        if key == "throughput_factors":
            for name, factor in reader.mapping(value, inside, "named factors, such as delivered_share: 0.85").items():
                if not _NAME.fullmatch(name):
                    reader.refuse((*inside, name), f"found the name '{quoted(name)}'; expected {_NAME_IN_WORDS}")
                factors[name] = read_input(reader, factor, (*inside, name), THROUGHPUT_FACTOR)
        elif key in INPUT:
            inputs[key] = read_input(reader, value, inside, INPUT[key])
            if inputs[key] is None:
                reader.misread(inside)
        elif key == "horizon":
            reader.refuse(inside, "found the horizon, which all platforms share; expected it under simulation")
        elif key not in more_keys:
            reader.unknown(inside, "input", (*INPUT, "throughput_factors", *more_keys), "one of those that 'tco schema' lists")
    return inputs, factors


def _read_platforms(reader: Reader, tree: Mapping[str, Any], shared: Mapping[str, Input | None],
                    shared_factors: Mapping[str, Input | None]) -> list[Platform]:
    if tree.get("platforms") in (None, {}):
        reader.missing(("platforms",), "expected at least one platform")
        return []
    platforms = []
    for name, found in reader.mapping(tree["platforms"], ("platforms",), "a mapping of platforms by name").items():
        path: Path = ("platforms", name)
        if not _NAME.fullmatch(name):
            reader.refuse(path, f"found the name '{quoted(name)}'; expected {_NAME_IN_WORDS} (its label may be anything)")
        values = reader.mapping(found, path, "a platform: ownership, throughput, …")
        if values:
            platforms.append(_read_platform(reader, values, name, path, shared, shared_factors))
        elif isinstance(found, dict):
            reader.refuse(path, "found an empty mapping; expected a platform: ownership, throughput, …")
            reader.misread(path)
    _check_names(reader, platforms)
    return platforms


def _check_names(reader: Reader, platforms: list[Platform]) -> None:
    """Labels tell platforms apart, and there are no more names than the sampler has dimensions for."""
    labels: dict[str, str] = {}
    for platform in platforms:
        other = labels.setdefault(platform.label, platform.name)
        if other != platform.name:
            reader.refuse(("platforms", platform.name, "label"),
                          f"found the label '{quoted(platform.label)}', which {other} has too; expected one of its own")
    own = {given.path for platform in platforms for given in (*platform.inputs.values(), *platform.factors)}
    processes = {given.path for platform in platforms for given in platform.inputs.values()
                 if isinstance(given.value, Process) and not given.path.startswith("shared.")}
    named = {path for path in own if "throughput_factors" in path}
    for count, most, what in (
            (len(platforms), MOST_PLATFORMS, "platforms"),
            (len(named) + 7 * len(processes), MOST_NAMED, "throughput factors and parameters of processes"),
            (len(processes), MOST_OWN_PROCESSES, "processes that belong to one platform (shared ones are not counted)")):
        if count > most:
            reader.refuse(("platforms",), f"found {count:,} {what}; expected at most {most:,}")


def _read_platform(reader: Reader, values: Mapping[str, Any], name: str, path: Path, shared: Mapping[str, Input | None],
                   shared_factors: Mapping[str, Input | None]) -> Platform:
    read_evidence(reader, values, path)
    own, own_factors = _read_inputs(reader, values, path, PLATFORM_KEYS)
    ownership = reader.choice(values, "ownership", path, ("buy", "rent")) or ""
    point = _read_operating_point(reader, values.get("operating_point"), (*path, "operating_point"))
    measured = read_frontier(reader, values.get("frontier"), (*path, "frontier"))
    if values.get("operating_point") is not None and point is None:
        reader.misread((*path, "operating_point"))
    if "frontier" in values and "throughput" not in {**shared, **own}:
        own["throughput"] = throughput_on(reader, *measured, point, path) if measured else None
    usable = ("any", ownership) if ownership else ("any", "buy", "rent")
    for key in own:
        if INPUT[key].ownership not in usable:
            reader.refuse((*path, key), f"found an input of platforms with 'ownership: {INPUT[key].ownership}', but this one has "
                          f"'ownership: {ownership}'; expected it left out, or the other ownership")
    given = {key: value for key, value in {**shared, **own}.items() if INPUT[key].ownership in usable}
    inputs = {key: value for key, value in given.items() if value is not None}
    for key in REQUIRED.get(ownership, ()):
        if key not in given:
            unit = "" if INPUT[key].unit == "1" else f" [{INPUT[key].unit}]"
            reader.missing((*path, key), f"a platform with 'ownership: {ownership}' needs it, here or under shared "
                           f"({INPUT[key].meaning}{unit})", ("shared", key))
    for key, needed in NEEDS.items():
        if key in given and needed not in given:
            reader.missing((*path, needed), f"{key} needs it", ("shared", needed))
    if ownership == "rent":
        for key, value in RENT_DEFAULTS.items():
            if key not in given:
                inputs[key] = Input(path_text((*path, key)), INPUT[key], constant(value))
    factors = {**shared_factors, **own_factors}
    return Platform(
        name, reader.text(values, "label", path, name), reader.text(values, "vendor", path), ownership,
        point, inputs, tuple(factor for _, factor in sorted(factors.items()) if factor is not None),
        reader.text(values, "peak_flops_basis", path), measured[0] if measured else None)


def _read_operating_point(reader: Reader, found: Any, path: Path) -> OperatingPoint | None:
    if found is None:
        return None
    before = reader.refusals
    values = reader.mapping(found, path, f"a mapping with {', '.join(OPERATING_POINT_KEYS)}")
    reader.known_keys(values, path, OPERATING_POINT_KEYS, "key")
    interactivity = reader.number(values["interactivity"], (*path, "interactivity")) if "interactivity" in values else None
    if interactivity is not None and interactivity <= 0:
        reader.refuse((*path, "interactivity"), f"found {figure(interactivity)}; expected above 0 token/s/user")
    lengths = {key: reader.integer(values, key, path, 1, 10**9, 1) for key in ("input_tokens", "output_tokens") if key in values}
    basis = reader.choice(values, "token_basis", path, TOKEN_BASES, "") if "token_basis" in values else ""
    point = OperatingPoint(reader.text(values, "model", path), reader.text(values, "precision", path), interactivity,
                           lengths.get("input_tokens"), lengths.get("output_tokens"), basis or "")
    return point if reader.refusals == before else None  # half an operating point would seem to differ from another one


def _check_use(reader: Reader, tree: Mapping[str, Any], platforms: list[Platform]) -> list[str]:
    """An input that no platform can use would be ignored in silence; one that happens to have no effect is named."""
    ownerships = {platform.ownership for platform in platforms}
    found, named = tree.get("shared"), tree.get("platforms")
    all_known = platforms and ownerships <= {"buy", "rent"} and isinstance(named, dict) and not any(
        reader.is_misread(("platforms", name)) for name in named)
    used = {given.path for platform in platforms for given in (*platform.inputs.values(), *platform.factors)}
    warnings = []
    for key in found if isinstance(found, dict) else ():
        quantity = INPUT.get(key)
        if quantity and all_known and quantity.ownership not in ("any", *ownerships):
            reader.refuse(("shared", key), f"found an input of platforms with 'ownership: {quantity.ownership}', and there is "
                          "none here; expected it left out")
        elif quantity and f"shared.{key}" not in used:
            warnings.append(f"shared.{key} is not used: every platform has its own")
    warnings += [f"{platform.label}: {key} has no effect without {other}" for platform in platforms
                 for key, other in _NO_EFFECT.items() if key in platform.inputs and other not in platform.inputs]
    return warnings


def _check_horizon(reader: Reader, platforms: list[Platform], horizon: float) -> list[str]:
    warnings: list[str] = []
    if reader.is_misread(("simulation", "horizon")):
        return warnings
    for platform in platforms:
        life = platform.inputs.get("gpu_lifetime")
        if life is None or isinstance(life.value, Process):
            continue
        cut = life.value.probability_above(horizon) if not life.is_constant else float(life.value.parameters[0] > horizon)
        if cut > 0.01:
            warnings.append(f"{platform.label}: the horizon of {horizon:g} years cuts {cut:.0%} of lives")
        known = "residual_value" in platform.inputs or any(
            reader.is_misread(path) for path in (("platforms", platform.name, "residual_value"), ("shared", "residual_value")))
        if cut > 0 and platform.ownership == "buy" and not known:
            longest = life.value.support()[1]
            reader.refuse(tuple(life.path.split(".")),
                          f"found lives of up to {longest:.3g} years, which the horizon of {horizon:g} years cuts; expected "
                          f"a residual_value for {platform.name} (0 may be said), or a longer horizon (at most "
                          f"{LONGEST_HORIZON:g} years)")
    return warnings


def _check_operating_points(reader: Reader, platforms: list[Platform], across: bool) -> list[str]:
    """Platforms are compared like for like, or not without saying so."""
    warnings: list[str] = []
    if len(platforms) < 2:
        return warnings
    without = [platform.label for platform in platforms if platform.operating_point is None]
    if without:
        warnings.append(f"no operating point is stated for {', '.join(without)}: nothing says that the throughputs are like "
                        "for like")
    stated = [platform for platform in platforms if platform.operating_point is not None]
    for field in ("model", "input_tokens", "output_tokens", "token_basis"):
        different = {platform.name: getattr(platform.operating_point, field) for platform in stated}
        if len(set(different.values())) > 1:
            each = ", ".join(f"{name}: {value or 'not stated'}" for name, value in different.items())
            if across:
                warnings.append(f"operating points differ in {field} ({each}): this compares different work")
            else:
                reader.refuse(("platforms", stated[-1].name, "operating_point", field),
                              f"found different work on different platforms ({each}); expected the same {field} everywhere, or "
                              "'compare_across_operating_points: true'")
    for field, unit in (("interactivity", " token/s/user"), ("precision", "")):
        different = {platform.label: getattr(platform.operating_point, field) for platform in stated}
        if len(set(different.values())) > 1:
            each = ", ".join(f"{label} {_stated(value)}{unit if value else ''}" for label, value in different.items())
            warnings.append(f"operating points differ in {field}: {each}")
    return warnings


def _stated(value: float | str | None) -> str:
    return f"{value:g}" if isinstance(value, float) else value or "not stated"


def as_path(text: str, file_name: str) -> str:
    """A word for a study's folder: its name in lower case, with '-' for what a path should not hold."""
    word = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return word[:60] or re.sub(r"[^a-z0-9]+", "-", file_name.lower()).strip("-") or "study"

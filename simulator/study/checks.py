"""What is checked across a study: inputs without effect, lives and horizon, terms, operating points, evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from simulator.quantities import INPUT, NEEDLESS_WITHOUT, NEEDS, WITH_REPLACEMENT
from simulator.study.families import Marginal
from simulator.study.frontier import OutsideFrontierError
from simulator.study.model import Input, Platform, Process
from simulator.study.reader import Reader
from simulator.units import MONTHS

LONGEST_HORIZON = MONTHS / 12
# What an input does nothing without.
_NO_EFFECT = {**NEEDLESS_WITHOUT, **{needed: name for name, needed in NEEDS.items() if name not in NEEDS.values()},
              "failure_rate": "replacement_cost"}
_OLD = timedelta(days=366)


def check_use(reader: Reader, tree: Mapping[str, Any], platforms: Sequence[Platform],
              markets: Mapping[str, Input | None]) -> list[str]:
    """An input that no platform can use would be ignored in silence; one that happens to have no effect is named."""
    if reader.is_part:
        return []
    ownerships = {platform.ownership for platform in platforms}
    found, named = tree.get("shared"), tree.get("platforms")
    all_known = platforms and ownerships <= {"buy", "rent"} and isinstance(named, dict) and not any(
        reader.is_misread(("platforms", name)) for name in named)
    used = {given.path for platform in platforms for given in platform.all_inputs()}
    warnings = [f"markets.{name} is not used: no platform names it" for name, market in markets.items()
                if market is not None and market.path not in used]
    for key, value in found.items() if isinstance(found, dict) else ():
        quantity = INPUT.get(key)
        if quantity and all_known and quantity.ownership not in ("any", *ownerships):
            reader.refuse(("shared", key), f"found an input of platforms with 'ownership: {quantity.ownership}', and there is "
                          "none here; expected it left out")
        elif quantity and not (isinstance(value, dict) and "market" in value) and f"shared.{key}" not in used:
            warnings.append(f"shared.{key} is not used: every platform has its own")
    warnings += [f"{platform.label}: {key} has no effect without {other}" for platform in platforms
                 for key, other in _NO_EFFECT.items() if key in platform.inputs and other not in platform.inputs
                 and not (key == "failure_rate" and platform.attrition != WITH_REPLACEMENT)]
    warnings += _words_without_effect(tree, platforms)
    for platform in platforms:
        if "failure_rate" in platform.inputs and platform.attrition != WITH_REPLACEMENT and (
                "replacement_cost" in platform.inputs):
            warnings.append(f"{platform.label}: replacement_cost has no effect with 'attrition: without_replacement'")
    return warnings


def _words_without_effect(tree: Mapping[str, Any], platforms: Sequence[Platform]) -> list[str]:
    """What a platform says, or shares, that changes nothing there."""
    shared = tree.get("shared")
    words = set(shared) if isinstance(shared, dict) else set()
    bought = [platform for platform in platforms if platform.ownership == "buy"]
    notes = []
    if "depreciation" in words and not any("tax_rate" in platform.inputs for platform in bought):
        notes.append("shared.depreciation has no effect: no platform that is bought has a tax_rate")
    if "attrition" in words and not any("failure_rate" in platform.inputs for platform in bought):
        notes.append("shared.attrition has no effect: no platform that is bought has a failure_rate")
    for platform in platforms:
        stated = tree["platforms"].get(platform.name, {}) if isinstance(tree.get("platforms"), dict) else {}
        own = stated if isinstance(stated, dict) else {}
        for word, needed in (("depreciation", "tax_rate"), ("attrition", "failure_rate"), ("peak_flops_basis", "peak_flops")):
            if word in own and (needed not in platform.inputs or (platform.ownership == "rent" and word != "peak_flops_basis")):
                notes.append(f"{platform.label}: {word} has no effect without {needed}"
                             + (" of a platform that is bought" if platform.ownership == "rent" else ""))
        if not {"power", "pue"} <= set(platform.inputs):
            notes += [f"{platform.label}: {name} has no effect without power and pue"
                      for name in ("carbon_intensity", "idle_power_fraction") if name in own]
        if "depreciation_life" in platform.inputs and platform.depreciation != "straight_line":
            notes.append(f"{platform.label}: depreciation_life has no effect with 'depreciation: {platform.depreciation}'")
        notes += [f"{given.path}.strike has no effect without hedged_share" for given in platform.inputs.values()
                  if isinstance(given.value, Process) and "strike" in given.value.parameters
                  and given.value.parameters["hedged_share"].parameters == (0.0,)]
    return list(dict.fromkeys(notes))


def check_horizon(reader: Reader, platforms: Sequence[Platform], horizon: float) -> list[str]:
    """Lives that the horizon cuts are named; where hardware is sold at the end, its residual value then has to be stated."""
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


def check_operating_points(reader: Reader, platforms: Sequence[Platform], across: bool) -> list[str]:
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


def check_frontiers(platforms: Sequence[Platform]) -> list[str]:
    """A throughput that is stated beside a frontier holds at one operating point: it is said where the frontier has another."""
    notes = []
    for platform in platforms:
        given, point = platform.inputs.get("throughput"), platform.operating_point
        if platform.frontier is None or given is None or point is None or point.interactivity is None:
            continue
        if not isinstance(given.value, Marginal) or given.value.is_constant:
            continue
        stated = given.value.quantile(0.5)
        try:
            measured = platform.frontier.throughput_at(point.interactivity)
        except OutsideFrontierError:
            notes.append(f"{platform.label}: its throughput (median {stated:,.4g}) is stated for {point.interactivity:g} "
                         f"token/s/user, where nothing was measured: its frontier goes {platform.frontier.measured_range()}")
            continue
        if not given.value.quantile(0.05) <= measured <= given.value.quantile(0.95):
            notes.append(f"{platform.label}: its throughput (median {stated:,.4g}) is not what its frontier has at "
                         f"{point.interactivity:g} token/s/user ({measured:,.4g}); take it out to read it off the frontier")
    return notes


def check_terms(platforms: Sequence[Platform], horizon: float) -> list[str]:
    """Costs that are levelized over unequal terms are not quite like for like, and it is said."""
    terms = {platform.label: min(life.value.quantile(0.5), horizon) for platform in platforms
             if (life := platform.inputs.get("gpu_lifetime")) is not None and not isinstance(life.value, Process)}
    if not any(platform.ownership == "rent" for platform in platforms) or max(terms.values(), default=0) <= 1.01 * min(
            terms.values(), default=0):
        return []
    each = ", ".join(f"{label} {years:.3g}" for label, years in terms.items())
    return [f"terms differ (median years in service: {each}): a short rent leaves later prices open, which a contract_term and a "
            "longer horizon would include"]


def check_evidence(inputs: Iterable[Input], today: date) -> list[str]:
    """Evidence that is weak, or older than twelve months; ranges are left as they are stated."""
    inputs = list(inputs)
    weak = [given for given in inputs if given.evidence.grade == "weak"]
    old = [given for given in inputs
           if (latest := latest_day(given.evidence.date)) is not None and today - latest > _OLD]
    claimed = [given for given in inputs if given.kind == "claim"]
    notes = []
    for found, what, dated in ((weak, "weak evidence", False), (claimed, "vendors' claims in place of measurements", False),
                               (old, f"evidence over twelve months old on {today.isoformat()}", True)):
        if found:
            notes.append(f"{what}, in {len(found)} of {len(inputs)} inputs (ranges are left as stated): {_named(found, dated)}")
    return notes


def _named(inputs: Sequence[Input], dated: bool) -> str:
    """Inputs by path; those that several platforms have by name and number."""
    groups: dict[str, list[Input]] = {}
    for given in inputs:
        parts = given.path.split(".")
        groups.setdefault(".".join(parts[2:]) if parts[0] == "platforms" else given.path, []).append(given)
    named = []
    for name, found in groups.items():
        called = found[0].path if len(found) == 1 else f"{name} of {len(found)} platforms"
        dates = sorted({given.evidence.date for given in found})
        named.append(f"{called} ({dates[0] if len(dates) == 1 else f'{dates[0]} to {dates[-1]}'})" if dated else called)
    return ", ".join(named)


def latest_day(text: str) -> date | None:
    """The last day of a stated date: a day, a month (2026-03) or a year; None where it cannot be read."""
    parts = text.strip().split("-")
    try:
        numbers = [int(part) for part in parts]
        if len(numbers) == 3:
            return date(*numbers)
        first = date(numbers[0], numbers[1] if len(numbers) == 2 else 12, 1)
        return date(first.year + first.month // 12, first.month % 12 + 1, 1) - timedelta(days=1)
    except ValueError:
        return None

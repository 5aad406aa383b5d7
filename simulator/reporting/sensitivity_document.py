"""Sensitivities as the document that `--json` prints. What does not apply is absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.analysis.conditional import Given
from simulator.analysis.intervals import Estimate
from simulator.experiments.sensitivity.break_even import BreakEven, Flip
from simulator.experiments.sensitivity.everything import Map, Sensitivity
from simulator.experiments.sensitivity.from_sample import Measured, OutputMeasures
from simulator.experiments.sensitivity.one_at_a_time import Bar, OneAtATime
from simulator.experiments.sensitivity.outputs import LOG_COST, LOG_RATIO, Output
from simulator.experiments.sensitivity.reverse_stress import Box, ReverseStress
from simulator.experiments.sensitivity.robustness import Robustness, World
from simulator.experiments.sensitivity.shapley import ShapleyEffects
from simulator.experiments.sensitivity.sobol import SobolIndices
from simulator.experiments.sensitivity.value_of_information import Decision, Known
from simulator.quantities import COST
from simulator.reporting.reverse_stress_wording import reverse_stress_in_words
from simulator.reporting.robustness_wording import robustness_in_words
from simulator.study.model import Study
from simulator.study.processes import units_of
from simulator.study.schema import header

Json = dict[str, Any]


def document(found: Sensitivity) -> Json:
    """Every number with its error, inputs by their paths."""
    study = found.study
    decisions = {"decision": _decision(found.plan or found.decision, "plan" if found.plan else "million tokens")}
    if found.plan:
        decisions["decision_per_million_tokens"] = _decision(found.decision, "million tokens")
    base = {
        "platforms": {platform.name: {"label": platform.label, **_platform(found, position)}
                      for position, platform in enumerate(study.platforms)},
        "pairs": {found.study.pair_name(pair): _pair(found, pair) for pair in found.study.pairs},
        **{name: decision for name, decision in decisions.items() if decision},
        **({"reverse_stress": _reverse_stress(study, found.reverse_stress)} if found.reverse_stress else {}),
        **({"robustness": _robustness(study, found.robustness)} if found.robustness else {})}
    return {**header(study), "methods": list(found.methods),
            "left_out": [{"method": left.method, "reason": left.reason} for left in found.left_out],
            "scenarios": {"base": base}, "warnings": [*study.warnings, *found.notes]}


def _platform(found: Sensitivity, position: int) -> Json:
    name = found.study.platforms[position].name
    cost, log = _output(found, Output(COST.name, name)), _output(found, Output(LOG_COST, name))
    cost |= _absent_if_empty(tornado=[_bar(bar) for bar in found.tornado(position)])
    if found.one_at_a_time and "spider" in found.methods:
        cost["spider"] = _spider(found.one_at_a_time, position)
    cost |= _absent_if_empty(conditional=[
        {"input": one.input, "unit": one.unit, "low": _given(low), "high": _given(high)}
        for one in found.conditional for low, high in [one.platforms[position]]])
    return {COST.name: {"unit": COST.unit, **cost}, **({LOG_COST: log} if log else {})}


def _output(found: Sensitivity, output: Output) -> Json:
    """What is said of the variance and the tail of one output."""
    said: Json = {}
    withheld: dict[str, str] = {}
    for measures in found.measures:
        if measures.output == output:
            said |= _measures(measures)
            withheld |= {"first_order": measures.withheld} if measures.withheld else {}
    for indices in found.sobol:
        if indices.output == output:
            said |= _sobol(indices)
            withheld |= {"sobol": indices.withheld} if indices.withheld else {}
    for key, what, effects in (("shapley", "input", found.shapley), ("shapley_groups", "group", found.shapley_groups)):
        for effect in effects:
            if effect.output == output:
                into = said if effect.of == "variance" else said.setdefault("tail", {})
                into |= _shapley(effect, key, what)
                withheld |= {"shapley": effect.withheld} if effect.withheld and effect.of == "variance" else {}
    if "tail" in said and not said["tail"]:
        del said["tail"]
    return said | ({"withheld": withheld} if withheld else {})


def _pair(found: Sensitivity, pair: tuple[int, int]) -> Json:
    log_ratio = _output(found, Output(LOG_RATIO, found.study.pair_name(pair)))
    tornado = [_bar(bar) for bar in found.tornado(*pair)]
    said: Json = {"ratio": {"unit": "1", "tornado": tornado}} if tornado else {}
    said |= {LOG_RATIO: log_ratio} if log_ratio else {}
    if found.break_even is not None and pair in found.break_even:
        said |= _break_even(found.break_even[pair])
    if found.crossover and found.crossover.pair == pair:
        said["crossover"] = _map(found.crossover)
    return said


def _absent_if_empty(**lists: Sequence[Any]) -> Json:
    return {name: values for name, values in lists.items() if values}


def _bar(bar: Bar) -> Json:
    return {"input": bar.input, "group": bar.group, "at_p10": bar.at_p10, "at_p90": bar.at_p90, "swing": bar.swing}


def _spider(alone: OneAtATime, platform: int) -> Json:
    return {"at_medians": float(alone.at_medians[platform]), "probabilities": alone.probabilities.tolist(), "lines": [
        {"input": line.input, "unit": line.unit, "values": line.values.tolist(), "costs": line.costs[platform].tolist()}
        for line in alone.lines]}


def _given(given: Given) -> Json:
    return {"threshold": given.threshold, "share": given.share, "mean": given.mean.as_dict()}


def _measured(name: str, measured: Sequence[Measured]) -> list[Json]:
    return [{name: one.input, **one.value.as_dict()} for one in measured]


def _measures(measures: OutputMeasures) -> Json:
    said = _absent_if_empty(rank_correlation=_measured("input", measures.rank_correlation),
                            regression=_measured("input", measures.regression),
                            first_order=_measured("input", measures.first_order),
                            first_order_groups=_measured("group", measures.groups))
    return said | ({"linear_share": measures.linear_share.as_dict()} if measures.linear_share else {})


def _sobol(indices: SobolIndices) -> Json:
    return _absent_if_empty(sobol=[
        {"input": name, "first": first.as_dict(), "total": total.as_dict()}
        for name, first, total in zip(indices.players, indices.first, indices.total, strict=bool(indices.first))])


def _shapley(effects: ShapleyEffects, key: str, what: str) -> Json:
    if effects.whole is None:
        return {}
    whole = "variance" if effects.of == "variance" else "cvar95_less_mean"
    ranked = sorted(zip(effects.players, effects.shares, strict=True), key=lambda pair: -pair[1].value)
    return {whole: effects.whole.as_dict(), key: [{what: name, "effect": share.as_dict()} for name, share in ranked]}


def _break_even(values: Sequence[BreakEven]) -> Json:
    """Values of which there are some; and inputs without one, with who is cheaper throughout their range."""
    def flips(which: str) -> list[Json]:
        return [_flip(one, flip) for one in values for flip in getattr(one, which)]

    def never(who: str, which: str) -> list[Json]:
        return [{"input": one.input, "unit": one.unit, "range": {"low": one.low, "high": one.high}, "cheaper": getattr(one, who)}
                for one in values if not getattr(one, which)]

    return {"break_even": flips("on_draws"), "never": never("cheaper_on_draws", "on_draws"),
            "at_medians": {"break_even": flips("at_medians"), "never": never("cheaper_at_medians", "at_medians")}}


def _flip(one: BreakEven, flip: Flip) -> Json:
    return {"input": one.input, **flip.value.as_dict(), "unit": one.unit, "range": {"low": one.low, "high": one.high},
            "uncertain": one.uncertain, "later_is_cheaper": "above" if flip.later_is_cheaper_above else "below"}


def _map(drawn: Map) -> Json:
    found = drawn.crossover
    axes = {name: {"input": one.path, "unit": one.unit, "values": values.tolist()}
            for name, one, values in (("x", found.x, found.x_values), ("y", found.y, found.y_values))}
    grids = {"log_ratio": found.log_ratio, "log_ratio_error": found.log_ratio_error,
             "probability_cheaper": found.probability_cheaper, "unsure": found.unsure}
    return axes | {name: grid.tolist() for name, grid in grids.items() if grid is not None}


def _decision(found: Decision | None, per: str) -> Json | None:
    if found is None:
        return None
    return {"unit": found.unit, "per": per, "choice": found.choice,
            "expected_cost": {name: cost.as_dict() for name, cost in found.expected.items()}, "evpi": found.evpi.as_dict(),
            "evppi": _known("input", found.evppi), "evppi_groups": _known("group", found.groups)}


def _known(what: str, known: Sequence[Known]) -> list[Json]:
    return [{what: one.input, **one.value.as_dict()} for one in known]


def _reverse_stress(study: Study, found: ReverseStress) -> Json:
    said: Json = {"choice": found.winner, "loses": found.loses.as_dict(), "sentence": reverse_stress_in_words(study, found)}
    return said | ({"box": _box(study, found.box)} if found.box else {"reason": found.reason})


def _robustness(study: Study, found: Robustness) -> Json:
    """The base and each alternative by name; those that flip the choice, and those that change any place."""
    return {"choice": found.choice, "sentence": robustness_in_words(study, found), "worst": found.worst.name,
            "flips": [world.name for world in found.flips], "reordered": [world.name for world in found.reordered],
            "base": _world(found.base), "alternatives": {world.name: _world(world) for world in found.worlds}}


def _world(world: World) -> Json:
    return {"description": world.words, "ranking": list(world.ranking), "rival": world.rival,
            **{quantity: {"unit": unit, **estimate.as_dict()} for quantity, unit, estimate in world.numbers()}}


def _box(study: Study, box: Box) -> Json:
    units = units_of(study.inputs())

    def shares(**estimates: Estimate) -> Json:
        return {name: estimate.as_dict() for name, estimate in estimates.items()}

    limits = [{"input": limit.input, "unit": units.get(limit.input, "1"),
               **({} if limit.low is None else {"above": limit.low}), **({} if limit.high is None else {"at_most": limit.high})}
              for limit in box.limits]
    return {"limits": limits, **shares(support=box.support, density=box.density, coverage=box.coverage),
            "cheapest": dict(box.cheapest)}

"""Sensitivities as rows of a table, and as a Dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate
from simulator.dataset import ESTIMATE, Contents
from simulator.experiments.sensitivity.break_even import BreakEven
from simulator.experiments.sensitivity.everything import Sensitivity
from simulator.experiments.sensitivity.from_sample import OutputMeasures
from simulator.experiments.sensitivity.one_at_a_time import Bar
from simulator.experiments.sensitivity.value_of_information import Decision
from simulator.quantities import COST
from simulator.reporting.wording import as_given
from simulator.study.processes import units_of

_MEANINGS = {
    "tornado": "result with the input alone at a percentile, all others at their medians",
    "spider": "result with the input alone at a percentile, all others at their medians",
    "conditional": "mean result over the trials in which the input is in its lowest or highest tenth",
    "rank_correlation": "Spearman's coefficient of input and result", "regression": "standardised regression coefficient",
    "first_order": "share of the variance that the conditional mean has", "sobol": "share of the variance",
    "shapley": "share of the variance", "shapley_tail": "share of the expected shortfall at 95 % less the mean",
    "value_of_information": "most that learning it before choosing can be worth",
    "break_even": "value of the input at which both cost the same in half of the trials",
    "break_even_at_medians": "value of the input at which both cost the same, all others at their medians",
    "reverse_stress": "share of futures, of those in the box, or of those in which the choice loses",
    "robustness": "of the choice of the base, in an alternative to it"}


@dataclass(frozen=True)
class Number:
    """One number of a method. `of`: a platform, a pair, or "" of the choice among all; `input`: a path, a group, or ""."""

    of: str
    quantity: str
    method: str
    input: str
    statistic: str
    estimate: Estimate
    unit: str
    is_group: bool = False

    def places(self) -> dict[str, str]:
        """Where it stands along the dimensions of a Dataset."""
        owner = {"pair" if "/" in self.of else "platform": self.of} if self.of else {}
        return owner | ({"group" if self.is_group else "input": self.input} if self.input else {})


def table(found: Sensitivity) -> list[dict[str, Any]]:
    """A row a number: study, scenario, platform or pair, quantity, method, input or group, statistic, value, error, unit."""
    return [{"study": found.study.name, "scenario": "base", "platform": one.of, "quantity": one.quantity, "method": one.method,
             "input": one.input, "statistic": one.statistic, **one.estimate.as_dict(), "unit": one.unit}
            for one in numbers(found)]


def contents(found: Sensitivity) -> Contents:
    """Variables `<method>_<quantity>_<statistic>` over platform or pair, input or group, and estimate; what is absent is NaN."""
    every = list(numbers(found))
    axes = {"platform": [platform.name for platform in found.study.platforms],
            "pair": [found.study.pair_name(pair) for pair in found.study.pairs],
            "input": list(dict.fromkeys(one.input for one in every if one.input and not one.is_group)),
            "group": list(dict.fromkeys(one.input for one in every if one.is_group)), "estimate": list(ESTIMATE)}
    data: dict[str, Any] = {}
    for one in every:
        places = one.places()
        name = "_".join(filter(None, (one.method, one.quantity, "group" if one.is_group else "", one.statistic)))
        if name not in data:
            unit = "that of the input, in input_units" if one.method.startswith("break_even") else one.unit
            shape = [len(axes[dim]) for dim in (*places, "estimate")]
            data[name] = ((*places, "estimate"), np.full(shape, np.nan), {"long_name": _MEANINGS[one.method], "units": unit})
        estimate = one.estimate
        data[name][1][tuple(axes[dim].index(place) for dim, place in places.items())] = (
            estimate.value, estimate.standard_error, estimate.low, estimate.high)
    coordinates: dict[str, Any] = {dim: ((dim,), values, {}) for dim, values in axes.items() if values}
    if axes["input"]:
        units = {one.input: one.unit for values in (found.break_even or {}).values() for one in values}
        units |= units_of(found.study.inputs())
        coordinates["input_units"] = (("input",), [units.get(path, "1") for path in axes["input"]], {})
    return Contents(data, coordinates, {
        "title": found.study.name, "description": found.study.description, "digest": found.study.digest,
        "methods": ", ".join(found.methods), "seed": str(found.study.simulation.seed),
        "left_out": "\n".join(f"{left.method}: {left.reason}" for left in found.left_out)})


def numbers(found: Sensitivity) -> Iterator[Number]:
    """Every number of every method, but for maps."""
    yield from _alone(found)
    names = [platform.name for platform in found.study.platforms]
    for given in found.conditional:
        for name, ends in zip(names, given.platforms, strict=True):
            for end, which in zip(("low", "high"), ends, strict=True):
                yield Number(name, COST.name, "conditional", given.input, end, which.mean, COST.unit)
    for measures in found.measures:
        yield from _measures(measures)
    for indices in found.sobol:
        for statistic, shares in (("first", indices.first), ("total", indices.total)):
            for path, share in zip(indices.players, shares, strict=bool(shares)):
                yield Number(indices.output.of, indices.output.quantity, "sobol", path, statistic, share, "1")
    for effects, is_group in ((found.shapley, False), (found.shapley_groups, True)):
        for effect in effects:
            method = "shapley" if effect.of == "variance" else "shapley_tail"
            for path, share in zip(effect.players, effect.shares, strict=bool(effect.shares)):
                yield Number(effect.output.of, effect.output.quantity, method, path, "effect", share, "1", is_group)
    for pair, values in (found.break_even or {}).items():
        yield from _break_even(found.study.pair_name(pair), values)
    for decision, quantity in ((found.decision, COST.name), (found.plan, "cost_of_plan")):
        yield from _decision(decision, quantity) if decision else ()
    if found.reverse_stress:
        box = found.reverse_stress.box
        shares_of_box = {"support": box.support, "density": box.density, "coverage": box.coverage} if box else {}
        for statistic, share in {"loses": found.reverse_stress.loses, **shares_of_box}.items():
            yield Number("", "", "reverse_stress", "", statistic, share, "1")
    if found.robustness:
        for world in (found.robustness.base, *found.robustness.worlds):
            for quantity, unit, estimate in world.numbers():
                yield Number(found.robustness.choice, quantity, "robustness", "", world.name, estimate, unit)


def _exact(value: float) -> Estimate:
    return Estimate(float(value), 0.0, float(value), float(value))


def _alone(found: Sensitivity) -> Iterator[Number]:
    names = [platform.name for platform in found.study.platforms]
    for position, name in enumerate(names):
        yield from _tornado(name, COST.name, found.tornado(position), COST.unit)
    for pair in found.study.pairs:
        yield from _tornado(found.study.pair_name(pair), "ratio", found.tornado(*pair), "1")
    alone = found.one_at_a_time
    for line in alone.lines if alone and "spider" in found.methods else ():
        for name, costs in zip(names, line.costs, strict=True):
            for probability, cost in zip(alone.probabilities if alone else (), costs, strict=True):
                yield Number(name, COST.name, "spider", line.input, f"at_p{as_given(100 * probability)}", _exact(cost), COST.unit)


def _tornado(of: str, quantity: str, bars: Sequence[Bar], unit: str) -> Iterator[Number]:
    for bar in bars:
        for statistic, value in (("at_p10", bar.at_p10), ("at_p90", bar.at_p90), ("swing", bar.swing)):
            yield Number(of, quantity, "tornado", bar.input, statistic, _exact(value), unit)


def _measures(measures: OutputMeasures) -> Iterator[Number]:
    of, quantity = measures.output.of, measures.output.quantity
    for method, values, is_group in (
            ("rank_correlation", measures.rank_correlation, False), ("regression", measures.regression, False),
            ("first_order", measures.first_order, False), ("first_order", measures.groups, True)):
        for one in values:
            yield Number(of, quantity, method, one.input, "value", one.value, "1", is_group)
    if measures.linear_share:
        yield Number(of, quantity, "regression", "", "linear_share", measures.linear_share, "1")


def _break_even(pair: str, values: Sequence[BreakEven]) -> Iterator[Number]:
    """The first value of each input is `value`, a second one `value_2`, and so on."""
    for one in values:
        for method, flips in (("break_even", one.on_draws), ("break_even_at_medians", one.at_medians)):
            for count, flip in enumerate(flips, start=1):
                statistic = "value" if count == 1 else f"value_{count}"
                yield Number(pair, "", method, one.input, statistic, flip.value, one.unit)


def _decision(decision: Decision, quantity: str) -> Iterator[Number]:
    method, unit = "value_of_information", decision.unit
    yield Number("", quantity, method, "", "evpi", decision.evpi, unit)
    yield from (Number("", quantity, method, one.input, "evppi", one.value, unit) for one in decision.evppi)
    yield from (Number("", quantity, method, one.input, "evppi", one.value, unit, True) for one in decision.groups)

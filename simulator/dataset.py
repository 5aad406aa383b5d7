"""The xarray Dataset of a run: every estimate with its error, and a sample of single trials, all with units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, chain, islice
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.quantities import BREAK_EVEN_PRICE, CHANCES, DIFFERENCE, DOMINANCE, PART_MEANINGS, RATIO, RESULT, RESULTS
from simulator.study.processes import units_of

if TYPE_CHECKING:
    import xarray

    from simulator.records import Name, Records
    from simulator.results import Run

Variable = tuple[tuple[str, ...], Any, dict[str, str]]
Part = tuple[int, dict[str, np.ndarray[Any, np.dtype[np.float64]]]]
ESTIMATE = ("value", "standard_error", "low", "high")
_SCENARIOS_AT_ONCE = 1 << 6
_GROUPS = {"change": ", change against the base", "change_per_dollar": ", change against the base for each dollar that it costs"}
_MEANINGS = {result.name: result.meaning for result in (*RESULTS, *CHANCES, BREAK_EVEN_PRICE, RATIO, DIFFERENCE, *DOMINANCE)}
_MEANINGS |= PART_MEANINGS | {
    "probability_cheaper": "share of trials in which the first of the pair costs strictly less",
    "probability_cheapest": "share of trials in which the platform costs least; ties are shared",
    "expected_regret": "expected cost above the cheapest platform of the same trial"}


@dataclass(frozen=True)
class Contents:
    """What a Dataset holds: a file can be written from it without the half second that importing xarray takes.

    variables, coordinates  by name: dimensions, values (float64, or text), attributes
    parts                   values of variables that stand as NaN in `variables`, for some of their first dimension at a time:
                            where along it they begin, and the values by name; read once
    """

    variables: dict[str, Variable]
    coordinates: dict[str, Variable]
    attributes: dict[str, Any]
    parts: Iterable[Part] = ()

    def every(self) -> dict[str, Variable]:
        """Coordinates and variables."""
        return self.coordinates | self.variables


def dataset_of(run: Run) -> xarray.Dataset:
    """The contents as a Dataset."""
    import xarray

    contents = contents_of(run)
    variables = {name: (dims, np.array(values), attributes) for name, (dims, values, attributes) in contents.variables.items()}
    for first, part in contents.parts:
        for name, values in part.items():
            variables[name][1][first:first + len(values)] = values
    return xarray.Dataset(variables, contents.coordinates, contents.attributes)


def contents_of(run: Run) -> Contents:
    """Variables `<quantity>_quantile`, `_mean`, `_sd`, `_cvar95` (or `<quantity>` alone) over scenario, platform or pair,
    quantile and estimate; `sample_inputs` and `sample_<result>` over single trials. What does not apply is NaN."""
    names = list(dict.fromkeys(chain.from_iterable(dict.fromkeys(packed.names for packed in run.records.by_scenario()))))
    axes: dict[str, list[Any]] = {
        "scenario": run.records.scenarios, "platform": [p.name for p in run.study.platforms],
        "pair": list(dict.fromkeys(owner for kind, owner, *_ in names if kind == "pair")),
        "quantile": list(dict.fromkeys(_share(statistic) for *_, statistic, _ in names if statistic[:1] == "p")),
        "estimate": list(ESTIMATE)}
    results: dict[str, Variable] = {}
    for name in names:
        _, _, group, quantity, statistic, unit = name
        dims = _dimensions(name)
        meaning = _MEANINGS[quantity] + ("" if "quantile" in dims or not statistic else f", {statistic}") + _GROUPS.get(group, "")
        nothing = np.broadcast_to(np.nan, [len(axes[dim]) for dim in dims])
        results.setdefault(_variable(name), (dims, nothing, {"units": unit, "long_name": meaning}))
    return Contents(results | _sample(run, axes["platform"]), _coordinates(run, axes), _attributes(run),
                    _parts(run.records, results, axes))


def _parts(records: Records, results: Mapping[str, Variable], axes: Mapping[str, list[Any]]) -> Iterator[Part]:
    """The estimates of some scenarios at a time, as their variables have them."""
    shapes = {variable: values.shape[1:] for variable, (_, values, _) in results.items()}
    ends = [0, *accumulate(prod(shape[:-1]) for shape in shapes.values())]
    begins: dict[str, int] = dict(zip(shapes, ends, strict=False))
    places: dict[tuple[Name, ...], list[int]] = {}  # of each name among all estimates of a scenario

    def place(name: Name) -> int:
        kind, owner, _, _, statistic, _ = name
        inside: int = axes[kind].index(owner)
        if statistic[:1] == "p":
            inside = inside * len(axes["quantile"]) + axes["quantile"].index(_share(statistic))
        return begins[_variable(name)] + inside

    first, waiting = 0, records.by_scenario()
    while some := list(islice(waiting, _SCENARIOS_AT_ONCE)):
        found = np.full((len(some), ends[-1], len(ESTIMATE)), np.nan)
        for packed, row in zip(some, found, strict=True):
            if packed.names not in places:
                places[packed.names] = [place(name) for name in packed.names]
            row[places[packed.names]] = packed.numbers
        yield first, {variable: found[:, begin:begin + prod(shapes[variable][:-1])].reshape(len(some), *shapes[variable])
                      for variable, begin in begins.items()}
        first += len(some)


def _variable(name: Name) -> str:
    """The variable in which a number stands."""
    _, _, group, quantity, statistic, _ = name
    return "_".join(filter(None, (group, quantity, "quantile" if statistic[:1] == "p" else statistic)))


def _dimensions(name: Name) -> tuple[str, ...]:
    kind, _, _, _, statistic, _ = name
    return "scenario", kind, *(("quantile",) if statistic[:1] == "p" else ()), "estimate"


def _share(percentile: str) -> float:
    return float(percentile[1:]) / 100


def _sample(run: Run, platforms: list[str]) -> dict[str, Any]:
    inputs, outputs = run.sample.inputs, run.sample.outputs
    data: dict[str, Any] = {"sample_inputs": (("input", "trial"), np.array(list(inputs.values())),
                                              {"long_name": "inputs of single trials, in the units of input_units"})}
    for quantity in dict.fromkeys(name for _, name in outputs):
        found = {owner: values for (owner, name), values in outputs.items() if name == quantity}
        nothing = np.full(len(next(iter(found.values()))), np.nan)
        unit = RESULT[quantity].unit if quantity in RESULT else "USD"
        data[f"sample_{quantity}"] = (("platform", "trial"), np.array([found.get(k, nothing) for k in range(len(platforms))]),
                                      {"units": unit, "long_name": f"{_MEANINGS[quantity]}, in single trials"})
    return data


def _coordinates(run: Run, axes: dict[str, list[Any]]) -> dict[str, Any]:
    paths, units = list(run.sample.inputs), units_of(run.study.inputs())
    coordinates: dict[str, Any] = {dim: ((dim,), values, {}) for dim, values in axes.items() if values and dim != "quantile"}
    coordinates["quantile"] = (("quantile",), axes["quantile"], {"units": "1", "long_name": "share of outcomes not above"})
    return coordinates | {"input": (("input",), paths, {}),
                          "input_units": (("input",), [units.get(path, "1") for path in paths], {})}


def _attributes(run: Run) -> dict[str, Any]:
    simulation = run.study.simulation
    return {"title": run.study.name, "description": run.study.description, "digest": run.study.digest,
            "trials": simulation.trials, "replicates": simulation.replicates, "sampler": simulation.sampler,
            "seed": str(simulation.seed), "warnings": "\n".join(run.warnings)}

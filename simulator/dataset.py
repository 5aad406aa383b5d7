"""The xarray Dataset of a run: every estimate with its error, and a sample of single trials, all with units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.quantities import BREAK_EVEN_PRICE, CHANCES, DIFFERENCE, DOMINANCE, PART_MEANINGS, RATIO, RESULT, RESULTS
from simulator.study.processes import units_of

if TYPE_CHECKING:
    import xarray

    from simulator.records import Record
    from simulator.results import Run

Variable = tuple[tuple[str, ...], Any, dict[str, str]]
ESTIMATE = ("value", "standard_error", "low", "high")
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
    """

    variables: dict[str, Variable]
    coordinates: dict[str, Variable]
    attributes: dict[str, Any]

    def every(self) -> dict[str, Variable]:
        """Coordinates and variables."""
        return self.coordinates | self.variables


def dataset_of(run: Run) -> xarray.Dataset:
    """The contents as a Dataset."""
    import xarray

    contents = contents_of(run)
    return xarray.Dataset(contents.variables, contents.coordinates, contents.attributes)


def contents_of(run: Run) -> Contents:
    """Variables `<quantity>_quantile`, `_mean`, `_sd`, `_cvar95` (or `<quantity>` alone) over scenario, platform or pair,
    quantile and estimate; `sample_inputs` and `sample_<result>` over single trials. What does not apply is NaN."""
    quantiles = list(dict.fromkeys(float(r.statistic[1:]) / 100 for r in run.records if r.statistic[:1] == "p"))
    axes: dict[str, list[Any]] = {
        "scenario": run.records.scenarios, "platform": [p.name for p in run.study.platforms],
        "pair": list(dict.fromkeys(r.owner for r in run.records if r.kind == "pair")), "quantile": quantiles,
        "estimate": list(ESTIMATE)}
    places = {dim: {value: position for position, value in enumerate(values)} for dim, values in axes.items()}
    data: dict[str, Any] = {}
    for record in run.records:
        dims, place = _place(record, places)
        name = "_".join(filter(None, (record.group, record.quantity, "quantile" if "quantile" in dims else record.statistic)))
        if name not in data:
            meaning = _MEANINGS[record.quantity] + ("" if "quantile" in dims or not record.statistic else f", {record.statistic}")
            meaning += _GROUPS.get(record.group, "")
            data[name] = (dims, np.full([len(axes[dim]) for dim in dims], np.nan), {"units": record.unit, "long_name": meaning})
        estimate = record.estimate
        data[name][1][place] = estimate.value, estimate.standard_error, estimate.low, estimate.high
    return Contents(data | _sample(run, axes["platform"]), _coordinates(run, axes), _attributes(run))


def _place(record: Record, places: dict[str, dict[Any, int]]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The dimensions of a record's variable, and where in it the record stands."""
    dims, place = ("scenario", record.kind), (places["scenario"][record.scenario], places[record.kind][record.owner])
    if record.statistic[:1] == "p":
        return (*dims, "quantile", "estimate"), (*place, places["quantile"][float(record.statistic[1:]) / 100])
    return (*dims, "estimate"), place


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

"""A sweep's results as a Dataset, as the JSON document and as rows of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from simulator.dataset import ESTIMATE
from simulator.experiments.sweep import OF_PAIR, OF_PLATFORM, SweepResult, flips
from simulator.quantities import COST
from simulator.results import PERCENTILES
from simulator.study.schema import header

if TYPE_CHECKING:
    import xarray


def dataset(result: SweepResult) -> xarray.Dataset:
    """The results with the swept inputs as dimensions, named by their paths, then platform or pair, quantile and estimate."""
    import xarray

    dims = tuple(given.path for given in result.sweep.swept)
    coordinates: dict[str, Any] = {
        given.path: (given.path, list(given.coordinates), {"units": given.unit} if given.unit else {})
        for given in result.sweep.swept}
    coordinates |= {"platform": result.platforms, "estimate": list(ESTIMATE),
                    "quantile": ("quantile", list(PERCENTILES), {"units": "1", "long_name": "share of outcomes not above"})}
    if result.pairs:
        coordinates["pair"] = result.pairs
    data: dict[str, Any] = {}
    for owner, wanted, values in (("platform", OF_PLATFORM, result.of_platform), ("pair", OF_PAIR, result.of_pair)):
        for quantity in dict.fromkeys(name for name, _ in wanted) if values.shape[-3] else ():
            units = {"units": COST.unit if quantity in (COST.name, "expected_regret") else "1"}
            percents = [k for k, (name, statistic) in enumerate(wanted) if name == quantity and statistic[:1] == "p"]
            if percents:
                data[f"{quantity}_quantile"] = ((*dims, owner, "quantile", "estimate"), values[..., percents, :], units)
            for k, (name, statistic) in enumerate(wanted):
                if name == quantity and k not in percents:
                    data["_".join(filter(None, (name, statistic)))] = ((*dims, owner, "estimate"), values[..., k, :], units)
    simulation = result.study.simulation
    return xarray.Dataset(data, coordinates, {
        "title": result.study.name, "sweep": result.sweep.name, "description": result.sweep.description,
        "digest": result.study.digest, "trials": simulation.trials, "replicates": simulation.replicates,
        "sampler": simulation.sampler, "seed": str(simulation.seed), "warnings": "\n".join(result.warnings)})


def document(result: SweepResult) -> dict[str, Any]:
    """The results as the JSON document that `--json` prints."""
    return {**header(result.study), "sweep": result.sweep.name, "description": result.sweep.description,
            "over": [{"input": given.path, "unit": given.unit, "scale": "log" if given.logarithmic else "linear",
                      "values": list(given.coordinates)} for given in result.sweep.swept],
            "points": [_point(result, position, digest)
                       for position, digest in zip(result.points(), result.digests, strict=True)],
            "flips": [{"of": flip.of, "pair": flip.pair, "cheaper_below": flip.cheaper_below, "cheaper_above": flip.cheaper_above,
                       "at": flip.at.as_dict()} for flip in flips(result)],
            "warnings": list(result.warnings)}


def _point(result: SweepResult, position: tuple[int, ...], digest: str) -> dict[str, Any]:
    def numbers(owner: str, wanted: Sequence[tuple[str, str]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for quantity, statistic in wanted:
            estimate = result.estimate(position, owner, quantity, statistic)
            if math.isfinite(estimate.value):
                if statistic:
                    found.setdefault(quantity, {})[statistic] = estimate.as_dict()
                else:
                    found[quantity] = estimate.as_dict()
        return found

    return {"at": _at(result, position), "digest": digest,
            "platforms": {owner: numbers(owner, OF_PLATFORM) for owner in result.platforms},
            "pairs": {owner: numbers(owner, OF_PAIR) for owner in result.pairs}}


def _at(result: SweepResult, position: tuple[int, ...]) -> dict[str, float | str]:
    return {given.path: given.coordinates[k] for given, k in zip(result.sweep.swept, position, strict=True)}


def table(result: SweepResult) -> list[dict[str, Any]]:
    """The results as rows of a table, one a number: the swept inputs, platform, quantity, statistic, value and its error."""
    rows = []
    for position in result.points():
        at = _at(result, position)
        for owners, wanted in ((result.platforms, OF_PLATFORM), (result.pairs, OF_PAIR)):
            for owner, (quantity, statistic) in product(owners, wanted):
                estimate = result.estimate(position, owner, quantity, statistic)
                if math.isfinite(estimate.value):
                    unit = COST.unit if quantity in (COST.name, "expected_regret") else "1"
                    rows.append({"study": result.study.name, "sweep": result.sweep.name, **at, "platform": owner,
                                 "quantity": quantity, "statistic": statistic or "value", **estimate.as_dict(), "unit": unit})
    return rows

"""Cost against interactivity as the document that `--json` prints, and as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.analysis.intervals import Estimate
from simulator.experiments.frontier import Flip, FrontierResult, Pair, Row
from simulator.quantities import COST
from simulator.study.model import Platform
from simulator.study.schema import header

_INTERACTIVITY = "token/s/user"


def document(result: FrontierResult) -> dict[str, Any]:
    """Every number with its error; what does not apply is absent."""
    return {**header(result.study), "interactivity_unit": _INTERACTIVITY,
            "platforms": {p.name: _platform(p, result.rows_of(p.name)) for p in result.study.platforms if result.rows_of(p.name)},
            "pairs": {pair.name: _pair(pair) for pair in result.pairs}, "left_out": list(result.left_out),
            "warnings": list(result.warnings)}


def _platform(platform: Platform, rows: list[Row]) -> dict[str, Any]:
    frontier = platform.frontier
    measured = {"measured": {"low": frontier.low, "high": frontier.high, "spread": frontier.spread}} if frontier else {}
    return {"label": platform.label, **measured, "points": [
        {"interactivity": row.interactivity,
         **({"throughput": {"unit": "token/s/GPU", "median": row.throughput}} if row.throughput else {}),
         COST.name: {"unit": COST.unit, **{p: estimate.as_dict() for p, estimate in row.cost.items()}},
         **({"probability_cheapest": row.probability_cheapest.as_dict()} if row.probability_cheapest else {})} for row in rows]}


def _pair(pair: Pair) -> dict[str, Any]:
    ends = {"low": pair.rows[0].interactivity, "high": pair.rows[-1].interactivity} if pair.rows else {}
    return {**ends, "flips": [_flip(flip) for flip in pair.flips], "points": [
        {"interactivity": row.interactivity, **({"ratio": {"unit": "1", "p50": row.ratio.as_dict()}} if row.ratio else {}),
         "probability_cheaper": row.probability_cheaper.as_dict()} for row in pair.rows]}


def _flip(flip: Flip) -> dict[str, Any]:
    return {"of": flip.of, "cheaper_below": flip.cheaper_below, "cheaper_above": flip.cheaper_above,
            "interactivity": {"unit": _INTERACTIVITY, **flip.interactivity.as_dict()}}


def table(result: FrontierResult) -> list[dict[str, Any]]:
    """A row a number: study, platform or pair, interactivity [token/s/user], quantity, statistic, value, its error, unit."""
    def numbers() -> Iterator[tuple[str, float, str, str, str, Estimate]]:
        for row in result.rows:
            for percentile, estimate in row.cost.items():
                yield row.platform, row.interactivity, COST.name, percentile, COST.unit, estimate
            if row.probability_cheapest:
                yield row.platform, row.interactivity, "probability_cheapest", "value", "1", row.probability_cheapest
        for pair in result.pairs:
            for each in pair.rows:
                if each.ratio:
                    yield pair.name, each.interactivity, "ratio", "p50", "1", each.ratio
                yield pair.name, each.interactivity, "probability_cheaper", "value", "1", each.probability_cheaper
            for flip in pair.flips:
                yield pair.name, flip.interactivity.value, "flip", flip.of, _INTERACTIVITY, flip.interactivity

    return [{"study": result.study.name, "platform": owner, "interactivity": x, "quantity": quantity, "statistic": statistic,
             **estimate.as_dict(), "unit": unit} for owner, x, quantity, statistic, unit, estimate in numbers()]

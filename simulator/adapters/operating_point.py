"""From measurements to a platform's `operating_point`, `throughput` and `frontier`, as a study has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.adapters.measurements import Measurement
from simulator.adapters.spread import Component, Spread, along, drift, interpolation, repeatability
from simulator.study.frontier import Frontier, pareto
from simulator.study.problems import any_of, figure

_UNIT = "token/s/GPU"
_METHOD = ("Total tokens (input and output) per second and GPU at the median interactivity. Upper-left Pareto frontier over "
           "{rows}; log throughput interpolated over log interactivity by PCHIP, not extrapolated.")


@dataclass(frozen=True)
class Imported:
    """A throughput at an operating point, read off a measured frontier.

    points  the measurements that make the frontier, by rising interactivity
    rows    how many measurements it was chosen from
    """

    operating_point: dict[str, Any]
    throughput: dict[str, Any]
    frontier: dict[str, Any] | None
    spread: Spread
    points: tuple[Measurement, ...]
    rows: int

    def inputs(self, with_frontier: bool = True) -> dict[str, Any]:
        """The part of a platform that a study takes as it is."""
        found = {"operating_point": self.operating_point, "throughput": self.throughput}
        return {**found, "frontier": self.frontier} if with_frontier and self.frontier else found

    def document(self, with_frontier: bool = True) -> dict[str, Any]:
        """The document that `--json` prints."""
        return {"schema": 1, **self.inputs(with_frontier),
                "spread": [{"component": c.name, "sd": c.sd, "basis": c.basis} for c in self.spread.components],
                "measured": {"rows": self.rows, "points": len(self.points), "unit": "token/s/user",
                             "low": self.points[0].interactivity, "high": self.points[-1].interactivity}}


def read_off(measurements: Sequence[Measurement], history: Sequence[Measurement], interactivity: float, model: str,
             source: str, kind: str) -> Imported:
    """The throughput at an interactivity [token/s/user] on the frontier of some measurements of one platform and workload.

    history  measurements from which repeatability and drift may be learnt, these among them
    source   where they come from, in words;  kind  what they have in common, in words
    Raises OutsideFrontierError where nothing was measured at the interactivity.
    """
    points = tuple(measurements[k] for k in pareto([m.interactivity for m in measurements],
                                                   [m.throughput for m in measurements]))
    frontier = Frontier(tuple(m.interactivity for m in points), tuple(m.throughput for m in points))
    median = frontier.throughput_at(interactivity)
    first = points[0]
    others = (repeatability(history, first.hardware), drift(history, first.hardware, first.lengths))
    spread = Spread((interpolation(frontier, interactivity), *others))
    neighbours = _neighbours(points, interactivity)
    precisions = sorted({m.precision for m in neighbours} - {""})
    point: dict[str, Any] = {"model": model, **({"precision": " and ".join(precisions)} if precisions else {}),
                             "interactivity": _shortest(interactivity), "input_tokens": first.lengths[0],
                             "output_tokens": first.lengths[1], "token_basis": "total"}
    count = len(measurements)
    method = _METHOD.format(rows=f"{count} run{'s' * (count != 1)}, {kind}" if kind else f"{count} run{'s' * (count != 1)}")
    evidence = {"unit": _UNIT, "source": source, **_date(measurements), "grade": "primary"}
    note = f"{method} {_in_words(neighbours)} Spread (sd of the log {spread.sd:.3f}): {spread.in_words()}."
    throughput = {"distribution": "lognormal", "median": _shortest(_rounded(median, 5)), "sigma": round(spread.sd, 4), **evidence,
                  "note": note}
    return Imported(point, throughput, _frontier(frontier, others, evidence, method), spread, points, count)


def _frontier(frontier: Frontier, others: tuple[Component, ...], evidence: dict[str, Any], method: str) -> dict[str, Any] | None:
    """The `frontier` of a platform; None where it would have no second point."""
    x, y = [_rounded(v, 6) for v in frontier.interactivity], [_rounded(v, 6) for v in frontier.throughput]
    kept = pareto(x, y)  # two points may have been rounded into one
    if len(kept) < 2:
        return None
    spread = along(frontier, others)
    words = "; ".join(f"{component.name} {component.sd:.3f}" for component in others)
    note = (f"{method} The spread is the root mean square along the frontier of interpolation, which varies along it, and the "
            f"rest ({words}).")
    return {"interactivity": [x[k] for k in kept], "throughput": [y[k] for k in kept], "spread": round(spread, 4),
            **{key: value for key, value in evidence.items() if key != "unit"}, "note": note}


def _neighbours(points: tuple[Measurement, ...], interactivity: float) -> tuple[Measurement, ...]:
    """The measured point at an interactivity, or the two around it."""
    at = [m for m in points if m.interactivity == interactivity]
    before = [m for m in points if m.interactivity < interactivity][-1:]
    after = [m for m in points if m.interactivity > interactivity][:1]
    return tuple(at or (*before, *after))


def _in_words(neighbours: tuple[Measurement, ...]) -> str:
    each = [f"{figure(_rounded(m.throughput, 4))} at {figure(_rounded(m.interactivity, 3))}"
            + (f" ({m.words})" if m.words else "") for m in neighbours]
    return f"Neighbours: {' and '.join(each)}." if len(each) > 1 else f"Measured there: {each[0]}."


def _date(measurements: Sequence[Measurement]) -> dict[str, str]:
    """The date of the last run, where dates are known."""
    dates = [m.measured for m in measurements if m.measured]
    return {"date": max(dates).isoformat()} if dates else {}


def period(measurements: Sequence[Measurement]) -> str:
    """When measurements were made: ", runs from 2025-11-02 to 2026-03-25"; nothing where that is not known."""
    dates = sorted({m.measured.isoformat() for m in measurements if m.measured})
    if not dates:
        return ""
    return f", runs from {dates[0]} to {dates[-1]}" if len(dates) > 1 else f", runs of {dates[0]}"


def listed_values(values: Sequence[str]) -> str:
    """Values with their counts, the most frequent first: "b200 (472), h200 (238) or h100 (25)"."""
    counts = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    return any_of(f"{value or 'none'} ({count:,})" for value, count in counts)


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _shortest(value: float) -> float | int:
    """A whole number without its point."""
    return int(value) if value == int(value) else value

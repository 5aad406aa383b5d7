"""The flows of a trial as rows to be read: payment, years or months, retirement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.monthly_flows import MonthlyFlows
from simulator.units import MONTHS_PER_YEAR

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class FlowRow:
    """Sums of some months [per GPU].

    when     "paid", "first token", "year 1" or "month 1", "retired"
    tokens [token], energy_price [USD/kWh] and rental_price [USD/GPU/hour]: means, None where none is paid
    costs    by name [USD]; cost: of all; revenue [USD]
    discount the factor to the day of payment; of several months the one that holds for their tokens
    present_cost [USD], present_tokens [token]: discounted month by month
    """

    when: str
    tokens: float
    energy_price: float | None
    rental_price: float | None
    costs: dict[str, float]
    cost: float
    revenue: float
    discount: float
    present_cost: float
    present_tokens: float


def flow_rows(flows: MonthlyFlows, by_month: bool = False) -> tuple[FlowRow, ...]:
    """One row a year of service, or one a month; what is paid before and after stands by itself."""
    return tuple(_row(flows, when, rows) for when, rows in _groups(flows, by_month))


def _groups(flows: MonthlyFlows, by_month: bool) -> Iterator[tuple[str, Any]]:
    before = np.flatnonzero(flows.month == 0)
    for name, position in zip(("paid", "first token"), before, strict=False):
        yield name, np.array([position])
    length, name = (1, "month") if by_month else (MONTHS_PER_YEAR, "year")
    period = np.where(flows.month > 0, (flows.month - 1) // length + 1, 0)
    for number in range(1, int(period.max()) + 1):
        yield f"{name} {number}", np.flatnonzero(period == number)
    yield "retired", np.flatnonzero(flows.month < 0)


def _row(flows: MonthlyFlows, when: str, rows: Any) -> FlowRow:
    discount, tokens = flows.discount[rows], flows.tokens[rows]
    present_tokens = float(np.sum(discount * tokens))
    total = float(np.sum(tokens))
    return FlowRow(
        when=when, tokens=total, energy_price=_mean(flows.energy_price[rows], flows.energy[rows]),
        rental_price=_mean(flows.rental_price[rows], flows.in_use[rows]),
        costs={name: float(np.sum(amounts[rows])) for name, amounts in flows.costs.items()},
        cost=float(np.sum(flows.cost[rows])), revenue=float(np.sum(flows.revenue[rows])),
        discount=present_tokens / total if total else float(np.mean(discount)),
        present_cost=float(np.sum(discount * flows.cost[rows])), present_tokens=present_tokens)


def _mean(values: Array, weights: Array) -> float | None:
    """A mean weighted by what is paid for; None where nothing is."""
    total = float(np.sum(weights))
    return float(np.sum(values * weights) / total) if np.isfinite(values).all() and total > 0 else None

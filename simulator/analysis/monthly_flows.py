"""One trial of one platform as a table of flows: the payment, every month of the life, and the retirement.

This states the cost model once more, month by month in plain NumPy, where the kernels only keep sums: so a cost can be followed
to the months that it comes from. Amounts are per GPU and in real USD. With a tax rate τ they are what a price before tax has
to cover, as the kernels have it: costs that are deducted as they are paid stand as without tax, and what tax does to the
capital is a flow of its own (`tax`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.kernels.platform import ROUNDING
from simulator.kernels.tax import MACRS_5_SHARES
from simulator.quantities import PARTS, WITH_REPLACEMENT
from simulator.study.model import Platform, Process
from simulator.units import HOURS_PER_MONTH, MONTHS_PER_YEAR, SECONDS_PER_MONTH, TOKENS_PER_MILLION

Array = np.ndarray[Any, np.dtype[np.float64]]
# What is paid or received, in the order of the table: `capex` at payment, less what the hardware is sold for at the end.
COSTS = ("capex", "tax", *PARTS[1:])


@dataclass(frozen=True)
class Drawn:
    """What a trial drew for a platform.

    inputs             by name, as they are stated: neutral where the study leaves them out, NaN where nothing is neutral
    throughput_factor  product of all factors
    prices             what is paid in each month of the life at least, float64[months], by input, of those that move
    failed             share of the GPUs that fails in each month, float64[months], where single failures are drawn
    """

    inputs: Mapping[str, float]
    throughput_factor: float
    prices: Mapping[str, Array]
    failed: Array | None = None


@dataclass(frozen=True)
class MonthlyFlows:
    """Rows of flows, arrays float64[rows], by time: the payment, where tax needs it the first token, the months, the retirement.

    month     1, 2, …; 0 for the payment and the first token, −1 for the retirement
    years     after payment [year];  discount  factor to the day of payment
    in_use    share of the month in which the hardware is in service, 0 for what is no month
    tokens [token/GPU], energy [kWh/GPU], energy_price [USD/kWh], rental_price [USD/GPU/hour]; prices NaN where none is paid
    costs     by name, of COSTS those that the platform has [USD/GPU];  revenue [USD/GPU], 0 without a token price
    """

    month: np.ndarray[Any, np.dtype[np.int64]]
    years: Array
    discount: Array
    in_use: Array
    tokens: Array
    energy: Array
    energy_price: Array
    rental_price: Array
    costs: Mapping[str, Array]
    revenue: Array

    @property
    def cost(self) -> Array:
        """All costs of each row [USD/GPU]."""
        total: Array = np.sum(list(self.costs.values()), axis=0)
        return total

    @property
    def present_cost(self) -> float:
        return float(np.sum(self.discount * self.cost))

    @property
    def present_tokens(self) -> float:
        return float(np.sum(self.discount * self.tokens))

    @property
    def cost_per_million_tokens(self) -> float:
        """Discounted costs ÷ discounted tokens [USD]."""
        return TOKENS_PER_MILLION * self.present_cost / self.present_tokens

    def present_parts(self) -> dict[str, float]:
        """Present value of every part of the cost; that of the tax on the capital belongs to it [USD/GPU]."""
        present = {name: float(np.sum(self.discount * amounts)) for name, amounts in self.costs.items()}
        tax = present.pop("tax", 0.0)
        return {**present, **({"capex": present["capex"] + tax} if "capex" in present else {})}


def monthly_flows(platform: Platform, drawn: Drawn, horizon: float) -> MonthlyFlows:
    """The flows of one trial; `horizon` [year] cuts the life."""
    x = _real(platform, drawn.inputs)
    life = min(x["gpu_lifetime"], horizon)
    months = int(np.ceil(MONTHS_PER_YEAR * life))
    t = np.arange(1, months + 1)
    years = (t - 0.5) / MONTHS_PER_YEAR  # mid-month, from the first token on
    w = np.clip(MONTHS_PER_YEAR * life - (t - 1), 0, 1)  # w_t
    covered = t <= MONTHS_PER_YEAR * x["warranty"] + ROUNDING
    failed, alive, survivors = _failures(platform, x, w, covered, drawn.failed)

    ramp = np.minimum(1, years / x["utilization_ramp"]) if x["utilization_ramp"] > 0 else 1.0
    utilization = x["utilization"] * ramp
    performance = (1 - x["throughput_degradation"]) ** years
    if "software_gain" in platform.inputs:
        performance = performance * (1 + x["software_gain"] * (1 - np.exp(-years / x["software_gain_time"])))
    tokens = (x["throughput"] * drawn.throughput_factor * utilization * x["availability"] * alive * performance
              * SECONDS_PER_MONTH * w)
    load = x["idle_power_fraction"] + (1 - x["idle_power_fraction"]) * utilization
    energy = x["power"] * load * x["availability"] * x["pue"] * alive * HOURS_PER_MONTH * w

    def price(name: str) -> Array:
        return drawn.prices[name][:months] if name in drawn.prices else np.full(months, x[name])

    rental_price = _rent(platform, x, price("rental_price"), t)
    if platform.ownership == "rent":
        in_months = {"rent": rental_price * HOURS_PER_MONTH * w, "operations": x["opex"] / MONTHS_PER_YEAR * w}
    else:
        in_months = {
            "energy": energy * price("energy_price"),
            "hosting": (x["power"] * x["contracted_power_factor"] * x["hosting_price"]
                        * (1 + x["hosting_escalation"]) ** years * w),
            "operations": (x["opex"] + x["maintenance_rate"] * x["capex"]) / MONTHS_PER_YEAR * w}
        if "facility_capex" in platform.inputs:
            in_months["facility"] = x["facility_capex"] * x["power"] * w / _annuity(x["discount_rate"], x["facility_lifetime"])
        if platform.attrition == WITH_REPLACEMENT:
            in_months["replacement"] = failed * ~covered * x["replacement_cost"] * x["capex"]
    fallen = (1 - x["token_price_decline"]) ** years
    revenue = tokens * price("token_price") * fallen / TOKENS_PER_MILLION if platform.has_token_price else np.zeros(months)

    # Beside the months: the payment, the first token (where full expensing deducts) and the retirement.
    capital = _capital(platform, x, life, survivors, years) if platform.ownership == "buy" else {}
    deducts_at_once = any(flow.at_first_token for flow in capital.values())

    def row(inside: Array, paid: float = 0.0, begun: float = 0.0, retired: float = 0.0) -> Array:
        return np.array([paid, *([begun] if deducts_at_once else []), *inside, retired])

    def price_row(inside: Array, is_paid: bool) -> Array:
        return row(inside if is_paid else np.full(months, np.nan), np.nan, np.nan, np.nan)

    since = row(x["deployment_time"] + years, 0.0, x["deployment_time"], x["deployment_time"] + life)
    costs = {name: row(flow.monthly, flow.paid, flow.at_first_token, flow.at_retirement) for name, flow in capital.items()}
    costs |= {name: row(flow) for name, flow in in_months.items()}
    return MonthlyFlows(
        month=row(t.astype(np.float64), 0, 0, -1).astype(np.int64), years=since,
        discount=(1 + x["discount_rate"]) ** -since, in_use=row(w), tokens=row(tokens), energy=row(energy),
        energy_price=price_row(price("energy_price"), platform.ownership == "buy"),
        rental_price=price_row(rental_price, platform.ownership == "rent"),
        costs={name: costs[name] for name in COSTS if name in costs and costs[name].any()}, revenue=row(revenue))


def _real(platform: Platform, stated: Mapping[str, float]) -> dict[str, float]:
    """Nominal rates as real ones, (1 + x)/(1 + i) − 1; separate token prices as the price of one counted token."""
    x = dict(stated)
    for name, sign in (("discount_rate", 1), ("hosting_escalation", 1), ("token_price_decline", -1)):
        if name in platform.inputs and platform.inputs[name].is_nominal:
            x[name] = sign * ((1 + sign * x[name]) / (1 + x["inflation"]) - 1)
    if "output_token_price" in platform.inputs and platform.token_mix:
        cached = x["cached_input_share"]
        read = (1 - cached) * x["input_token_price"] + (cached * x["cached_input_token_price"] if cached else 0.0)
        x["token_price"] = platform.token_mix[0] * read + platform.token_mix[1] * x["output_token_price"]
    return x


def _failures(platform: Platform, x: Mapping[str, float], w: Array, covered: Any,
              drawn: Array | None) -> tuple[Array, Array | float, float]:
    """Shares of the GPUs bought: that fails in each month, that runs in it on average, and that is left to be sold."""
    expected = x["failure_rate"] * x["failure_epidemic"] / MONTHS_PER_YEAR * w
    if platform.attrition == WITH_REPLACEMENT or "failure_rate" not in platform.inputs:
        return expected if drawn is None else drawn[:len(w)], 1.0, 1.0
    running, failed, alive = 1.0, np.zeros(len(w)), np.zeros(len(w))
    for k in range(len(w)):
        failed[k] = min(running * expected[k] if drawn is None else drawn[k], running)
        lost = 0.0 if covered[k] else failed[k]
        alive[k] = running - lost / 2
        running -= lost
    return failed, alive, running


def _rent(platform: Platform, x: Mapping[str, float], price: Array, t: Any) -> Array:
    """USD/GPU/hour in each month: it floats with a process unless there is a term; else it is fixed in nominal money."""
    if platform.ownership == "buy" or ("contract_term" not in platform.inputs and _moves(platform, "rental_price")):
        return price
    begun = np.zeros(len(t))
    if "contract_term" in platform.inputs:
        term = MONTHS_PER_YEAR * x["contract_term"]
        begun = np.floor((t - 1 + ROUNDING) / term) * term
    let: Array = price[(begun + ROUNDING).astype(int)]
    deflated: Array = let * (1 + x["inflation"]) ** -((t - 0.5 - begun) / MONTHS_PER_YEAR)
    return deflated


def _moves(platform: Platform, name: str) -> bool:
    return isinstance(platform.inputs[name].value, Process)


def _annuity(rate: float, years: float) -> float:
    """Present value of 1 USD paid in the middle of every month of some years, of the last month in part."""
    s = np.arange(1, int(np.ceil(MONTHS_PER_YEAR * years)) + 1)
    return float(np.sum(np.clip(MONTHS_PER_YEAR * years - (s - 1), 0, 1) * (1 + rate) ** (-(s - 0.5) / MONTHS_PER_YEAR)))


@dataclass(frozen=True)
class _Capital:
    """Flows of capital [USD/GPU] by when they are paid."""

    paid: float
    at_first_token: float
    monthly: Array
    at_retirement: float


def _capital(platform: Platform, x: Mapping[str, float], life: float, survivors: float,
             years: Array) -> dict[str, _Capital]:
    """The flows of the capital, and those that tax adds to it.

    Before tax: capex, less what the hardware is sold for. With tax the cost of the capital is
    (capex − (1 − τ)·residual − τ·deductions) / (1 − τ): of it `tax` is capex·τ/(1 − τ) less τ/(1 − τ) of each deduction.
    """
    capex, tax = x["capex"], x["tax_rate"]
    sale = capex * survivors * x["residual_value"] * float(np.exp(-x["residual_decay"] * life))
    flows = {"capex": _Capital(capex, 0.0, np.zeros(len(years)), -sale)}
    if "tax_rate" in platform.inputs:
        share = tax / (1 - tax)
        begun, monthly, left = _deductions(platform.depreciation, x, life, years)
        flows["tax"] = _Capital(share * capex, -share * begun, -share * monthly, -share * left)
    return flows


def _deductions(schedule: str, x: Mapping[str, float], life: float, years: Array) -> tuple[float, Array, float]:
    """What is deducted for tax at the first token, in each month and at retirement, in money of the day of payment."""
    def deflated(amount: Array | float, service: Array | float) -> Any:
        return x["capex"] * amount * (1 + x["inflation"]) ** -(x["deployment_time"] + service)

    if schedule == "full_expensing":
        return float(deflated(1.0, 0.0)), np.zeros(len(years)), 0.0
    ends = np.minimum(np.arange(len(years) + 1) / MONTHS_PER_YEAR, life)
    if schedule == "macrs_5":
        parts = np.array(MACRS_5_SHARES) * np.clip(ends[:, None] - np.arange(len(MACRS_5_SHARES)), 0, 1)
        written_off = np.minimum(np.sum(parts, axis=1), 1)
    else:
        written_off = np.minimum(ends / x["depreciation_life"], 1)
    return 0.0, deflated(np.diff(written_off), years), float(deflated(1 - written_off[-1], life))

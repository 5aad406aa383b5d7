"""The months of single trials of a bought platform as cash flows, undiscounted, and the time to payback.

`months` gathers the same flows as sums over a block, which is faster and says less. The payback that comes of these, and the
costs that come of those, are held against the same independent model (tests/reference/numpy_model.py).
"""

from __future__ import annotations

import math

from simulator.kernels.elementary import exp, log
from simulator.kernels.jit import inline, jit
from simulator.kernels.platform import (
    AVAILABILITY,
    CAPEX,
    CONTRACTED_POWER_FACTOR,
    DEPLOYMENT_TIME,
    DEPRECIATION_LIFE,
    DISCOUNT_RATE,
    ENERGY_MOVES,
    ENERGY_PRICE,
    FACILITY_CAPEX,
    FACILITY_LIFETIME,
    FAILURE_EPIDEMIC,
    FAILURE_RATE,
    FULL_EXPENSING,
    GPU_LIFETIME,
    HAS_FACILITY,
    HAS_FLEET,
    HAS_GAIN,
    HAS_RAMP,
    HAS_TAX,
    HAS_TOKEN_PRICE,
    HOSTING_ESCALATION,
    HOSTING_PRICE,
    IDLE_POWER_FRACTION,
    INFLATION,
    MAINTENANCE_RATE,
    NEVER,
    OPEX,
    POWER,
    PUE,
    REPLACEMENT_COST,
    RESIDUAL_DECAY,
    RESIDUAL_VALUE,
    RETIRES,
    SOFTWARE_GAIN,
    SOFTWARE_GAIN_TIME,
    SURVIVORS,
    TAX_RATE,
    THROUGHPUT,
    THROUGHPUT_DEGRADATION,
    THROUGHPUT_FACTOR,
    TOKEN_PRICE,
    TOKEN_PRICE_DECLINE,
    TOKEN_PRICE_MOVES,
    UTILIZATION,
    UTILIZATION_RAMP,
)
from simulator.kernels.reliability import is_covered
from simulator.kernels.tax import monthly_annuity, written_off
from simulator.units import HOURS_PER_MONTH, MONTHS_PER_YEAR, SECONDS_PER_MONTH, TOKENS_PER_MILLION

# Rows of a trial's months: tokens, kWh, revenue [USD], the parts of the cost [USD] and what is deducted for tax [USD].
TOKENS, ENERGY_KWH, REVENUE, FACILITY, ENERGY, HOSTING, OPERATIONS, REPLACEMENT, DEDUCTION = range(9)
FLOWS = 9


@jit
def monthly_flows(inputs, i, features, schedule, horizon, energy_prices, token_prices, failed, alive, flows):
    """The flows of trial i in each month of its life; returns how many months.

    Arguments as in `months.sum_over_months`; flows float64[FLOWS, MONTHS], filled for the months of the life.
    """
    life = min(inputs[GPU_LIFETIME, i], horizon)
    months = math.ceil(MONTHS_PER_YEAR * life)
    annuity = monthly_annuity(inputs[DISCOUNT_RATE, i], inputs[FACILITY_LIFETIME, i]) if features & HAS_FACILITY else 1.0
    for t in range(1, months + 1):
        years = (t - 0.5) / MONTHS_PER_YEAR
        w = min(MONTHS_PER_YEAR * life - (t - 1), 1.0)
        use = inputs[UTILIZATION, i]
        if features & HAS_RAMP:
            use *= min(1.0, years / inputs[UTILIZATION_RAMP, i])
        running = alive[t - 1, i] if features & RETIRES else 1.0
        performance = _power(1.0 - inputs[THROUGHPUT_DEGRADATION, i], years)
        if features & HAS_GAIN:
            performance *= 1.0 + inputs[SOFTWARE_GAIN, i] * (1.0 - exp(-years / inputs[SOFTWARE_GAIN_TIME, i]))
        flows[TOKENS, t - 1] = (inputs[THROUGHPUT, i] * inputs[THROUGHPUT_FACTOR, i] * use * inputs[AVAILABILITY, i] * running
                                * performance * SECONDS_PER_MONTH * w)
        idle = inputs[IDLE_POWER_FRACTION, i]
        flows[ENERGY_KWH, t - 1] = (inputs[POWER, i] * (idle + (1.0 - idle) * use) * inputs[AVAILABILITY, i] * running
                                    * inputs[PUE, i] * HOURS_PER_MONTH * w)
        price = 0.0
        if features & HAS_TOKEN_PRICE:
            price = token_prices[t - 1, i] if features & TOKEN_PRICE_MOVES else inputs[TOKEN_PRICE, i]
            price *= _power(1.0 - inputs[TOKEN_PRICE_DECLINE, i], years)
        flows[REVENUE, t - 1] = flows[TOKENS, t - 1] * price / TOKENS_PER_MILLION
        energy_price = energy_prices[t - 1, i] if features & ENERGY_MOVES else inputs[ENERGY_PRICE, i]
        flows[ENERGY, t - 1] = flows[ENERGY_KWH, t - 1] * energy_price
        flows[FACILITY, t - 1] = (inputs[FACILITY_CAPEX, i] * inputs[POWER, i] * w / annuity) if features & HAS_FACILITY else 0.0
        flows[HOSTING, t - 1] = (inputs[POWER, i] * inputs[CONTRACTED_POWER_FACTOR, i] * inputs[HOSTING_PRICE, i]
                                 * _power(1.0 + inputs[HOSTING_ESCALATION, i], years) * w)
        flows[OPERATIONS, t - 1] = (inputs[OPEX, i] + inputs[MAINTENANCE_RATE, i] * inputs[CAPEX, i]) / MONTHS_PER_YEAR * w
        flows[REPLACEMENT, t - 1] = _replacement(inputs, i, features, t, w, failed)
        flows[DEDUCTION, t - 1] = 0.0
        if features & HAS_TAX:
            flows[DEDUCTION, t - 1] = inputs[CAPEX, i] * (
                written_off(schedule, min(t / MONTHS_PER_YEAR, life), inputs[DEPRECIATION_LIFE, i])
                - (written_off(schedule, (t - 1) / MONTHS_PER_YEAR, inputs[DEPRECIATION_LIFE, i]) if t > 1 else 0.0)
            ) * _power(1.0 + inputs[INFLATION, i],
                       -(inputs[DEPLOYMENT_TIME, i] + (0.0 if schedule == FULL_EXPENSING else years)))
    return months


@inline
def _power(base, exponent):
    return exp(exponent * log(base))


@inline
def _replacement(inputs, i, features, t, w, failed):
    """USD in month t."""
    if features & RETIRES or is_covered(inputs, i, t):
        return 0.0
    share = failed[t - 1, i] if features & HAS_FLEET else (
        inputs[FAILURE_RATE, i] * inputs[FAILURE_EPIDEMIC, i] / MONTHS_PER_YEAR * w)
    return share * inputs[REPLACEMENT_COST, i] * inputs[CAPEX, i]


@jit
def payback(inputs, features, schedule, horizon, energy_prices, token_prices, failed, alive, flows, years, paid):
    """When the money is back: undiscounted, after tax, from the payment on, to the part of the month in which it is.

    Arguments as in `monthly_flows`; years float64[n], filled: [year], NEVER where it is not back by the end, sale included;
    paid float64[n], filled: 1 where it is, else 0
    """
    for i in range(years.size):
        months = monthly_flows(inputs, i, features, schedule, horizon, energy_prices, token_prices, failed, alive,
                               flows)
        tax = inputs[TAX_RATE, i] if features & HAS_TAX else 0.0
        balance = -inputs[CAPEX, i]
        years[i] = NEVER
        for t in range(1, months + 1):
            gained = tax * flows[DEDUCTION, t - 1] + (1.0 - tax) * (
                flows[REVENUE, t - 1] - flows[FACILITY, t - 1] - flows[ENERGY, t - 1] - flows[HOSTING, t - 1]
                - flows[OPERATIONS, t - 1] - flows[REPLACEMENT, t - 1])
            if balance + gained >= 0.0:
                years[i] = inputs[DEPLOYMENT_TIME, i] + (t - 1 - balance / gained) / MONTHS_PER_YEAR
                break
            balance += gained
        if years[i] == NEVER:
            life = min(inputs[GPU_LIFETIME, i], horizon)
            sale = inputs[CAPEX, i] * inputs[SURVIVORS, i] * inputs[RESIDUAL_VALUE, i] * exp(-inputs[RESIDUAL_DECAY, i] * life)
            left = 0.0
            if features & HAS_TAX:
                left = inputs[CAPEX, i] * (1.0 - written_off(schedule, life, inputs[DEPRECIATION_LIFE, i])) * _power(
                    1.0 + inputs[INFLATION, i], -(inputs[DEPLOYMENT_TIME, i] + life))
            if balance + (1.0 - tax) * sale + tax * left >= 0.0:
                years[i] = inputs[DEPLOYMENT_TIME, i] + life
        paid[i] = 1.0 if years[i] < NEVER else 0.0

"""The cost model: one platform, a block of trials, from its sums over months. Each formula is named beside its line.

Amounts are per GPU, in real USD. With a tax rate τ costs are those that a price before tax has to cover: the part of the
capital is (capex − (1 − τ)·residual − τ·deductions)/(1 − τ), and all other costs are deducted as they are paid, so that
they stand as without tax.
"""

from __future__ import annotations

import math

from simulator.kernels.elementary import exp, log
from simulator.kernels.jit import inline, jit
from simulator.kernels.platform import (
    AVAILABILITY,
    CACHED_INPUT_SHARE,
    CACHED_INPUT_TOKEN_PRICE,
    CAPEX,
    CARBON_INTENSITY,
    CARBON_PER_MILLION,
    CONTRACTED_POWER_FACTOR,
    COST_PER_HOUR,
    COST_PER_MILLION,
    DEPLOYMENT_TIME,
    DEPRECIATION_LIFE,
    DISCOUNT_RATE,
    ENERGY_MOVES,
    ENERGY_PER_MILLION,
    ENERGY_PRICE,
    FACILITY_CAPEX,
    FACILITY_LIFETIME,
    FAILURE_EPIDEMIC,
    FAILURE_RATE,
    FIRST_YEAR_BREAK_EVEN_PRICE,
    FLOPS_PER_DOLLAR,
    GPU_LIFETIME,
    GROSS_MARGIN,
    HAS_ESCALATION,
    HAS_FACILITY,
    HAS_FLEET,
    HAS_TAX,
    HAS_TOKEN_PRICE,
    HOSTING_ESCALATION,
    HOSTING_PRICE,
    IDLE_POWER_FRACTION,
    INFLATION,
    INPUT_TOKEN_PRICE,
    LOSS,
    MAINTENANCE_RATE,
    MINIMUM_PRICE,
    NET_PRESENT_VALUE,
    NET_PRESENT_VALUE_PER_MEGAWATT,
    NOMINAL_DECLINE,
    NOMINAL_DISCOUNT,
    NOMINAL_ESCALATION,
    OPEX,
    OUTPUT_TOKEN_PRICE,
    PART_CAPEX,
    PART_ENERGY,
    PART_FACILITY,
    PART_HOSTING,
    PART_OPERATIONS,
    PART_RENT,
    PART_REPLACEMENT,
    PEAK_FLOPS,
    POWER,
    PRESENT_COST,
    PRESENT_TOKENS,
    PUE,
    RENT_IS_FIXED,
    RENT_MOVES,
    RENTAL_PRICE,
    RENTED,
    REPLACEMENT_COST,
    RESIDUAL_DECAY,
    RESIDUAL_VALUE,
    RETIRES,
    S_ALIVE,
    S_COVERED,
    S_DECLINED,
    S_FAILED,
    S_HOSTING,
    S_MISSED,
    S_PRICE,
    S_PRICE_MISSED,
    S_RENT,
    S_SOLD,
    S_TIME,
    S_TOKENS,
    SURVIVORS,
    TARGET_MARGIN,
    TAX_ON_CAPITAL,
    TAX_RATE,
    THROUGHPUT,
    THROUGHPUT_FACTOR,
    TOKEN_PRICE,
    TOKEN_PRICE_DECLINE,
    TOKEN_PRICE_MOVES,
    TOKEN_PRICES_APART,
    TOKENS_PER_DOLLAR,
    TOKENS_PER_FACILITY_MEGAWATT,
    TOKENS_PER_MEGAWATT,
    U_ALIVE,
    U_MISSED,
    U_TOKENS,
    UTILIZATION,
)
from simulator.kernels.tax import monthly_annuity, present_deductions
from simulator.units import (
    HOURS_PER_MONTH,
    KILOWATTS_PER_MEGAWATT,
    MONTHS_PER_YEAR,
    SECONDS_PER_MONTH,
    TOKENS_PER_MILLION,
)


@inline
def capital_recovery_factor(rate, years):
    """Yearly payment, in arrears, that repays 1 over `years` [year] at `rate` [1/year]: r / (1 − (1 + r)^−n)."""
    return 1.0 / years if rate == 0.0 else rate / -math.expm1(-years * math.log1p(rate))


@jit
def make_real(inputs, features, mix):
    """Turn nominal rates into real ones, (1 + x)/(1 + i) − 1, and separate token prices into the price of one counted token.

    inputs  float64[ROWS, n], changed in place
    mix     input and output tokens to a counted one: a token of the mix where both are counted, else an output token
    """
    n = inputs.shape[1]
    for i in range(n):
        kept = 1.0 / (1.0 + inputs[INFLATION, i])
        if features & NOMINAL_DISCOUNT:
            inputs[DISCOUNT_RATE, i] = (1.0 + inputs[DISCOUNT_RATE, i]) * kept - 1.0
        if features & NOMINAL_ESCALATION:
            inputs[HOSTING_ESCALATION, i] = (1.0 + inputs[HOSTING_ESCALATION, i]) * kept - 1.0
        if features & NOMINAL_DECLINE:
            inputs[TOKEN_PRICE_DECLINE, i] = 1.0 - (1.0 - inputs[TOKEN_PRICE_DECLINE, i]) * kept
        if features & TOKEN_PRICES_APART:
            cached = inputs[CACHED_INPUT_SHARE, i]
            read = (1.0 - cached) * inputs[INPUT_TOKEN_PRICE, i]
            if cached > 0.0:
                read += cached * inputs[CACHED_INPUT_TOKEN_PRICE, i]
            inputs[TOKEN_PRICE, i] = mix[0] * read + mix[1] * inputs[OUTPUT_TOKEN_PRICE, i]


@jit
def platform_costs(inputs, features, schedule, horizon, sums, outputs):
    """Costs and tokens of one platform from its sums over months.

    inputs float64[ROWS, n] after `make_real`; schedule: of depreciation; sums float64[SUMS, n] of `sum_over_months`;
    outputs float64[OUTPUTS, n], filled but for the payback (`cash_flows`).
    Parts are per million tokens, and cost_per_million_tokens is their sum. What the inputs do not allow
    (power, pue, peak_flops left out: NaN) comes out as NaN and is not reported; what is bought for a dollar is 0 where
    the cost is not positive, and then not reported either.
    """
    n = inputs.shape[1]
    outputs[PART_CAPEX:PART_RENT + 1, :] = 0.0
    if features & RENTED:
        # rent_t = rental_price_t · 730.5 · w_t
        for i in range(n):
            outputs[PART_RENT, i] = HOURS_PER_MONTH * (
                sums[S_RENT, i] if features & (RENT_MOVES | RENT_IS_FIXED) else inputs[RENTAL_PRICE, i] * sums[S_TIME, i])
        for i in range(n):
            outputs[PART_OPERATIONS, i] = sums[S_TIME, i] / MONTHS_PER_YEAR * inputs[OPEX, i]
    else:
        _bought_parts(inputs, features, schedule, horizon, sums, outputs)
    for i in range(n):
        # tokens_t = throughput · Π factors · utilization_t · availability · performance_t · 2 629 800 · w_t
        outputs[PRESENT_TOKENS, i] = _tokens_in_a_month(inputs, i) * sums[S_TOKENS, i]
    outputs[PRESENT_COST, :] = 0.0
    outputs[COST_PER_MILLION, :] = 0.0
    for part in range(PART_CAPEX, PART_RENT + 1):
        for i in range(n):
            outputs[PRESENT_COST, i] += outputs[part, i]
        for i in range(n):
            outputs[part, i] *= TOKENS_PER_MILLION / outputs[PRESENT_TOKENS, i]
            outputs[COST_PER_MILLION, i] += outputs[part, i]
    _money(inputs, features, sums, outputs)
    for i in range(n):
        outputs[COST_PER_HOUR, i] = outputs[PRESENT_COST, i] / (HOURS_PER_MONTH * sums[S_ALIVE, i])
        hourly = outputs[COST_PER_HOUR, i]
        outputs[FLOPS_PER_DOLLAR, i] = inputs[PEAK_FLOPS, i] / hourly if hourly > 0.0 else 0.0
    for i in range(n):
        cost = outputs[COST_PER_MILLION, i]
        outputs[TOKENS_PER_DOLLAR, i] = TOKENS_PER_MILLION / cost if cost > 0.0 else 0.0
        new = inputs[THROUGHPUT, i] * inputs[THROUGHPUT_FACTOR, i] / inputs[POWER, i] * KILOWATTS_PER_MEGAWATT
        outputs[TOKENS_PER_MEGAWATT, i] = new
        outputs[TOKENS_PER_FACILITY_MEGAWATT, i] = new / inputs[PUE, i]
    for i in range(n):
        # energy_kwh_t = power · (idle + (1 − idle)·utilization_t) · availability · pue · 730.5 · w_t
        idle = inputs[IDLE_POWER_FRACTION, i]
        kwh = _kwh_in_a_month(inputs, i) * (
            idle * sums[U_ALIVE, i] + (1.0 - idle) * inputs[UTILIZATION, i] * (sums[U_ALIVE, i] - sums[U_MISSED, i]))
        outputs[ENERGY_PER_MILLION, i] = TOKENS_PER_MILLION * kwh / (_tokens_in_a_month(inputs, i) * sums[U_TOKENS, i])
        outputs[CARBON_PER_MILLION, i] = outputs[ENERGY_PER_MILLION, i] * inputs[CARBON_INTENSITY, i]
    if features & HAS_TAX:
        # What a price before tax brings in and has to cover, after tax: their ratio is the break-even price.
        for i in range(n):
            outputs[PRESENT_COST, i] *= 1.0 - inputs[TAX_RATE, i]
            outputs[PRESENT_TOKENS, i] *= 1.0 - inputs[TAX_RATE, i]


@inline
def _tokens_in_a_month(inputs, i):
    """Tokens of a full month when new: throughput · Π factors · utilization · availability · seconds."""
    return (inputs[THROUGHPUT, i] * inputs[THROUGHPUT_FACTOR, i] * inputs[UTILIZATION, i] * inputs[AVAILABILITY, i]
            * SECONDS_PER_MONTH)


@inline
def _kwh_in_a_month(inputs, i):
    """Energy at the meter of a full month at full load: power · availability · pue · 730.5 [kWh]."""
    return inputs[POWER, i] * inputs[AVAILABILITY, i] * inputs[PUE, i] * HOURS_PER_MONTH


@inline
def _money(inputs, features, sums, outputs):
    """What the tokens earn against what they cost, in present values."""
    n = inputs.shape[1]
    for i in range(n):
        # Tokens weighted by how far their price has fallen: the price at the first token that pays for all of them.
        declined = _tokens_in_a_month(inputs, i) * sums[S_DECLINED, i] / TOKENS_PER_MILLION
        cost = outputs[PRESENT_COST, i]
        outputs[FIRST_YEAR_BREAK_EVEN_PRICE, i] = cost / declined
        before_tax = cost - sums[TAX_ON_CAPITAL, i]
        outputs[MINIMUM_PRICE, i] = before_tax / declined / (1.0 - inputs[TARGET_MARGIN, i])
        if features & HAS_TOKEN_PRICE:
            sold = sums[S_SOLD, i] if features & TOKEN_PRICE_MOVES else inputs[TOKEN_PRICE, i] * sums[S_DECLINED, i]
            revenue = _tokens_in_a_month(inputs, i) * sold / TOKENS_PER_MILLION
            outputs[GROSS_MARGIN, i] = 1.0 - before_tax / revenue
            value = (1.0 - inputs[TAX_RATE, i]) * (revenue - cost)
            outputs[NET_PRESENT_VALUE, i] = value
            outputs[NET_PRESENT_VALUE_PER_MEGAWATT, i] = value / inputs[POWER, i] * KILOWATTS_PER_MEGAWATT
            outputs[LOSS, i] = 1.0 if value < 0.0 else 0.0


@inline
def _bought_parts(inputs, features, schedule, horizon, sums, outputs):
    """The present value of each part of a bought platform's cost [USD/GPU], into `outputs`."""
    n = inputs.shape[1]
    for i in range(n):
        # capex at t = 0, less the residual capex·r₀·exp(−δ·L) · (1 + r)^−(deployment_time + L) of the GPUs that still run
        life = min(inputs[GPU_LIFETIME, i], horizon)
        recovered = inputs[SURVIVORS, i] * inputs[RESIDUAL_VALUE, i] * exp(
            -inputs[RESIDUAL_DECAY, i] * life - log(1.0 + inputs[DISCOUNT_RATE, i]) * (inputs[DEPLOYMENT_TIME, i] + life))
        outputs[PART_CAPEX, i] = inputs[CAPEX, i] - inputs[CAPEX, i] * recovered
        if features & HAS_TAX:
            # (capex − (1 − τ)·residual − τ·deductions) / (1 − τ)
            tax = inputs[TAX_RATE, i]
            deducted = present_deductions(schedule, inputs[DISCOUNT_RATE, i], inputs[INFLATION, i], inputs[DEPLOYMENT_TIME, i],
                                          life, inputs[DEPRECIATION_LIFE, i])
            sums[TAX_ON_CAPITAL, i] = inputs[CAPEX, i] * tax * (1.0 - deducted) / (1.0 - tax)
            outputs[PART_CAPEX, i] += sums[TAX_ON_CAPITAL, i]
    if features & HAS_FACILITY:
        for i in range(n):
            outputs[PART_FACILITY, i] = inputs[FACILITY_CAPEX, i] * inputs[POWER, i] * sums[S_TIME, i] / monthly_annuity(
                inputs[DISCOUNT_RATE, i], inputs[FACILITY_LIFETIME, i])
    for i in range(n):
        # energy_t = energy_kwh_t · energy_price_t
        priced = sums[S_PRICE, i] if features & ENERGY_MOVES else inputs[ENERGY_PRICE, i] * sums[S_ALIVE, i]
        missed = sums[S_PRICE_MISSED, i] if features & ENERGY_MOVES else inputs[ENERGY_PRICE, i] * sums[S_MISSED, i]
        idle = inputs[IDLE_POWER_FRACTION, i]
        outputs[PART_ENERGY, i] = _kwh_in_a_month(inputs, i) * (
            idle * priced + (1.0 - idle) * inputs[UTILIZATION, i] * (priced - missed))
    for i in range(n):
        # hosting_t = power · contracted_power_factor · hosting_price · (1 + hosting_escalation)^((t−½)/12) · w_t
        outputs[PART_HOSTING, i] = inputs[POWER, i] * inputs[CONTRACTED_POWER_FACTOR, i] * inputs[HOSTING_PRICE, i] * (
            sums[S_HOSTING, i] if features & HAS_ESCALATION else sums[S_TIME, i])
    for i in range(n):
        # operations_t = (opex + maintenance_rate · capex) / 12 · w_t
        outputs[PART_OPERATIONS, i] = sums[S_TIME, i] / MONTHS_PER_YEAR * (
            inputs[OPEX, i] + inputs[MAINTENANCE_RATE, i] * inputs[CAPEX, i])
    for i in range(n):
        # replacement_t = failed_t · replacement_cost · capex in the months after the warranty; without a fleet that is
        # smaller than all, failed_t = failure_rate · failure_epidemic / 12 · w_t. What is not replaced costs nothing.
        if features & HAS_FLEET:
            failures = sums[S_FAILED, i]
        else:
            failures = inputs[FAILURE_RATE, i] * inputs[FAILURE_EPIDEMIC, i] / MONTHS_PER_YEAR * (
                sums[S_TIME, i] - sums[S_COVERED, i])
        outputs[PART_REPLACEMENT, i] = 0.0 if features & RETIRES else inputs[REPLACEMENT_COST, i] * inputs[CAPEX, i] * failures

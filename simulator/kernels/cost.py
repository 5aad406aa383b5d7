"""The cost model: one platform, a block of trials. Each formula is named beside its line.

Time runs in months t = 1..T, T = ceil(12 L). Month t has weight w_t = clip(12 L − (t − 1), 0, 1) and is discounted
from its middle, v_t = (1 + r)^−(deployment_time + (t − ½)/12). Every sum over months that the model needs is gathered
once; costs and tokens are these sums times what does not move in time. Amounts are per GPU, in real USD.
"""

from __future__ import annotations

import math

from simulator.kernels.elementary import exp, expm1, log
from simulator.kernels.jit import inline, jit
from simulator.units import (
    HOURS_PER_MONTH,
    KILOWATTS_PER_MEGAWATT,
    MONTHS_PER_YEAR,
    SECONDS_PER_MONTH,
    TOKENS_PER_MILLION,
)

# Rows of a platform's inputs. The registry lists the same names in the same order (held by a test).
INPUT_ROWS = (
    "utilization", "throughput", "gpu_lifetime", "capex", "rental_price", "energy_price", "discount_rate", "power",
    "hosting_price", "throughput_degradation", "pue", "residual_value", "residual_decay", "failure_rate",
    "replacement_cost", "opex", "maintenance_rate", "availability", "idle_power_fraction", "software_gain",
    "software_gain_time", "deployment_time", "utilization_ramp", "hosting_escalation", "facility_capex",
    "facility_lifetime", "warranty", "peak_flops")
(UTILIZATION, THROUGHPUT, GPU_LIFETIME, CAPEX, RENTAL_PRICE, ENERGY_PRICE, DISCOUNT_RATE, POWER, HOSTING_PRICE,
 THROUGHPUT_DEGRADATION, PUE, RESIDUAL_VALUE, RESIDUAL_DECAY, FAILURE_RATE, REPLACEMENT_COST, OPEX, MAINTENANCE_RATE,
 AVAILABILITY, IDLE_POWER_FRACTION, SOFTWARE_GAIN, SOFTWARE_GAIN_TIME, DEPLOYMENT_TIME, UTILIZATION_RAMP,
 HOSTING_ESCALATION, FACILITY_CAPEX, FACILITY_LIFETIME, WARRANTY, PEAK_FLOPS) = range(28)
# One more row: the product of the throughput factors.
THROUGHPUT_FACTOR = 28
ROWS = 29

# What a platform's months need beyond the plain sums (bits of `features`).
RENTED, HAS_RAMP, HAS_GAIN, HAS_ESCALATION, HAS_WARRANTY, HAS_FACILITY, ENERGY_MOVES, RENT_MOVES = (1 << k for k in range(8))

# Sums over months. S_: discounted by v_t; U_: undiscounted. "Missed": by the ramp, Σ … (1 − utilization_t/utilization).
(S_TIME, S_MISSED, S_PRICE, S_PRICE_MISSED, S_HOSTING, S_COVERED, S_RENT, S_TOKENS, U_TIME, U_MISSED, U_TOKENS) = range(11)
SUMS = 11
STATES = 11

# Outputs of a trial, in the order in which they are written.
OUTPUT_ROWS = (
    "cost_per_million_tokens", "cost_per_gpu_hour", "tokens_per_dollar", "tokens_per_second_per_megawatt",
    "tokens_per_second_per_facility_megawatt", "energy_per_million_tokens", "flops_per_dollar",
    "capex", "facility", "energy", "hosting", "operations", "replacement", "rent", "present_cost", "present_tokens")
(COST_PER_MILLION, COST_PER_HOUR, TOKENS_PER_DOLLAR, TOKENS_PER_MEGAWATT, TOKENS_PER_FACILITY_MEGAWATT,
 ENERGY_PER_MILLION, FLOPS_PER_DOLLAR, PART_CAPEX, PART_FACILITY, PART_ENERGY, PART_HOSTING, PART_OPERATIONS,
 PART_REPLACEMENT, PART_RENT, PRESENT_COST, PRESENT_TOKENS) = range(16)
OUTPUTS = 16


@inline
def capital_recovery_factor(rate, years):
    """Yearly payment, in arrears, that repays 1 over `years` [year] at `rate` [1/year]: r / (1 − (1 + r)^−n)."""
    return 1.0 / years if rate == 0.0 else rate / -math.expm1(-years * math.log1p(rate))


@inline
def monthly_annuity(rate, years):
    """Present value of 1 a month, paid mid-month for `years` [year], the last month by its fraction, at `rate` [1/year].

    Σ_{s≥1} clip(12 n − (s−1), 0, 1)·(1 + r)^(−(s−½)/12), in closed form.
    """
    whole = math.floor(MONTHS_PER_YEAR * years)
    part = MONTHS_PER_YEAR * years - whole
    step = log(1.0 + rate) / MONTHS_PER_YEAR
    full = expm1(-whole * step) / expm1(-step) if step != 0.0 else whole
    return exp(-0.5 * step) * (full + part * exp(-whole * step))


@jit
def sum_over_months(inputs, features, horizon, energy_prices, rental_prices, state, sums):
    """Gather every sum over months that the cost model needs, for a block of trials.

    inputs   float64[ROWS, n]; features: bits as above; horizon [year]
    energy_prices, rental_prices  float64[MONTHS, ≥ n], read where features say that prices move
    state    float64[STATES, n], overwritten; sums float64[SUMS, n], filled

    Loops over trials are short and touch few arrays each: so they vectorise, and a block stays in the first cache.
    """
    n = inputs.shape[1]
    months, v, v_step, d, d_step, e, e_step, h, h_step, w, vw = (
        state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7], state[8], state[9], state[10])
    sums[:, :] = 0.0
    for i in range(n):
        months[i] = MONTHS_PER_YEAR * min(inputs[GPU_LIFETIME, i], horizon)
        sums[U_TIME, i] = months[i]  # Σ w_t
    for i in range(n):
        # Each power of time is carried from month to month by one multiplication.
        log_discount = log(1.0 + inputs[DISCOUNT_RATE, i])
        v[i] = exp(-log_discount * (inputs[DEPLOYMENT_TIME, i] - 0.5 / MONTHS_PER_YEAR))
        v_step[i] = exp(-log_discount / MONTHS_PER_YEAR)
    for i in range(n):
        log_kept = log(1.0 - inputs[THROUGHPUT_DEGRADATION, i])
        d[i] = exp(-log_kept * 0.5 / MONTHS_PER_YEAR)
        d_step[i] = exp(log_kept / MONTHS_PER_YEAR)
    if features & HAS_GAIN:
        for i in range(n):
            rate = 1.0 / (MONTHS_PER_YEAR * inputs[SOFTWARE_GAIN_TIME, i])
            e[i] = exp(-0.5 * rate)  # of the first month: a step back would overflow where τ is short
            e_step[i] = exp(-rate)
    if features & HAS_ESCALATION:
        for i in range(n):
            log_growth = log(1.0 + inputs[HOSTING_ESCALATION, i])
            h[i] = exp(-log_growth * 0.5 / MONTHS_PER_YEAR)
            h_step[i] = exp(log_growth / MONTHS_PER_YEAR)
    ramp_end = MONTHS_PER_YEAR * _largest(inputs[UTILIZATION_RAMP]) if features & HAS_RAMP else 0.0
    warranty_end = MONTHS_PER_YEAR * _largest(inputs[WARRANTY]) if features & HAS_WARRANTY else 0.0
    for t in range(1, math.ceil(_largest(months)) + 1):
        for i in range(n):
            w[i] = min(max(months[i] - (t - 1), 0.0), 1.0)  # w_t
        for i in range(n):
            v[i] *= v_step[i]  # v_t
            vw[i] = v[i] * w[i]
        for i in range(n):
            sums[S_TIME, i] += vw[i]
        if features & ENERGY_MOVES:
            for i in range(n):
                sums[S_PRICE, i] += vw[i] * energy_prices[t - 1, i]
        if features & RENT_MOVES:
            for i in range(n):
                sums[S_RENT, i] += vw[i] * rental_prices[t - 1, i]
        if features & HAS_ESCALATION:
            for i in range(n):
                h[i] *= h_step[i]  # (1 + hosting_escalation)^((t−½)/12)
                sums[S_HOSTING, i] += vw[i] * h[i]
        if t <= warranty_end + 1e-9:
            for i in range(n):
                sums[S_COVERED, i] += vw[i] if t <= MONTHS_PER_YEAR * inputs[WARRANTY, i] + 1e-9 else 0.0
        if t - 0.5 < ramp_end:
            _miss(t, inputs[UTILIZATION_RAMP], features & ENERGY_MOVES, energy_prices[t - 1], v, w, sums)
        for i in range(n):
            d[i] *= d_step[i]  # (1 − throughput_degradation)^((t−½)/12)
        if features & HAS_GAIN:
            for i in range(n):
                w[i] *= d[i] * (1.0 + inputs[SOFTWARE_GAIN, i] * (1.0 - e[i]))  # performance_t
            for i in range(n):
                e[i] *= e_step[i]  # exp(−(t−½)/(12 τ)) of the next month
        else:
            for i in range(n):
                w[i] *= d[i]
        for i in range(n):
            sums[U_TOKENS, i] += w[i]
        for i in range(n):
            sums[S_TOKENS, i] += v[i] * w[i]


@inline
def _largest(values):
    """The largest of some numbers, at least 0."""
    largest = 0.0
    for x in values:
        largest = max(largest, x)
    return largest


@inline
def _miss(t, ramp, energy_moves, prices, v, w, sums):
    """What the ramp takes from a month: utilization_t = utilization · min(1, (t−½)/12 / utilization_ramp). Lowers w."""
    for i in range(w.size):
        missed = w[i] * (1.0 - min(1.0, (t - 0.5) / (MONTHS_PER_YEAR * ramp[i])))
        w[i] -= missed
        sums[U_MISSED, i] += missed
        sums[S_MISSED, i] += v[i] * missed
        if energy_moves:
            sums[S_PRICE_MISSED, i] += v[i] * missed * prices[i]


@jit
def platform_costs(inputs, features, horizon, sums, outputs):
    """Costs and tokens of one platform from its sums over months.

    inputs float64[ROWS, n]; sums float64[SUMS, n] of `sum_over_months`; outputs float64[OUTPUTS, n], filled.
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
                sums[S_RENT, i] if features & RENT_MOVES else inputs[RENTAL_PRICE, i] * sums[S_TIME, i])
    else:
        _bought_parts(inputs, features, horizon, sums, outputs)
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
    for i in range(n):
        outputs[COST_PER_HOUR, i] = outputs[PRESENT_COST, i] / (HOURS_PER_MONTH * sums[S_TIME, i])
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
            idle * sums[U_TIME, i] + (1.0 - idle) * inputs[UTILIZATION, i] * (sums[U_TIME, i] - sums[U_MISSED, i]))
        outputs[ENERGY_PER_MILLION, i] = TOKENS_PER_MILLION * kwh / (_tokens_in_a_month(inputs, i) * sums[U_TOKENS, i])


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
def _bought_parts(inputs, features, horizon, sums, outputs):
    """The present value of each part of a bought platform's cost [USD/GPU], into `outputs`."""
    n = inputs.shape[1]
    for i in range(n):
        # capex at t = 0, less the residual capex·r₀·exp(−δ·L) · (1 + r)^−(deployment_time + L)
        life = min(inputs[GPU_LIFETIME, i], horizon)
        recovered = inputs[RESIDUAL_VALUE, i] * exp(
            -inputs[RESIDUAL_DECAY, i] * life - log(1.0 + inputs[DISCOUNT_RATE, i]) * (inputs[DEPLOYMENT_TIME, i] + life))
        outputs[PART_CAPEX, i] = inputs[CAPEX, i] - inputs[CAPEX, i] * recovered
    if features & HAS_FACILITY:
        for i in range(n):
            outputs[PART_FACILITY, i] = inputs[FACILITY_CAPEX, i] * inputs[POWER, i] * sums[S_TIME, i] / monthly_annuity(
                inputs[DISCOUNT_RATE, i], inputs[FACILITY_LIFETIME, i])
    for i in range(n):
        # energy_t = energy_kwh_t · energy_price_t
        priced = sums[S_PRICE, i] if features & ENERGY_MOVES else inputs[ENERGY_PRICE, i] * sums[S_TIME, i]
        missed = sums[S_PRICE_MISSED, i] if features & ENERGY_MOVES else inputs[ENERGY_PRICE, i] * sums[S_MISSED, i]
        idle = inputs[IDLE_POWER_FRACTION, i]
        outputs[PART_ENERGY, i] = _kwh_in_a_month(inputs, i) * (
            idle * priced + (1.0 - idle) * inputs[UTILIZATION, i] * (priced - missed))
    for i in range(n):
        # hosting_t = power · hosting_price · (1 + hosting_escalation)^((t−½)/12) · w_t
        outputs[PART_HOSTING, i] = inputs[POWER, i] * inputs[HOSTING_PRICE, i] * (
            sums[S_HOSTING, i] if features & HAS_ESCALATION else sums[S_TIME, i])
    for i in range(n):
        # operations_t = (opex + maintenance_rate · capex) / 12 · w_t
        outputs[PART_OPERATIONS, i] = sums[S_TIME, i] / MONTHS_PER_YEAR * (
            inputs[OPEX, i] + inputs[MAINTENANCE_RATE, i] * inputs[CAPEX, i])
    for i in range(n):
        # replacement_t = failure_rate / 12 · replacement_cost · capex · w_t, in the months after the warranty
        outputs[PART_REPLACEMENT, i] = (inputs[FAILURE_RATE, i] / MONTHS_PER_YEAR * inputs[REPLACEMENT_COST, i]
                                        * inputs[CAPEX, i] * (sums[S_TIME, i] - sums[S_COVERED, i]))

"""The months of one platform, for a block of trials: every sum over months that the cost model needs, gathered once.

Time runs in months t = 1..T, T = ceil(12 L). Month t has weight w_t = clip(12 L − (t − 1), 0, 1) and is discounted
from its middle, v_t = (1 + r)^−(deployment_time + (t − ½)/12). Costs and tokens are these sums times what does not move
in time (`cost`). `cash_flows` states the months of a bought platform once more, one trial and one month at a time.
"""

from __future__ import annotations

import math

from simulator.kernels.elementary import exp, log
from simulator.kernels.jit import inline, jit
from simulator.kernels.platform import (
    CONTRACT_TERM,
    DEPLOYMENT_TIME,
    DISCOUNT_RATE,
    ENERGY_MOVES,
    GPU_LIFETIME,
    HAS_DECLINE,
    HAS_ESCALATION,
    HAS_FLEET,
    HAS_GAIN,
    HAS_RAMP,
    HAS_TERM,
    HAS_WARRANTY,
    HOSTING_ESCALATION,
    INFLATION,
    RENT_IS_FIXED,
    RENT_MOVES,
    RENTAL_PRICE,
    RETIRES,
    ROUNDING,
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
    SOFTWARE_GAIN,
    SOFTWARE_GAIN_TIME,
    THROUGHPUT_DEGRADATION,
    TOKEN_PRICE_DECLINE,
    TOKEN_PRICE_MOVES,
    U_ALIVE,
    U_MISSED,
    U_TIME,
    U_TOKENS,
    UTILIZATION_RAMP,
    WARRANTY,
)
from simulator.kernels.reliability import is_covered
from simulator.units import MONTHS_PER_YEAR


@jit
def sum_over_months(inputs, features, horizon, energy_prices, rental_prices, token_prices, failed, alive, state, sums):
    """Gather every sum over months that the cost model needs, for a block of trials.

    inputs   float64[ROWS, n]; features: bits of `platform`; horizon [year]
    energy_prices, rental_prices, token_prices  float64[MONTHS, ≥ n], read where features say that prices move
    failed, alive  float64[MONTHS, ≥ n]: share of the GPUs that fail in a month, and that run in it; read where features
                   say that there is a fleet, or that failed GPUs are not replaced
    state    float64[STATES, n], overwritten; sums float64[SUMS, n], filled

    Loops over trials are short and touch few arrays each: so they vectorise, and a block stays in the first cache.
    """
    n = inputs.shape[1]
    months, v, v_step, d, d_step, e, e_step, h, h_step, w, vw, p, p_step = (
        state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7], state[8], state[9], state[10], state[11],
        state[12])
    sums[:, :] = 0.0
    for i in range(n):
        months[i] = MONTHS_PER_YEAR * min(inputs[GPU_LIFETIME, i], horizon)
        sums[U_TIME, i] = months[i]  # Σ w_t
    for i in range(n):
        # Each power of time is carried from month to month by one multiplication.
        log_discount = log(1.0 + inputs[DISCOUNT_RATE, i])
        v[i] = exp(-log_discount * (inputs[DEPLOYMENT_TIME, i] - 0.5 / MONTHS_PER_YEAR))
        v_step[i] = exp(-log_discount / MONTHS_PER_YEAR)
    _start_power(inputs[THROUGHPUT_DEGRADATION], -1.0, d, d_step)
    if features & HAS_GAIN:
        for i in range(n):
            rate = 1.0 / (MONTHS_PER_YEAR * inputs[SOFTWARE_GAIN_TIME, i])
            e[i] = exp(-0.5 * rate)  # of the first month: a step back would overflow where τ is short
            e_step[i] = exp(-rate)
    if features & HAS_ESCALATION:
        _start_power(inputs[HOSTING_ESCALATION], 1.0, h, h_step)
    if features & HAS_DECLINE:
        _start_power(inputs[TOKEN_PRICE_DECLINE], -1.0, p, p_step)
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
        if features & RENT_IS_FIXED:
            _fixed_rent(inputs, features, t, rental_prices, vw, sums[S_RENT])
        elif features & RENT_MOVES:
            for i in range(n):
                sums[S_RENT, i] += vw[i] * rental_prices[t - 1, i]
        if features & HAS_ESCALATION:
            for i in range(n):
                h[i] *= h_step[i]  # (1 + hosting_escalation)^((t−½)/12)
                sums[S_HOSTING, i] += vw[i] * h[i]
        if t <= warranty_end + ROUNDING:
            for i in range(n):
                sums[S_COVERED, i] += vw[i] if is_covered(inputs, i, t) else 0.0
        if features & HAS_FLEET and not features & RETIRES:
            for i in range(n):
                sums[S_FAILED, i] += 0.0 if is_covered(inputs, i, t) else v[i] * failed[t - 1, i]
        if features & RETIRES:
            for i in range(n):
                w[i] *= alive[t - 1, i]
                vw[i] = v[i] * w[i]
                sums[S_ALIVE, i] += vw[i]
                sums[U_ALIVE, i] += w[i]
        if features & ENERGY_MOVES:
            for i in range(n):
                sums[S_PRICE, i] += vw[i] * energy_prices[t - 1, i]
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
        if features & HAS_DECLINE:
            for i in range(n):
                p[i] *= p_step[i]  # (1 − token_price_decline)^((t−½)/12)
                sums[S_DECLINED, i] += v[i] * w[i] * p[i]
        if features & TOKEN_PRICE_MOVES:
            for i in range(n):
                sums[S_SOLD, i] += v[i] * w[i] * (p[i] if features & HAS_DECLINE else 1.0) * token_prices[t - 1, i]
    if not features & RETIRES:
        sums[S_ALIVE, :] = sums[S_TIME]
        sums[U_ALIVE, :] = sums[U_TIME]
    if not features & HAS_DECLINE:
        sums[S_DECLINED, :] = sums[S_TOKENS]


@inline
def _start_power(rate, sign, value, step):
    """Half a month before the first middle of a month of (1 ± rate)^((t−½)/12), and its factor from month to month."""
    for i in range(rate.size):
        growth = log(1.0 + sign * rate[i])
        value[i] = exp(-growth * 0.5 / MONTHS_PER_YEAR)
        step[i] = exp(growth / MONTHS_PER_YEAR)


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


@inline
def _fixed_rent(inputs, features, t, prices, vw, rent):
    """A rent that is fixed in nominal money when a term begins: rental_price of that month, deflated by the time since."""
    for i in range(vw.size):
        begun = 0.0
        if features & HAS_TERM:
            term = MONTHS_PER_YEAR * inputs[CONTRACT_TERM, i]
            begun = math.floor((t - 1 + ROUNDING) / term) * term
        price = prices[int(begun + ROUNDING), i] if features & RENT_MOVES else inputs[RENTAL_PRICE, i]
        rent[i] += vw[i] * price * exp(-log(1.0 + inputs[INFLATION, i]) * (t - 0.5 - begun) / MONTHS_PER_YEAR)

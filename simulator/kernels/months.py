"""The months of one platform, for a block of trials: every sum over months that the cost model needs, gathered once.

Time runs in months t = 1..T, T = ceil(12 L). Month t has weight w_t = clip(12 L − (t − 1), 0, 1) and is discounted
from its middle, v_t = (1 + r)^−(deployment_time + (t − ½)/12). Costs and tokens are these sums times what does not move
in time (`cost`). `cash_flows` states the months of a bought platform once more, one trial and one month at a time.

What grows by a constant factor from month to month is a geometric series, summed in closed form; what is paid at market
prices comes from running sums that platforms share; only months in which something irregular happens (a ramp, failures one
by one, a rent fixed for a term, a moving price of tokens) are gone through one by one.
"""

from __future__ import annotations

import math

import numpy as np

from simulator.kernels.elementary import exp, expm1, log
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

_ONE_BY_ONE = RETIRES | HAS_FLEET | RENT_IS_FIXED | TOKEN_PRICE_MOVES  # features for which every month is gone through


@inline
def geometric_series(growth, n, rest):
    """Σ_{k=0..n−1} e^{k·growth} + rest·e^{n·growth}, to full relative accuracy also where growth is small or 0."""
    step, grown = expm1(growth), expm1(n * growth)
    return (grown / step if step != 0.0 else n) + rest * (1.0 + grown)


@jit
def discount_prices(rates, months, prices, v, step, paid):
    """Running sums of discounted prices: paid[t] = Σ_{s=1..t} (1 + rate)^−((s−½)/12) · price_s.

    rates    float64[n] [1/year]; prices float64[MONTHS, ≥ n]; v, step float64[n], overwritten
    paid     float64[1 + MONTHS, ≥ n], filled for t = 1..months; row 0 holds 0
    """
    for i in range(v.size):
        growth = -log(1.0 + rates[i]) / MONTHS_PER_YEAR
        v[i] = exp(0.5 * growth)
        step[i] = exp(growth)
    for t in range(1, months + 1):
        _discount_month(prices[t - 1], step, v, paid[t - 1], paid[t])


@jit
def _discount_month(price, step, v, before, after):
    for i in range(v.size):
        after[i] = before[i] + v[i] * price[i]
        v[i] *= step[i]


@jit
def sum_over_months(inputs, features, horizon, energy_prices, rental_prices, token_prices, paid, failed, alive, state, sums):
    """Gather every sum over months that the cost model needs, for a block of trials.

    inputs   float64[ROWS, n]; features: bits of `platform`; horizon [year]
    energy_prices, rental_prices, token_prices  float64[MONTHS, ≥ n], read where features say that prices move
    paid     float64[1 + MONTHS, ≥ n] of `discount_prices`, of energy or, where rented, of the rent; read where they move
    failed, alive  float64[MONTHS, ≥ n]: share of the GPUs that fail in a month, and that run in it; read where features
                   say that there is a fleet, or that failed GPUs are not replaced
    state    float64[STATES, n], overwritten; sums float64[SUMS, n], filled

    Loops over trials are short and touch few arrays each: so they vectorise, and a block stays in the first cache.
    """
    n = inputs.shape[1]
    whole, rest, v, v_growth, d, d_growth, e, e_growth, p, p_growth = (
        state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7], state[8], state[9])
    sums[:, :] = 0.0
    for i in range(n):
        months = MONTHS_PER_YEAR * min(inputs[GPU_LIFETIME, i], horizon)
        sums[U_TIME, i] = months  # Σ w_t
        whole[i] = np.floor(months)
        rest[i] = months - whole[i]
    # Each power of time by its value in the first month, and the logarithm of its factor from month to month.
    for i in range(n):
        v_growth[i] = -log(1.0 + inputs[DISCOUNT_RATE, i]) / MONTHS_PER_YEAR
        v[i] = exp(v_growth[i] * (MONTHS_PER_YEAR * inputs[DEPLOYMENT_TIME, i] + 0.5))
    _power(inputs[THROUGHPUT_DEGRADATION], -1.0, d, d_growth)
    if features & HAS_GAIN:
        for i in range(n):
            e_growth[i] = -1.0 / (MONTHS_PER_YEAR * inputs[SOFTWARE_GAIN_TIME, i])
            e[i] = exp(0.5 * e_growth[i])
    if features & HAS_ESCALATION:
        _power(inputs[HOSTING_ESCALATION], 1.0, p, p_growth)
        for i in range(n):
            sums[S_HOSTING, i] = v[i] * p[i] * geometric_series(v_growth[i] + p_growth[i], whole[i], rest[i])
    if features & HAS_DECLINE:
        _power(inputs[TOKEN_PRICE_DECLINE], -1.0, p, p_growth)
    for i in range(n):
        sums[S_TIME, i] = v[i] * geometric_series(v_growth[i], whole[i], rest[i])
    if features & HAS_WARRANTY:
        for i in range(n):
            covered = np.floor(MONTHS_PER_YEAR * inputs[WARRANTY, i] + ROUNDING)
            last = rest[i] if covered > whole[i] else 0.0
            sums[S_COVERED, i] = v[i] * geometric_series(v_growth[i], min(covered, whole[i]), last)
    if features & (ENERGY_MOVES | RENT_MOVES):  # a part that is gone through month by month is set to 0 again
        priced = sums[S_RENT if features & RENT_MOVES else S_PRICE]
        for i in range(n):
            t = int(whole[i])
            last = rest[i] * (paid[t + 1, i] - paid[t, i]) if rest[i] > 0.0 else 0.0
            priced[i] = exp(v_growth[i] * MONTHS_PER_YEAR * inputs[DEPLOYMENT_TIME, i]) * (paid[t, i] + last)
    done = _months_one_by_one(inputs, features, energy_prices, rental_prices, token_prices, failed, alive, state, sums)
    if not features & _ONE_BY_ONE:
        _tokens_after(done, inputs, features, state, sums)
    if not features & RETIRES:
        sums[S_ALIVE, :] = sums[S_TIME]
        sums[U_ALIVE, :] = sums[U_TIME]
    if not features & HAS_DECLINE:
        sums[S_DECLINED, :] = sums[S_TOKENS]


@inline
def _power(rate, sign, value, growth):
    """(1 ± rate)^((t−½)/12) in the first month, and the logarithm of its factor from month to month."""
    for i in range(rate.size):
        growth[i] = log(1.0 + sign * rate[i]) / MONTHS_PER_YEAR
        value[i] = exp(0.5 * growth[i])


@inline
def _largest(values):
    """The largest of some numbers, at least 0."""
    largest = 0.0
    for x in values:
        largest = max(largest, x)
    return largest


@inline
def _months_one_by_one(inputs, features, energy_prices, rental_prices, token_prices, failed, alive, state, sums):
    """Add the months that are irregular, the first so many, and return how many; powers of time are then the next month's."""
    n = inputs.shape[1]
    v, v_growth, d, d_growth, e, e_growth, p, p_growth = (
        state[2], state[3], state[4], state[5], state[6], state[7], state[8], state[9])
    w, vw, missed, v_step, d_step, e_step, p_step = (
        state[10], state[11], state[12], state[13], state[14], state[15], state[16])
    ramp_end = MONTHS_PER_YEAR * _largest(inputs[UTILIZATION_RAMP]) if features & HAS_RAMP else 0.0
    last = math.ceil(_largest(sums[U_TIME]))
    if not features & _ONE_BY_ONE:
        last = min(last, math.ceil(ramp_end - 0.5))
    if last < 1:
        return 0
    if features & RETIRES:
        sums[S_PRICE, :] = 0.0  # of all GPUs: here it is of those that still run
    if features & RENT_IS_FIXED:
        sums[S_RENT, :] = 0.0
    for i in range(n):
        v_step[i] = exp(v_growth[i])
        d_step[i] = exp(d_growth[i])
    if features & HAS_GAIN:
        for i in range(n):
            e_step[i] = exp(e_growth[i])
    if features & HAS_DECLINE:
        for i in range(n):
            p_step[i] = exp(p_growth[i])
    for t in range(1, last + 1):
        _weigh(t, sums[U_TIME], v, w, vw)
        if features & RENT_IS_FIXED:
            _fixed_rent(inputs, features, t, rental_prices, vw, sums[S_RENT])
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
            _miss(t, inputs[UTILIZATION_RAMP], w, missed, sums[U_MISSED])
            _add(v, missed, sums[S_MISSED])
            if features & ENERGY_MOVES:
                _add3(v, missed, energy_prices[t - 1], sums[S_PRICE_MISSED])
        if features & HAS_GAIN:
            _perform(inputs[SOFTWARE_GAIN], e, e_step, w)
        _tokens(v, d, w, sums[U_TOKENS], sums[S_TOKENS])
        if features & HAS_DECLINE:
            _multiply(w, p)
            _add(v, w, sums[S_DECLINED])
            _multiply(p, p_step)  # (1 − token_price_decline)^((t−½)/12)
        if features & TOKEN_PRICE_MOVES:
            _add3(v, w, token_prices[t - 1], sums[S_SOLD])
        _multiply(v, v_step)  # v_t
        _multiply(d, d_step)  # (1 − throughput_degradation)^((t−½)/12)
    return last


# Loops over trials of their own, since those that touch few rows are the ones that the compiler vectorises well.

@jit
def _weigh(t, months, v, w, vw):
    """The weight w_t of month t, and v_t · w_t."""
    for i in range(w.size):
        w[i] = min(max(months[i] - (t - 1), 0.0), 1.0)
        vw[i] = v[i] * w[i]


@jit
def _add(a, b, total):
    for i in range(total.size):
        total[i] += a[i] * b[i]


@jit
def _add3(a, b, c, total):
    for i in range(total.size):
        total[i] += a[i] * b[i] * c[i]


@jit
def _multiply(value, factor):
    for i in range(value.size):
        value[i] *= factor[i]


@jit
def _tokens(v, d, w, undiscounted, discounted):
    """Take w · d_t into w, and add it to the tokens."""
    for i in range(w.size):
        w[i] *= d[i]
        undiscounted[i] += w[i]
        discounted[i] += v[i] * w[i]


@jit
def _perform(gain, e, e_step, w):
    """w · (1 + g (1 − e_t)); e_t = exp(−(t−½)/(12 τ)) is then the next month's."""
    for i in range(w.size):
        w[i] *= 1.0 + gain[i] * (1.0 - e[i])
        e[i] *= e_step[i]


@jit
def _miss(t, ramp, w, missed, total):
    """What the ramp takes from a month: utilization_t = utilization · min(1, (t−½)/12 / utilization_ramp). Lowers w."""
    for i in range(w.size):
        missed[i] = w[i] * (1.0 - min(1.0, (t - 0.5) / (MONTHS_PER_YEAR * ramp[i])))
        w[i] -= missed[i]
        total[i] += missed[i]


@inline
def _tokens_after(done, inputs, features, state, sums):
    """Add the tokens of the months after so many: performance_t is a difference of two powers of time.

    d_t (1 + g (1 − e_t)) = (1 + g) d_t − g d_t e_t, d_t = (1 − throughput_degradation)^((t−½)/12), e_t = exp(−(t−½)/(12 τ))
    """
    whole, rest, v, v_growth, d, d_growth, e, e_growth, p, p_growth = (
        state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7], state[8], state[9])
    for i in range(whole.size):
        rest[i] = rest[i] if whole[i] >= done else 0.0
        whole[i] = max(whole[i] - done, 0.0)
    _add_tokens(inputs, features, d, d_growth, e, e_growth, whole, rest, sums[U_TOKENS])
    for i in range(whole.size):
        d[i] *= v[i]
        d_growth[i] += v_growth[i]
    _add_tokens(inputs, features, d, d_growth, e, e_growth, whole, rest, sums[S_TOKENS])
    if features & HAS_DECLINE:
        for i in range(whole.size):
            d[i] *= p[i]
            d_growth[i] += p_growth[i]
        _add_tokens(inputs, features, d, d_growth, e, e_growth, whole, rest, sums[S_DECLINED])


@inline
def _add_tokens(inputs, features, value, growth, e, e_growth, whole, rest, total):
    """Add Σ value_k (1 + g (1 − e_k)) over months, of which value and e are given in the first and grow from there."""
    if features & HAS_GAIN:
        for i in range(total.size):
            gain = inputs[SOFTWARE_GAIN, i]
            total[i] += value[i] * (
                (1.0 + gain) * geometric_series(growth[i], whole[i], rest[i])
                - gain * e[i] * geometric_series(growth[i] + e_growth[i], whole[i], rest[i]))
    else:
        for i in range(total.size):
            total[i] += value[i] * geometric_series(growth[i], whole[i], rest[i])


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

"""Depreciation for tax: what share of the price is deducted by when, and the present value of the deductions.

Allowances are fixed amounts of money of the day of payment: real discounting at r and deflation at inflation i together
discount them at R = (1 + r)(1 + i) − 1. What is not written off when the hardware retires is deducted then.
"""

from __future__ import annotations

import math

from simulator.kernels.elementary import exp, expm1, log
from simulator.kernels.jit import inline
from simulator.kernels.platform import FULL_EXPENSING, MACRS_5
from simulator.units import MONTHS_PER_YEAR

# Shares of the price by tax year, half-year convention. Source: IRS Publication 946, table A-1, 5-year property.
MACRS_5_SHARES = (0.2, 0.32, 0.192, 0.1152, 0.1152, 0.0576)


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


@inline
def written_off(schedule, years, life):
    """Share of the price that is deducted within `years` [year] of the first token; `life` [year] of the straight line."""
    if schedule == FULL_EXPENSING:
        return 1.0
    if schedule == MACRS_5:
        share = 0.0
        for k in range(6):
            share += MACRS_5_SHARES[k] * min(max(years - k, 0.0), 1.0)
        return min(share, 1.0)
    return min(years / life, 1.0)


@inline
def present_deductions(schedule, rate, inflation, deployment, service, life):
    """Present value of all deductions for a price of 1.

    rate, inflation [1/year]; deployment, service [year]: from payment to the first token, and from there to retirement;
    life [year] of the straight line
    """
    nominal = (1.0 + rate) * (1.0 + inflation) - 1.0
    if schedule == FULL_EXPENSING:
        during = 1.0
    elif schedule == MACRS_5:
        during = 0.0
        for k in range(6):
            during += MACRS_5_SHARES[k] / MONTHS_PER_YEAR * (
                monthly_annuity(nominal, min(k + 1.0, service)) - monthly_annuity(nominal, min(k + 0.0, service)))
    else:
        during = monthly_annuity(nominal, min(life, service)) / (MONTHS_PER_YEAR * life)
    left = 1.0 - written_off(schedule, service, life)
    log_nominal = log(1.0 + nominal)
    return exp(-log_nominal * deployment) * (during + left * exp(-log_nominal * service))

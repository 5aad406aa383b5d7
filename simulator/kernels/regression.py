"""Sums for the normal equations of regressions, and values of a fit: piecewise linear in one number, polynomials of several.

Written out rather than left to BLAS, whose threads add in an order of their own and stand in each other's way where several
regressions run at once. A function that is linear between knots is Σ_k β_k h_k(x), with "hats" h_k that are 1 at knot k and 0
at the others; beyond the first and the last knot it goes on straight. Only two hats differ from 0 in any place.
"""

from __future__ import annotations

import math

from simulator.kernels.jit import jit


@jit
def place_on_hats(x, knots, cells, weights):
    """x[i] = (1 − weights[i])·knots[cells[i]] + weights[i]·knots[cells[i] + 1], outside the knots too.

    x float64[n]; knots float64[K ≥ 2], rising; cells int64[n] and weights float64[n], filled
    """
    last = knots.size - 2
    for i in range(x.size):
        low, high = 0, last
        while low < high:
            middle = (low + high + 1) // 2
            if x[i] >= knots[middle]:
                low = middle
            else:
                high = middle - 1
        cells[i] = low
        weights[i] = (x[i] - knots[low]) / (knots[low + 1] - knots[low])


@jit
def hat_sums(cells, weights, outputs, each, gram, moments):
    """Sums of products by replicate: of hats with one another and with outputs.

    outputs float64[O, n]; each: trials of a replicate
    gram float64[R, K, K] and moments float64[R, O, K], filled
    """
    gram[:] = 0.0
    moments[:] = 0.0
    for r in range(gram.shape[0]):
        for i in range(r * each, (r + 1) * each):
            k, right = cells[i], weights[i]
            left = 1.0 - right
            gram[r, k, k] += left * left
            gram[r, k, k + 1] += left * right
            gram[r, k + 1, k + 1] += right * right
        for k in range(gram.shape[1] - 1):
            gram[r, k + 1, k] = gram[r, k, k + 1]
        for o in range(outputs.shape[0]):
            for i in range(r * each, (r + 1) * each):
                k, right = cells[i], weights[i]
                moments[r, o, k] += (1.0 - right) * outputs[o, i]
                moments[r, o, k + 1] += right * outputs[o, i]


@jit
def hat_values(cells, weights, coefficients, fold_of, each, fitted):
    """fitted[o, i] = the fit that goes with the fold of the trial's replicate.

    coefficients float64[folds, O, K]; fold_of int64[R]; fitted float64[O, n], filled
    """
    for r in range(fold_of.size):
        for o in range(fitted.shape[0]):
            beta = coefficients[fold_of[r], o]
            for i in range(r * each, (r + 1) * each):
                k = cells[i]
                fitted[o, i] = beta[k] + weights[i] * (beta[k + 1] - beta[k])


@jit
def fill_polynomials(scores, first, interacting, design):
    """Hermite polynomials of standard normals at some trials, one trial a row.

    scores       float64[columns, n]; the trials are first … first + len(design) − 1
    interacting  int64[q]: columns of which products of pairs are taken too
    design       float64[trials, K], filled: 1; z, (z² − 1)/√2 and (z³ − 3z)/√6 of each column; z·z', (z² − 1)/√2·z' and
                 z·(z'² − 1)/√2 of each pair; K = 1 + 3·columns + 3·q(q − 1)/2, and zeros up to the next multiple of 4
    """
    columns, q = scores.shape[0], interacting.size
    design[:] = 0.0
    for i in range(design.shape[0]):
        row = design[i]
        row[0] = 1.0
        for c in range(columns):
            z = scores[c, first + i]
            row[1 + c] = z
            row[1 + columns + c] = (z * z - 1.0) / math.sqrt(2.0)
            row[1 + 2 * columns + c] = z * (z * z - 3.0) / math.sqrt(6.0)
        k = 1 + 3 * columns
        for a in range(q):
            za, sa = row[1 + interacting[a]], row[1 + columns + interacting[a]]
            for b in range(a + 1, q):
                zb, sb = row[1 + interacting[b]], row[1 + columns + interacting[b]]
                row[k] = za * zb
                row[k + 1] = sa * zb
                row[k + 2] = za * sb
                k += 3


@jit
def product_sums(design, gram):
    """gram[k, l] = Σ_i design[i, k]·design[i, l]; float64[trials, K] to float64[K, K], filled.

    Four trials at a time, so that the inner loop over l does enough work for what it loads.
    """
    trials, width = design.shape
    gram[:] = 0.0
    whole = trials - trials % 4
    for i in range(0, whole, 4):
        a, b, c, d = design[i], design[i + 1], design[i + 2], design[i + 3]
        for k in range(width):
            row, ak, bk, ck, dk = gram[k], a[k], b[k], c[k], d[k]
            for m in range(k, width):
                row[m] += ak * a[m] + bk * b[m] + ck * c[m] + dk * d[m]
    for i in range(whole, trials):
        a = design[i]
        for k in range(width):
            for m in range(k, width):
                gram[k, m] += a[k] * a[m]
    for k in range(width):
        for m in range(k):
            gram[k, m] = gram[m, k]


@jit
def output_sums(design, outputs, first, moments):
    """moments[o, k] = Σ_i outputs[o, first + i]·design[i, k]; float64[O, K], filled."""
    moments[:] = 0.0
    for o in range(moments.shape[0]):
        row = moments[o]
        for i in range(design.shape[0]):
            y = outputs[o, first + i]
            for k in range(design.shape[1]):
                row[k] += y * design[i, k]


@jit
def design_values(design, coefficients, first, fitted):
    """fitted[o, first + i] = Σ_k coefficients[o, k]·design[i, k].

    design float64[trials, K], K a multiple of 4; coefficients float64[O, K]; fitted float64[O, n], filled for these trials
    """
    for o in range(coefficients.shape[0]):
        beta = coefficients[o]
        for i in range(design.shape[0]):
            row, a, b, c, d = design[i], 0.0, 0.0, 0.0, 0.0
            for k in range(0, row.size, 4):
                a += beta[k] * row[k]
                b += beta[k + 1] * row[k + 1]
                c += beta[k + 2] * row[k + 2]
                d += beta[k + 3] * row[k + 3]
            fitted[o, first + i] = (a + b) + (c + d)


@jit
def solve_normal_equations(gram, moments, ridge, coefficients):
    """(gram + ridge·1) coefficients = moments, for a stack of systems, by Cholesky's factors L Lᵀ.

    gram float64[S, K, K], symmetric, overwritten; moments float64[S, O, K]; ridge float64[S] > 0; coefficients float64[S, O, K],
    filled. A direction that rounding leaves no weight counts as none.
    """
    systems, width = gram.shape[0], gram.shape[1]
    for s in range(systems):
        a, x = gram[s], coefficients[s]
        x[:] = moments[s]
        for k in range(width):
            a[k, k] += ridge[s]
        for k in range(width):  # the upper half becomes Lᵀ
            pivot = math.sqrt(max(a[k, k], 0.5 * ridge[s]))
            row = a[k]
            for m in range(k, width):
                row[m] /= pivot
            row[k] = pivot
            for i in range(k + 1, width):
                factor, below = row[i], a[i]
                if factor != 0.0:
                    for m in range(i, width):
                        below[m] -= factor * row[m]
        for o in range(x.shape[0]):
            y = x[o]
            for k in range(width):
                y[k] /= a[k, k]
                for m in range(k + 1, width):
                    y[m] -= a[k, m] * y[k]
            for k in range(width - 1, -1, -1):
                total = y[k]
                for m in range(k + 1, width):
                    total -= a[k, m] * y[m]
                y[k] = total / a[k, k]

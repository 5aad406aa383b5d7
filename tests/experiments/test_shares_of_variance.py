"""Sobol' indices and Shapley effects of whole studies, through the product's own draws, against closed forms and quadrature."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
import studies
from rented_lognormals import FACTOR, PAIRS, PATHS, PRICE, SAMPLERS, THROUGHPUT, TRIPLE, lognormal, product, study, whole
from SALib.analyze import sobol as salib
from SALib.sample import sobol as salib_sample
from scipy import special, stats

from simulator.engine.pick_freeze import REPLICATES
from simulator.experiments.sensitivity.outputs import LOG_COST, LOG_RATIO
from simulator.experiments.sensitivity.players import NotApplicable
from simulator.experiments.sensitivity.shapley import orders_of_walks, shapley
from simulator.experiments.sensitivity.sobol import CONSTANT, TRIALS, sobol
from simulator.kernels import pick_freeze as kernel
from simulator.quantities import COST


def of(found, quantity, owner, shared="variance"):
    return next(one for one in found if (one.output.quantity, one.output.of) == (quantity, owner)
                and getattr(one, "of", shared) == shared)


def holds(players, estimates, expected, error):
    assert set(players) == set(expected)
    for player, estimate in zip(players, estimates, strict=True):
        assert abs(estimate.value - expected[player]) < 4 * estimate.standard_error + 1e-12
        assert estimate.standard_error < error


def shapley_of(worth, players):
    """Shapley values of a game on tuples of players, divided by the worth of all."""
    count = len(players)
    found = dict.fromkeys(players, 0.0)
    for order in itertools.permutations(players):
        for k, player in enumerate(order):
            found[player] += worth(order[: k + 1]) - worth(order[:k])
    return {player: value / math.factorial(count) / worth(tuple(players)) for player, value in found.items()}


def linear_game(weights, correlations):
    """Var E[Σ weight · z | z of some], of jointly normal z."""
    names = list(weights)
    b, matrix = np.array(list(weights.values())), np.asarray(correlations)

    def worth(known):
        k = [names.index(name) for name in known]
        if not k:
            return 0.0
        cross = b @ matrix[:, k]
        return float(cross @ np.linalg.solve(matrix[np.ix_(k, k)], cross))
    return worth


# --- independent inputs ------------------------------------------------------------------------------------

@pytest.mark.parametrize("sampler", SAMPLERS)
def test_product_of_lognormals(load, sampler):
    cost = of(sobol(load(product(sampler=sampler))), COST.name, "a")
    holds(cost.players, cost.first, dict(zip((PRICE, THROUGHPUT, FACTOR), (0.0668790, 0.2715761, 0.6266847), strict=True)), 0.02)
    holds(cost.players, cost.total, dict(zip((PRICE, THROUGHPUT, FACTOR), (0.0761638, 0.3001380, 0.6588155), strict=True)), 0.02)
    median = 2e6 / (900 * 0.8 * 0.5 * 3600)
    variance = median**2 * math.exp(0.14) * math.expm1(0.14)
    assert abs(cost.variance.value - variance) < 4 * cost.variance.standard_error < 0.1 * variance


@pytest.mark.parametrize("method", ["subsets", "walks"])
def test_shapley_effects_of_a_product(load, method):
    found = shapley(load(product()), method=method)
    log_cost = of(found, LOG_COST, "a")
    holds(log_cost.players, log_cost.shares, {PRICE: 0.01 / 0.14, THROUGHPUT: 0.04 / 0.14, FACTOR: 0.09 / 0.14}, 0.01)
    assert abs(log_cost.whole.value - 0.14) < 4 * log_cost.whole.standard_error < 0.01
    sigmas = {PRICE: 0.1, THROUGHPUT: 0.2, FACTOR: 0.3}
    cost = of(found, COST.name, "a")
    holds(cost.players, cost.shares, shapley_of(lambda known: math.expm1(sum(sigmas[name] ** 2 for name in known)), sigmas), 0.01)
    tail = of(found, COST.name, "a", "tail")
    # E[Y^u | Y in its tail] = median · e^{σ²_rest/2} · E[e^{S_u} | S in its tail], S_u | S normal with mean S σ²_u/σ²
    total = math.sqrt(0.14)

    def worth(known):
        part = sum(sigmas[name] ** 2 for name in known)
        mean = math.exp(0.07) * stats.norm.cdf(part / total - stats.norm.ppf(0.95)) / 0.05
        return mean - math.exp(0.07)
    holds(tail.players, tail.shares, shapley_of(worth, sigmas), 0.03)
    median = 2e6 / (900 * 0.8 * 0.5 * 3600)
    assert abs(tail.whole.value - median * worth(tuple(sigmas))) < 4 * tail.whole.standard_error


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_errors_are_what_seeds_scatter_by(load, sampler):
    found = []
    for seed in range(12):
        data = product(sampler=sampler)
        data["simulation"]["seed"] = seed
        found.append(of(shapley(load(data), trials=64), COST.name, "a").shares[0])
    scatter = np.std([estimate.value for estimate in found], ddof=1)
    assert 0.4 < np.mean([estimate.standard_error for estimate in found]) / scatter < 2.5
    exact = shapley_of(lambda known: math.expm1(sum({PRICE: 0.01, THROUGHPUT: 0.04, FACTOR: 0.09}[name] for name in known)),
                       (PRICE, THROUGHPUT, FACTOR))[PRICE]
    assert abs(np.mean([estimate.value for estimate in found]) - exact) < 4 * scatter / math.sqrt(12)


@pytest.mark.slow
def test_five_times_as_fast_as_salib(load):
    """Indices with their errors, of the same model with as many evaluations, in CPU time; SALib's model is plain NumPy."""
    loaded = load(product())
    problem = {"num_vars": 3, "names": ["price", "throughput", "factor"], "dists": ["lognorm"] * 3,
               "bounds": [[math.log(2), 0.1], [math.log(900), 0.2], [math.log(0.8), 0.3]]}

    def theirs():
        x = salib_sample.sample(problem, REPLICATES * TRIALS, calc_second_order=False, seed=1)
        return salib.analyze(problem, x[:, 0] * 1e6 / (x[:, 1] * x[:, 2] * 0.5 * 3600), calc_second_order=False, seed=1)

    def seconds(work):
        begin = time.process_time()
        work()
        return time.process_time() - begin

    ours = of(sobol(loaded), COST.name, "a")
    expected = dict(zip((PRICE, THROUGHPUT, FACTOR), theirs()["S1"], strict=True))
    holds(ours.players, ours.first, expected, 0.02)
    salibs, tcos = min(seconds(theirs) for _ in range(3)), min(seconds(lambda: sobol(loaded)) for _ in range(5))
    print(f"SALib {salibs:.3f} s, tco {tcos:.3f} s: {salibs / tcos:.1f} times")
    assert salibs > 5 * tcos


# --- dependent inputs --------------------------------------------------------------------------------------

@pytest.mark.parametrize("method", ["subsets", "walks"])
def test_correlated_lognormals(load, method):
    loaded = load(study({}, {"a": {"rental_price": lognormal(0.2), "throughput": lognormal(0.3)},
                             "b": {"rental_price": lognormal(0.1)}},
                        [(PRICE, THROUGHPUT, 0.5), (PRICE, "platforms.b.rental_price", 0.7)]))
    weights = {PRICE: 0.2, THROUGHPUT: -0.3, "platforms.b.rental_price": -0.1}  # of the log of a's cost less b's
    assert tuple(weights) == loaded.correlations.inputs.members
    matrix = loaded.correlations.inputs.matrix
    found = shapley(loaded, method=method)
    ratio = of(found, LOG_RATIO, "b/a")
    holds(ratio.players, ratio.shares, shapley_of(linear_game(weights, matrix), weights), 0.02)
    without_b = {**weights, "platforms.b.rental_price": 0.0}
    log_cost = of(found, LOG_COST, "a")
    holds(log_cost.players, log_cost.shares, shapley_of(linear_game(without_b, matrix), without_b), 0.02)


def test_t_copula_against_quadrature(load):
    """Var E[log cost | some], with the textbook's conditional t distribution, of three members.

    That the conditional law is that of the t copula, and not of a Gaussian one, is told by `test_pick_freeze`.
    """
    degrees, sigmas = 3.0, (0.3, -0.2, -0.25)
    loaded = load(study({}, {"a": {"rental_price": lognormal(0.3), "throughput": lognormal(0.2)},
                             "b": {"rental_price": lognormal(0.25)}},
                        [(PRICE, THROUGHPUT, 0.5), (PRICE, "platforms.b.rental_price", 0.6)],
                        {"family": "t", "degrees_of_freedom": degrees}))
    paths = list(loaded.correlations.inputs.members)
    matrix = np.array(loaded.correlations.inputs.matrix)
    rng = np.random.default_rng(3)
    t = rng.standard_normal((20_000, 3)) @ np.linalg.cholesky(matrix).T * np.sqrt(degrees / rng.chisquare(degrees, (20_000, 1)))

    def score(x):
        return special.ndtri(np.clip(special.stdtr(degrees, x), 1e-12, 1 - 1e-12))

    nodes = (np.arange(48) + 0.5) / 48

    def worth(known):
        k = [paths.index(path) for path in known]
        if not k:
            return 0.0
        mean = score(t[:, k]) @ np.take(sigmas, k)
        square = np.einsum("ni,ij,nj->n", t[:, k], np.linalg.inv(matrix[np.ix_(k, k)]), t[:, k])
        for other in set(range(3)) - set(k):
            slope = np.linalg.solve(matrix[np.ix_(k, k)], matrix[k, other])
            spread = np.sqrt((degrees + square) / (degrees + len(k)) * (1 - slope @ matrix[k, other]))
            draws = special.stdtrit(degrees + len(k), nodes)
            mean = mean + sigmas[other] * score(t[:, k] @ slope + spread * draws[:, None]).mean(axis=0)
        return float(np.var(mean))
    worths = {frozenset(known): worth(known) for size in range(4) for known in itertools.combinations(paths, size)}
    expected = shapley_of(lambda known: worths[frozenset(known)], paths)
    ratio = of(shapley(loaded), LOG_RATIO, "b/a")
    for player, share in zip(ratio.players, ratio.shares, strict=True):
        assert abs(share.value - expected[player]) < 4 * share.standard_error + 0.004  # and the quadrature's own sample
        assert share.standard_error < 0.015


MOVING = {"process": "mean_reverting", "median": 2, "reversion_rate": 1, "volatility": 0.5}


@pytest.mark.parametrize("rank", [None, 0.7])
def test_correlated_processes_of_one_month(load, rank):
    """Over a contract of one month the log cost is the month's shock: Gaussian linear."""
    month = {"value": 1, "unit": "month"}
    prices = [f"platforms.{name}.rental_price" for name in "ab"]
    data = study({"gpu_lifetime": month}, {"a": {"rental_price": MOVING}, "b": {"rental_price": {**MOVING, "volatility": 0.25}}},
                 [(*prices, rank)] if rank else [])
    loaded = load(data)
    r = 2 * math.sin(math.pi * (rank or 0) / 6)
    ratio = of(shapley(loaded), LOG_RATIO, "b/a")
    weights = dict(zip(prices, (-2.0, 1.0), strict=True))
    holds(ratio.players, ratio.shares, shapley_of(linear_game(weights, [[1, r], [r, 1]]), prices), 0.02)
    log_cost = of(shapley(loaded), LOG_COST, "a")
    only_a = linear_game({prices[0]: 1, prices[1]: 0}, [[1, r], [r, 1]])
    holds(log_cost.players, log_cost.shares, shapley_of(only_a, prices), 0.02)


# --- whole studies -----------------------------------------------------------------------------------------

def test_threads_do_not_show(load):
    loaded = load(whole())
    assert shapley(loaded, trials=128, threads=1) == shapley(loaded, trials=128, threads=2)


def test_everything_that_is_random_is_found(load):
    """With all players kept nothing is left, whatever a study is made of: shares of one are of the whole variance."""
    loaded = load(whole())
    for one in shapley(loaded, trials=128):
        assert sum(share.value for share in one.shares) == pytest.approx(1, abs=1e-9)
        assert all(share.value > -3.5 * share.standard_error - 1e-12 for share in one.shares), one
    tails = of(shapley(loaded, trials=128), COST.name, "a")
    shares = dict(zip(tails.players, tails.shares, strict=True))
    assert shares["platforms.a.failures"].value > 0 and shares["platforms.c.capex"].value == 0


JUMPS = {"rate": 3, "mean": 0.3, "sd": 0.2}


@pytest.mark.parametrize(("path", "given"), [
    ("platforms.a.failures", {"failure_rate": 0.5, "replacement_cost": 1, "fleet_size": 8}),
    ("platforms.a.energy_price", {"energy_price": {**studies.PROCESS, "strike": 40, "jumps": JUMPS}})])
def test_one_uncertain_thing_is_everything(load, path, given):
    data = {"schema": 1, "shared": {"utilization": 0.5, "discount_rate": 0.08, "energy_price": 0.1}, "platforms": {"a": {
        "ownership": "buy", "gpu_lifetime": 4, "throughput": 5000, "capex": 50000, "power": 2, "pue": 1.2, **given}}}
    loaded = load(data)
    for one in shapley(loaded, trials=64):
        assert one.players == (path,) and [share.value for share in one.shares] == [1]
    cost = of(sobol(loaded, trials=64), COST.name, "a")
    assert abs(cost.first[0].value - 1) < 4 * cost.first[0].standard_error + 1e-9


def test_a_certain_study_has_nothing_that_varies(load):
    loaded = load(study({}, {"a": {}, "b": {}}))
    for one in (*shapley(loaded), *sobol(loaded)):
        assert one.withheld == CONSTANT and one.players == ()


def test_a_cost_that_is_certain_beside_one_that_is_not(load):
    found = shapley(load(study({}, {"a": {"rental_price": lognormal(0.1)}, "b": {}})))
    assert of(found, COST.name, "b").withheld == CONSTANT and of(found, COST.name, "a").withheld == ""


def test_correlated_inputs_are_refused_and_what_applies_is_said(load):
    loaded = load(study({}, TRIPLE, PAIRS))
    with pytest.raises(NotApplicable) as refused:
        sobol(loaded)
    assert str(refused.value) == (
        "found platforms.a.rental_price and platforms.b.rental_price correlated, and 2 other pairs; Sobol' indices expect "
        "independent inputs or groups of them: use Shapley effects, or take inputs that depend on one another together")
    together = of(sobol(loaded, by="dependent"), LOG_COST, "c")
    assert together.players == (" + ".join(PATHS),)
    by_group = of(sobol(loaded, by="groups"), LOG_COST, "c")
    assert by_group.players == ("money",) and abs(by_group.first[0].value - 1) < 4 * by_group.first[0].standard_error


def test_all_subsets_of_many_inputs_are_refused(load):
    platforms = {name: {"rental_price": lognormal(0.1)} for name in "abcdefghijklm"}
    with pytest.raises(NotApplicable, match=r"found 13 inputs, which have 2\^13 subsets; expected at most 12"):
        shapley(load(study({}, platforms)), method="subsets")


def test_a_variance_that_one_trial_dominates_is_withheld_and_logs_are_there(load):
    loaded = load(study({}, {"a": {"rental_price": lognormal(3)}}))
    for found in (shapley(loaded), sobol(loaded)):
        assert "a single trial carries over" in of(found, COST.name, "a").withheld
        assert of(found, LOG_COST, "a").withheld == ""


def test_a_cost_that_is_not_positive_has_no_logarithm(load):
    data = {"schema": 1, "shared": {"utilization": 0.5, "discount_rate": 0.08, "gpu_lifetime": 4}, "platforms": {
        name: {"ownership": "buy", "throughput": 5000, "capex": 5, "power": 2, "pue": 1.2, "energy_price": paid}
        for name, paid in (("a", {"distribution": "uniform", "low": -0.2, "high": 0.5}), ("b", 0.1))}}
    found = shapley(load(data))
    assert of(found, LOG_COST, "a").withheld == "the cost of a is not positive in some trials, and has no logarithm"
    assert of(found, LOG_RATIO, "b/a").withheld and not of(found, COST.name, "a").withheld


def test_the_kernel_is_compiled_once(load):
    """Whatever is asked: a layout of its own would take half a minute of compilation."""
    loaded = load(whole())
    sobol(loaded, "dependent", trials=64)
    shapley(loaded, "groups", trials=128)
    shapley(loaded, trials=128)
    shapley(load(product()), method="walks")
    sobol(load(study({}, {"a": {}})))
    assert len(kernel.evaluate.signatures) == 1


def test_trials_that_cannot_be_shared_are_refused(load):
    with pytest.raises(ValueError, match="found 96 trials; expected a power of two of at least 64, shared by 1 walks"):
        sobol(load(product()), trials=96)


def test_orders_of_walks():
    orders = orders_of_walks(5, 4, seed=3)
    assert np.array_equal(np.sort(orders), np.broadcast_to(np.arange(5), orders.shape))
    assert np.array_equal(orders[:, 1], orders[:, 0, ::-1]) and np.array_equal(orders, orders_of_walks(5, 4, seed=3))
    assert len({tuple(order) for order in orders.reshape(-1, 5)}) > 50

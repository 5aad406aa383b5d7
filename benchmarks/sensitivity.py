"""What `tco sensitivity` costs beside a run of its study, and Sobol' indices beside SALib's, in processor time."""

from __future__ import annotations

import time
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np

import simulator
from benchmarks.closed_form import FACTOR, RENTAL_PRICE, THROUGHPUT, UTILIZATION, cost
from benchmarks.measuring import ROOT, Goal, Row, Section, duration, in_turns
from simulator.engine.pick_freeze import REPLICATES
from simulator.experiments.sensitivity.sobol import TRIALS, sobol
from simulator.study.sensitivity import METHODS

SHIPPED = ROOT / "configs" / "studies" / "hopper_vs_blackwell.yaml"
CLOSED_FORM = ROOT / "benchmarks" / "closed_form" / "study.yaml"
RUN_TRIALS = 65_536
WITH_A_GOAL = tuple(method for method in METHODS if method not in ("reverse_stress", "robustness"))
_PATHS = ("platforms.a.rental_price", "platforms.a.throughput", "platforms.a.utilization",
          "platforms.a.throughput_factors.delivered")


def sensitivity(rounds: int) -> Section:
    """Everything of the shipped study of two platforms; and indices of the closed form, where SALib is installed."""
    shipped = simulator.load(SHIPPED, overrides=[f"simulation.trials={RUN_TRIALS}"])
    simulator.run(shipped), simulator.sensitivity(shipped)  # compiled from here on
    times = in_turns({"run": partial(simulator.run, shipped), "all": partial(simulator.sensitivity, shipped),
                      "most": partial(simulator.sensitivity, shipped, methods=WITH_A_GOAL)}, rounds, time.process_time)
    everything, most, run = times["all"], times["most"], times["run"]
    beside = f"a run of {RUN_TRIALS:,} trials, {duration(run.best)}"
    rows = [Row("tornado to crossover map, all that applies of two platforms with some 40 correlated inputs, processor time",
                duration(most.best), beside, most.best / run.best, Goal(20, at_least=False)),
            Row("the same, and when the choice is wrong, and robustness (which runs the study anew in each alternative)",
                duration(everything.best), beside, everything.best / run.best)]
    what = f"Sobol' indices with errors, four factors, {6 * REPLICATES * TRIALS:,} evaluations, processor time"
    try:
        version = metadata.version("SALib")
    except metadata.PackageNotFoundError:
        return Section([*rows, Row(what, "", "SALib is not installed")], list(times.values()))
    study = simulator.load(CLOSED_FORM)
    check(dict(zip(_PATHS, by_salib()["S1"], strict=True)), study)
    times |= in_turns({"sobol": partial(sobol, study), "salib": by_salib}, rounds, time.process_time)
    own, theirs = times["sobol"], times["salib"]
    rows.append(Row(what, duration(own.best), f"SALib {version}, model in NumPy, {duration(theirs.best)}", theirs.best / own.best,
                    Goal(5)))
    return Section(rows, list(times.values()))


def by_salib() -> dict[str, Any]:
    """First-order and total indices of the closed form by SALib, of as many evaluations."""
    from SALib.analyze import sobol as analyze
    from SALib.sample import sobol as sample
    from scipy import stats

    problem = {"num_vars": len(_PATHS), "names": list(_PATHS), "bounds": [[0.0, 1.0]] * len(_PATHS)}
    points = np.clip(sample.sample(problem, REPLICATES * TRIALS, calc_second_order=False, seed=1), 1e-12, 1 - 1e-12)
    low, mode, high = RENTAL_PRICE
    draws = (stats.triang((mode - low) / (high - low), low, high - low), stats.lognorm(THROUGHPUT[1], scale=THROUGHPUT[0]),
             stats.beta(*UTILIZATION), stats.uniform(FACTOR[0], FACTOR[1] - FACTOR[0]))
    costs = cost(*(draw.ppf(column) for draw, column in zip(draws, points.T, strict=True)))
    found: dict[str, Any] = analyze.analyze(problem, costs, calc_second_order=False, seed=1)
    return found


def check(expected: dict[str, float], study: Any) -> None:
    """Raise RuntimeError where tco's indices are not those."""
    found = sobol(study)[0]
    for name, estimate in zip(found.players, found.first, strict=True):
        if abs(estimate.value - expected[name]) > 0.03:
            raise RuntimeError(f"found a first-order index of {estimate.value:.4f} of {name}; expected {expected[name]:.4f}")

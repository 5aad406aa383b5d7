"""The four factors in monaco, which calls a function of Python for each trial."""

from __future__ import annotations

from typing import Any

import monaco
import numpy as np
from scipy import stats

from benchmarks.closed_form import FACTOR, PERCENTILES, RENTAL_PRICE, THROUGHPUT, UTILIZATION, Answer, cost

most_trials = 50_000


def run(trials: int) -> Answer:
    def preprocess(case: Any) -> tuple[float, ...]:
        return tuple(case.invals[name].val for name in ("r", "t", "u", "f"))

    def simulate(*factors: float) -> tuple[float]:
        return (cost(*factors),)

    def postprocess(case: Any, found: float) -> None:
        case.addOutVal("cost", found)

    functions = {"preprocess": preprocess, "run": simulate, "postprocess": postprocess}
    simulation = monaco.Sim("closed form", trials, functions, samplemethod="random", seed=1, verbose=False)
    low, mode, high = RENTAL_PRICE
    simulation.addInVar("r", stats.triang, {"c": (mode - low) / (high - low), "loc": low, "scale": high - low})
    simulation.addInVar("t", stats.lognorm, {"s": THROUGHPUT[1], "scale": THROUGHPUT[0]})
    simulation.addInVar("u", stats.beta, {"a": UTILIZATION[0], "b": UTILIZATION[1]})
    simulation.addInVar("f", stats.uniform, {"loc": FACTOR[0], "scale": FACTOR[1] - FACTOR[0]})
    simulation.runSim()
    found = np.array(simulation.outvars["cost"].nums)
    return float(found.mean()), np.quantile(found, PERCENTILES).tolist()

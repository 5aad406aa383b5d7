"""Time one package in a process of its own: `python -m benchmarks.closed_form PACKAGE TRIALS REPEATS` prints one JSON object."""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module, metadata


def main() -> None:
    package, trials, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    try:
        module = import_module(f"benchmarks.closed_form.by_{package}")
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return
    trials = min(trials, getattr(module, "most_trials", trials))
    took = []
    for _ in range(repeats):
        started = time.perf_counter()
        mean, percentiles = module.run(trials)
        took.append(time.perf_counter() - started)
    print(json.dumps({"version": metadata.version(package), "trials": trials, "seconds": took, "mean": mean,
                      "percentiles": percentiles}))


if __name__ == "__main__":
    main()

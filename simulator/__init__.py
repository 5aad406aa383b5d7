"""What an AI token really costs, and how sure one can be.

    import simulator
    study = simulator.load("study.yaml")
    run = simulator.run(study.with_inputs({"shared.utilization": 0.5}))
    run.dataset, run.summary.to_dataframe()
    simulator.explain(run, 95, platform="b200")
    simulator.sensitivity(study).decision.evpi
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["Run", "Study", "StudyError", "explain", "load", "run", "sensitivity", "write_samples"]
__version__ = "0.1.0"

if TYPE_CHECKING:
    from simulator.experiments.explain import explain
    from simulator.experiments.samples import write_samples
    from simulator.experiments.sensitivity.everything import sensitivity
    from simulator.experiments.what_ifs import run_with_what_ifs as run
    from simulator.results import Run
    from simulator.study import Study, StudyError, load

_HOMES = {"Study": ("simulator.study", "Study"), "StudyError": ("simulator.study", "StudyError"),
          "explain": ("simulator.experiments.explain", "explain"),
          "load": ("simulator.study", "load"), "run": ("simulator.experiments.what_ifs", "run_with_what_ifs"),
          "sensitivity": ("simulator.experiments.sensitivity.everything", "sensitivity"),
          "write_samples": ("simulator.experiments.samples", "write_samples"),
          "Run": ("simulator.results", "Run")}


def __getattr__(name: str) -> Any:
    # Imported when first used: the command's help and checks of a study need neither numba nor NumPy.
    if name in _HOMES:
        from importlib import import_module

        home, there = _HOMES[name]
        return getattr(import_module(home), there)
    raise AttributeError(f"module 'simulator' has no attribute '{name}'")

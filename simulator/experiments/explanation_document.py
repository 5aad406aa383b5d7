"""The trials behind numbers as the document that `--json` prints."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.analysis.monthly_flows import MonthlyFlows
from simulator.experiments.explain import Explanation, TrialExplanation
from simulator.experiments.trial_inputs import DrawnInput
from simulator.kernels.platform import NEVER
from simulator.quantities import COST
from simulator.study.schema import SCHEMA


def document(explanation: Explanation) -> dict[str, Any]:
    """Every number of every trial; what does not apply is null or absent. Percentiles are in 0..100, trials count from 0."""
    simulation = explanation.study.simulation
    return {"schema": SCHEMA, "study": explanation.study.name, "digest": explanation.study.digest, "sampler": simulation.sampler,
            "seed": simulation.seed, "replicates": simulation.replicates, "scenario": explanation.scenario,
            "of": explanation.owner, "quantity": explanation.quantity, "unit": explanation.unit,
            "trials": [_trial(explanation.quantity, trial) for trial in explanation.trials], "notes": list(explanation.notes)}


def _trial(quantity: str, trial: TrialExplanation) -> dict[str, Any]:
    def result(value: float) -> float | None:
        return None if quantity == "payback" and value >= NEVER else value

    return {"percentile": trial.percentile, "replicate": trial.replicate, "trial": trial.trial, "value": result(trial.value),
            "reported": trial.reported, "inputs": [_input(given, result(given.without)) for given in trial.inputs],
            "platforms": {platform.name: {
                "label": platform.label, COST.name: platform.cost, "parts": platform.parts,
                "is_cheapest": platform.name in trial.cheapest} for platform in trial.platforms},
            "flows": {name: _flows(flows) for name, flows in trial.flows.items()}}


def _input(given: DrawnInput, without: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {"path": given.path, "kind": given.kind, "unit": given.unit, "value": given.value}
    if given.standing is not None:
        low, high = (100 * share for share in given.standing)
        found |= {"percentile": {"low": low, "high": high}, "median": given.median, "value_at_median": without}
    return found


def _flows(flows: MonthlyFlows) -> dict[str, Any]:
    """Columns, one entry a row: the payment (month 0), the months, the retirement (month −1)."""
    columns = {"years_after_payment": flows.years, "discount_factor": flows.discount, "share_in_service": flows.in_use,
               "tokens": flows.tokens, "energy": flows.energy, "energy_price": flows.energy_price,
               "rental_price": flows.rental_price, "revenue": flows.revenue}
    return {"units": {"years_after_payment": "year", "discount_factor": "1", "share_in_service": "1", "tokens": "token/GPU",
                      "energy": "kWh/GPU", "energy_price": "USD/kWh", "rental_price": "USD/GPU/hour", "costs": "USD/GPU",
                      "revenue": "USD/GPU", "present_cost": "USD/GPU", "present_tokens": "token/GPU"},
            "month": flows.month.tolist(), **{name: _plain(values) for name, values in columns.items()
                                              if np.isfinite(values).any()},
            "costs": {name: _plain(values) for name, values in flows.costs.items()},
            "present_cost": flows.present_cost, "present_tokens": flows.present_tokens}


def _plain(values: Any) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]

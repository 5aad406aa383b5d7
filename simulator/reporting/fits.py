"""A fitted input as YAML that can be pasted, with its candidates above it as comments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from simulator.fitting.candidates import Candidate
from simulator.fitting.from_file import FittedInput
from simulator.fitting.processes import ProcessFit
from simulator.reporting.wording import as_given, plain_number, to_digits, with_error
from simulator.study.inputs import GRADES


def fit_as_yaml(fitted: FittedInput, bare: bool = False) -> str:
    """The input under its name; `bare` leaves out the comments."""
    lines = [f"{fitted.name}:", *(f"  {key}: {_scalar(value)}" for key, value in fitted.entries.items())]
    if bare:
        return "\n".join(lines)
    table = _of_process(fitted.process) if fitted.process else _of_candidates(fitted.candidates)
    return "\n".join([*(f"# {line}".rstrip() for line in table), *lines, f"  # grade: {' | '.join(GRADES)}"])


def _of_candidates(candidates: tuple[Candidate, ...]) -> list[str]:
    tested = any(candidate.goodness for candidate in candidates)
    rows = [["", "AIC", *(("KS", "p") if tested else ("distance",)), "parameters ± standard error"]]
    for candidate in candidates:
        tried = candidate.goodness
        test = ([plain_number(tried.statistic, 3), to_digits(tried.p_value, 2)] if tried else
                [plain_number(candidate.kaplan_meier_distance or 0.0, 3)])
        rows.append([candidate.distribution, plain_number(candidate.aic, 1), *test,
                     _with_errors(candidate.parameters, candidate.standard_errors)])
    why = ("Kolmogorov–Smirnov distance, p by parametric bootstrap" if tested else
           "distance: from Kaplan–Meier; Kolmogorov–Smirnov's p does not apply to censored lifetimes")
    return [f"Candidates by AIC, the best first ({why})", *_aligned(rows), ""]


def _of_process(process: ProcessFit) -> list[str]:
    said = ["Mean-reverting process of monthly prices ± standard error",
            f"  {_with_errors(process.parameters, process.standard_errors)}",
            f"  in the long run the log price spreads by {to_digits(process.log_sd, 2)} (one sd); half of a deviation is gone "
            f"after {to_digits(process.half_life, 2)} months"]
    if process.goodness:
        said.append(f"  shocks against normal: Kolmogorov–Smirnov {to_digits(process.goodness.statistic)}, p "
                    f"{to_digits(process.goodness.p_value, 2)} (by parametric bootstrap)")
    if process.influence:
        other = process.influence.document()
        months = " and ".join(other.pop("without"))
        numbers = ", ".join(f"{name} {to_digits(value)}" for name, value in other.items()) or "no process fits"
        said.append(f"  without {months}, which moves it most: {numbers}")
    return [*said, ""]


def _with_errors(parameters: Mapping[str, float], errors: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {with_error(value, errors.get(name, 0.0))}" for name, value in parameters.items())


def _aligned(rows: list[list[str]]) -> list[str]:
    """Rows of a table, numbers to the right, the last column as it comes."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = []
    for row in rows:
        numbers = (cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True))
        lines.append("  ".join(["", row[0].ljust(widths[0]), *numbers, row[-1]]))
    return lines


def _scalar(value: Any) -> str:
    """A number as it is, a word bare, any other text in double quotes (YAML reads JSON's)."""
    if isinstance(value, str):
        return value if value.replace("_", "").isalpha() else json.dumps(value, ensure_ascii=False)
    return as_given(value, thousands=False)

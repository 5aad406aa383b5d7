"""`tco check` and `tco schema`: what is wrong with studies, and what a study may hold."""

from __future__ import annotations

import json

import typer

from simulator.cli.common import WRONG_INPUT, Overlays, Overrides, Quiet, Studies, load_all, warn


def check(studies: Studies, overrides: Overrides = None, overlays: Overlays = None, quiet: Quiet = False) -> None:
    """Say everything that is wrong with studies; simulate nothing."""
    loaded, wrong = load_all(studies, overlays, overrides)
    for file, study in loaded:
        warn(study.warnings, quiet)
        if not quiet:
            uncertain = sum(not given.is_constant for given in study.inputs().values())
            platforms = f"{len(study.platforms)} platform{'s' * (len(study.platforms) != 1)}"
            print(f"{file}: right; {platforms}, {len(study.inputs())} inputs, {uncertain} of them uncertain")
    if wrong:
        raise typer.Exit(WRONG_INPUT)


def schema() -> None:
    """Print the JSON Schema of a study, for editors."""
    from simulator.study.json_schema import study_schema

    print(json.dumps(study_schema(), indent=1, ensure_ascii=False))

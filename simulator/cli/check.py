"""`tco check` and `tco schema`: what is wrong with studies, and what a study may hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import WRONG_INPUT, Overlays, Overrides, Quiet, load_all, say, say_what_is_wrong, warn, yaml_files

if TYPE_CHECKING:
    from simulator.study import Study


def check(
    studies: Annotated[list[Path], typer.Argument(
        metavar="STUDY|FOLDER", help="Study files (YAML), or folders with studies and the files that they extend.")],
    overrides: Overrides = None, overlays: Overlays = None, quiet: Quiet = False,
) -> None:
    """Say everything that is wrong with studies; simulate nothing."""
    wrong = False
    for given in studies:
        if given.is_dir():
            if overrides or overlays:
                say(f"{given}: --set and -f go with study files; a folder is checked as it is")
                raise typer.Exit(WRONG_INPUT)
            wrong |= _check_folder(given, quiet)
        else:
            loaded, failed = load_all([given], overlays, overrides)
            wrong |= failed
            for file, study in loaded:
                _report(file, study, quiet)
    if wrong:
        raise typer.Exit(WRONG_INPUT)


def _check_folder(folder: Path, quiet: bool) -> bool:
    """Check every file below a folder, and say whether any is wrong."""
    from simulator.study import StudyError
    from simulator.study import check as check_file

    files = yaml_files(folder)
    wrong = not files
    for file in files:
        try:
            study = check_file(file)
        except StudyError as error:
            wrong = True
            say_what_is_wrong(file, error)
            continue
        if study is not None:
            _report(file, study, quiet)
        elif not quiet:
            print(f"{file}: right; for studies to extend")
    return wrong


def _report(file: Path, study: Study, quiet: bool) -> None:
    warn(study.warnings, quiet)
    if not quiet:
        uncertain = sum(not given.is_constant for given in study.inputs().values())
        platforms = f"{len(study.platforms)} platform{'s' * (len(study.platforms) != 1)}"
        print(f"{file}: right; {platforms}, {len(study.inputs())} inputs, {uncertain} of them uncertain")


def schema() -> None:
    """Print the JSON Schema of a study, for editors."""
    from simulator.study.json_schema import study_schema

    print(json.dumps(study_schema(), indent=1, ensure_ascii=False))

"""`tco import`: throughput at an operating point from benchmark results, as YAML ready to paste into a platform."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import WRONG_INPUT, print_json, say

if TYPE_CHECKING:
    from simulator.adapters.measurements import BenchmarkError
    from simulator.adapters.operating_point import Imported

imports = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                      help="A platform's throughput from benchmark results; prints YAML.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, with the components of the spread.")]
NoFrontier = Annotated[bool, typer.Option("--no-frontier", help="Leave the measured frontier out.")]


@imports.command()
def inferencex(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Results of InferenceX: CSV, or a JSON list of the same fields.")],
    hardware: Annotated[str, typer.Option(metavar="H", help="Such as gb300.")],
    model: Annotated[str, typer.Option(metavar="M", help="Such as dsr1, or DeepSeek-R1.")],
    input_tokens: Annotated[int, typer.Option(min=1, metavar="N", help="Input tokens per request.")],
    output_tokens: Annotated[int, typer.Option(min=1, metavar="N", help="Output tokens per request.")],
    interactivity: Annotated[float, typer.Option(metavar="X", help="Tokens per second that each user gets.")],
    precision: Annotated[str | None, typer.Option(metavar="P", help="Such as fp4; the best of all where left out.")] = None,
    as_of: Annotated[datetime | None, typer.Option(
        formats=["%Y-%m-%d"], metavar="DATE", help="Leave later runs out, such as 2026-02-28.")] = None,
    framework: Annotated[str | None, typer.Option(metavar="F", help="Such as sglang.")] = None,
    spec_method: Annotated[str | None, typer.Option(metavar="S", help="Speculative decoding: mtp or none.")] = None,
    disagg: Annotated[bool | None, typer.Option(
        "--disagg/--no-disagg", help="With or without separate prefill only; the best of both where left out.")] = None,
    no_frontier: NoFrontier = False,
    as_json: AsJson = False,
) -> None:
    """From results of InferenceX, once InferenceMAX."""
    from simulator.adapters.inferencex import Selection, import_inferencex
    from simulator.adapters.measurements import BenchmarkError

    selection = Selection(hardware, model, input_tokens, output_tokens, precision, as_of.date() if as_of else None, framework,
                          spec_method, disagg)
    try:
        _print(import_inferencex(file, selection, interactivity), no_frontier, as_json)
    except BenchmarkError as error:
        _refuse(error)


@imports.command()
def vllm(
    files: Annotated[list[Path], typer.Argument(
        metavar="FILE…", help="Results of 'vllm bench serve --save-result', each a point or several.")],
    gpus: Annotated[int, typer.Option(min=1, metavar="N", help="GPUs that served each run.")],
    hardware: Annotated[str, typer.Option(metavar="NAME", help="What they are, such as h200.")],
    interactivity: Annotated[float | None, typer.Option(
        metavar="X", help="Tokens per second that each user gets; where a single point was measured, if left out.")] = None,
    model: Annotated[str | None, typer.Option(metavar="M", help="The model's name, in place of that in the results.")] = None,
    precision: Annotated[str, typer.Option(metavar="P", help="Precision, which the results do not say.")] = "",
    no_frontier: NoFrontier = False,
    as_json: AsJson = False,
) -> None:
    """From results of 'vllm bench serve'."""
    from simulator.adapters.measurements import BenchmarkError
    from simulator.adapters.vllm import import_vllm

    try:
        _print(import_vllm(files, gpus, hardware, interactivity, model, precision), no_frontier, as_json)
    except BenchmarkError as error:
        _refuse(error)


def _print(found: Imported, no_frontier: bool, as_json: bool) -> None:
    from simulator.study.writing import as_yaml

    if as_json:
        print_json([found.document(not no_frontier)])
    else:
        print(as_yaml(found.inputs(not no_frontier)), end="")


def _refuse(error: BenchmarkError) -> None:
    for message in error.shown():
        say(message)
    raise typer.Exit(WRONG_INPUT)

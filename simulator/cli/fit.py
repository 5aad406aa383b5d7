"""`tco fit`: data to a distribution or a process, printed as an input to paste."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import FAILED, WRONG_INPUT, AsJson, print_json, say, warn

if TYPE_CHECKING:
    from simulator.fitting.from_file import FittedInput

_PICTURES = (".svg", ".png")


def fit(
    file: Annotated[Path, typer.Argument(
        metavar="FILE", help="Data: CSV, Parquet, JSON of EIA or Prometheus, text of an exporter.")],
    column: Annotated[str | None, typer.Option(metavar="C", help="Column, or metric, to fit.")] = None,
    process: Annotated[str | None, typer.Option(
        metavar="P", help="mean_reverting: a monthly process, from prices of months, days, hours or parts of an hour.")] = None,
    duration: Annotated[str | None, typer.Option(metavar="C", help="Column of ages at failure, or when last seen alive.")] = None,
    event: Annotated[str | None, typer.Option(metavar="C", help="Column with 1 for a failure, 0 for still alive.")] = None,
    entry: Annotated[str | None, typer.Option(metavar="C", help="Column of ages at which observation began.")] = None,
    distribution: Annotated[str | None, typer.Option(metavar="D", help="The candidate to print, in place of the best.")] = None,
    unit: Annotated[str | None, typer.Option(metavar="U", help="Unit of the column, such as USD/MWh, year or %.")] = None,
    name: Annotated[str | None, typer.Option(
        "--input", metavar="NAME", help="Input that it is for, such as gpu_lifetime; guessed where the file tells.")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Rows that are meant (repeatable).")] = None,
    time: Annotated[str | None, typer.Option(metavar="C", help="Column of times.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="Z", help="Zone of local times, such as America/Chicago.")] = None,
    low: Annotated[float | None, typer.Option(metavar="X", help="Least value possible.")] = None,
    high: Annotated[float | None, typer.Option(metavar="X", help="Largest value possible; with --low, beta is fitted.")] = None,
    average: Annotated[str | None, typer.Option(metavar="PERIOD", help="Utilization: means of each hour, day or month.")] = None,
    cap: Annotated[float | None, typer.Option(metavar="X", help="Prices: hours above X count as X, in the file's unit.")] = None,
    usd_per: Annotated[float | None, typer.Option(metavar="X", help="Prices: USD for one of the file's currency.")] = None,
    coverage: Annotated[float, typer.Option(metavar="SHARE", help="Prices: leave out months of which less is known.")] = 0.8,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the Q–Q picture, .svg or .png.")] = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the input alone, without candidates and notes.")] = False,
) -> None:
    """Fit a distribution, lifetimes or a price process to data; print an input to paste."""
    from simulator.adapters.prices import PriceOptions
    from simulator.fitting.from_file import Request, fit_file
    from simulator.study.tables import DataError

    if picture and picture.suffix.lower() not in _PICTURES:
        say(f"--picture {picture}: found the suffix '{picture.suffix}'; expected {' or '.join(_PICTURES)}")
        raise typer.Exit(WRONG_INPUT)
    prices = PriceOptions(column, time, unit, usd_per, cap, timezone, coverage)
    try:
        fitted = fit_file(Request(file, column, process, duration, event, entry, distribution, name, tuple(where or ()), low,
                                  high, average, prices))
    except DataError as error:
        say(str(error))
        raise typer.Exit(WRONG_INPUT) from None
    except MemoryError:
        say(f"{file}: out of memory; keep the columns and rows that are to be fitted")
        raise typer.Exit(FAILED) from None
    if picture:
        _draw(fitted, picture)
    if as_json:
        print_json([fitted.document()])
    else:
        from simulator.reporting.fits import fit_as_yaml

        print(fit_as_yaml(fitted, bare=quiet))
    warn(fitted.warnings, quiet)


def _draw(fitted: FittedInput, picture: Path) -> None:
    from simulator.reporting.quantile_plot import save_quantile_plot

    try:
        save_quantile_plot(fitted.plot, fitted.name, picture)
    except OSError as error:
        say(f"{picture}: the picture cannot be written: {error.strerror or error}")
        raise typer.Exit(FAILED) from None

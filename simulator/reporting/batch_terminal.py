"""A batch as it is read in a terminal: what ran, what was skipped, what failed and why."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.experiments.batch import FAILED, LEFT, RAN, SKIPPED, STATUSES, WRONG, Batch, Outcome

_MOST_ROWS = 60  # of those that went well
_IN_WORDS = {RAN: "ran", SKIPPED: "skipped, done before", FAILED: "failed", WRONG: "wrong", LEFT: "not begun"}
_WELL = (RAN, SKIPPED)


def batch_summary(batch: Batch) -> RenderableType:
    """A line for every study, in the order given; where they are many, all that did not go well and the first that did."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("study", "outcome", "where, or why not"):
        table.add_column(name, overflow="fold")
    well = 0
    for outcome in batch.outcomes:
        well += outcome.status in _WELL
        if outcome.status not in _WELL or well <= _MOST_ROWS:
            table.add_row(Text(outcome.study or str(outcome.file)), Text(outcome.status), Text(_why(outcome)))
    more = [Text(f"… and {well - _MOST_ROWS:,} more that went well")] if well > _MOST_ROWS else []
    counts = ", ".join(f"{batch.count(status):,} {_IN_WORDS[status]}" for status in STATUSES if batch.count(status))
    studies = f"{len(batch.outcomes):,} {'study' if len(batch.outcomes) == 1 else 'studies'}"
    return Group(table, *more, Text(""), Text(f"{studies}: {counts or 'nothing to do'}", style="bold"))


def _why(outcome: Outcome) -> str:
    if outcome.status in _WELL and outcome.folder:
        return "; ".join((str(outcome.folder), *outcome.why))
    first = outcome.why[0] if outcome.why else ""
    return first + (f" (and {len(outcome.why) - 1} more)" if len(outcome.why) > 1 else "")

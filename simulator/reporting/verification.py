"""Whether a run came out again, as it is read in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.experiments.verify import ABSOLUTE, OF_ERROR, RELATIVE, Difference, Verification
from simulator.reporting.wording import as_given, listed, plural, tiny
from simulator.study.problems import shown

_SHOWN = 3  # of all that differs, what differs most


def verdict(found: Verification) -> list[str]:
    """Sentences, the verdict first: what was compared and how, what differs most and how much does, what may be the reason."""
    how = "bit for bit" if found.exactly else "to a tolerance"
    agree = f"{found.study}, {found.folder.name}: {'holds' if found.holds else 'does not hold'}, {how}"
    numbers = f"{plural(found.compared, 'number')} compared"
    if not found.exactly and found.largest:
        numbers += f", relative differences up to {tiny(found.largest)}"
    lines = [f"{agree}: {numbers}."]
    lines += [f"  {name} is not as the run wrote it" for name in found.altered]
    lines += [f"  {name} is missing" for name in found.missing]
    lines += list(_differences(found))
    if found.added:
        lines.append(f"  {plural(found.added, 'number')} of this version that the run did not report: not compared")
    lines += [f"  {name} was {then} and is {now}" for name, then, now in found.moved]
    if not found.exactly:
        lines.append(f"  tolerance: {as_given(RELATIVE)} of the value + {as_given(OF_ERROR)} of its standard error + "
                     f"{as_given(ABSOLUTE)} of the unit")
    return lines


def _differences(found: Verification) -> Iterator[str]:
    if not found.differences:
        return
    owners = {each.name.split(".")[1] for each in found.differences if each.path[0] == "scenarios"}
    of = f", of {listed(sorted(owners))}" if owners else ""
    count = len(found.differences)
    yield f"  {plural(count, 'entry', 'entries')} of summary.json {'differs' if count == 1 else 'differ'}{of}:"
    for each in found.differences[:_SHOWN]:
        yield f"    {each.name}: {_was_and_is(each)}"
    left = count - _SHOWN
    if left > 0:
        yield f"    and {left:,} more (--json for all)"


def _was_and_is(each: Difference) -> str:
    if each.new is None:
        return f"was {_plain(each.old)} and is not there"
    if each.old is None:
        return f"was not there and is {_plain(each.new)}"
    off = "" if each.relative is None else f" (relative difference {tiny(each.relative)})"
    return f"was {_plain(each.old)} and is {_plain(each.new)}{off}"


def _plain(value: object) -> str:
    """A number with all its bits, since the last one may be what differs; a text as messages quote it."""
    return repr(value) if isinstance(value, float) else shown(value)

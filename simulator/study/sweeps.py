"""Reading sweeps: inputs that take one value after another, each with every value of the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from simulator.quantities import INPUT, THROUGHPUT_FACTOR
from simulator.study.distributions import PURE
from simulator.study.document import Document, Setting, parse, setting
from simulator.study.loading import is_input, parse_path
from simulator.study.model import Sweep, SweptInput
from simulator.study.problems import Path, Place, Problem, StudyError, figure, quoted, shown
from simulator.study.processes import parameter_quantity
from simulator.study.reader import Reader
from simulator.study.what_ifs import NAME, NAME_IN_WORDS, may_change

SWEEP_KEYS = ("description", "over")
RANGE_KEYS = ("from", "to", "points", "scale", "unit")
SCALES = ("linear", "log")
MOST_POINTS = 100_000  # of a sweep, over all its inputs
AD_HOC = "ad_hoc"  # the name of a sweep that the command line describes


def read_sweeps(reader: Reader, found: Any) -> tuple[Sweep, ...]:
    """Every sweep of a study, in its order. Whether its paths and values are right shows when the study is read with them."""
    sweeps = []
    for name, value in reader.mapping({} if found is None else found, ("sweeps",), "a mapping of sweeps by name").items():
        path: Path = ("sweeps", name)
        if not NAME.fullmatch(name):
            reader.refuse(path, f"found the name '{quoted(name)}'; expected {NAME_IN_WORDS}")
        keys = reader.mapping(value, path, "a mapping with 'over: {path: values}'")
        reader.known_keys(keys, path, SWEEP_KEYS, "key")
        if "over" not in keys and not reader.is_misread((*path, "over")):
            reader.missing((*path, "over"), "expected paths with values, such as 'over: {shared.utilization: [0.2, 0.4, 0.6]}'")
        swept = _read_over(reader, keys.get("over", {}), (*path, "over"))
        sweeps.append(Sweep(name, reader.text(keys, "description", path), swept))
    return tuple(sweeps)


def ad_hoc_sweep(document: Document, over: Sequence[str]) -> Sweep:
    """A sweep from texts `PATH=FROM:TO:POINTS[:log][:UNIT]` or `PATH=VALUE,VALUE,…`. Raises StudyError."""
    tree: dict[str, Any] = {}
    places = dict(document.places)
    problems = []
    for text in over:
        path, equals, values = text.partition("=")
        path, place = path.strip(), Place(f"--over {quoted(text)}")
        read = parse(_as_yaml(values), place.file, line=False)
        if not equals or not path or read.problems:
            problems.append(Problem(place, path, "expected PATH=FROM:TO:POINTS, such as shared.utilization=0.2:0.8:7, with :log "
                                    "or a unit at its end, or PATH=VALUE,VALUE"))
        elif path in tree:
            problems.append(Problem(place, path, "stands twice; keep one"))
        tree[path] = read.tree
        places |= {(AD_HOC, path, *inside): place for inside in read.places}
    reader = Reader(Document(document.tree, places))
    sweep = Sweep(AD_HOC, "", _read_over(reader, tree, (AD_HOC,)) if not problems else ())
    if problems or reader.problems:
        raise StudyError((*problems, *reader.problems))
    return sweep


def _as_yaml(text: str) -> str:
    """`0.1:10:5:log:USD/kWh` as a mapping and `1,2,3` as a list; what is YAML already as it is."""
    text = text.strip()
    if text[:1] in ("[", "{"):
        return text
    parts = [part.strip() for part in text.split(":")]
    if len(parts) < 3:
        return f"[{text}]"
    words = [f"from: {parts[0]}", f"to: {parts[1]}", f"points: {parts[2]}"]
    words += [f"scale: {more}" if more in SCALES else f"unit: '{more}'" for more in parts[3:5]]
    return f"{{{', '.join(words + parts[5:])}}}"


def settings_at(swept: Iterable[SweptInput], position: Sequence[int]) -> tuple[Setting, ...]:
    """What a sweep sets at one of its points; `position` counts along each input from 0."""
    return tuple(setting(given.path, given.values[k], given.place) for given, k in zip(swept, position, strict=True))


def ends_of(sweep: Sweep) -> list[Setting]:
    """What shows whether a sweep can be run: each input alone at both of its ends; at every value where they are listed."""
    found: list[Setting] = []
    for given in sweep.swept:
        count = len(given.values)
        looked_at = range(0, count, count - 1) if given.is_numeric else range(count)
        found += [setting(given.path, given.values[k], given.place) for k in looked_at]
    return found


def _read_over(reader: Reader, found: Any, path: Path) -> tuple[SweptInput, ...]:
    swept = []
    for text, value in reader.mapping(found, path, "paths with values, such as 'shared.utilization: [0.2, 0.4]'").items():
        inside = (*path, text)
        if not may_change(reader, inside, text):
            continue
        if isinstance(value, list):
            read = _read_list(reader, value, inside, text)
        elif isinstance(value, dict):
            read = _read_range(reader, value, inside, text)
        else:
            reader.refuse(inside, f"found {shown(value)}; expected a list of values, or {{from, to, points}}")
            continue
        swept += [read] if read else []
    points = math.prod(len(given.values) for given in swept)
    if points > MOST_POINTS:
        reader.refuse(path, f"found {points:,} points; expected at most {MOST_POINTS:,}")
    if not swept and found == {} and not reader.is_misread(path):
        reader.refuse(path, "found nothing to go over; expected paths with values")
    return tuple(swept)


def _read_list(reader: Reader, values: list[Any], path: Path, text: str) -> SweptInput | None:
    """A list: numbers, `{value, unit}`, words, or whole inputs."""
    if len(values) < 2:
        reader.refuse(path, f"found {shown(values)}; expected two values or more")
        return None
    numbers = [value["value"] if isinstance(value, dict) and set(value) == {"value", "unit"} else value for value in values]
    units = {str(value["unit"]) if isinstance(value, dict) and "unit" in value else "" for value in values}
    if len(units) == 1 and all(_is_number(value) for value in numbers):
        unit = units.pop() or _unit_of(reader.document, text)
        return SweptInput(text, tuple(values), tuple(map(float, numbers)), unit, False, reader.place(path))
    words = tuple(value if isinstance(value, str) else _in_words(value, k) for k, value in enumerate(values))
    return SweptInput(text, tuple(values), words, "", False, reader.place(path))


def _in_words(value: Any, position: int) -> str:
    """A value that is neither a number nor a word, as results call it."""
    if _is_number(value):
        return figure(float(value))
    kind = str(value.get("distribution", value.get("process", ""))) if isinstance(value, dict) else ""
    return f"{position + 1}: {quoted(kind)}" if kind else f"{position + 1}"


def _read_range(reader: Reader, value: dict[str, Any], path: Path, text: str) -> SweptInput | None:
    """`{from, to, points, scale, unit}`."""
    before = reader.refusals
    reader.known_keys(value, path, RANGE_KEYS, "key")
    for key in ("from", "to", "points"):
        if key not in value:
            reader.missing((*path, key), "a range has from, to and points")
    scale = reader.choice(value, "scale", path, SCALES, SCALES[0])
    points = reader.integer(value, "points", path, 2, MOST_POINTS, 2)
    ends = [reader.number(value[key], (*path, key)) for key in ("from", "to") if key in value]
    if reader.refusals > before or len(ends) < 2 or ends[0] is None or ends[1] is None:
        return None
    low, high = ends[0], ends[1]
    if low == high:
        reader.refuse(path, f"found from and to both {figure(low)}; expected two numbers that differ")
        return None
    if scale == "log" and not (low > 0 and high > 0):
        reader.refuse(path, f"found a logarithmic range from {figure(low)} to {figure(high)}; expected both above 0")
        return None
    shares = [k / (points - 1) for k in range(points)]
    between = [low * (high / low) ** t if scale == "log" else low + (high - low) * t for t in shares]
    # Without the last digits, which binary rounding makes: 0.3 is 0.3.
    numbers = tuple(low if k == 0 else high if k == points - 1 else float(figure(x)) for k, x in enumerate(between))
    unit = value.get("unit")
    values = numbers if unit is None else tuple({"value": number, "unit": unit} for number in numbers)
    named = _unit_of(reader.document, text) if unit is None else str(unit)
    return SweptInput(text, values, numbers, named, scale == "log", reader.place(path))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _unit_of(document: Document, text: str) -> str:
    """The unit that a plain number at a path has: that of the input around it, or the canonical one; "" where unknown."""
    path = parse_path(text)
    around = next((path[:end] for end in range(1, len(path) + 1) if is_input(path[:end])), ())
    if not around:
        return ""
    quantity = INPUT.get(around[-1], THROUGHPUT_FACTOR if "throughput_factors" in around else None)
    if around == ("simulation", "horizon"):
        return "year"
    found: Any = document.tree
    for key in around:
        found = found.get(key) if isinstance(found, dict) else None
    inside = ".".join(path[len(around):])
    if quantity is None or not inside:
        return quantity.unit if quantity else ""
    if isinstance(found, dict) and "process" in found:
        try:
            own = parameter_quantity(inside, quantity).unit
        except KeyError:
            return ""
        return str(found.get("unit", own)) if own == quantity.unit else own
    return "1" if path[-1] in PURE else str(found.get("unit", quantity.unit)) if isinstance(found, dict) else quantity.unit

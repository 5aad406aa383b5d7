"""Inputs as they are read: their names, and their values in the unit in which one thinks of them."""

from __future__ import annotations

from simulator.quantities import INPUT
from simulator.reporting.wording import label_of
from simulator.study.model import Platform, Process, Study
from simulator.study.processes import parameter_quantity

# Units in which a share is read as a percentage.
_IN_PERCENT = {"1": " %", "1/year": " % a year"}


def input_name(study: Study, path: str, owner: str = "") -> str:
    """`platforms.a.capex` as "Capex of A", or "Capex" where it stands among what belongs to the platform `owner` anyway."""
    name, whose = _parts(study, path)
    kind, _, rest = path.partition(".")
    if kind == "shared" and any(f"platforms.{platform.name}.{rest}" in study.inputs() for platform in study.platforms):
        name += ", shared"  # some platform has one of its own
    return name if whose in ("", owner) or len(study.platforms) == 1 else f"{name} of {_label(study, whose)}"


def in_sentence(name: str) -> str:
    """A name as it stands within a sentence: "GPU lifetime", but "capex"."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def owner_of(study: Study, path: str) -> Platform | None:
    """The platform whose own input it is, or None."""
    parts = path.split(".")
    return next((platform for platform in study.platforms if parts[:2] == ["platforms", platform.name]), None)


def unit_and_scale(study: Study, path: str) -> tuple[str, float]:
    """How a value is written: what follows it (" years", " %", " USD/GPU" or nothing), and what it is multiplied with."""
    inputs = study.inputs()
    given = inputs.get(path)
    if given is not None:
        quantity = given.quantity
    else:
        processes = (name for name, one in inputs.items() if isinstance(one.value, Process))
        process = next((name for name in processes if path.startswith(f"{name}.")), None)
        if process is None:  # failures of single GPUs
            return " sd", 1.0
        quantity = parameter_quantity(path[len(process) + 1:], inputs[process].quantity)
    if quantity.unit in _IN_PERCENT and quantity.high <= 1:
        return _IN_PERCENT[quantity.unit], 100.0
    return {"1": "", "year": " years"}.get(quantity.unit, f" {quantity.unit}"), 1.0


def _parts(study: Study, path: str) -> tuple[str, str]:
    """The name of an input, and the platform whose own it is."""
    kind, *rest = path.split(".")
    if kind == "markets":
        market = study.inputs().get(f"markets.{rest[0]}")
        price = label_of(market.quantity.name) if market else "Price"
        return f"{price} in {rest[0]}{_parameter(rest[1:])}", ""
    owner, rest = (rest[0], rest[1:]) if kind == "platforms" else ("", rest)
    if rest == ["failures"]:
        return "Single failures", owner
    if rest[:1] == ["throughput_factors"]:
        rest = rest[1:]
    label = label_of(rest[0]) if rest[0] in INPUT else rest[0].replace("_", " ").capitalize()
    return label + _parameter(rest[1:]), owner


def _parameter(names: list[str]) -> str:
    """Of a process: " (median)", " (sd of jumps)"."""
    words = " of ".join(reversed(names)).replace("_", " ")
    return f" ({words})" if words else ""


def _label(study: Study, name: str) -> str:
    return next((platform.label for platform in study.platforms if platform.name == name), name)

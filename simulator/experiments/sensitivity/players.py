"""Who shares in a variance: single inputs, inputs that depend on one another together, or whole groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from simulator.engine.pick_freeze import PickFreeze
from simulator.quantities import GROUPS

By = Literal["inputs", "dependent", "groups"]


class NotApplicable(ValueError):
    """A method that does not apply to a study; the message says why, and what does."""


@dataclass(frozen=True)
class Player:
    """Inputs that are kept or drawn anew together.

    name     the path of a single input, several paths joined by " + ", or a group
    factors  their positions among the study's factors
    """

    name: str
    factors: tuple[int, ...]


def players(freeze: PickFreeze, by: By) -> tuple[Player, ...]:
    """Players: each input alone; inputs that depend on one another together; or by the groups of `quantities.GROUPS`."""
    paths = [factor.path for factor in freeze.factors]
    if by == "groups":
        of_group = {group: tuple(k for k, factor in enumerate(freeze.factors) if factor.group == group) for group in GROUPS}
        return tuple(Player(group, members) for group, members in of_group.items() if members)
    sets = [{k} for k in range(len(paths))]
    for link in freeze.links if by == "dependent" else ():
        touched = [found for found in sets if found & set(link)]
        sets = [found for found in sets if found not in touched] + [set().union(*touched)]
    return tuple(Player(" + ".join(paths[k] for k in sorted(found)), tuple(sorted(found))) for found in sorted(sets, key=min))


def refuse_dependent(freeze: PickFreeze, chosen: Iterable[Player]) -> None:
    """Raise NotApplicable where inputs of different players depend on one another."""
    owner = {factor: position for position, player in enumerate(chosen) for factor in player.factors}
    across = [(freeze.factors[a].path, freeze.factors[b].path) for a, b in freeze.links if owner[a] != owner[b]]
    if across:
        first, second = across[0]
        more = "" if len(across) == 1 else ", and another pair" if len(across) == 2 else f", and {len(across) - 1} other pairs"
        raise NotApplicable(f"found {first} and {second} correlated{more}; Sobol' indices expect independent inputs or "
                            "groups of them: use Shapley effects, or take inputs that depend on one another together")

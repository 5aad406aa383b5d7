"""Dependence between inputs: stated rank correlations, and the correlation matrix of the copula that has them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from simulator.study.problems import Path, figure, nearest, quoted, shown
from simulator.study.reader import Reader

FAMILIES = ("gaussian", "t")
FEWEST_DEGREES, MOST_DEGREES = 1.0, 200.0
MOST_MEMBERS = 400
_SINGULAR = -1e-10  # the least eigenvalue that rounding may leave of one that is 0
_TIED = 1 - 1e-9
_NODES = 48
_WORTH_SAYING, _MOST_SHOWN = 0.002, 12

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Group:
    """Inputs that depend on one another, in the order of their paths, and the correlations of their normal scores."""

    members: tuple[str, ...] = ()
    matrix: Matrix = ()


@dataclass(frozen=True)
class Correlations:
    """What depends on what.

    inputs   of inputs that do not move in time, under the copula
    shocks   of the monthly shocks of processes, which are always Gaussian
    degrees  of freedom of the t copula; 0: Gaussian
    linked   sets of inputs that pairs connect: those of one set share a χ² under the t copula
    """

    inputs: Group = Group()
    shocks: Group = Group()
    degrees: float = 0.0
    linked: tuple[tuple[str, ...], ...] = ()


def tied(correlations: Correlations) -> frozenset[str]:
    """Inputs that go together perfectly with another one: neither can move without it."""
    group = correlations.inputs
    return frozenset(member for member, row in zip(group.members, group.matrix, strict=True)
                     if any(abs(value) >= _TIED and other != member for other, value in zip(group.members, row, strict=True)))


def read_correlations(reader: Reader, found: Any, scalars: Mapping[str, bool],
                      processes: Iterable[str]) -> tuple[Correlations, list[str]]:
    """The mapping under `correlations`, and notes on what has no effect.

    scalars    whether each input (or parameter of a process) is certain, by path
    processes  paths of the processes in use
    """
    if found is None:
        return Correlations(), []
    path: Path = ("correlations",)
    values = reader.mapping(found, path, "a mapping with copula and pairs")
    reader.known_keys(values, path, ("copula", "pairs"), "key")
    degrees = _read_copula(reader, values.get("copula", "gaussian"), (*path, "copula"))
    before = reader.refusals
    listed = values.get("pairs", [])
    if not isinstance(listed, list):
        reader.refuse((*path, "pairs"), f"found {shown(listed)}; expected a list of [input, input, rank correlation]")
        listed = []
    processes = frozenset(processes)
    ranks: dict[tuple[str, str], float] = {}
    for position, item in enumerate(listed):
        pair = _read_pair(reader, item, (*path, "pairs", position), scalars, processes)
        if pair is None:
            continue
        names, rank = pair
        if names in ranks:
            reader.refuse((*path, "pairs", position), f"found {names[0]} and {names[1]} a second time; keep one")
        ranks[names] = rank
    if reader.refusals > before or not ranks:
        return Correlations(), []
    notes = [f"the correlation of {first} with {second} has no effect: {certain[0]} is certain"
             for first, second in ranks if (certain := [name for name in (first, second) if scalars.get(name)])]
    of_processes = {pair: rank for pair, rank in ranks.items() if pair[0] in processes}
    of_inputs = {pair: rank for pair, rank in ranks.items() if pair not in of_processes}
    if of_processes and degrees:
        notes.append("the shocks of processes depend on one another through a Gaussian copula, also where inputs have a t copula")
    inputs = _group(reader, of_inputs, degrees, (*path, "pairs"))
    shocks = _group(reader, of_processes, 0.0, (*path, "pairs"))
    return Correlations(inputs, shocks, degrees, _linked(of_inputs)), notes


def _read_copula(reader: Reader, found: Any, path: Path) -> float:
    """Degrees of freedom; 0 for the Gaussian copula."""
    if found == "gaussian":
        return 0.0
    if not isinstance(found, dict):
        reader.refuse(path, f"found {shown(found)}; expected gaussian, or such as {{family: t, degrees_of_freedom: 4}}")
        return 0.0
    reader.known_keys(found, path, ("family", "degrees_of_freedom"), "key")
    family = reader.choice(found, "family", path, FAMILIES)
    if family != "t":
        if "degrees_of_freedom" in found:
            reader.refuse((*path, "degrees_of_freedom"), "found degrees of freedom of a Gaussian copula; expected them with "
                          "'family: t'")
        return 0.0
    if "degrees_of_freedom" not in found:
        reader.missing((*path, "degrees_of_freedom"), "a t copula has them; the fewer, the more often extremes come together")
        return 0.0
    degrees = reader.number(found["degrees_of_freedom"], (*path, "degrees_of_freedom"))
    if degrees is not None and not FEWEST_DEGREES <= degrees <= MOST_DEGREES:
        reader.refuse((*path, "degrees_of_freedom"), f"found {figure(degrees)}; expected at least {FEWEST_DEGREES:g} and at most "
                      f"{MOST_DEGREES:g} (beyond, the Gaussian copula is as good)")
    return degrees or 0.0


def _read_pair(reader: Reader, item: Any, path: Path, scalars: Mapping[str, bool],
               processes: frozenset[str]) -> tuple[tuple[str, str], float] | None:
    if not isinstance(item, list) or len(item) != 3:
        reader.refuse(path, f"found {shown(item)}; expected [input, input, rank correlation]")
        return None
    before = reader.refusals
    for position, name in enumerate(item[:2]):
        if isinstance(name, str) and name in (*scalars, *processes):
            continue
        if isinstance(name, str) and reader.is_misread(tuple(name.split("."))):
            reader.refusals += 1  # why it is not there was said
        else:
            reader.refuse((*path, position), f"found {shown(name)}, which is no input in use"
                          f"{_instead(reader, name) or nearest(name, (*scalars, *processes)) or _A_PATH}")
    rank = reader.number(item[2], (*path, 2))
    if rank is not None and not -1 <= rank <= 1:
        reader.refuse((*path, 2), f"found {figure(rank)}; expected a rank correlation between -1 and 1")
    if rank is None or reader.refusals > before:
        return None
    first, second = sorted(item[:2])
    if first == second:
        reader.refuse(path, f"found {first} twice; expected two inputs")
        return None
    if (first in processes) != (second in processes):
        process, other = (first, second) if first in processes else (second, first)
        reader.refuse(path, f"found the process {process} beside {other}, which does not move in time; expected two processes, "
                      f"or one of its parameters, such as {process}.median")
        return None
    return (first, second), rank


_A_PATH = "; expected a path such as shared.utilization"


def _instead(reader: Reader, name: Any) -> str:
    """Where a path leads to the price of a market, whose own path is meant."""
    found = reader.document.tree
    for key in str(name).split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return f"; it is the price of markets.{quoted(str(found['market']))}" if isinstance(found, dict) and "market" in found else ""


def _group(reader: Reader, ranks: Mapping[tuple[str, str], float], degrees: float, path: Path) -> Group:
    members = tuple(sorted({name for pair in ranks for name in pair}))
    if len(members) > MOST_MEMBERS:
        reader.refuse(path, f"found {len(members)} inputs that depend on others; expected at most {MOST_MEMBERS}")
        return Group()
    if not members:
        return Group()
    import numpy as np

    matrix = np.eye(len(members))
    place = {name: position for position, name in enumerate(members)}
    for (first, second), rank in ranks.items():
        i, j = place[first], place[second]
        matrix[i, j] = matrix[j, i] = score_correlation(rank, degrees)
    least = float(np.linalg.eigvalsh(matrix)[0])
    if least < _SINGULAR:
        reader.refuse(path, f"found correlations that nothing can have together (the matrix has the eigenvalue {least:.3g}); "
                      f"the nearest that are possible: {_in_words(members, ranks, nearest_possible(matrix, degrees))}")
        return Group()
    return Group(members, tuple(tuple(float(x) for x in row) for row in matrix))


def _in_words(members: Sequence[str], ranks: Mapping[tuple[str, str], float], possible: Any) -> str:
    """The pairs whose correlation has to change, those first that change most."""
    parts = []
    for i, first in enumerate(members):
        for j in range(i + 1, len(members)):
            stated, found = ranks.get((first, members[j])), possible[i, j]
            if abs(found - (stated or 0.0)) >= _WORTH_SAYING:
                was = "0, as not listed" if stated is None else figure(stated)
                parts.append((abs(found - (stated or 0.0)), f"[{quoted(first)}, {quoted(members[j])}, {found:.3f}] (for {was})"))
    parts.sort(key=lambda part: -part[0])
    more = f" and {len(parts) - _MOST_SHOWN} others" if len(parts) > _MOST_SHOWN else ""
    return ", ".join(text for _, text in parts[:_MOST_SHOWN]) + more


def nearest_possible(matrix: Any, degrees: float) -> Any:
    """Rank correlations, float64[n, n] of three decimals, of the correlation matrix nearest to one that is impossible.

    Alternating projections on the cone of positive semidefinite matrices and on those with a unit diagonal, with Dykstra's
    correction. Source: Higham, IMA Journal of Numerical Analysis 22 (2002).
    """
    import numpy as np

    possible, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(500):
        shifted = possible - correction
        values, vectors = np.linalg.eigh(shifted)
        projected = (vectors * np.maximum(values, 1e-7)) @ vectors.T
        correction = projected - shifted
        before, possible = possible, projected.copy()
        np.fill_diagonal(possible, 1.0)
        if np.abs(possible - before).max() < 1e-10:
            break
    off = ~np.eye(len(matrix), dtype=bool)
    shrunk = 1.0
    while True:  # three decimals of it have to be possible as well
        ranks = np.where(off, np.round(shrunk * rank_correlation(possible, degrees), 3), 1.0)
        scores = np.array([[1.0 if i == j else score_correlation(float(x), degrees) for j, x in enumerate(row)]
                           for i, row in enumerate(ranks)])
        if np.linalg.eigvalsh(scores)[0] >= _SINGULAR:
            return ranks
        shrunk -= 0.001


def rank_correlation(score: Any, degrees: float) -> Any:
    """Spearman's rank correlation under a copula whose scores have the correlation `score` (a number or an array).

    Gaussian: (6/π) arcsin(r/2). t: (6/π) E[arcsin(r W₀ / √((W₀ + W₁)(W₀ + W₂)))] with independent W = ν/χ²_ν.
    """
    import numpy as np

    if not degrees:
        return 6 / np.pi * np.arcsin(np.clip(score, -1, 1) / 2)
    shares, weights = _mixing(degrees)
    found = [6 / np.pi * float(weights @ np.arcsin(np.clip(r, -1, 1) * shares)) for r in np.ravel(score)]
    return np.reshape(found, np.shape(score))


@lru_cache(maxsize=8)
def _mixing(degrees: float) -> tuple[Any, Any]:
    """W₀ / √((W₀ + W₁)(W₀ + W₂)) on a product of Gauss–Legendre rules in probability, and the weights; float64[48³]."""
    import numpy as np
    from scipy.special import gammaincinv

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    w = degrees / (2 * gammaincinv(degrees / 2, (nodes + 1) / 2))
    ratio = 1 / np.sqrt(1 + w[None, :] / w[:, None])  # √(W₀ / (W₀ + W₁))
    shares = (ratio[:, :, None] * ratio[:, None, :]).ravel()
    return shares, (weights[:, None, None] * weights[:, None] * weights).ravel() / 8


@lru_cache(maxsize=1024)
def score_correlation(rank: float, degrees: float) -> float:
    """The correlation of scores that gives a rank correlation."""
    if not degrees:
        return 2 * math.sin(math.pi * rank / 6)
    if abs(rank) == 1:
        return rank
    low, high = -1.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if float(rank_correlation(middle, degrees)) < rank else (low, middle)
    return (low + high) / 2


def cholesky(matrix: Any) -> Any:
    """Lower factor of a positive semidefinite matrix, float64[n, n]; columns are 0 where it is singular."""
    import numpy as np

    n = len(matrix)
    factor = np.zeros((n, n))
    for j in range(n):
        pivot = matrix[j][j] - factor[j, :j] @ factor[j, :j]
        if pivot > 1e-9:
            factor[j, j] = math.sqrt(pivot)
            for i in range(j + 1, n):
                factor[i, j] = (matrix[i][j] - factor[i, :j] @ factor[j, :j]) / factor[j, j]
    return factor


def _linked(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Sets of names that are connected through pairs, each sorted."""
    sets: list[set[str]] = []
    for pair in pairs:
        touched = [found for found in sets if found & set(pair)]
        sets = [found for found in sets if found not in touched] + [set(pair).union(*touched)]
    return tuple(sorted(tuple(sorted(found)) for found in sets))

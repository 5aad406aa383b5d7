"""The trials of a study, chunk by chunk, as often as they are asked for.

Trials are regenerated rather than stored, because every draw has an address. Chunks are handed to threads and their results
come back in order, so neither threads nor chunk size can show in a result.
"""

from __future__ import annotations

import copy
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from simulator.engine.parameters import Compiled
from simulator.kernels.trajectories import (
    ANTITHETIC,
    BLOCK,
    LATIN_HYPERCUBE,
    RANDOM,
    SOBOL,
    Plan,
    Sampling,
    Workspace,
    scramble,
    simulate_chunk,
    workspace,
)
from simulator.study.model import Simulation

Array = np.ndarray[Any, np.dtype[np.float64]]
Words = np.ndarray[Any, np.dtype[np.uint64]]
Answer = TypeVar("Answer")

_CHUNK_BYTES = 4 << 20


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Chunk:
    """A range of a replicate's trials."""

    replicate: int
    first: int
    count: int


class Trials:
    """All trials of a compiled study.

    rows          rows of results
    chunk_blocks  blocks to a chunk, rounded down to a power of two; chosen by size where 0
    """

    def __init__(self, compiled: Compiled, simulation: Simulation, rows: int, threads: int = 0,
                 chunk_blocks: int = 0) -> None:
        self.compiled, self.simulation, self.rows = compiled, simulation, rows
        self.threads = threads or available_cores()
        blocks = chunk_blocks or max(1, _CHUNK_BYTES // (8 * rows * BLOCK))
        size = BLOCK * (1 << (blocks.bit_length() - 1))
        each = simulation.trials_per_replicate
        self._sampled: dict[int, Sampling] = {}
        self._free: deque[tuple[Workspace, Array]] = deque()
        self._size, self._each = min(size, each), each
        self._columns = compiled.columns(max(each - 1, BLOCK - 1).bit_length()) if simulation.sampler == "sobol" else None

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: not the scratch, nor what is made again as fast as it is sent."""
        return self.__dict__ | {"_sampled": {}, "_free": deque()}

    @property
    def chunk_count(self) -> int:
        return self.simulation.replicates * -(-self._each // self._size)

    def chunks(self) -> Iterator[Chunk]:
        """Every chunk, replicate by replicate."""
        for replicate in range(self.simulation.replicates):
            yield from self.pieces(Chunk(replicate, 0, self._each))

    def pieces(self, of: Chunk) -> Iterator[Chunk]:
        """The chunks of a longer one, which begins where one of them does."""
        end = of.first + of.count
        for first in range(of.first, end, self._size):
            yield Chunk(of.replicate, first, min(self._size, end - first))

    def stretch(self, position: int, most: int) -> Chunk:
        """A long chunk from a position on, which counts the trials of all replicates.

        It has one chunk's trials, or no more than `most`: a power of two of chunks, from a multiple of it on, so that sums over
        it are nodes of the tree of all.
        """
        replicate, first = divmod(position, self._each)
        size = self._size * (1 << max((most // self._size).bit_length() - 1, 0))
        while first % size:
            size //= 2
        return Chunk(replicate, first, min(size, self._each - first))

    def each(self, use: Callable[[Chunk, Array], Answer]) -> Generator[tuple[Chunk, Answer], None, None]:
        """`use` on each chunk's results, float64[rows, count], in threads; the answers in the chunks' order.

        `use` must not keep the results: their memory is used again.
        """
        ahead = 2 * self.threads
        with ThreadPoolExecutor(self.threads, thread_name_prefix="tco") as pool:
            waiting: deque[tuple[Chunk, Future[Answer]]] = deque()
            try:
                for chunk in self.chunks():
                    waiting.append((chunk, pool.submit(self._one, chunk, use)))
                    if len(waiting) > ahead:
                        done, future = waiting.popleft()
                        yield done, future.result()
                while waiting:
                    done, future = waiting.popleft()
                    yield done, future.result()
            finally:
                for _, future in waiting:
                    future.cancel()

    def alone(self, chunk: Chunk, use: Callable[[Chunk, Array], Answer]) -> Answer:
        """`use` on one chunk's results, in this thread."""
        return self._one(chunk, use)

    def under(self, plan: Plan, replicates: int = 0) -> Trials:
        """The same trials, on the same draws, of a plan that differs from this one in what is made of them alone.

        replicates  how many of the replicates, from the first; all where 0
        """
        other = copy.copy(self)
        other.compiled = replace(self.compiled, plan=plan)
        if replicates:
            other.simulation = replace(self.simulation, replicates=replicates, trials=replicates * self._each)
        return other

    def pilot(self) -> Array:
        """Results of the first block, float64[rows, n]."""
        results = np.empty((self.rows, min(self._each, BLOCK)))
        simulate_chunk(self.compiled.plan, self._sampling(0), 0, workspace(self.compiled.plan), results)
        return results

    def block(self, replicate: int, first: int, plan: Plan | None = None, results: Array | None = None,
              work: Workspace | None = None) -> Workspace:
        """One block alone: its inputs, prices and outputs.

        plan     another plan of the same draws, under which they are used (`engine.variations`)
        results  float64[rows, BLOCK], filled where given
        work     scratch of an earlier block of the same plan, to be used again
        """
        plan = plan or self.compiled.plan
        work = work or workspace(plan)
        simulate_chunk(plan, self._sampling(replicate), first, work, np.empty((self.rows, BLOCK)) if results is None else results)
        return work

    def _one(self, chunk: Chunk, use: Callable[[Chunk, Array], Answer]) -> Answer:
        try:
            work, buffer = self._free.pop()
        except IndexError:
            work, buffer = workspace(self.compiled.plan), np.empty(self.rows * self._size)
        results = buffer[: self.rows * chunk.count].reshape(self.rows, chunk.count)
        simulate_chunk(self.compiled.plan, self._sampling(chunk.replicate), chunk.first, work, results)
        answer = use(chunk, results)
        self._free.append((work, buffer))
        return answer

    def _sampling(self, replicate: int) -> Sampling:
        if replicate not in self._sampled:
            self._sampled[replicate] = sampling(self.compiled, self.simulation, self._columns, replicate)
        return self._sampled[replicate]


def sampling(compiled: Compiled, simulation: Simulation, columns: Words | None, replicate: int) -> Sampling:
    """Where the uniforms of a replicate come from; columns: direction numbers of `compiled` under sobol, else None."""
    seed, each = np.uint64(simulation.seed), simulation.trials_per_replicate
    if columns is None:
        sampler = LATIN_HYPERCUBE if simulation.sampler == "latin_hypercube" else ANTITHETIC if simulation.antithetic else RANDOM
        return Sampling(sampler, seed, replicate, each, np.zeros((1, 1), np.uint64))
    scrambled = _scrambled(columns.tobytes(), columns.shape[1], simulation.seed, compiled.sobol_streams.tobytes(),
                           compiled.sobol_indices.tobytes(), replicate)
    return Sampling(SOBOL, seed, replicate, each, scrambled)


@lru_cache(maxsize=256)
def _scrambled(columns: bytes, bits: int, seed: int, streams: bytes, indices: bytes, replicate: int) -> Words:
    """Scrambled direction numbers of one replicate; kept, since a study's what-ifs draw the same. To be read only."""
    words = np.frombuffer(columns, np.uint64).reshape(-1, bits).copy()  # writable, as kernels are compiled for
    scrambled = np.empty((len(words), 1 + bits), np.uint64)
    scramble(words, np.uint64(seed), np.frombuffer(streams, np.uint64).copy(), np.frombuffer(indices, np.int64).copy(), replicate,
             scrambled)
    return scrambled

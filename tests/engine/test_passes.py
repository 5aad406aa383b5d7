"""Stretches of any length, looked at anywhere, give the bits of chunks looked at here."""

import copy
import math
import random
from dataclasses import replace

import pytest
import studies
from hypothesis import given
from hypothesis import strategies as st
from ways_of_selection import WAYS
from ways_of_selection import find as find_by

import simulator
from simulator.engine import passes
from simulator.engine.layout import layout
from simulator.engine.parameters import compile_study
from simulator.engine.passes import find
from simulator.engine.run import run
from simulator.engine.trials import Trials


@pytest.fixture(scope="module")
def some_trials(tmp_path_factory):
    study = simulator.load(studies.write(tmp_path_factory.mktemp("some") / "study.yaml", studies.study()))
    rows = layout(study)
    return Trials(compile_study(study, rows.wanted, rows.pairs), study.simulation, len(rows.rows))


class Stretches:
    """Looks at stretches of random lengths, one after another; what is found travels as it would between machines."""

    def __init__(self, seed):
        self.random, self.passes, self.longest = random.Random(seed), 0, 0

    def every_chunk(self, trials, finding):
        yield from self._pass(trials, lambda: finding)

    def first_pass(self, trials, first):
        yield from self._pass(trials, first.look)

    def _pass(self, trials, finding):
        self.passes += 1
        position = 0
        while position < trials.simulation.trials:
            stretch = trials.stretch(position, 1 << self.random.randrange(14))
            self.longest = max(self.longest, len(list(trials.pieces(stretch))))
            position += stretch.count
            yield stretch, find(trials, stretch, finding())


@pytest.mark.parametrize("sampler", ["sobol", "random"])
@pytest.mark.parametrize("way", WAYS[1:])
def test_stretches_give_the_bits_of_one_thread(load, monkeypatch, way, sampler):
    # 1500 a replicate under `random`: neither the last block nor the last stretch is full.
    study = load(studies.study(), f"simulation.sampler={sampler}", "simulation.trials=48000")
    alone = run(study, threads=1)
    find_by(monkeypatch, way)
    monkeypatch.setattr(passes, "_HELD", 3)
    elsewhere = Stretches(7)
    assert run(study, chunk_blocks=1, elsewhere=elsewhere).records == alone.records
    assert elsewhere.longest >= 4
    assert {"by bracket": elsewhere.passes == 1, "by bracket, some missed": elsewhere.passes > 1,
            "made again": elsewhere.passes > 3}[way]


def test_what_is_not_finite_is_named_by_its_place_in_the_stretch(load, monkeypatch):
    monkeypatch.setattr("simulator.engine.run._FEW_TRIALS", 0)
    study = load(studies.study(), "simulation.trials=48000", "platforms.b.throughput=1e-300",
                 "platforms.b.rental_price={distribution: discrete, values: [1, 1e308], weights: [999, 1]}")
    said = []
    for elsewhere in (None, Stretches(1), Stretches(5)):
        with pytest.raises(simulator.engine.run.RunError) as error:
            run(study, chunk_blocks=1, elsewhere=elsewhere)
        said.append(str(error.value))
    assert said == said[:1] * 3 and "in trial" in said[0]


@given(st.integers(16, 64), st.integers(1, 5000), st.sampled_from([1, 2, 16]), st.data())
def test_stretches_hold_every_trial_once(some_trials, replicates, each, chunk_blocks, data):
    trials = copy.copy(some_trials)
    trials.simulation = replace(trials.simulation, trials=replicates * each, replicates=replicates)
    size = 256 * chunk_blocks
    trials._each, trials._size = each, min(size, each)
    position = 0
    while position < replicates * each:
        most = data.draw(st.integers(0, 10_000))
        stretch = trials.stretch(position, most)
        assert (stretch.replicate, stretch.first) == divmod(position, each)
        assert 0 < stretch.count <= max(most, size)
        length = stretch.count / size
        is_last = stretch.first + stretch.count == each
        assert is_last or (math.log2(length).is_integer() and stretch.first % stretch.count == 0)
        assert sum(piece.count for piece in trials.pieces(stretch)) == stretch.count
        position += stretch.count
    assert position == replicates * each

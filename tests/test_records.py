"""Records that are packed are the records."""

import gc
import os
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.analysis.intervals import Estimate
from simulator.records import OnDisk, Record, Records, pack

NUMBERS = st.floats(allow_nan=False)
RECORDS = st.lists(st.builds(
    Record, st.just("base"), st.sampled_from(["platform", "pair"]), st.sampled_from("ab"), st.sampled_from(["", "parts"]),
    st.sampled_from(["cost", "ratio"]), st.sampled_from(["", "mean", "p5"]), st.sampled_from(["USD", "1"]),
    st.builds(Estimate, NUMBERS, NUMBERS, NUMBERS, NUMBERS)))


def in_memory(packed):
    return {of.scenario: of for of in packed}


def on_disk(packed):
    found = OnDisk()
    for of in packed:
        found.add(of)
    return found


@pytest.mark.parametrize("kept", [in_memory, on_disk])
@given(base=RECORDS, other=RECORDS)
def test_packed_records_are_those_of_their_scenario(kept, base, other):
    names = {}
    packed = [pack(scenario, records, names) for scenario, records in (("x", other), ("y", base), ("z", other))]
    found = Records(base, kept(packed))
    assert list(found.of("base")) == base and [record.estimate for record in found.of("x")] == [r.estimate for r in other]
    assert [record.name for record in found.of("y")] == [record.name for record in base]
    assert {record.scenario for record in found.of("z")} <= {"z"} and list(found.of("nothing")) == []
    assert len(found) == len(list(found)) == 2 * len(base) + 2 * len(other)
    assert found.scenarios == [*(["base"] if base else []), "x", "y", "z"]
    assert packed[0].names is packed[2].names, "names are kept once"
    assert found == pickle.loads(pickle.dumps(found)) and all(record in found for record in found)
    assert (found == Records(found) and found != Records(base, kept(packed[:2]))) or not other


def test_replicates_are_given_up():
    whole = Record("base", "platform", "a", "", "cost", "mean", "USD", Estimate(1, 2, 3, 4, np.ones(32)))
    assert [record.estimate.by_replicate for record in Records([whole], in_memory([pack("x", [whole], {})])).of("x")] == [None]


def test_records_on_disk_take_next_to_no_memory():
    records = [Record("", "platform", str(k), "", "cost", "mean", "USD", Estimate(k, 2, 3, 4)) for k in range(250)]
    names = {}
    found = on_disk([pack("first", records, names)])
    tracemalloc.start()
    for k in range(1000):
        found.add(pack(f"w{k}", records, names))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1000 * 500, "bytes, where the numbers of each take 8000"


def test_the_file_is_closed_when_nobody_refers_to_it():
    found = on_disk([])
    handle = found._file.fileno()
    os.fstat(handle)
    records = Records([], found)
    del found
    os.fstat(handle)
    del records
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)

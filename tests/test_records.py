"""Records that are packed are the records."""

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.analysis.intervals import Estimate
from simulator.records import Record, Records, pack

NUMBERS = st.floats(allow_nan=False)
RECORDS = st.lists(st.builds(
    Record, st.just("base"), st.sampled_from(["platform", "pair"]), st.sampled_from("ab"), st.sampled_from(["", "parts"]),
    st.sampled_from(["cost", "ratio"]), st.sampled_from(["", "mean", "p5"]), st.sampled_from(["USD", "1"]),
    st.builds(Estimate, NUMBERS, NUMBERS, NUMBERS, NUMBERS)))


@given(RECORDS, RECORDS)
def test_packed_records_are_those_of_their_scenario(base, other):
    names = {}
    packed = [pack(scenario, records, names) for scenario, records in (("x", other), ("y", base), ("z", other))]
    found = Records(base, packed)
    assert list(found.of("base")) == base and [record.estimate for record in found.of("x")] == [r.estimate for r in other]
    assert [record.name for record in found.of("y")] == [record.name for record in base]
    assert {record.scenario for record in found.of("z")} <= {"z"} and list(found.of("nothing")) == []
    assert len(found) == len(list(found)) == 2 * len(base) + 2 * len(other)
    assert found.scenarios == [*(["base"] if base else []), "x", "y", "z"]
    assert packed[0].names is packed[2].names, "names are kept once"
    assert found == pickle.loads(pickle.dumps(found)) and all(record in found for record in found)
    assert (found == Records(found) and found != Records(base, packed[:2])) or not other


def test_replicates_are_given_up():
    whole = Record("base", "platform", "a", "", "cost", "mean", "USD", Estimate(1, 2, 3, 4, np.ones(32)))
    assert [record.estimate.by_replicate for record in Records([whole], [pack("x", [whole], {})]).of("x")] == [None]

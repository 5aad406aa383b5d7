"""Every input has an address of its own, which depends on its own name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.addresses import NAMED_ROOM, PLATFORM_COLUMNS, PROCESS_ROOM, dimensions, places, stream
from simulator.engine.sobol_directions import MAX_DIMENSIONS
from simulator.kernels.platform import INPUT_ROWS
from simulator.quantities import INPUTS
from simulator.study.platforms import MOST_NAMED, MOST_OWN_PROCESSES, MOST_PLATFORMS
from simulator.units import MONTHS


def all_paths(platforms):
    scalars = [f"{home}.{name}" for home in ("shared", *(f"platforms.{p}" for p in platforms)) for name in INPUT_ROWS]
    scalars += [f"platforms.{p}.throughput_factors.{f}" for p in platforms for f in ("delivered_share", "x", "y")]
    scalars += [f"shared.energy_price.{part}" for part in ("median", "reversion_rate")]
    processes = ["shared.energy_price", "shared.rental_price", *(f"platforms.{p}.energy_price" for p in platforms)]
    return [path for path in scalars if path not in processes], processes


@given(st.sets(st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=12), min_size=1, max_size=14))
def test_no_two_inputs_share_a_dimension(platforms):
    scalars, processes = all_paths(sorted(platforms))
    found = dimensions(scalars, processes)
    taken = [found[path] for path in scalars] + [found[path] + k for path in processes for k in range(MONTHS)]
    assert len(set(taken)) == len(taken)
    assert min(taken) >= 0 and max(taken) < MAX_DIMENSIONS


def test_an_address_does_not_depend_on_the_others():
    scalars, processes = all_paths(["a", "b"])
    everything = dimensions(scalars, processes)
    for path in scalars:
        assert dimensions([path], [])[path] == everything[path]
    assert dimensions(reversed(scalars), reversed(processes)) == everything


def test_collisions_are_resolved_by_name():
    names = [f"n{k}" for k in range(2000)]
    first = {}
    pair = next((name, first[place]) for name in names if (place := stream(name) % PLATFORM_COLUMNS) in first
                or first.setdefault(place, name) is None)
    early, late = sorted(pair)
    home = stream(early) % PLATFORM_COLUMNS
    assert places(pair, PLATFORM_COLUMNS) == {early: home, late: (home + 1) % PLATFORM_COLUMNS}
    assert places([late], PLATFORM_COLUMNS)[late] == home


def test_too_many_names_are_refused():
    assert len(places([str(k) for k in range(PLATFORM_COLUMNS)], PLATFORM_COLUMNS)) == PLATFORM_COLUMNS
    with pytest.raises(ValueError, match="names need a dimension"):
        places([str(k) for k in range(PLATFORM_COLUMNS + 1)], PLATFORM_COLUMNS)


def test_a_study_that_is_right_has_room_for_its_names():
    assert MOST_PLATFORMS <= PLATFORM_COLUMNS and MOST_NAMED <= NAMED_ROOM and MOST_OWN_PROCESSES <= PROCESS_ROOM


def test_registry_and_kernel_list_the_same_inputs_in_the_same_order():
    assert tuple(quantity.name for quantity in INPUTS) == INPUT_ROWS

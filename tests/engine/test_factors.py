"""The uncertain inputs of a study, one by one."""

import studies

from simulator.engine.factors import factors
from simulator.engine.parameters import compile_study
from simulator.quantities import GROUP_OF, GROUPS, INPUT, THROUGHPUT_FACTOR


def found(study):
    return {factor.path: factor for factor in factors(study, compile_study(study, [], []))}


def test_every_input_stands_in_one_group():
    names = [name for group in GROUPS.values() for name in group]
    assert sorted(names) == sorted([*INPUT, THROUGHPUT_FACTOR.name]) and len(GROUP_OF) == len(names)


def test_uncertain_inputs_and_whole_processes(load):
    by_path = found(load(studies.study()))
    assert list(by_path) == sorted([
        "shared.utilization", "shared.energy_price", "platforms.a.gpu_lifetime", "platforms.a.throughput", "platforms.a.capex",
        "platforms.a.throughput_factors.delivered_share", "platforms.b.throughput"])
    assert by_path["shared.energy_price"].market == 0 and by_path["shared.energy_price"].rows == ()
    assert by_path["shared.energy_price"].group == "energy" and by_path["platforms.a.capex"].group == "hardware"


def test_parameters_of_a_process_belong_to_it(load):
    data = studies.study()
    data["shared"]["energy_price"] = {**studies.PROCESS, "median": {"distribution": "uniform", "low": 30, "high": 50},
                                      "start": "stationary"}
    factor = found(load(data))["shared.energy_price"]
    assert len(factor.rows) == 2, "the median and the drawn start"


def test_failures_of_single_gpus_are_a_factor_of_their_own(load):
    data = studies.study()
    data["platforms"]["a"] |= {"failure_rate": 0.05, "replacement_cost": 0.5, "fleet_size": 72}
    assert found(load(data))["platforms.a.failures"].platform == 0


def test_a_platform_may_bear_the_name_of_an_input(load):
    data = studies.study()
    data["platforms"]["power"] = data["platforms"].pop("a")
    assert found(load(data))["platforms.power.capex"].group == "hardware"


def test_what_is_certain_is_no_factor(load):
    assert "shared.utilization" not in found(load(studies.study(), "shared.utilization=0.5"))

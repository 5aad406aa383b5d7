"""Correlations as they are written: what is wrong is said, and of what is impossible the nearest that is possible."""

import copy

import pytest
import studies

import simulator

U, T, C = "shared.utilization", "platforms.a.throughput", "platforms.a.capex"


def load(tmp_path, pairs, copula=None, **changes):
    data = copy.deepcopy(studies.study(**changes))
    data["correlations"] = {"pairs": pairs, **({} if copula is None else {"copula": copula})}
    return simulator.load(studies.write(tmp_path / "study.yaml", data))


def wrong(tmp_path, pairs, copula=None, **changes):
    with pytest.raises(simulator.StudyError) as error:
        load(tmp_path, pairs, copula, **changes)
    (problem,) = error.value.problems
    return f"{problem.path.removeprefix('correlations.')}: {problem.message}"


@pytest.mark.parametrize(("pairs", "message"), [
    ([["shared.utilisation", T, 0.3]], "pairs.0.0: found the text 'shared.utilisation', which is no input in use; did you mean "
     "'shared.utilization'?"),
    ([[5, T, 0.3]], "pairs.0.0: found 5, which is no input in use; expected a path such as shared.utilization"),
    ([[U, T, 1.3]], "pairs.0.2: found 1.3; expected a rank correlation between -1 and 1"),
    ([[U, T, "much"]], "pairs.0.2: found the text 'much'; expected a number"),
    ([[U, T]], "pairs.0: found a list of 2; expected [input, input, rank correlation]"),
    ([[U, U, 0.3]], "pairs.0: found shared.utilization twice; expected two inputs"),
    ([[U, T, 0.3], [T, U, 0.3]], "pairs.1: found platforms.a.throughput and shared.utilization a second time; keep one"),
    ([["shared.energy_price", U, 0.3]], "pairs.0: found the process shared.energy_price beside shared.utilization, which does not "
     "move in time; expected two processes, or one of its parameters, such as shared.energy_price.median"),
    ("many", "pairs: found the text 'many'; expected a list of [input, input, rank correlation]")])
def test_wrong_pairs(tmp_path, pairs, message):
    assert wrong(tmp_path, pairs) == message


@pytest.mark.parametrize(("copula", "message"), [
    ("t", "copula: found the text 't'; expected gaussian, or such as {family: t, degrees_of_freedom: 4}"),
    ("clayton", "copula: found the text 'clayton'; expected gaussian, or such as {family: t, degrees_of_freedom: 4}"),
    ({"family": "t"}, "copula.degrees_of_freedom: is missing; a t copula has them; the fewer, the more often extremes come together"),
    ({"family": "t", "degrees_of_freedom": 0.5}, "copula.degrees_of_freedom: found 0.5; expected at least 1 and at most 200 (beyond, "
     "the Gaussian copula is as good)"),
    ({"family": "clayton"}, "copula.family: found the text 'clayton'; expected gaussian or t"),
    ({"family": "t", "degrees": 4, "degrees_of_freedom": 4}, "copula.degrees: unknown key 'degrees'; expected "
     "family or degrees_of_freedom")])
def test_wrong_copulas(tmp_path, copula, message):
    assert wrong(tmp_path, [[U, T, 0.3]], copula) == message


def test_what_nothing_can_have_together_is_refused_with_the_nearest(tmp_path):
    message = wrong(tmp_path, [[U, T, 0.9], [T, C, 0.9], [U, C, -0.9]])
    assert message.startswith("pairs: found correlations that nothing can have together (the matrix has the eigenvalue -0.8")
    possible = [[a, b, float(message.split(f"[{b}, {a}, ")[-1].split("]")[0] if f"[{b}, {a}, " in message
                             else message.split(f"[{a}, {b}, ")[1].split("]")[0])] for a, b in ((U, T), (T, C), (U, C))]
    assert [abs(rank) for _, _, rank in possible] == pytest.approx([0.46] * 3, abs=0.03)
    assert load(tmp_path, possible).correlations.inputs.members == (C, T, U), "what is shown can be pasted"


def test_what_has_no_effect_is_noted(tmp_path):
    assert any(note == "the correlation of platforms.a.power with shared.utilization has no effect: platforms.a.power is certain"
               for note in load(tmp_path, [[U, "platforms.a.power", 0.3]]).warnings)


def test_no_pairs_is_no_dependence(tmp_path):
    assert load(tmp_path, []).correlations.inputs.members == ()


def test_inputs_that_pairs_link_form_groups(tmp_path):
    factor = "platforms.a.throughput_factors.delivered_share"
    found = load(tmp_path, [[U, T, 0.1], [C, factor, 0.2], ["platforms.b.throughput", T, 0.1]], {"family": "t",
                                                                                               "degrees_of_freedom": 4})
    assert found.correlations.linked == ((C, factor), (T, "platforms.b.throughput", U))
    assert found.correlations.degrees == 4

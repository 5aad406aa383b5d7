"""The ways in which a run finds its order statistics, on runs that are small."""

from simulator.engine import selection_in_one_pass

WAYS = ["all kept", "by bracket", "by bracket, some missed", "made again"]


def find(monkeypatch, way):
    """Make a small run find its order statistics in one of the ways of larger ones."""
    if way == "all kept":
        return
    monkeypatch.setattr("simulator.engine.run._FEW_TRIALS", 0)
    # Several looks at the brackets within the first replicate and several narrowings.
    monkeypatch.setattr(selection_in_one_pass, "_FIRST", 256)
    monkeypatch.setattr(selection_in_one_pass, "_LONGER", 2)
    monkeypatch.setattr(selection_in_one_pass, "_SPARE", 100)
    if way == "by bracket, some missed":
        monkeypatch.setattr("simulator.engine.brackets.STANDARD_ERRORS", 0.7)
    if way == "made again":
        monkeypatch.setattr(selection_in_one_pass, "_MOST_KEPT", 1000)
        # So little room that bins are divided several times before anything is kept.
        monkeypatch.setattr("simulator.engine.selection._KEPT_VALUES", 2000)
        monkeypatch.setattr("simulator.engine.selection._COUNT_BYTES", 1 << 20)

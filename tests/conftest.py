"""Fixtures for all tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

import studies

import simulator

# The same examples every time, so that a red build means a change; `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture
def load(tmp_path):
    """Load a study from data: `load(studies.study(), "shared.utilization=0.5")`."""
    def loaded(data, *overrides):
        return simulator.load(studies.write(tmp_path / "study.yaml", data), overrides=overrides)
    return loaded

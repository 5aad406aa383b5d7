"""Fixtures for all tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import studies

import simulator


@pytest.fixture
def load(tmp_path):
    """Load a study from data: `load(studies.study(), "shared.utilization=0.5")`."""
    def loaded(data, *overrides):
        return simulator.load(studies.write(tmp_path / "study.yaml", data), overrides=overrides)
    return loaded

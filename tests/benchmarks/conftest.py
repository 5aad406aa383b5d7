"""Tests of the benchmarks import them and the slow statement of the model."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "reference")]  # ahead of the folder of tests that is called benchmarks, too

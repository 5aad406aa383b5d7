"""The cache of compiled kernels knows everything that a kernel is made of."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import studies

import simulator
from simulator.kernels import jit

PACKAGE = Path(simulator.__file__).parent


def test_the_digest_covers_every_module_that_kernels_import():
    outside = {node.module for source in (PACKAGE / "kernels").glob("*.py") for node in ast.walk(ast.parse(source.read_text()))
               if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simulator.")}
    assert {module for module in outside if not module.startswith("simulator.kernels")} == {"simulator.units"}


def test_an_edit_of_any_source_changes_the_digest(tmp_path, monkeypatch):
    shutil.copytree(PACKAGE, tmp_path / "simulator")
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "simulator" / "kernels" / "jit.py"))
    seen = {jit.kernel_digest()}
    for source in (tmp_path / "simulator" / "units.py", tmp_path / "simulator" / "kernels" / "cost.py"):
        source.write_text(source.read_text() + "\n")
        seen.add(jit.kernel_digest())
    assert len(seen) == 3


@pytest.mark.slow
def test_kernels_just_compiled_and_loaded_give_the_same_bits(tmp_path):
    data = studies.study()
    for platform in data["platforms"].values():
        platform |= {"token_price": {"distribution": "lognormal", "median": 0.5, "sigma": 0.3}, "utilization_ramp": 0.5}
    file = studies.write(tmp_path / "study.yaml", data)
    command = [sys.executable, "-m", "simulator", "run", file, "--json", "--out", tmp_path]
    compiled, loaded = (subprocess.run(command, capture_output=True, check=True, env={
        **os.environ, "TCO_CACHE_DIR": str(tmp_path / "cache")}).stdout for _ in range(2))
    assert compiled == loaded

"""The cache of compiled kernels knows everything that a kernel is made of."""

import ast
import shutil
from pathlib import Path

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

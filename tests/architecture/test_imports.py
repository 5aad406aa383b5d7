"""Imports run one way, heavy modules are imported where they are used, and kernels know only numbers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import simulator

ROOT = Path(simulator.__file__).parent
# A module may import from its own tier and from those before it.
TIERS = [
    {"units", "locks"},
    {"quantities", "kernels"},
    {"study", "analysis", "dataset", "netcdf", "records", "results", "run_folder",
     "run_documents", "finished_run", "reported", "run_index"},
    {"engine"},
    {"experiments", "fitting", "adapters"},
    {"reporting"},
    {"cli", "__main__", "__init__"},
]
KERNEL_IMPORTS = {"__future__", "contextlib", "hashlib", "os", "tempfile", "collections", "pathlib", "typing", "math", "numpy",
                  "numba", "simulator"}
SOURCES = sorted(ROOT.rglob("*.py"))


def imported(source):
    """Modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def room(module):
    return module.split(".")[1] if "." in module else "__init__"


def tier(name):
    return next(position for position, names in enumerate(TIERS) if name in names)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(ROOT)))
def test_imports_run_one_way(source):
    parts = source.relative_to(ROOT).with_suffix("").parts
    for module in imported(source):
        if module.startswith("simulator."):
            assert tier(room(module)) <= tier(parts[0]), f"{parts} imports {module}"
    if parts[0] == "kernels":
        assert {module.split(".")[0] for module in imported(source)} <= KERNEL_IMPORTS
        assert {room(module) for module in imported(source) if module.startswith("simulator.")} <= {"kernels", "units"}
    if parts[0] != "reporting":
        assert not any(module.startswith("matplotlib") for module in imported(source))


@pytest.mark.parametrize(("command", "spared"), [
    (["--help"], ["numpy", "numba", "scipy", "pandas", "xarray", "matplotlib", "pyarrow", "ruamel"]),
    (["check", "{study}"], ["numba", "pandas", "xarray", "matplotlib", "pyarrow"]),
    (["run", "{study}", "--quiet", "--out", "{folder}"], ["matplotlib", "pandas", "xarray"]),
])
def test_light_commands_import_nothing_heavy(tmp_path, command, spared):
    import studies

    study = studies.write(tmp_path / "study.yaml", studies.study())
    code = f"""
import sys
sys.argv = ['tco', *{[part.format(study=study, folder=tmp_path / 'runs') for part in command]!r}]
from simulator.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print([name for name in {spared!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

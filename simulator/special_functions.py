"""SciPy's special functions without the rest of SciPy: `from simulator.special_functions import special`.

The package `scipy.special` imports half of NumPy's tools (f2py, testing, masked arrays) for array libraries that are not in
use here, a quarter of a second; its functions stand in one compiled module, which is quick to load.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def _functions() -> Any:
    """The compiled module alone; the whole package where that is there already, or built otherwise than expected."""
    name = "scipy.special"
    if name in sys.modules:
        return sys.modules[name]
    import scipy

    # A package is imported before what is in it: for that moment another stands for it, which knows but where it is.
    stand_in = ModuleType(name)
    stand_in.__path__ = [str(Path(scipy.__file__).parent / "special")]
    sys.modules[name] = stand_in
    try:
        with contextlib.suppress(ImportError):
            return importlib.import_module(f"{name}._ufuncs")
    finally:
        del sys.modules[name]
    return importlib.import_module(name)


special = _functions()

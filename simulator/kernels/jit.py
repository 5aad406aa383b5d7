"""The only place with numba's options and the policy for its cache.

numba's own disk cache notices an edit only in the file that holds the function, so an edited callee in
another file would go on giving its old number. The cache therefore lives in a folder named by a digest of
*all* kernel sources and of numba's version: any edit starts a new folder. Where no folder can be written,
kernels are compiled anew in each process and nothing fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.core import config as _config
from numba.core.caching import FunctionCache
from numba.core.runtime.nrt import rtsys
from numba.extending import intrinsic

# numba makes its settings at run time, where a type checker does not see them.
config: Any = _config

Function = TypeVar("Function", bound=Callable[..., Any])

# Reported numbers must not depend on what a compiler makes of a formula, so no fast-math flag is on. Not even contraction
# (a·b + c in one rounding), which is done here and not there as a function is inlined or not: a kernel loaded from the cache
# would then differ in last digits from the one just compiled. Where it pays, a formula asks for it: `fma`.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def kernel_digest() -> str:
    """Digest of all kernel sources, of the constants they take from `units` and of numba's version (16 hexadecimal digits)."""
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=8)
    folder = Path(__file__).parent
    for source in (folder.parent / "units.py", *sorted(folder.glob("*.py"))):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


def _cache_folder() -> Path | None:
    """First writable folder of: TCO_CACHE_DIR, the user's cache, the temporary folder; else None."""
    user = getattr(os, "getuid", lambda: "user")()
    chosen, home = os.environ.get("TCO_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")
    roots = [Path(chosen)] if chosen else []
    with contextlib.suppress(RuntimeError):  # no home at all
        roots.append((Path(home) if home else Path.home() / ".cache") / "tco-simulator")
    roots.append(Path(tempfile.gettempdir()) / f"tco-simulator-{user}")
    for root in roots:
        folder = root / f"kernels-{kernel_digest()}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            continue
        # Compiled code is loaded from here and run: only from a folder that is ours.
        if not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid():
            return folder
    return None


_FOLDER = _cache_folder()


def is_compiled() -> bool:
    """Whether kernels have been compiled before, so that another process finds them; where none can be kept each compiles its
    own."""
    return _FOLDER is None or any(_FOLDER.rglob("*.nbi"))


class _Cache(FunctionCache):
    """numba's cache of compiled functions. Before it loads one, numba learns all that it can compile, SciPy's linear algebra
    included: longer than `import numba` takes, and of use only to the compiler, which does so itself. Machine code needs no
    more than numba's run-time."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


def jit(function: Function) -> Function:
    """Compile a kernel on its first call, with the house's options and cache."""
    kept = config.CACHE_DIR  # other packages' kernels keep their own place
    config.CACHE_DIR = str(_FOLDER or "")
    try:
        compiled: Any = numba.njit(**_OPTIONS)(function)
        if _FOLDER is not None:
            compiled._cache = _Cache(function)  # what `cache=True` does, with numba's own class
        return cast(Function, compiled)
    finally:
        config.CACHE_DIR = kept


def inline(function: Function) -> Function:
    """Compile a scalar formula so that LLVM merges it into the loop that calls it (and vectorises it)."""
    compiled: Function = numba.njit(forceinline=True, **_OPTIONS)(function)
    return compiled


def part_of_caller(function: Function) -> Function:
    """Compile a function as if its body stood in its caller: written apart, optimised once, with the caller."""
    compiled: Function = numba.njit(inline="always", **_OPTIONS)(function)
    return compiled


@intrinsic
def bits_of(typingctx: Any, x: Any) -> Any:
    """The 64 bits of a double, as an int64."""
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))
    return types.int64(types.float64), generate


@intrinsic
def double_of(typingctx: Any, bits: Any) -> Any:
    """The double that has these 64 bits (an int64)."""
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))
    return types.float64(types.int64), generate


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """a·b + c in one rounding."""
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)
    return types.float64(types.float64, types.float64, types.float64), generate

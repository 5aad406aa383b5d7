"""Direction numbers of the Sobol' sequence, as Joe and Kuo (2008) give them and SciPy ships them."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from simulator.kernels.uniforms import WORD_BITS

MAX_DIMENSIONS = 21201


@lru_cache(maxsize=1)
def _tables() -> tuple[Any, Any]:
    """Primitive polynomials and initial numbers, read from SciPy's file without importing scipy.stats."""
    specification = importlib.util.find_spec("scipy")
    assert specification is not None and specification.origin is not None
    file = Path(specification.origin).parent / "stats" / "_sobol_direction_numbers.npz"
    with np.load(file) as numbers:
        return numbers["poly"], numbers["vinit"]


def direction_numbers(dimension: int, bits: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """The first `bits` direction numbers of a dimension (from 0), uint64[bits], first digit highest."""
    if dimension == 0:
        m = [1] * bits
    else:
        polynomials, initial = _tables()
        polynomial = int(polynomials[dimension])
        degree = polynomial.bit_length() - 1
        m = [int(value) for value in initial[dimension, :degree]][:bits]
        while len(m) < bits:
            # Bratley and Fox (1988): m_k = ⊕ 2^j a_j m_{k−j} ⊕ m_{k−degree}
            value = m[-degree] ^ (m[-degree] << degree)
            for j in range(1, degree):
                if (polynomial >> (degree - j)) & 1:
                    value ^= m[-j] << j
            m.append(value)
    return np.array([value << (WORD_BITS - 1 - k) for k, value in enumerate(m)], dtype=np.uint64)

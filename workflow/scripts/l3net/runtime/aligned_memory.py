"""Arrays that begin at a multiple of 64 bytes.

TensorFlow takes over the memory of such an array without a copy, and a CPU reads whole cache lines from it.
"""

from math import prod

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

ALIGNMENT_BYTES = 64


def aligned_empty(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Return an array of `shape` whose values are not set."""
    return _aligned_view(np.empty, shape, dtype)


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Return an array of `shape` filled with zeros; the system hands out its pages as they are first written."""
    return _aligned_view(np.zeros, shape, dtype)


def aligned_copy(values: ArrayLike, dtype: DTypeLike | None = None) -> np.ndarray:
    """Copy `values` to a new array in C order, as `dtype` where it is given."""
    values = np.asarray(values)
    copy = aligned_empty(values.shape, values.dtype if dtype is None else dtype)
    copy[...] = values
    return copy


def _aligned_view(allocate, shape, dtype):
    dtype = np.dtype(dtype)
    n_bytes = prod(shape) * dtype.itemsize
    memory = allocate(n_bytes + ALIGNMENT_BYTES, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT_BYTES
    return memory[start : start + n_bytes].view(dtype).reshape(shape)

"""Aligned arrays: where they begin, what they hold."""

import numpy as np
import pytest

from l3net.runtime.aligned_memory import aligned_copy, aligned_empty, aligned_zeros

SHAPES = [(), (0,), (1,), (7, 3), (2, 5, 11)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_an_array_begins_at_a_multiple_of_64_bytes(shape: tuple[int, ...], dtype: type) -> None:
    for _ in range(10):  # the allocator moves on
        for array in (aligned_empty(shape, dtype), aligned_zeros(shape, dtype), aligned_copy(np.ones(shape, dtype))):
            assert array.ctypes.data % 64 == 0 or array.size == 0
            assert (array.shape, array.dtype) == (shape, dtype)
            assert array.flags.c_contiguous
            assert array.flags.writeable


def test_zeros_are_zeros() -> None:
    assert not aligned_zeros((1000, 7), np.float32).any()


def test_a_copy_has_the_same_values_and_memory_of_its_own() -> None:
    values = np.arange(24, dtype=np.int16).reshape(4, 6)
    copy = aligned_copy(values.T)
    assert np.array_equal(copy, values.T)
    assert copy.flags.c_contiguous
    values[:] = 0
    assert copy.max() == 23


def test_a_copy_takes_another_type() -> None:
    copy = aligned_copy([[0.1, 2.0]], np.float32)
    assert copy.dtype == np.float32
    assert copy.tolist() == [[np.float32(0.1), 2.0]]

"""Datasets that grow: rows, chunks, and equal bytes for equal rows."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from l3net.files.hdf5 import append_rows, growing_dataset


@pytest.mark.parametrize(("row_shape", "dtype"), [((), np.uint8), ((5,), np.float32), ((2, 3), np.float64)])
def test_rows_are_read_back_in_order(tmp_path: Path, row_shape: tuple[int, ...], dtype: type) -> None:
    rows = np.random.default_rng(0).integers(0, 100, (50, *row_shape)).astype(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = growing_dataset(file, "group/rows", row_shape, dtype, 16)
        for first, last in ((0, 3), (3, 3), (3, 40), (40, 50)):
            append_rows(dataset, rows[first:last])
    with h5py.File(tmp_path / "a.h5") as file:
        read = file["group/rows"]
        assert np.array_equal(read[:], rows)
        assert read.dtype == dtype
        assert read.chunks == (16, *row_shape)
        assert read.maxshape == (None, *row_shape)


def test_equal_rows_give_equal_files(tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        with h5py.File(tmp_path / name, "w") as file:
            append_rows(growing_dataset(file, "rows", (2,), "f4", 4), np.ones((9, 2)))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file, pytest.raises(TypeError, match="broadcast"):
        append_rows(growing_dataset(file, "rows", (2,), "f4", 4), np.ones((9, 3)))

"""Datasets of an HDF5 file that grow row by row."""

import h5py
import numpy as np
from numpy.typing import DTypeLike


def growing_dataset(
    file: h5py.Group, name: str, row_shape: tuple[int, ...], dtype: DTypeLike, chunk_rows: int
) -> h5py.Dataset:
    """Create an empty dataset to which `append_rows` adds rows.

    Parameters
    ----------
    file : file or group that gets the dataset.
    name : the dataset's path in `file`.
    row_shape : shape of one row; ``()`` where a row is one value.
    dtype : type of the values.
    chunk_rows : rows that HDF5 stores and reads together.
    """
    return file.create_dataset(
        name,
        (0, *row_shape),
        dtype,
        maxshape=(None, *row_shape),
        chunks=(chunk_rows, *row_shape),
        track_times=False,  # the same rows give the same bytes
    )


def append_rows(dataset: h5py.Dataset, values: np.ndarray) -> None:
    """Write `values` [shape=(n, *row_shape)] behind the last row of `dataset`."""
    n_before = len(dataset)
    dataset.resize(n_before + len(values), axis=0)
    dataset[n_before:] = values

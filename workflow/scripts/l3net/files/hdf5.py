"""HDF5 files that are written: datasets that grow row by row, on a disk that may be full."""

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike


class OutputFile(h5py.File):
    """A new HDF5 file, in which an error of the disk is an `OSError` and never the end of the process.

    HDF5 keeps a part of what it is given until the file is closed. Where that cannot be written then (full disk, quota,
    limit of file sizes), the library crashes, also when the same error was caught before. Here the file below HDF5
    notes the first error and takes all that comes after it without writing. `append_rows` and `close` raise it.

    Parameters
    ----------
    path : the file to make; one that is there is emptied.
    **settings : settings of `h5py.File`, such as ``libver``.

    Raises
    ------
    OSError
        The file cannot be made.
    """

    def __init__(self, path: Path | str, **settings: Any) -> None:
        self._below = _FileBelow(path)
        super().__init__(self._below, "w", **settings)

    def check_written(self) -> None:
        """Raise the `OSError` that kept something from being written, if there was one."""
        if (error := self._below.error) is not None:
            raise OSError(error.errno, error.strerror, self._below.path)

    def close(self) -> None:
        """Write what is still held, and close the file; then raise the error that kept something from being written."""
        if self.id.valid:
            try:
                super().close()
            finally:
                self._below.close()
        self.check_written()


class _FileBelow:
    """The file that HDF5 writes to: as h5py wants it, but after an error of the disk it drops what it is given."""

    def __init__(self, path: Path | str) -> None:
        self.path, self.error, self._place = str(path), None, 0
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        self._place = place + (os.fstat(self._descriptor).st_size if whence == os.SEEK_END else 0)
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, size: int) -> bytes:
        return os.pread(self._descriptor, size, self._place)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        n = os.preadv(self._descriptor, [view], self._place)
        view[n:] = bytes(len(view) - n)  # what was dropped
        return len(view)

    def write(self, data: Any) -> int:
        view, place = memoryview(data).cast("B"), self._place
        while self.error is None and view:
            try:
                n = os.pwrite(self._descriptor, view, place)
            except OSError as error:
                self.error = error
            else:
                view, place = view[n:], place + n
        return len(data)

    def truncate(self, size: int) -> None:
        if self.error is None:
            try:
                os.ftruncate(self._descriptor, size)
            except OSError as error:
                self.error = error

    def flush(self) -> None:
        pass  # nothing is held back here

    def close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            try:
                os.close(descriptor)
            except OSError as error:  # some file systems tell of a full disk here only
                self.error = self.error or error


class GrowingDataset(h5py.Dataset):
    """A dataset to which `append_rows` adds rows; it knows the file that it belongs to."""

    def __init__(self, dataset: h5py.Dataset, output: OutputFile | None) -> None:
        super().__init__(dataset.id)
        self.output = output


def growing_dataset(
    file: h5py.Group,
    name: str,
    row_shape: tuple[int, ...],
    dtype: DTypeLike,
    chunk_rows: int,
    *,
    checksums: bool = False,
) -> GrowingDataset:
    """Create an empty dataset to which `append_rows` adds rows.

    Parameters
    ----------
    file : file or group that gets the dataset.
    name : the dataset's path in `file`.
    row_shape : shape of one row; ``()`` where a row is one value.
    dtype : type of the values.
    chunk_rows : rows that HDF5 stores and reads together.
    checksums : whether each chunk has one, by which damage is an error when it is read.
    """
    made = file.create_dataset(
        name,
        (0, *row_shape),
        dtype,
        maxshape=(None, *row_shape),
        chunks=(chunk_rows, *row_shape),
        fletcher32=checksums,
        track_times=False,  # the same rows give the same bytes
    )
    return GrowingDataset(made, file if isinstance(file, OutputFile) else None)


def append_rows(dataset: h5py.Dataset, values: np.ndarray) -> None:
    """Write `values` [shape=(n, *row_shape)] behind the last row of `dataset`.

    Raises
    ------
    OSError
        The disk did not take them, or what was written before.
    """
    n_before = len(dataset)
    dataset.resize(n_before + len(values), axis=0)
    dataset[n_before:] = values
    if (output := getattr(dataset, "output", None)) is not None:
        output.check_written()

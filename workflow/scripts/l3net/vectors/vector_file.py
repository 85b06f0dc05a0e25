"""The vectors of one sound in a file that is written piece by piece: .npz, .h5 or .parquet.

Each file holds ``embedding`` float32 [n, d], ``timestamps`` float64 [n] in seconds, and ``metadata``, a JSON object. In
Parquet the columns are ``timestamp`` and ``embedding`` (lists of fixed length), and the schema holds the metadata.
"""

import json
import zipfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from l3net.errors import ClipError, ConfigError
from l3net.files import (
    OutputFile,
    append_rows,
    growing_dataset,
    open_foreign_hdf5,
    open_foreign_zip,
    read_npy_header,
    read_npz,
)

_KEY, _WHAT = "metadata", "a file of vectors"
_COPY_BYTES, _CHUNK_BYTES = 1 << 22, 1 << 20


class VectorWriter:
    """Take the pieces of one sound in order; as a context it completes the file, or abandons it after an error."""

    def append(self, vectors: np.ndarray, timestamps: np.ndarray) -> None:
        """Add vectors [n, d] and their times."""
        raise NotImplementedError

    def close(self) -> None:
        """Complete the file."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Close the file as it is; the caller, who made its temporary name, removes it."""
        self.close()

    def __enter__(self) -> "VectorWriter":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close() if kind is None else self.abandon()


class NpzWriter(VectorWriter):
    """Write the vectors beside the archive first: an array begins with its length, which is known at its end."""

    def __init__(self, path: Path, dimension: int, metadata: dict[str, Any]) -> None:
        self._path, self._dimension, self._metadata = path, dimension, metadata
        self._raw = path.with_suffix(".raw")
        self._file, self._times = self._raw.open("wb"), []

    def append(self, vectors: np.ndarray, timestamps: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(vectors, "<f4"))
        self._times.append(timestamps)

    def close(self) -> None:
        try:
            self._file.close()
            self._pack()
        finally:
            self._raw.unlink(missing_ok=True)

    def _pack(self) -> None:
        times = np.concatenate([np.zeros(0), *self._times])
        header = {"descr": "<f4", "fortran_order": False, "shape": (len(times), self._dimension)}
        with zipfile.ZipFile(self._path, "w") as archive:
            with archive.open("embedding.npy", "w", force_zip64=True) as member, open(self._raw, "rb") as raw:
                np.lib.format.write_array_header_1_0(member, header)
                while chunk := raw.read(_COPY_BYTES):
                    member.write(chunk)
            for name, values in (("timestamps", times), (_KEY, np.array(json.dumps(self._metadata)))):
                with archive.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, values)

    def abandon(self) -> None:
        try:
            self._file.close()
        finally:
            self._raw.unlink(missing_ok=True)


class Hdf5Writer(VectorWriter):
    """Write datasets that grow."""

    def __init__(self, path: Path, dimension: int, metadata: dict[str, Any]) -> None:
        self._file = OutputFile(path)
        self._file.attrs[_KEY] = json.dumps(metadata)
        rows = max(1, min(256, _CHUNK_BYTES // (4 * dimension)))
        self._vectors = growing_dataset(self._file, "embedding", (dimension,), "f4", rows, checksums=True)
        self._times = growing_dataset(self._file, "timestamps", (), "f8", 1024, checksums=True)

    def append(self, vectors: np.ndarray, timestamps: np.ndarray) -> None:
        append_rows(self._vectors, vectors)
        append_rows(self._times, timestamps)

    def close(self) -> None:
        self._file.close()


class ParquetWriter(VectorWriter):
    """Write each piece as a row group."""

    def __init__(self, path: Path, dimension: int, metadata: dict[str, Any]) -> None:
        import pyarrow
        from pyarrow import parquet

        self._arrow, self._dimension = pyarrow, dimension
        columns = [("timestamp", pyarrow.float64()), ("embedding", pyarrow.list_(pyarrow.float32(), dimension))]
        self._schema = pyarrow.schema(columns, metadata={_KEY: json.dumps(metadata)})
        self._file = path.open("wb")  # pyarrow opens no name that is not UTF-8
        self._writer = parquet.ParquetWriter(self._file, self._schema, compression="zstd", write_page_checksum=True)

    def append(self, vectors: np.ndarray, timestamps: np.ndarray) -> None:
        lists = self._arrow.FixedSizeListArray.from_arrays(
            self._arrow.array(np.ascontiguousarray(vectors).reshape(-1), self._arrow.float32()), self._dimension
        )
        self._writer.write_table(self._arrow.table([self._arrow.array(timestamps), lists], schema=self._schema))

    def close(self) -> None:
        with self._file:
            self._writer.close()


VECTOR_WRITERS = {".npz": NpzWriter, ".h5": Hdf5Writer, ".parquet": ParquetWriter}


def vector_writer(path: Path, dimension: int, metadata: dict[str, Any]) -> VectorWriter:
    """Open a file of vectors in the format that the suffix of `path` names.

    Raises
    ------
    ConfigError
        Another suffix.
    """
    if path.suffix not in VECTOR_WRITERS:
        raise ConfigError(f"{path}: unknown format {path.suffix!r}; expected one of {', '.join(VECTOR_WRITERS)}")
    return VECTOR_WRITERS[path.suffix](path, dimension, metadata)


def read_vector_metadata(path: Path) -> dict[str, Any]:
    """Read the metadata of a file of vectors; whatever is raised says that the file is damaged or another program's."""
    if path.suffix == ".npz":
        metadata = json.loads(str(read_npz(path, ClipError, _WHAT, (_KEY,))[_KEY]))
    elif path.suffix == ".h5":
        with open_foreign_hdf5(path, ClipError, _WHAT) as file:
            metadata = json.loads(file.attribute(_KEY))
    else:
        from pyarrow import parquet

        with path.open("rb") as file:
            metadata = json.loads(parquet.read_schema(file).metadata[_KEY.encode()])
    if not isinstance(metadata, dict):
        raise TypeError("its metadata are no JSON object")
    return metadata


def read_to_end(path: Path) -> int:
    """Read a file of vectors to its end, and return how many there are; whatever is raised says that it is damaged.

    All three formats have checksums of their data, which are compared.
    """
    if path.suffix == ".npz":
        with open_foreign_zip(path, ClipError, _WHAT) as archive:
            if (damaged := archive.testzip()) is not None:
                raise ValueError(f"the checksum of {damaged} is wrong")
            with archive.open("embedding.npy") as member:
                n_vectors = read_npy_header(member)[0][0]
        n_times = len(read_npz(path, ClipError, _WHAT, ("timestamps",))["timestamps"])
    elif path.suffix == ".h5":
        with open_foreign_hdf5(path, ClipError, _WHAT) as file:
            vectors, n_times = file.dataset("embedding"), len(file.array("timestamps"))
            n_vectors = sum(len(vectors[rows]) for rows in vectors.iter_chunks())
    else:
        from pyarrow import parquet

        with path.open("rb") as opened, parquet.ParquetFile(opened, page_checksum_verification=True) as file:
            n_vectors = n_times = sum(file.read_row_group(n).num_rows for n in range(file.num_row_groups))
    if n_vectors != n_times:
        raise ValueError(f"{n_vectors} vectors and {n_times} times")
    return n_vectors


def read_timestamps(path: Path) -> np.ndarray:
    """Read the times of a file of vectors; whatever is raised says that the file is damaged or another program's."""
    if path.suffix == ".npz":
        return read_npz(path, ClipError, _WHAT, ("timestamps",))["timestamps"]
    if path.suffix == ".h5":
        with open_foreign_hdf5(path, ClipError, _WHAT) as file:
            return file.array("timestamps")
    from pyarrow import parquet

    with path.open("rb") as file:
        return parquet.read_table(file, columns=["timestamp"])["timestamp"].to_numpy()

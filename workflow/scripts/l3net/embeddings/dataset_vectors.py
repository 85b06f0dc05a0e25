"""The embeddings of a data set in one HDF5 file."""

from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np

from l3net.embeddings.keras_metadata import FORMAT_VERSION
from l3net.errors import DatasetError

CLIP_COLUMNS = ("filename", "label", "fold", "group")

_CHUNK_BYTES = 1 << 20


class DatasetVectorsWriter:
    """Writes the embeddings of a data set, clip after clip, without holding them.

    Parameters
    ----------
    path : HDF5 file to make.
    dimension : length of a vector.
    clips : a table with the columns `CLIP_COLUMNS`, in the order in which the clips will come.
    attributes : attributes of the file.
    """

    def __init__(self, path: Path, dimension: int, clips: Any, attributes: dict[str, Any]) -> None:
        self._file = h5py.File(path, "w")
        rows = max(1, min(64, _CHUNK_BYTES // (4 * dimension)))
        self._vectors = self._file.create_dataset(
            "embedding", (0, dimension), "f4", chunks=(rows, dimension), maxshape=(None, dimension)
        )
        self._times = self._file.create_dataset("timestamps", (0,), "f8", chunks=(4096,), maxshape=(None,))
        self._offsets = [0]
        for column in CLIP_COLUMNS:
            self._file[f"clips/{column}"] = clips[column].astype(str).to_numpy().astype(h5py.string_dtype())
        self._n_clips = len(clips)
        self._file.attrs.update({"format_version": FORMAT_VERSION, **attributes})

    def append(self, vectors: np.ndarray, timestamps: np.ndarray) -> None:
        """Add vectors [n, dimension] and their times to the clip that is being written."""
        end = len(self._vectors) + len(vectors)
        self._vectors.resize(end, axis=0)
        self._times.resize(end, axis=0)
        self._vectors[end - len(vectors) :] = vectors
        self._times[end - len(vectors) :] = timestamps

    def end_clip(self) -> None:
        """Say that the clip is complete."""
        self._offsets.append(len(self._vectors))

    def __enter__(self) -> "DatasetVectorsWriter":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            if len(self._offsets) != self._n_clips + 1:
                raise DatasetError(f"{len(self._offsets) - 1} of {self._n_clips} clips were embedded")
            self._file["offsets"] = np.array(self._offsets, np.int64)
        self._file.close()

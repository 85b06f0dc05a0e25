"""The embeddings of a data set in one HDF5 file, which this module alone writes and reads.

The file holds ``embedding`` float32 [n_windows, n_dimensions], ``timestamps`` float64 [n_windows] in seconds,
``offsets`` int64 [n_clips + 1] (clip i has the rows ``offsets[i]`` to ``offsets[i + 1]``), and under ``clips`` the
columns `CLIP_COLUMNS`. Its attributes say where the vectors come from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np

from l3net.errors import DatasetError
from l3net.files import OutputFile, append_rows, growing_dataset, open_foreign_hdf5
from l3net.vectors.label_sets import are_label_sets, class_names

FORMAT_VERSION = 1
CLIP_COLUMNS = ("filename", "label", "fold", "group")

_CHUNK_BYTES = 1 << 20
_BLOCK_BYTES = 64 << 20


class DatasetVectorsWriter:
    """Write the embeddings of a data set, clip after clip, without holding them in memory.

    Parameters
    ----------
    path : HDF5 file to make.
    n_dimensions : length of a vector.
    clips : a table with the columns `CLIP_COLUMNS`, in the order in which the clips will come.
    attributes : attributes of the file.
    """

    def __init__(self, path: Path, n_dimensions: int, clips: Any, attributes: dict[str, Any]) -> None:
        self._file = OutputFile(path)
        rows = max(1, min(64, _CHUNK_BYTES // (4 * n_dimensions)))
        self._vectors = growing_dataset(self._file, "embedding", (n_dimensions,), "f4", rows)
        self._times = growing_dataset(self._file, "timestamps", (), "f8", 4096)
        self._offsets = [0]
        for column in CLIP_COLUMNS:
            self._file[f"clips/{column}"] = clips[column].astype(str).to_numpy().astype(h5py.string_dtype())
        self._n_clips = len(clips)
        self._file.attrs.update({"format_version": FORMAT_VERSION, **attributes})

    def append(self, vectors: np.ndarray, timestamps: np.ndarray) -> None:
        """Add vectors [n, n_dimensions] and their times [n] to the clip that is being written."""
        append_rows(self._vectors, vectors)
        append_rows(self._times, timestamps)

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


@dataclass(frozen=True)
class DatasetVectors:
    """An embedded data set: what its file says about the clips; the vectors stay on disk until they are asked for.

    Parameters
    ----------
    path : the HDF5 file.
    filename, label, fold, group : np.ndarray of str [shape=(n_clips,)]
        The columns of the data set's index, in the order of the clips.
    offsets : np.ndarray int64 [shape=(n_clips + 1,)]
        The first row of each clip, and behind the last clip the number of rows.
    n_dimensions : length of a vector.
    attributes : kind, front_end, subset, epoch, samples_seen, model_seed, dataset, embedding, ...
    """

    path: Path
    filename: np.ndarray
    label: np.ndarray
    fold: np.ndarray
    group: np.ndarray
    offsets: np.ndarray
    n_dimensions: int
    attributes: dict[str, Any]

    @property
    def classes(self) -> list[str]:
        """The labels in alphabetical order; likelihoods are in this order."""
        return class_names(self.label)

    @property
    def has_label_sets(self) -> bool:
        """Whether clips have sets of labels (`label_sets`) and not one label each."""
        return are_label_sets(self.label)

    @property
    def window_clip(self) -> np.ndarray:
        """The number of the clip that each window belongs to [shape=(n_windows,)]."""
        return np.repeat(np.arange(self.label.size), np.diff(self.offsets))

    def blocks(self, windows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the chosen windows in order, in blocks of at most 64 MB.

        Parameters
        ----------
        windows : np.ndarray of bool [shape=(n_windows,)]
            Which windows to read.

        Yields
        ------
        numbers : np.ndarray int64 [shape=(n,)]
        vectors : np.ndarray float32 [shape=(n, n_dimensions)]

        Raises
        ------
        DatasetError
            A vector is not finite; the message names its clip and time.
        """
        rows = max(1, _BLOCK_BYTES // (4 * self.n_dimensions))
        with h5py.File(self.path) as file:
            embedding = file["embedding"]
            for start in range(0, windows.size, rows):
                chosen = np.flatnonzero(windows[start : start + rows])
                if chosen.size:
                    block = embedding[start + chosen[0] : start + chosen[-1] + 1]
                    vectors = np.asarray(block[chosen - chosen[0]], np.float32)
                    self._check_finite(vectors, start + chosen, file)
                    yield start + chosen, vectors

    def clip_vectors(self, clips: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the vectors float32 [n_windows, n_dimensions] of each of the numbered clips."""
        with h5py.File(self.path) as file:
            for clip in clips:
                vectors = file["embedding"][self.offsets[clip] : self.offsets[clip + 1]]
                self._check_finite(vectors, self.offsets[clip] + np.arange(len(vectors)), file)
                yield vectors

    def _check_finite(self, vectors: np.ndarray, windows: np.ndarray, file: h5py.File) -> None:
        """Refuse vectors that are not finite numbers: standardised with others, one would spoil a whole fold."""
        if not (finite := np.isfinite(vectors).all(axis=1)).all():
            window = windows[finite.argmin()]
            name = self.filename[np.searchsorted(self.offsets, window, side="right") - 1]
            raise DatasetError(
                f"{self.path}: the vector of {name} at {file['timestamps'][window]:.2f} s holds values that are not "
                "finite numbers; embed the data set again (-R embed_dataset), which tells whose fault it is"
            )


def read_dataset_vectors(path: Path) -> DatasetVectors:
    """Read what the file of an embedded data set says about its clips; the vectors are not read yet.

    Raises
    ------
    DatasetError
        A file that embed_dataset did not write, offsets that do not fit the clips, or clips without windows.
    """
    with open_foreign_hdf5(path, DatasetError, "an embeddings file of embed_dataset") as file:
        columns = {name: np.array(file.texts(f"clips/{name}"), str) for name in CLIP_COLUMNS}
        offsets, shape = file.array("offsets"), file.dataset("embedding").shape
        if len(shape) != 2 or file.dataset("timestamps").shape != shape[:1]:
            raise DatasetError(
                f"{path}: vectors of shape {shape} and times of another number; embed the data set again"
            )
        attributes = {key: _plain(file.attribute(key)) for key in file.file.attrs}
    n_clips = columns["label"].size
    if offsets.size != n_clips + 1 or offsets[0] != 0 or offsets[-1] != shape[0]:
        raise DatasetError(f"{path}: offsets do not fit {n_clips} clips and {shape[0]} windows")
    if empty := columns["filename"][np.diff(offsets) < 1].tolist():
        raise DatasetError(f"{path}: {len(empty)} clips have no window, e.g. {empty[0]}")
    return DatasetVectors(path, **columns, offsets=offsets, n_dimensions=shape[1], attributes=attributes)


def _plain(value: Any) -> Any:
    """Return a number of Python for a number of numpy."""
    return value.item() if isinstance(value, np.generic) else value

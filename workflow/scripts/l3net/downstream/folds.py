"""What a fold trains, validates and tests on: windows of an embeddings file, standardised on training windows only.

An embeddings file (HDF5) holds ``embedding`` [n_windows, n_dimensions], ``offsets`` [n_clips + 1] and ``clips/``
filename, label, fold, group. A fold's windows are read in blocks into buffers that all folds share, so no more than one
fold's share is ever held.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from l3net.downstream.datasets import INDEX_COLUMNS, training_clips, validation_clips
from l3net.errors import DatasetError

_BLOCK_BYTES = 64 << 20
_ALIGNMENT_BYTES = 64


@dataclass(frozen=True)
class EmbeddedClips:
    """The clips of an embeddings file, without their embeddings."""

    path: Path
    filename: np.ndarray
    label: np.ndarray
    fold: np.ndarray
    group: np.ndarray
    offsets: np.ndarray
    n_dimensions: int
    attributes: dict

    @property
    def classes(self) -> list[str]:
        """The labels, sorted: the order of likelihoods."""
        return sorted(set(self.label))

    @property
    def window_clip(self) -> np.ndarray:
        """The clip of each window [shape=(n_windows,)]."""
        return np.repeat(np.arange(self.label.size), np.diff(self.offsets))


@dataclass(frozen=True)
class FoldWindows:
    """Which windows a fold trains and validates on, which clips it tests."""

    train: np.ndarray
    valid: np.ndarray
    test_clips: np.ndarray


def read_embedded_clips(path: Path) -> EmbeddedClips:
    """Read everything but the embeddings.

    Raises
    ------
    DatasetError
        A file that is no embeddings file, offsets that do not fit, clips without windows.
    """
    try:
        with h5py.File(path) as file:
            columns = {name: file[f"clips/{name}"].asstr()[:].astype(str) for name in INDEX_COLUMNS[1:]}
            offsets, shape = file["offsets"][:], file["embedding"].shape
            attributes = {key: _plain(value) for key, value in file.attrs.items()}
    except (OSError, KeyError) as error:
        raise DatasetError(f"{path}: not an embeddings file ({' '.join(str(error).split())})") from error
    if offsets.size != columns["label"].size + 1 or offsets[0] != 0 or offsets[-1] != shape[0]:
        raise DatasetError(f"{path}: offsets do not fit {columns['label'].size} clips and {shape[0]} windows")
    if empty := columns["filename"][np.diff(offsets) < 1].tolist():
        raise DatasetError(f"{path}: {len(empty)} clips have no window, e.g. {empty[0]}")
    return EmbeddedClips(path, **columns, offsets=offsets, n_dimensions=shape[1], attributes=attributes)


def fold_windows(
    clips: EmbeddedClips, test_fold: str, *, protocol: str, validation_share: float, seed: int
) -> FoldWindows:
    """Return the windows of a fold.

    Protocol ``paper`` validates on whole groups of clips, and trains on none that shares a group with a tested clip;
    ``published_code`` validates on windows drawn from the training clips, and trains on all of them.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    groups = None if protocol == "published_code" else clips.group
    training = training_clips(clips.fold, test_fold, groups)
    test_clips = np.flatnonzero(clips.fold == test_fold)
    window_clip = clips.window_clip
    if protocol == "published_code":
        candidates = np.flatnonzero(training[window_clip])
        valid = np.zeros(window_clip.size, bool)
        valid[rng.choice(candidates, round(validation_share * candidates.size), replace=False)] = True
    else:
        picked = np.zeros(training.size, bool)
        rows = np.flatnonzero(training)
        picked[rows] = validation_clips(clips.label[rows], clips.group[rows], validation_share, rng)
        valid = picked[window_clip]
    if not valid.any():
        raise DatasetError(
            f"{clips.path}: fold {test_fold} leaves no clip to validate on: every label has a single group; "
            "give the data set more recordings"
        )
    return FoldWindows(training[window_clip] & ~valid, valid, test_clips)


def window_blocks(clips: EmbeddedClips, windows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (window numbers, embeddings float32) of the windows of a mask, in order and in blocks of bounded size."""
    rows = max(1, _BLOCK_BYTES // (4 * clips.n_dimensions))
    with h5py.File(clips.path) as file:
        embedding = file["embedding"]
        for start in range(0, windows.size, rows):
            chosen = np.flatnonzero(windows[start : start + rows])
            if chosen.size:
                block = embedding[start + chosen[0] : start + chosen[-1] + 1]
                yield start + chosen, np.asarray(block[chosen - chosen[0]], np.float32)


def mean_and_deviation(clips: EmbeddedClips, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation [shape=(n_dimensions,)] of the windows of a mask; a constant dimension's is 1."""
    n, mean, squares = 0, np.zeros(clips.n_dimensions), np.zeros(clips.n_dimensions)
    for _, block in window_blocks(clips, windows):
        # Means and squared deviations of blocks are joined (Chan et al.): no large sums that cancel.
        mean_here = block.mean(axis=0, dtype=np.float64)
        squares_here = np.square(block - mean_here.astype(np.float32)).sum(axis=0, dtype=np.float64)
        step, total = mean_here - mean, n + len(block)
        squares += squares_here + np.square(step) * n * len(block) / total
        mean += step * len(block) / total
        n = total
    deviation = np.sqrt(squares / max(n, 1))
    deviation[deviation < 1e-12 * np.maximum(1, np.abs(mean))] = 1.0
    return mean.astype(np.float32), deviation.astype(np.float32)


def aligned_zeros(n: int, n_dimensions: int, kind: type) -> np.ndarray:
    """Return zeros [shape=(n, n_dimensions)] at an address that TensorFlow takes over without a copy."""
    size = n * n_dimensions * np.dtype(kind).itemsize
    whole = np.zeros(size + _ALIGNMENT_BYTES, np.uint8)
    start = -whole.ctypes.data % _ALIGNMENT_BYTES
    return whole[start : start + size].view(kind).reshape(n, n_dimensions)


def fill_standardised(
    clips: EmbeddedClips, windows: np.ndarray, mean: np.ndarray, deviation: np.ndarray, out: np.ndarray
) -> int:
    """Write the standardised windows of a mask to the head of `out`; return how many there are."""
    n = 0
    for _, block in window_blocks(clips, windows):
        out[n : n + len(block)] = (block - mean) / deviation
        n += len(block)
    out[n:] = 0
    return n


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value

"""Standardising windows by the mean and deviation of a fold's training windows, block by block as they are read.

A fold's windows go into buffers that all folds share, so no more than one fold's windows are held at a time.
"""

from dataclasses import dataclass

import numpy as np

from l3net.errors import DatasetError
from l3net.vectors import DatasetVectors


@dataclass(frozen=True)
class LabelledWindows:
    """Windows with their classes; the rows behind the first `n` are padding.

    Parameters
    ----------
    x : np.ndarray [shape=(n_rows, n_dimensions)]
    y : np.ndarray int32 [shape=(n_rows,)] ; numbers of the classes.
    n : windows that count.
    """

    x: np.ndarray
    y: np.ndarray
    n: int


@dataclass(frozen=True)
class Standardiser:
    """Takes vectors to mean 0 and deviation 1 in each dimension; `mean` and `deviation` are [shape=(n_dimensions,)]."""

    mean: np.ndarray
    deviation: np.ndarray

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Return the standardised vectors [shape=(n, n_dimensions)]."""
        return (vectors - self.mean) / self.deviation


def fit_standardiser(clips: DatasetVectors, windows: np.ndarray) -> Standardiser:
    """Measure mean and deviation over the windows of a mask; a constant dimension gets the deviation 1."""
    n, mean, squares = 0, np.zeros(clips.n_dimensions), np.zeros(clips.n_dimensions)
    for _, block in clips.blocks(windows):
        # The means and squared deviations of blocks are joined (Chan et al.), so that no large sums cancel.
        block_mean = block.mean(axis=0, dtype=np.float64)
        block_squares = np.square(block - block_mean.astype(np.float32)).sum(axis=0, dtype=np.float64)
        step, total = block_mean - mean, n + len(block)
        squares += block_squares + np.square(step) * n * len(block) / total
        mean += step * len(block) / total
        n = total
    deviation = np.sqrt(squares / max(n, 1))
    deviation[deviation < 1e-12 * np.maximum(1, np.abs(mean))] = 1.0
    return Standardiser(mean.astype(np.float32), deviation.astype(np.float32))


def fill_standardised(
    clips: DatasetVectors, windows: np.ndarray, standardiser: Standardiser, buffer: np.ndarray
) -> int:
    """Write the standardised windows of a mask to the first rows of `buffer` and zeros to the rest.

    Returns
    -------
    n : how many windows were written.
    """
    n = 0
    for _, block in clips.blocks(windows):
        buffer[n : n + len(block)] = standardiser(block)
        n += len(block)
    buffer[n:] = 0
    return n


def choose_precision(n_values: int, memory_megabytes: int) -> type[np.floating]:
    """Return float32 where so many values fit half the memory, else float16; the classifier needs the rest.

    Raises
    ------
    DatasetError
        In float16 too they need more than three quarters of the memory.
    """
    if n_values * 2 / 1e6 > 0.75 * memory_megabytes:
        raise DatasetError(
            f"a fold needs {n_values * 2 / 1e6:.0f} MB in float16, more than three quarters of "
            f"classify.memory_megabytes ({memory_megabytes}); raise it, or embed with a longer hop"
        )
    return np.float32 if n_values * 4 / 1e6 <= memory_megabytes / 2 else np.float16

"""The kernels of 3x3 convolutions as winograd.cpp takes them.

Conventions: kernels [shape=(3, 3, inputs, outputs)]; a panel is as many outputs as two registers of sums hold.
"""

import ml_dtypes
import numpy as np

from l3net.runtime import aligned_copy

MANY = 32  # channels from which tiles are worthwhile; winograd.cpp has the same number
BFLOAT16_LANES = 32  # channels in a register: two in the 32 bits of a sum
_FLOAT32_LANES = 16
_POINTS = (0.0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5))  # and infinity; winograd.cpp has the same points


def laid_out(kernel: np.ndarray, bias: np.ndarray, lanes: int) -> np.ndarray:
    """Return a kernel for registers of `lanes` channels, at the 36 points, panel by panel.

    Of fewer than `MANY` inputs it is a matrix that ends with the bias, in float32 whatever the lanes.
    """
    if kernel.shape[2] < MANY:
        lanes = min(lanes, _FLOAT32_LANES)
        return aligned_copy(_panels(_rows(kernel, bias, lanes), 2 * lanes), np.float32)
    if lanes == BFLOAT16_LANES:
        return aligned_copy(_pairs(_panels(_at_points(kernel), lanes)), ml_dtypes.bfloat16)
    return aligned_copy(_panels(_at_points(kernel), 2 * lanes), np.float32)


def _to_points() -> np.ndarray:
    """Return the matrix [6, 3] from a kernel's row to its values at the points, float64."""
    rows = []
    for point in _POINTS:
        others = [point - other for other in _POINTS if other != point]
        rows.append(np.array([1.0, point, point**2]) / np.prod(others))
    return np.array([*rows, [0.0, 0.0, 1.0]])


def _at_points(kernel: np.ndarray) -> np.ndarray:
    """Return `kernel` at the 36 points, float64 [36, inputs, outputs]."""
    matrix = _to_points()
    values = np.einsum("iy,jx,yxck->ijck", matrix, matrix, kernel.astype(np.float64), optimize=True)
    return values.reshape(-1, *kernel.shape[2:])


def _rows(kernel: np.ndarray, bias: np.ndarray, lanes: int) -> np.ndarray:
    """Return a kernel and its bias as one matrix [1, rows, outputs], with zeros up to a whole number of registers."""
    rows = np.concatenate([kernel.reshape(-1, kernel.shape[3]), bias[None]])
    return np.pad(rows, ((0, -len(rows) % lanes), (0, 0)))[None]


def _panels(matrices: np.ndarray, panel: int) -> np.ndarray:
    """Return `matrices` [n, rows, outputs] panel by panel [n, outputs / panel, rows, panel]."""
    n, rows, outputs = matrices.shape
    return matrices.reshape(n, rows, outputs // panel, panel).transpose(0, 2, 1, 3)


def _pairs(panels: np.ndarray) -> np.ndarray:
    """Return `panels` [n, k, rows, panel] with the values of two rows for one output beside each other."""
    n, k, rows, panel = panels.shape
    return panels.reshape(n, k, rows // 2, 2, panel).transpose(0, 1, 2, 4, 3)

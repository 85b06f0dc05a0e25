"""Chains of 3x3 convolutions in fewer products: Winograd's F(4x4, 3x3), compiled for this CPU.

A trained L3 subnetwork spends nearly all its time in 3x3 convolutions of many channels. Their direct form already runs
at a CPU's full rate; this form takes a quarter of its products. The code is winograd.cpp, an optional extension of the
package. Where it was not built or cannot run (no compiler, another kind of CPU), `available_lanes` returns nothing.

Products are of float32, or, on CPUs with AVX512_BF16, of values rounded to bfloat16, which takes half the time. Images
and sums are float32 in both.

Conventions: images float32 [shape=(height, width, channels)]; kernels [shape=(3, 3, inputs, outputs)]; convolutions of
stride 1, padded with zeros to keep the size. Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural
Networks", CVPR 2016.
"""

import ctypes
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from l3net.inference.winograd_kernels import BFLOAT16_LANES, MANY, laid_out
from l3net.runtime import aligned_copy, aligned_empty

_CACHED_KERNEL = 64 * 128  # pairs of channels whose kernel, at 36 points, stays in a cache of 1 MB
_log = logging.getLogger("l3net")


@dataclass(frozen=True)
class TileConvolution:
    """A convolution [3, 3, inputs, outputs], its bias [outputs], and what follows it.

    Parameters
    ----------
    relu : whether ReLU follows.
    pool : whether the maximum of each 2x2 pixels follows; an odd last row or column is left out.
    """

    kernel: np.ndarray
    bias: np.ndarray
    relu: bool = False
    pool: bool = False


class Chain:
    """Run convolutions one after the other. One thread computes one image, so images do not depend on one another.

    Parameters
    ----------
    threads : how many images are computed at a time; by default `available_threads`.
    lanes : channels of an image in a register, one of `available_lanes`; by default the most of float32.

    Raises
    ------
    ValueError
        Kernels that do not fit one another, or that `fits` refuses.
    """

    def __init__(self, convolutions: list[TileConvolution], *, threads: int | None = None, lanes: int | None = None):
        shapes = [convolution.kernel.shape for convolution in convolutions]
        if not all(map(fits, shapes)) or any(before[3] != after[2] for before, after in pairwise(shapes)):
            raise ValueError(f"kernels of shapes {shapes}; expected a chain of 3x3, channels in multiples of {MANY}")
        self._lanes = lanes or available_lanes()[0]
        self._layers = [_Layer(convolution, self._lanes) for convolution in convolutions]
        self.threads = threads or available_threads()
        self._pool = ThreadPoolExecutor(self.threads, "winograd")
        self._own = threading.local()  # each thread keeps its memory from image to image

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return the last convolution's outputs [n, height, width, outputs] of `images` [n, height, width, inputs]."""
        images = np.ascontiguousarray(images, np.float32)
        sizes = [images.shape[1:]]
        for layer in self._layers:
            sizes.append(layer.output_shape(sizes[-1]))
        outputs = aligned_empty((len(images), *sizes[-1]), np.float32)
        list(self._pool.map(self._run, images, outputs, [sizes] * len(images)))
        return outputs

    def _run(self, image: np.ndarray, output: np.ndarray, sizes: list[tuple[int, int, int]]) -> None:
        scratch, *between = self._memory(sizes)
        for n, (layer, size) in enumerate(zip(self._layers, sizes[1:], strict=True), start=1):
            target = output if n == len(self._layers) else between[n % 2][: np.prod(size)].reshape(size)
            layer.run(self._lanes, image, target, scratch)
            image = target

    def _memory(self, sizes: list[tuple[int, int, int]]) -> list[np.ndarray]:
        """Return this thread's scratch memory, and two arrays that hold what one layer leaves to the next."""
        wanted = [max(layer.scratch for layer in self._layers), *[max(map(np.prod, sizes[1:]))] * 2]
        kept = getattr(self._own, "memory", None)
        if kept is None or any(len(array) < size for array, size in zip(kept, wanted, strict=True)):
            kept = self._own.memory = [aligned_empty((size,), np.float32) for size in wanted]
        return kept


class _Layer:
    """Hold one convolution as winograd.cpp takes it."""

    def __init__(self, convolution: TileConvolution, lanes: int):
        _, _, self.inputs, self.outputs = convolution.kernel.shape
        self.pool = convolution.pool
        # A kernel that outgrows the cache is read again for each block of tiles, so larger blocks read it less often.
        tiles = 28 if self.inputs * self.outputs <= _CACHED_KERNEL else 56
        self.scratch = 36 * tiles * (self.inputs + self.outputs) + self.inputs
        self._kernel = laid_out(convolution.kernel, convolution.bias, lanes)
        self._bias = aligned_copy(convolution.bias, np.float32)
        self._parameters = _Parameters(
            self._kernel.ctypes.data,
            self._bias.ctypes.data,
            self.inputs,
            self.outputs,
            convolution.relu,
            self.pool,
            tiles,
        )

    def output_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        height, width, channels = shape
        if channels != self.inputs:
            raise ValueError(f"images of {channels} channels; expected {self.inputs}")
        return (height // 2, width // 2, self.outputs) if self.pool else (height, width, self.outputs)

    def run(self, lanes: int, image: np.ndarray, output: np.ndarray, scratch: np.ndarray) -> None:
        arrays = (output.ctypes.data, scratch.ctypes.data)
        _library().l3net_convolve(lanes, self._parameters, image.ctypes.data, *image.shape[:2], *arrays)


class _Parameters(ctypes.Structure):
    """One layer; winograd.cpp has the same structure and calls it `Layer`."""

    _fields_ = (
        ("kernel", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        *((name, ctypes.c_int) for name in ("n_inputs", "n_outputs", "relu", "pool", "n_tiles")),
    )


def fits(kernel_shape: tuple[int, ...]) -> bool:
    """Return whether a kernel of this shape can be used: 3x3, outputs a multiple of `MANY`, inputs too or fewer."""
    height, width, inputs, outputs = kernel_shape
    return height == width == 3 and outputs % MANY == 0 and (inputs % MANY == 0 or inputs < MANY)


def available_lanes(precision: str = "float32") -> tuple[int, ...]:
    """Return how many channels in `precision` a register of this CPU can hold, the most first.

    It returns () where the extension does not run, or not in bfloat16.
    """
    library = _library()
    if library is None:
        return ()
    if precision == "bfloat16":
        return (BFLOAT16_LANES,) if library.l3net_bfloat16_lanes() else ()
    return tuple(n for n in (16, 8) if n <= library.l3net_lanes())


def available_threads() -> int:
    """Return the number of threads that TensorFlow is set to, or else of the cores that this process may use."""
    n_threads = int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0)
    if n_threads:
        return n_threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _library() -> ctypes.CDLL | None:
    """Return the extension, or None. Python's other threads go on while a function of it runs."""
    built = next(iter(sorted(Path(__file__).parent.glob("_winograd*.so"))), None)
    if built is None:
        return None
    try:
        library = ctypes.CDLL(str(built))
    except OSError as error:
        _log.warning(
            "%s was built for another machine and is not used (install the package again to build it): %s", built, error
        )
        return None
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    library.l3net_convolve.argtypes = (
        integer,
        ctypes.POINTER(_Parameters),
        pointer,
        integer,
        integer,
        pointer,
        pointer,
    )
    library.l3net_convolve.restype = None
    return library

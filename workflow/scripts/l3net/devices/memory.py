"""A batch that is too large for a device's memory, told in one line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from l3net.errors import ConfigError


@contextmanager
def one_line_out_of_memory(key: str, size: int) -> Iterator[None]:
    """Turn what TensorFlow raises when a device has no memory left into a `ConfigError` of one line.

    Parameters
    ----------
    key : what says how large a batch is, such as ``train.batch_size``.
    size : its value.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        found = re.search(r"device:(GPU:\d+|CPU)", error.message)
        where = found[1] if found else "the GPU" if tf.config.list_physical_devices("GPU") else "the CPU"
        raise ConfigError(
            f"{key} {size} does not fit the memory of {where} ({_size(error.message)}); lower it (l3net doctor --gpu "
            "tells the largest batch of a training that fits), or end what else is on the device"
        ) from None


def _size(message: str) -> str:
    """Return what was asked for in vain, as TensorFlow (a shape) or XLA (bytes) tells it."""
    found = re.search(r"(shape\[[\d,]*\]( and type \w+)?)|allocate ([\d.]+ ?\w+)", message)
    return f"out of memory at {found[1] or found[3]}" if found else "out of memory"

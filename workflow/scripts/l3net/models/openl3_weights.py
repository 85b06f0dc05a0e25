"""Read the weights files of the package openl3 (Keras 2 HDF5) into our networks, and write ours as such files.

openl3 assigns weights to layers by their order in the network, whatever the layers' names. Our audio subnetwork up to
the embedding (batch norm; seven times convolution, batch norm; convolution) and our vision subnetwork have the same
order, so each file fits layer by layer. In older files spectrogram layers carry Fourier kernels and mel filters; these
are skipped, because our networks compute their front end themselves.
"""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from l3net.errors import WeightsError
from l3net.files import ForeignHdf5, OutputFile, atomic, open_foreign_hdf5
from l3net.models.finite_weights import check_finite_weights

_KERAS_VERSION = b"2.15.0"


class StoredLayer(NamedTuple):
    """A layer of a weights file: its name and its arrays, in Keras' order."""

    name: str
    arrays: list[np.ndarray]


def read_openl3_weights(network: keras.Model, path: Path) -> None:
    """Set the weights of `network`, an audio or vision embedding of width 1, to those of openl3's file.

    Raises
    ------
    WeightsError
        A file that cannot be read, or holds another network or numbers that are not finite; the message names the first
        layer that differs.
    """
    stored_layers = _read_layers(path)
    layers = _layers_with_weights(network)
    for number, (layer, stored) in enumerate(zip(layers, stored_layers, strict=False), start=1):
        found, expected = [array.shape for array in stored.arrays], [tuple(weight.shape) for weight in layer.weights]
        if found != expected:
            raise WeightsError(
                f"{path}: layer {number}, {stored.name}, has weights of shape {_text(found)}; {layer.name} here takes "
                f"{_text(expected)}; is it the file of another front end or of another network?"
            )
        for array in stored.arrays:
            check_finite_weights(path, f"layer {number}, {stored.name}", array)
    if len(stored_layers) != len(layers):
        raise WeightsError(f"{path}: {len(stored_layers)} layers with weights; {network.name} has {len(layers)}")
    for layer, stored in zip(layers, stored_layers, strict=True):
        layer.set_weights(stored.arrays)


def openl3_side(path: Path) -> str:
    """Return whose weights a file of openl3 holds, as its first convolution takes 1 or 3 channels: audio or vision.

    Raises
    ------
    WeightsError
        A file that cannot be read, or without a convolution of either kind.
    """
    kernels = (array for layer in _read_layers(path) for array in layer.arrays if array.ndim == 4)
    side = {1: "audio", 3: "vision"}.get(next(kernels, np.empty((0, 0, 0))).shape[2])
    if side is None:
        raise WeightsError(f"{path}: holds neither an audio nor a vision embedding of openl3")
    return side


def write_openl3_weights(network: keras.Model, path: Path, last_layer: str) -> None:
    """Write the weights of `network` as openl3's loaders read them.

    Parameters
    ----------
    last_layer : the name of the last layer in the file, ``audio_embedding_layer`` or ``vision_embedding_layer``.
    """
    layers = _layers_with_weights(network)
    names = [*(layer.name for layer in layers[:-1]), last_layer]
    with atomic.replacing(path) as temporary, OutputFile(temporary) as file:
        file.attrs.update({"backend": b"tensorflow", "keras_version": _KERAS_VERSION})
        file.attrs["layer_names"] = np.array(names, "S")
        for name, layer in zip(names, layers, strict=True):
            group = file.create_group(name)
            weights = [f"{name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = np.array(weights, "S")
            for weight, values in zip(weights, layer.get_weights(), strict=True):
                group[weight] = values.astype(np.float32)


def _layers_with_weights(network: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in network.layers if layer.weights]


def _read_layers(path: Path) -> list[StoredLayer]:
    """Return the layers of the file that have weights, without spectrogram layers."""
    with open_foreign_hdf5(path, WeightsError, "weights of openl3 (Keras 2 HDF5)") as file:
        root = "model_weights" if "model_weights" in file else ""
        layers = [
            StoredLayer(
                name,
                [file.array(f"{root}/{name}/{weight}") for weight in _names(file, "weight_names", f"{root}/{name}")],
            )
            for name in _names(file, "layer_names", root)
        ]
    return [layer for layer in layers if layer.arrays and "spectrogram" not in layer.name]


def _names(file: ForeignHdf5, attribute: str, group: str) -> list[str]:
    """Return the names that an attribute of a group lists."""
    names = file.attribute(attribute, group or "/")
    if names is None or np.ndim(names) != 1:
        raise WeightsError(f"{file.path}: {group or '/'} has no list {attribute}; expected weights of openl3")
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _text(shapes: list[tuple]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes)

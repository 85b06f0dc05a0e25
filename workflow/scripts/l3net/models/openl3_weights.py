"""The weights files of the package openl3 (Keras 2 HDF5): reading them into our networks, and writing ours as such.

openl3 loads by topology: the layers with weights, in the order of the network, whatever their names. Our audio
subnetwork up to the embedding's tap (batch norm; seven times convolution, batch norm; convolution) and our vision
subnetwork have the same order, so each file fits layer by layer. Spectrogram layers of older files carry Fourier
kernels and mel filters; these are passed over, the front end is part of the network here.
"""

from pathlib import Path

import h5py
import keras
import numpy as np

from l3net.errors import WeightsError
from l3net.runtime import atomic

Layers = list[tuple[str, list[np.ndarray]]]
_KERAS_VERSION = b"2.15.0"


def read_openl3_weights(network: keras.Model, path: Path) -> None:
    """Give `network` (audio or vision embedding, width 1) the weights of openl3's file.

    Raises
    ------
    WeightsError
        A file that cannot be read, or of another network; the first layer that differs is named.
    """
    given = _read_layers(path)
    wanted = _weighted(network)
    for number, (layer, found) in enumerate(zip(wanted, given, strict=False), start=1):
        name, arrays = found
        shapes, expected = [a.shape for a in arrays], [tuple(w.shape) for w in layer.weights]
        if shapes != expected:
            raise WeightsError(
                f"{path}: layer {number}, {name}, has weights of shape {_text(shapes)}; {layer.name} here takes "
                f"{_text(expected)}; is it the file of another front end or of another network?"
            )
    if len(given) != len(wanted):
        raise WeightsError(f"{path}: {len(given)} layers with weights; {network.name} has {len(wanted)}")
    for layer, (_, arrays) in zip(wanted, given, strict=True):
        layer.set_weights(arrays)


def write_openl3_weights(network: keras.Model, path: Path, last_name: str) -> None:
    """Write the weights of `network` as openl3's loaders read them.

    Parameters
    ----------
    last_name : name of the last layer in the file: ``audio_embedding_layer`` or ``vision_embedding_layer``.
    """
    layers = _weighted(network)
    names = [*(layer.name for layer in layers[:-1]), last_name]
    with atomic.replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update({"backend": b"tensorflow", "keras_version": _KERAS_VERSION})
        file.attrs["layer_names"] = np.array(names, "S")
        for name, layer in zip(names, layers, strict=True):
            group = file.create_group(name)
            weights = [f"{name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = np.array(weights, "S")
            for weight, values in zip(weights, layer.get_weights(), strict=True):
                group[weight] = values.astype(np.float32)


def _weighted(network: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in network.layers if layer.weights]


def _read_layers(path: Path) -> Layers:
    """Return (name, weights) of every layer of the file that has weights and is no spectrogram layer."""
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            names = [_name(name) for name in root.attrs["layer_names"]]
            found = [(name, [root[name][_name(w)][()] for w in root[name].attrs["weight_names"]]) for name in names]
    except (OSError, KeyError) as error:
        raise WeightsError(f"{path}: cannot be read as weights of openl3 (Keras 2 HDF5): {error}") from None
    return [(name, arrays) for name, arrays in found if arrays and "spectrogram" not in name]


def _name(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _text(shapes: list[tuple]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes)

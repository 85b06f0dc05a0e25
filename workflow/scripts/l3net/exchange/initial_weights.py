"""Give a new network the weights of trained ones: an embedding.keras, a vision.keras, a checkpoint, openl3's files.

The layers of all these have the names of our own network, or an order that leads to them. A layer that a file holds
must fit as it is: a network that is partly another's would give vectors that are nobody's. Layers that no file holds
keep the weights drawn from the seed, and the log names them.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from l3net import embeddings, models, training
from l3net.configuration import SUBNETWORK_LAYER
from l3net.errors import WeightsError
from l3net.files import open_foreign_hdf5

Layers = dict[str, list[np.ndarray]]
_SOUND = ("front_end", "version", "hop_length")  # what the vectors of a sound depend on beside the weights
_WANTED = "weights to start from: an embedding.keras, a vision.keras, a checkpoint, or openl3's .h5"
_MOST_NAMED = 5  # layers in a message
_log = logging.getLogger("l3net")


def give_initial_weights(model: Any, network: dict[str, Any], files: Sequence[Path]) -> None:
    """Set the layers of `model` that `files` hold.

    Parameters
    ----------
    model : a network as `models.build_l3` makes it.
    network : the arguments it was made with.
    files : each an embedding.keras or vision.keras, a checkpoint (of which the epoch's own weights are taken), or a
        weights file of openl3 for sound or for images.

    Raises
    ------
    WeightsError
        A file that cannot be read or is none of these; layers that do not fit, by name; a spectrogram other than the
        network's; two files that hold the same layer.
    """
    given: dict[str, Path] = {}
    ours = {layer.name: layer for layer in model.layers if layer.weights}
    for path in files:
        stored = _read_layers(Path(path), network)
        if twice := [name for name in stored if name in given]:
            raise WeightsError(f"{path}: holds {_some(twice)}, which {given[twice[0]]} holds too; name one of them")
        kept = {name: arrays for name, arrays in stored.items() if _has_place(arrays, name, ours)}
        _check_fit(path, kept, ours)
        for name, arrays in kept.items():
            ours[name].set_weights(arrays)
        given |= dict.fromkeys(kept, Path(path))
        _log.info("%d layers start with the weights of %s", len(kept), path)
        if left := sorted(set(stored) - set(kept)):
            _log.info("%s: %s have no place in this network", path, _some(left, most=len(left)))
    anew = [name for name in ours if name not in given]
    _log.info("layers that start anew: %s", ", ".join(anew) or "none")


def _read_layers(path: Path, network: dict[str, Any]) -> Layers:
    """Return the layers of a file by our names, after a look at whether they go with the network's spectrogram."""
    if path.suffix == ".keras":
        owner, about = embeddings.load_network(path)
        if about["kind"] == "l3":
            names = {"version": "front_end_version"}
            _check_sound(path, {key: about.get(names.get(key, key)) for key in _SOUND}, network)
        return _layers_of(owner)
    if _is_checkpoint(path):
        owner, about = training.load_l3(path, best=False)
        defaults = {"version": "training", "hop_length": models.HOP_LENGTH}
        _check_sound(path, {key: about["network"].get(key, defaults.get(key)) for key in _SOUND}, network)
        return _layers_of(owner)
    return _read_openl3(path, network)


def _read_openl3(path: Path, network: dict[str, Any]) -> Layers:
    side = models.openl3_side(path)
    front_end = network["front_end"]
    if side == "audio":
        # openl3's files do not say their spectrogram; the names that they are published under do.
        named = [name for name in models.FRONT_ENDS if name in path.stem.split("_")]
        found = {"front_end": (named or [front_end])[0], "version": "openl3", "hop_length": models.HOP_LENGTH}
        _check_sound(path, found, network)
    owner = models.build_l3(front_end, image_size=network["image_size"], version="openl3")
    half = models.embedding_network(owner) if side == "audio" else models.vision_embedding_network(owner)
    models.read_openl3_weights(half, path)
    return _layers_of(half)


def _is_checkpoint(path: Path) -> bool:
    with open_foreign_hdf5(path, WeightsError, _WANTED) as file:
        return file.attribute("format_version") is not None


def _layers_of(owner: Any) -> Layers:
    return {layer.name: layer.get_weights() for layer in owner.layers if layer.weights}


def _check_sound(path: Path, found: dict[str, Any], network: dict[str, Any]) -> None:
    """Check the spectrogram: the same weights behind another one give other vectors, though every layer fits."""
    keys = {"front_end": "models.front_ends", "version": "front_end.version", "hop_length": "front_end.hop_length"}
    wanted = {"version": "training", "hop_length": models.HOP_LENGTH, **network}
    for key, value in found.items():
        if value is not None and value != wanted[key]:
            raise WeightsError(
                f"{path}: was trained with {keys[key]} {value}, the model has {wanted[key]}; set {keys[key]} so, or "
                "start from weights of that spectrogram"
            )


def _has_place(arrays: list[np.ndarray], name: str, ours: dict[str, Any]) -> bool:
    """Return whether a layer is one of ours; the head of another objective is another, though a name be the same."""
    inside = SUBNETWORK_LAYER.fullmatch(name) is not None
    return name in ours and (inside or _shapes(arrays) == _shapes(ours[name].weights))


def _check_fit(path: Path, stored: Layers, ours: dict[str, Any]) -> None:
    """Check the shapes of all layers that a file shares with the network, and name those that do not fit."""
    if not stored:
        raise WeightsError(f"{path}: holds no layer of this network; it has {_some(list(ours))}")
    unfit = []
    for name, arrays in stored.items():
        found, expected = _shapes(arrays), _shapes(ours[name].weights)
        if found != expected:
            unfit.append(f"{name} ({_shape(found)}; expected {_shape(expected)})")
    if unfit:
        raise WeightsError(f"{path}: does not fit the network in {_some(unfit, most=3)}; is network.width the same?")


def _shapes(arrays: Sequence[Any]) -> list[tuple]:
    return [tuple(array.shape) for array in arrays]


def _shape(shapes: list[tuple]) -> str:
    return "x".join(map(str, shapes[0])) if shapes else "no weights"


def _some(names: Sequence[str], most: int = _MOST_NAMED) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")

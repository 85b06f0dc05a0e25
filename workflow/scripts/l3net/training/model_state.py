"""From a checkpoint to a network that works, and from live variables to what a checkpoint holds."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from l3net.configuration import layers_of_part
from l3net.errors import ConfigError, WeightsError
from l3net.files import foreign
from l3net.models import build_l3, check_finite_weights
from l3net.training.checkpoint import Arrays, best_checkpoint, read_checkpoint

# What users of a model ask its metadata for; a state that was saved within the first epoch has not all of it.
_OF_A_MODEL = ("front_end", "front_end_version", "hop_length", "image_size", "subset", "seed", "epoch", "samples_seen")


def load_l3(path: Path, *, best: bool = True) -> tuple[keras.Model, dict[str, Any]]:
    """Build the network of a checkpoint in float32 with its weights; return it with the checkpoint's metadata.

    Parameters
    ----------
    path : HDF5 file (`checkpoint`).
    best : True takes the weights of the best epoch so far (the only ones of a ``best.h5``), False those of the last.

    Raises
    ------
    WeightsError
        The file is no checkpoint, or its weights do not fit its own description, or are not finite numbers.
    """
    checkpoint = read_checkpoint(path)
    if missing := [name for name in _OF_A_MODEL if name not in checkpoint.metadata]:
        raise WeightsError(f"{path}: its metadata have no {', '.join(missing)}; expected a checkpoint of whole epochs")
    if best and checkpoint.best:
        checkpoint = best_checkpoint(checkpoint)
    plain = {"spec_augment": False, "synchronised_batch_norm": False, "precision": "float32"}
    with foreign(path, WeightsError, "a checkpoint of a network of ours"):
        model = build_l3(**{**checkpoint.metadata["network"], **plain})
    restore_variables(model.variables, checkpoint.weights, path)
    return model, checkpoint.metadata


def freeze_parts(model: keras.Model, parts: Iterable[str]) -> None:
    """Keep parts of a network as they are: their weights get no update, and their batch norms keep their statistics.

    Parameters
    ----------
    parts : as `configuration.layers_of_part` takes them.

    Raises
    ------
    ConfigError
        A part of which the network has no layer, or parts that leave nothing to train.
    """
    trained = {layer.name: layer for layer in model.layers if layer.weights}
    for part in parts:
        if not (chosen := layers_of_part(part, trained)):
            names = ", ".join(name for name in trained if not name.startswith(("audio_", "vision_")))
            raise ConfigError(
                f"train.freeze has {part!r}, and no layer is called so; expected audio, vision, fusion, or the "
                f"beginning of a name: audio_conv_1_1 to audio_norm_4_2, vision_conv_1_1 to vision_norm_4_2, {names}"
            )
        for name in chosen:
            trained[name].trainable = False
    if not model.trainable_variables:
        raise ConfigError(f"train.freeze is {', '.join(parts)}, which leaves nothing to train; keep fewer parts")


def capture_variables(variables: Iterable[keras.Variable]) -> Arrays:
    """Copy the values of variables; return them by the variables' paths."""
    return {variable.path: np.asarray(variable) for variable in variables}


def restore_variables(
    variables: Iterable[keras.Variable], arrays: Arrays, source: Path | str, *, finite: bool = True
) -> None:
    """Give variables the values that `capture_variables` returned.

    Parameters
    ----------
    source : where the values come from, for the message.
    finite : whether to refuse values that are not finite numbers.

    Raises
    ------
    WeightsError
        The values are of other variables, have other shapes, or are not finite.
    """
    variables = list(variables)
    names = {variable.path for variable in variables}
    if unlike := sorted(names ^ set(arrays)):
        raise WeightsError(
            f"{source}: does not fit the network, which has {len(names)} variables, the file {len(arrays)}; "
            f"the first that differs is {unlike[0]}; was it made with another configuration?"
        )
    for variable in variables:
        if tuple(variable.shape) != arrays[variable.path].shape:
            found, expected = arrays[variable.path].shape, tuple(variable.shape)
            raise WeightsError(f"{source}: {variable.path} has shape {found}, expected {expected}")
        if finite:
            check_finite_weights(source, variable.path, arrays[variable.path])
        variable.assign(arrays[variable.path])

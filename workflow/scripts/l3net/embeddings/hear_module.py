"""Anyone's embedding: an installed module with the HEAR 2021 API, on TensorFlow, PyTorch or numpy.

Source: Turian et al., "HEAR: Holistic Evaluation of Audio Representations", 2022: ``load_model(path)`` returns a model
with ``sample_rate``, ``scene_embedding_size`` and ``timestamp_embedding_size``; ``get_timestamp_embeddings`` and
``get_scene_embeddings`` take sounds [n_sounds, n_samples] in [-1, 1] and the model; timestamps are in ms.
"""

import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import tensorflow as tf

from l3net.embeddings.interface import SoundEmbedding
from l3net.errors import ConfigError, WeightsError

VECTORS = ("timestamps", "scene")
_FUNCTIONS = ("load_model", "get_timestamp_embeddings", "get_scene_embeddings")
_STRETCH_SECONDS = 60.0


def load_hear_module(module_name: str, weights: Path | None = None, vectors: str = "timestamps") -> SoundEmbedding:
    """Return a HEAR module as an embedding.

    Parameters
    ----------
    module_name : what ``import`` takes.
    weights : the file that its ``load_model`` is given; None: it is called without one.
    vectors : ``timestamps``: its vectors over time; ``scene``: one vector for each sound. Sounds are heard in stretches
        of 60 s, so that memory is bounded; a longer sound has a scene vector for each.

    Raises
    ------
    ConfigError
        A module that cannot be imported, lacks a function, or whose model lacks an attribute.
    WeightsError
        What its own ``load_model`` fails with.
    """
    if vectors not in VECTORS:
        raise ConfigError(f"embeddings: kind hear: vectors is {vectors!r}; expected one of {', '.join(VECTORS)}")
    module = _import(module_name)
    try:
        model = module.load_model(str(weights)) if weights else module.load_model()
    except Exception as error:  # foreign code fails in its own ways
        raise WeightsError(f"{module_name}.load_model fails: {type(error).__name__}: {error}") from error
    size = f"{vectors.removesuffix('s')}_embedding_size"
    if missing := [name for name in ("sample_rate", size) if not hasattr(model, name)]:
        raise ConfigError(f"the model of {module_name} has no {', '.join(missing)}, which the HEAR API asks for")
    rate = int(model.sample_rate)

    def stretches(blocks: Iterable[np.ndarray], hop_seconds: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start, sound in _joined(blocks, int(_STRETCH_SECONDS * rate)):
            found, milliseconds = _call(module, model, vectors, sound)
            yield found, milliseconds / 1000.0 + start / rate

    return SoundEmbedding(stretches, int(getattr(model, size)), rate, {"module": module_name, "vectors": vectors})


def _import(name: str) -> ModuleType:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"embeddings: module {name!r} cannot be imported ({error}); is it installed here?") from None
    if missing := [function for function in _FUNCTIONS if not hasattr(module, function)]:
        raise ConfigError(f"embeddings: module {name!r} has no {', '.join(missing)}; it is no HEAR 2021 module")
    return module


def _call(module: ModuleType, model: Any, vectors: str, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors [n, d] and milliseconds [n] of one sound."""
    given = _tensor_for(model, sound[None])
    if vectors == "scene":
        return _array(module.get_scene_embeddings(given, model)), np.zeros(1)
    found, times = module.get_timestamp_embeddings(given, model)
    return _array(found)[0], _array(times)[0].astype(np.float64)


def _tensor_for(model: Any, audio: np.ndarray) -> Any:
    """Return `audio` in the kind of array that the model's library uses."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        device = next((parameter.device for parameter in model.parameters()), "cpu")
        return torch.from_numpy(audio).to(device)
    return tf.convert_to_tensor(audio) if isinstance(model, tf.Module) else audio


def _array(values: Any) -> np.ndarray:
    values = values.detach().cpu() if hasattr(values, "detach") else values
    return np.asarray(values, np.float32)


def _joined(blocks: Iterable[np.ndarray], length: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first sample, stretch): `length` samples each, the last with what is left, up to twice as long."""
    held, start = np.zeros(0, np.float32), 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= 2 * length:
            yield start, held[:length]
            held, start = held[length:], start + length
    if len(held):
        yield start, held

"""Somebody else's embedding: an installed module with the HEAR 2021 API, on TensorFlow, PyTorch or numpy.

Source: Turian et al., "HEAR: Holistic Evaluation of Audio Representations", 2022: ``load_model(path)`` returns a model
with ``sample_rate``, ``scene_embedding_size`` and ``timestamp_embedding_size``; ``get_timestamp_embeddings`` and
``get_scene_embeddings`` take sounds [n_sounds, n_samples] in [-1, 1] and the model; timestamps are in milliseconds.
"""

import contextlib
import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from l3net.embeddings.interface import SoundEmbedding
from l3net.errors import ClipError, ConfigError, WeightsError

VECTORS = ("timestamps", "scene")
_FUNCTIONS = ("load_model", "get_timestamp_embeddings", "get_scene_embeddings")
_STRETCH_SECONDS = 60.0


def load_hear_module(files: list[Path], *, module: str, vectors: str = "timestamps") -> SoundEmbedding:
    """Load a HEAR module as an embedding (kind ``hear``).

    Parameters
    ----------
    files : the file that its ``load_model`` is called with, or none.
    module : the module's name, as ``import`` takes it.
    vectors : ``timestamps`` takes its vectors over time, ``scene`` one vector for each sound. The module is given a
        sound in stretches of 60 s, so that memory is bounded; a longer sound has a scene vector for each of them.

    Raises
    ------
    ConfigError
        A module that cannot be imported, lacks a function, or whose model lacks an attribute.
    WeightsError
        What its own ``load_model`` fails with.
    """
    if vectors not in VECTORS:
        raise ConfigError(f"embeddings: kind hear: vectors is {vectors!r}; expected one of {', '.join(VECTORS)}")
    hear = _import(module)
    try:
        model = hear.load_model(*map(str, files))
    except Exception as error:  # foreign code fails in its own ways
        raise WeightsError(f"{module}.load_model fails: {type(error).__name__}: {error}") from error
    size = f"{vectors.removesuffix('s')}_embedding_size"
    if missing := [name for name in ("sample_rate", size) if not hasattr(model, name)]:
        raise ConfigError(f"the model of {module} has no {', '.join(missing)}, which the HEAR API asks for")
    rate, dimension = (_whole(model, name, module) for name in ("sample_rate", size))

    def stretches(blocks: Iterable[np.ndarray], hop_seconds: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start, sound in _stretches(blocks, int(_STRETCH_SECONDS * rate)):
            found, milliseconds = _call(hear, model, vectors, sound)
            _check_answer(found, milliseconds, dimension, module)
            yield found, milliseconds / 1000.0 + start / rate

    return SoundEmbedding(stretches, dimension, rate, {"module": module, "vectors": vectors})


def _import(name: str) -> ModuleType:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"embeddings: module {name!r} cannot be imported ({error}); is it installed here?") from None
    except Exception as error:  # foreign code fails in its own ways
        raise ConfigError(
            f"embeddings: module {name!r} cannot be imported ({type(error).__name__}: {error})"
        ) from error
    if missing := [function for function in _FUNCTIONS if not hasattr(module, function)]:
        raise ConfigError(f"embeddings: module {name!r} has no {', '.join(missing)}; it is no HEAR 2021 module")
    return module


def _whole(model: Any, name: str, module: str) -> int:
    """Return an attribute of the model that is a whole number above zero."""
    value = getattr(model, name)
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        if value == int(value) and value > 0:
            return int(value)
    raise ConfigError(f"the model of {module} has {name} {value!r}; expected a whole number above zero")


def _call(module: ModuleType, model: Any, vectors: str, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors [n, d] and their times [n] in milliseconds of one sound, as the module gives them."""
    audio = _tensor_for(model, sound[None])
    try:
        if vectors == "scene":
            return _array(module.get_scene_embeddings(audio, model)), np.zeros(1)
        found, milliseconds = module.get_timestamp_embeddings(audio, model)
        return _array(found)[0], _array(milliseconds)[0].astype(np.float64)
    except Exception as error:
        raise ClipError(f"module {module.__name__} fails: {type(error).__name__}: {error}") from error


def _check_answer(vectors: np.ndarray, times: np.ndarray, dimension: int, module: str) -> None:
    """Refuse what is not a vector of the model's size for each of ascending times."""
    if vectors.ndim != 2 or vectors.shape[1] != dimension or times.shape != (len(vectors),):
        shapes = f"vectors {(1, *vectors.shape)} at times {(1, *times.shape)}"
        raise WeightsError(f"module {module} gives {shapes} for a sound; expected (1, n, {dimension}) and (1, n)")
    if not len(vectors):
        raise ClipError(f"module {module} gives no vector for this sound; is it too short for it?")
    if not (np.isfinite(times).all() and (np.diff(times) >= 0).all()):
        raise WeightsError(f"module {module} gives times that are not finite or do not ascend; expected milliseconds")


def _tensor_for(model: Any, audio: np.ndarray) -> Any:
    """Return `audio` as the kind of array that the model's library uses; a model's library has been imported by it."""
    torch, tensorflow = sys.modules.get("torch"), sys.modules.get("tensorflow")
    if torch is not None and isinstance(model, torch.nn.Module):
        device = next((parameter.device for parameter in model.parameters()), "cpu")
        return torch.from_numpy(audio).to(device)
    if tensorflow is not None and isinstance(model, tensorflow.Module):
        return tensorflow.convert_to_tensor(audio)
    return audio


def _array(values: Any) -> np.ndarray:
    values = values.detach().cpu() if hasattr(values, "detach") else values
    return np.asarray(values, np.float32)


def _stretches(blocks: Iterable[np.ndarray], length: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first sample, stretch) of `length` samples each; the last one has what is left, up to twice as much."""
    held, start = np.zeros(0, np.float32), 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= 2 * length:
            yield start, held[:length]
            held, start = held[length:], start + length
    if len(held):
        yield start, held

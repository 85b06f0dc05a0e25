"""Embeddings of our own: an embedding.keras as a callable, and the embedding of sound that is an array.

Conventions: windows of 1 s at 48 kHz, float32 in [-1, 1); times in seconds.
"""

from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np

from l3net.embeddings.interface import Embedding, WindowEmbedding
from l3net.embeddings.keras_metadata import read_keras_metadata
from l3net.errors import WeightsError
from l3net.inference import prepare_for_inference
from l3net.media import SAMPLE_RATE, audio_from_array
from l3net.models import spectrogram  # noqa: F401 (registers the layers that stand in the files)

WINDOW = SAMPLE_RATE  # samples; one second


def embed(
    audio: np.ndarray | list[np.ndarray],
    sample_rate: int,
    *,
    model: Path | str | Embedding,
    hop_seconds: float = 0.1,
    center: bool = False,
    batch_size: int = 32,
    precision: str = "float32",
) -> tuple[np.ndarray, np.ndarray] | tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the embedding of a sound, or of each of a list of sounds.

    Parameters
    ----------
    audio : np.ndarray [shape=(n,) or (n, channels)]
        Floating point in [-1, 1], or integers; a list of such arrays shares the batches of the network.
    sample_rate : Hz; resampled to what the model takes.
    model : an embedding.keras, or what `load` returned. A file is loaded once and kept.
    hop_seconds : from one window to the next.
    center : whether a timestamp is the centre of its window or its start.
    batch_size : windows at a time.
    precision : where `model` is a file; ``bfloat16`` is faster on CPUs with instructions for it, and less exact.

    Returns
    -------
    embeddings : np.ndarray float32 [shape=(n_windows, d)], or a list of them
    timestamps : np.ndarray float64 [shape=(n_windows,)] in seconds, or a list of them

    Raises
    ------
    ClipError
        Sound of another shape or type, without samples, or with samples that are no finite numbers.
    ConfigError
        A hop that is not above zero or longer than a window; an unknown precision.
    WeightsError
        A model that cannot be loaded.
    """
    named = _of_file(Path(model), precision) if isinstance(model, str | Path) else model
    given = audio if isinstance(audio, list) else [audio]
    sounds = ((n, [audio_from_array(array, sample_rate, named.sample_rate)]) for n, array in enumerate(given))
    vectors, times = [[] for _ in given], [[] for _ in given]
    for piece in named.embed(sounds, hop_seconds=hop_seconds, center=center, batch_size=batch_size):
        if piece.error is not None:
            raise piece.error
        vectors[piece.key].append(piece.vectors)
        times[piece.key].append(piece.timestamps)
    every = [np.concatenate(own) for own in vectors], [np.concatenate(own) for own in times]
    return every if isinstance(audio, list) else (every[0][0], every[1][0])


def _of_file(path: Path, precision: str) -> WindowEmbedding:
    try:
        return _kept(path.resolve(), path.stat().st_mtime_ns, precision)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from None


@cache
def _kept(path: Path, modified: int, precision: str) -> WindowEmbedding:
    return load_keras_embedding(path, precision)


def load_keras_embedding(path: Path, precision: str = "float32") -> WindowEmbedding:
    """Return the embedding of an embedding.keras; errors as `load_network`, and a vision embedding is refused."""
    model, about = load_network(path)
    if about["kind"] != "l3":
        raise WeightsError(f"{path}: is of kind {about['kind']}; expected one of sound, an embedding.keras")
    return embedding_of_model(model, about, precision)


def load_network(path: Path) -> tuple[keras.Model, dict[str, Any]]:
    """Return the network of an embedding.keras or vision.keras, and its metadata.

    Raises
    ------
    WeightsError
        A file that extract_embedding did not make, or that is damaged.
    """
    about = read_keras_metadata(path)
    try:
        return keras.saving.load_model(path, compile=False), about
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WeightsError(f"{path}: cannot be loaded: {str(error).splitlines()[0]}") from None


def embedding_of_model(model: keras.Model, about: dict[str, Any], precision: str = "float32") -> WindowEmbedding:
    """Return a Keras model, sound [batch, 48000] -> [batch, d], as an embedding, for batches of any size.

    Raises
    ------
    ConfigError
        An unknown precision (`inference.PRECISIONS`).
    """
    origin = about if precision == "float32" else {**about, "precision": precision}
    network = prepare_for_inference(model, precision)
    return WindowEmbedding(network, model.output_shape[-1], SAMPLE_RATE, WINDOW, dict(origin))

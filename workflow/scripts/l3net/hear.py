"""An embedding.keras as a HEAR 2021 module: ``load_model``, ``get_timestamp_embeddings``, ``get_scene_embeddings``.

Source: Turian et al., "HEAR: Holistic Evaluation of Audio Representations", 2022, common API. Sounds are float32
[n_sounds, n_samples] at 48 kHz, all of one length; timestamps are the centres of windows, in milliseconds.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from l3net.embeddings import WindowEmbedding, embed, load_keras_embedding
from l3net.errors import ConfigError

TIMESTAMP_HOP_SECONDS = 0.05  # the API suggests 50 ms or less
SCENE_HOP_SECONDS = 0.1
_BATCH_SIZE = 32


class Model(tf.Module):
    """Hold what the API asks of a model, its sample rate and the sizes of its vectors, and the embedding itself."""

    def __init__(self, embedding: WindowEmbedding) -> None:
        super().__init__(name="l3net")
        self.sample_rate = embedding.sample_rate
        self.scene_embedding_size = self.timestamp_embedding_size = int(embedding.dimension)
        self._embedding = embedding

    def vectors(self, audio: Any, hop_seconds: float, center: bool) -> tuple[np.ndarray, np.ndarray]:
        """Embed `audio` [n_sounds, n_samples]; return vectors [n_sounds, n, d] and their times [n] in seconds."""
        sounds = np.asarray(audio, np.float32)
        if sounds.ndim != 2 or not sounds.size:
            raise ConfigError(f"audio has shape {sounds.shape}; the HEAR API gives (n_sounds, n_samples)")
        options = {"hop_seconds": hop_seconds, "center": center, "batch_size": _BATCH_SIZE}
        all_vectors, all_times = embed(list(sounds), self.sample_rate, model=self._embedding, **options)
        return np.stack(all_vectors), all_times[0]


def load_model(model_file_path: str = "") -> Model:
    """Load an embedding.keras; without a path, the file that the environment variable L3NET_MODEL names.

    Raises
    ------
    ConfigError
        Neither a path nor the variable is given.
    WeightsError
        A file that is no embedding of sound.
    """
    path = model_file_path or os.environ.get("L3NET_MODEL", "")
    if not path:
        raise ConfigError("l3net.hear: give load_model the path of an embedding.keras, or set L3NET_MODEL to it")
    return Model(load_keras_embedding(Path(path)))


def get_timestamp_embeddings(
    audio: Any, model: Model, hop_seconds: float = TIMESTAMP_HOP_SECONDS
) -> tuple[tf.Tensor, tf.Tensor]:
    """Compute vectors [n_sounds, n, d] and the centres of their windows [n_sounds, n] in milliseconds."""
    vectors, times = model.vectors(audio, hop_seconds, center=True)
    milliseconds = np.tile(times * 1000.0, (len(vectors), 1))
    return tf.convert_to_tensor(vectors), tf.convert_to_tensor(milliseconds.astype(np.float32))


def get_scene_embeddings(audio: Any, model: Model) -> tf.Tensor:
    """Compute one vector for each sound [n_sounds, d], the mean over its windows."""
    vectors, _ = model.vectors(audio, SCENE_HOP_SECONDS, center=False)
    return tf.convert_to_tensor(vectors.mean(axis=1))

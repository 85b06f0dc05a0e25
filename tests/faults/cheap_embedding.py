"""An embedding of the HEAR 2021 API that costs nothing: the loudness of each tenth of a second, twice."""

from types import SimpleNamespace

import numpy as np


def load_model(path: str = "") -> SimpleNamespace:
    return SimpleNamespace(sample_rate=8000, scene_embedding_size=2, timestamp_embedding_size=2)


def get_timestamp_embeddings(sounds: np.ndarray, model: SimpleNamespace) -> tuple[np.ndarray, np.ndarray]:
    sounds = np.asarray(sounds)
    n = max(1, sounds.shape[1] // 800)
    loudness = np.array([[np.abs(piece).mean() for piece in np.array_split(sound, n)] for sound in sounds])
    return np.stack([loudness] * 2, axis=-1), np.tile(np.arange(n) * 100.0, (len(sounds), 1))


def get_scene_embeddings(sounds: np.ndarray, model: SimpleNamespace) -> np.ndarray:
    return get_timestamp_embeddings(sounds, model)[0].mean(axis=1)

"""A HEAR module that divides by the loudness of every half second: its vector of a silent one is no number."""

import numpy as np


class Model:
    sample_rate, scene_embedding_size, timestamp_embedding_size = 16000, 1, 1


def load_model(path=""):
    return Model()


def get_timestamp_embeddings(audio, model):
    """Divide by the loudness of each half second."""
    pieces = audio[:, : audio.shape[1] // 8000 * 8000].reshape(len(audio), -1, 8000)
    with np.errstate(all="ignore"):
        vectors = pieces.mean(2) / pieces.std(2)
    return vectors[..., None], np.tile(500.0 * np.arange(pieces.shape[1]), (len(audio), 1))


def get_scene_embeddings(audio, model):
    raise NotImplementedError

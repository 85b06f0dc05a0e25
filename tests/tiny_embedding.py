"""Small networks and files that stand in for trained ones, quick to make and with nothing left at its initial value."""

from pathlib import Path

import keras
import numpy as np

from l3net.embeddings.keras_metadata import add_keras_metadata
from l3net.models.l3 import build_l3, embedding_network
from l3net.training import checkpoint as checkpoint_file
from l3net.training.checkpoint import HISTORY, Checkpoint
from l3net.training.model_state import capture_variables

SETTINGS = {"front_end": "mel128", "image_size": 32, "width": 0.125, "version": "training", "hop_length": 1936}


def network(seed: int = 3, **settings: object) -> keras.Model:
    """Return an L3 network whose batch norms and biases are drawn too: fresh ones would hide a swap of two."""
    model = build_l3(**{**SETTINGS, "seed": seed, **settings})
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if "variance" in variable.path or "gamma" in variable.path:
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif "kernel" not in variable.path and "seed" not in variable.path:
            variable.assign(rng.normal(0.0, 0.1, variable.shape))
    return model


def write_checkpoint(path: Path, epoch: int = 2, **settings: object) -> keras.Model:
    """Write a checkpoint as a training leg does; return its network."""
    model = network(**settings)
    shape = {**SETTINGS, "seed": 3, **settings}
    about = {"network": shape, "front_end": shape["front_end"], "front_end_version": shape["version"]}
    about |= {"hop_length": shape["hop_length"], "image_size": shape["image_size"], "subset": "music", "seed": 7}
    about |= {"epoch": epoch, "samples_seen": 100 * epoch, "precision": "float32"}
    weights = capture_variables(model.variables)
    # The best epoch is another one: who takes its weights in place of the epoch's own is found out.
    best = {name: values + 1 for name, values in weights.items()}
    checkpoint = Checkpoint(about, weights, best=best, best_epoch=1)
    checkpoint.history = {name: [0.1 * n for n in range(1, epoch + 1)] for name in HISTORY}
    checkpoint.history["epoch"] = list(range(1, epoch + 1))
    checkpoint_file.write_checkpoint(path, checkpoint)
    return model


def write_embedding(path: Path, pooling: int = 6144, **settings: object) -> keras.Model:
    """Write an embedding.keras; return its network, sound -> vectors."""
    model = embedding_network(network(**settings), pooling=pooling)
    model.save(path)
    about = {"kind": "l3", "front_end": "mel128", "subset": "music", "epoch": 2, "samples_seen": 200, "model_seed": 7}
    add_keras_metadata(path, about)
    return model

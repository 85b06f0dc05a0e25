"""A training small enough for tests: arguments of `train_leg` on tiny shards, and what a checkpoint holds of it."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

SETTINGS = {
    "batches_per_epoch": 6,
    "batch_size": 8,
    "validation_batches": 4,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "schedule_epochs": 300,
    "warmup_steps": 0,
    "weight_decay": 1e-5,
    "precision": "float32",
    "synchronised_batch_norm": False,
    "augment": True,
    "objective": "correspondence",
    "spec_augment": False,
    "freeze": [],
}
HOW = {"feed_workers": 0, "save_every_seconds": 300.0, "stop_on_nan": True, "strategy": "single", "xla": False}
HOW |= {"steps_per_call": 1}


def arguments(data: Path, run: Path, *, epoch: int, previous: int | None = None, **changes: Any) -> dict[str, Any]:
    """Return the arguments of a leg that trains on ``data/train.json`` and writes under `run`."""
    settings = {**SETTINGS, **{key: value for key, value in changes.items() if key in SETTINGS}}
    how = {**HOW, **{key: value for key, value in changes.items() if key in HOW}}
    if unknown := set(changes) - set(settings) - set(how):
        raise ValueError(f"no settings of train_leg: {unknown}")
    return {
        "train": data / "train.json",
        "valid": data / "valid.json",
        "previous": previous and run / f"epoch-{previous:03d}.h5",
        "checkpoint": run / f"epoch-{epoch:03d}.h5",
        "state": run / "state",
        "epoch": epoch,
        "front_end": "mel128",
        "seed": 3,
        "front_end_settings": {"version": "training", "hop_length": 1936},
        "network": {"width": 1 / 16, "batch_norm_momentum": 0.9},
        "settings": settings,
        "how": how,
    }


def contents(path: Path) -> dict[str, np.ndarray]:
    """Return all that a checkpoint holds but how long it took: data sets by name, attributes by ``@name``."""
    found: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        found |= {f"@{name}": np.asarray(value) for name, value in file.attrs.items()}
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return {name: value for name, value in found.items() if not name.startswith(("timings/", "@commit"))}

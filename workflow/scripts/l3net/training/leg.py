"""Legs of a training: what one is asked for, and where it starts or goes on.

A leg is a pure function of its data, its configuration and the checkpoint it starts from. What it needs to go on after
a kill is in a folder of its own, the state, in the layout of a checkpoint; a fingerprint tells whose state it is.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3net.configuration import Train
from l3net.errors import ConfigError, WeightsError
from l3net.files import sha256_of, stable_hash
from l3net.runtime import canonical_json, describe
from l3net.samples import read_shard_index
from l3net.training.checkpoint import Checkpoint, read_checkpoint

# Keys of section train that say which legs there are, or name files, whose digests count in their place.
_NOT_OF_A_LEG = {"checkpoints", "initial"}
_LATER_KEYS = {"freeze"}
_log = logging.getLogger("l3net")


@dataclass(frozen=True)
class Leg:
    """What one leg is asked for.

    Attributes
    ----------
    train, valid : indexes of shards (JSON).
    previous : the checkpoint to start from; None starts from nothing.
    epoch : the leg ends after this epoch.
    seed : seed of the initial weights and of the order of samples.
    network : arguments of `models.build_l3`.
    state : folder for what must survive a kill.
    settings : section train of the configuration.
    initial : files of weights that a leg without a previous checkpoint starts from.
    give_initial : function of (network, its arguments, files) that gives it the weights of those files.
    """

    train: Path
    valid: Path
    previous: Path | None
    epoch: int
    seed: int
    network: dict[str, Any]
    state: Path
    settings: Train
    initial: tuple[Path, ...] = ()
    give_initial: Callable[..., None] | None = None

    @property
    def state_file(self) -> Path:
        """The state, in the layout of a checkpoint."""
        return self.state / "state.h5"

    @property
    def marks(self) -> Path:
        """Folder that remembers which shards were compared with their digests, for all epochs and the legs to come."""
        return self.state / "shards-compared"

    def fingerprint(self) -> str:
        """Return a digest of all that the weights depend on, but not of the leg's last epoch."""
        settings = self.settings.model_dump(exclude=_NOT_OF_A_LEG | Train.keys_of_how())
        # Keys that came later leave the digest as it was where they are not used.
        settings = {key: value for key, value in settings.items() if value or key not in _LATER_KEYS}
        inputs = [sha256_of(path) for path in (self.train, self.valid, self.previous, *self.initial) if path]
        return f"{stable_hash(canonical_json([settings, self.network, self.seed, inputs])):016x}"

    def metadata(self) -> dict[str, Any]:
        """Return what the network is and what it is trained on, for all who load its checkpoints."""
        return {
            "network": self.network,
            "front_end": self.network["front_end"],
            "front_end_version": self.network["version"],
            "hop_length": self.network["hop_length"],
            "image_size": self.network["image_size"],
            "subset": read_shard_index(self.train).subset,
            "seed": self.seed,
            "precision": self.settings.precision,
            "objective": self.settings.objective,
        }

    def provenance(self, threads: int) -> dict[str, str]:
        """Return the configuration, versions and commit that its checkpoints carry.

        With the configuration goes the number of `threads` of an operation: bits are the same at the same number only.
        """
        settings = self.settings.model_dump(exclude=_NOT_OF_A_LEG)
        if self.initial:
            settings["initial"] = {str(path): sha256_of(path) for path in self.initial}
        return describe(**settings, network=self.network, seed=self.seed, threads=threads)

    def remove_partial_saves(self) -> None:
        """Remove what saves of the state that were killed have left."""
        for path in self.state.glob(".*.partial*"):
            path.unlink(missing_ok=True)


def find_start(leg: Leg, fingerprint: str, threads: int) -> Checkpoint | None:
    """Return what the leg goes on from: its own state, else the previous checkpoint, else None.

    A state of another leg or configuration, or a damaged one, is passed over, and the log says so. It also says where
    the start was trained with another number of `threads`.

    Raises
    ------
    WeightsError
        The previous checkpoint cannot be read.
    ConfigError
        The previous checkpoint holds another network, or is not earlier than the leg's end.
    """
    if leg.state_file.exists():
        try:
            state = read_checkpoint(leg.state_file)
        except WeightsError as error:
            _log.warning("the state of an interrupted run is passed over: %s", error)
        else:
            if state.metadata["fingerprint"] == fingerprint and _epoch_under_way(state) <= leg.epoch:
                _log.info("going on from the state in %s (epoch %d done)", leg.state, state.metadata["epoch"])
                _compare_threads(leg.state_file, state, threads)
                return state
            _log.warning("the state in %s is of another configuration or leg and is passed over", leg.state)
    if leg.previous is None:
        return None
    before = read_checkpoint(leg.previous)
    if before.metadata["network"] != leg.network:
        raise ConfigError(f"{leg.previous} holds another network than configured; remove its folder to train anew")
    if before.metadata["epoch"] >= leg.epoch:
        raise ConfigError(f"{leg.previous} is of epoch {before.metadata['epoch']}; the leg ends at {leg.epoch}")
    _compare_threads(leg.previous, before, threads)
    return before


def _compare_threads(path: Path, start: Checkpoint, threads: int) -> None:
    before = json.loads(start.provenance.get("config", "{}")).get("threads", threads)
    if before != threads:
        _log.warning(
            "%s was trained with %d threads, this leg has %d: bits will differ from those of an undisturbed training",
            path,
            before,
            threads,
        )


def _epoch_under_way(state: Checkpoint) -> int:
    return state.metadata["epoch"] + bool(state.position)

"""Legs of a training: what one is asked for, and where it starts or goes on.

A leg is a pure function of its data, its configuration and the checkpoint it starts from. What it needs to go on after
a kill lies in a folder of its own, the state, in the layout of a checkpoint, and belongs to this leg by a fingerprint.
"""

import logging
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from l3net.errors import ConfigError, WeightsError
from l3net.runtime import canonical_json, sha256_of, stable_hash
from l3net.training.checkpoint import Checkpoint, read_checkpoint

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
SCHEDULES = ("constant", "cosine")
_NOT_OF_THE_RESULT = ("feed_workers", "save_every_seconds", "stop_on_nan", "strategy", "xla")
_log = logging.getLogger("l3net")


@dataclass(frozen=True)
class TrainSettings:
    """Section `train` of the configuration, less `checkpoints`; the meanings and units stand in its schema."""

    batches_per_epoch: int
    batch_size: int
    validation_batches: int
    learning_rate: float
    schedule: str = "constant"
    schedule_epochs: int = 300
    warmup_steps: int = 0
    weight_decay: float = 1e-5
    precision: str = "float32"
    xla: bool = False
    strategy: str = "auto"
    synchronised_batch_norm: bool = False
    augment: bool = True
    objective: str = "correspondence"
    spec_augment: bool = False
    feed_workers: int = 1
    save_every_seconds: float = 300.0
    stop_on_nan: bool = True

    def __post_init__(self) -> None:
        for name, allowed in (("precision", PRECISIONS), ("schedule", SCHEDULES)):
            if getattr(self, name) not in allowed:
                raise ConfigError(f"train.{name} is {getattr(self, name)!r}; expected one of {', '.join(allowed)}")
        for name in ("batches_per_epoch", "batch_size", "validation_batches"):
            if getattr(self, name) < 1:
                raise ConfigError(f"train.{name} is {getattr(self, name)}; expected 1 or more")

    @classmethod
    def of(cls, section: dict[str, Any]) -> "TrainSettings":
        """Return the settings of a section of the configuration; a name that is missing or unknown is an error."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(section) - known):
            raise ConfigError(f"train.{unknown[0]} is unknown; known keys: {', '.join(sorted(known))}")
        try:
            return cls(**section)
        except TypeError as error:
            raise ConfigError(f"section train is incomplete: {error}") from None


@dataclass(frozen=True)
class Leg:
    """What one leg is asked for.

    Attributes
    ----------
    train, valid : indexes of shards (JSON). `previous` : checkpoint to start from, or None.
    epoch : the leg ends after this epoch. `network` : arguments of `networks.build_l3`.
    state : folder for what must survive a kill.
    """

    train: Path
    valid: Path
    previous: Path | None
    epoch: int
    seed: int
    network: dict[str, Any]
    state: Path
    settings: TrainSettings

    @property
    def state_file(self) -> Path:
        """The state, in the layout of a checkpoint."""
        return self.state / "state.h5"

    def fingerprint(self) -> str:
        """Return a digest of all that the weights depend on but the leg's last epoch."""
        settings = {key: value for key, value in asdict(self.settings).items() if key not in _NOT_OF_THE_RESULT}
        inputs = [sha256_of(path) for path in (self.train, self.valid, self.previous) if path]
        return f"{stable_hash(canonical_json([settings, self.network, self.seed, inputs])):016x}"


def find_start(leg: Leg, fingerprint: str) -> Checkpoint | None:
    """Return what the leg goes on from: its own state, else the previous checkpoint, else None (from nothing).

    A state of another leg or configuration, or a damaged one, is passed over, and said so in the log.

    Raises
    ------
    WeightsError
        A previous checkpoint that cannot be read.
    ConfigError
        A previous checkpoint of another network, or one that is not earlier than the leg's end.
    """
    if leg.state_file.exists():
        try:
            state = read_checkpoint(leg.state_file)
        except WeightsError as error:
            _log.warning("the state of an interrupted run is passed over: %s", error)
        else:
            if state.metadata["fingerprint"] == fingerprint and _epoch_under_way(state) <= leg.epoch:
                _log.info("going on from the state in %s (epoch %d done)", leg.state, state.metadata["epoch"])
                return state
            _log.warning("the state in %s is of another configuration or leg and is passed over", leg.state)
    if leg.previous is None:
        return None
    before = read_checkpoint(leg.previous)
    if before.metadata["network"] != leg.network:
        raise ConfigError(f"{leg.previous} holds another network than configured; remove its folder to train anew")
    if before.metadata["epoch"] >= leg.epoch:
        raise ConfigError(f"{leg.previous} is of epoch {before.metadata['epoch']}; the leg ends at {leg.epoch}")
    return before


def _epoch_under_way(state: Checkpoint) -> int:
    return state.metadata["epoch"] + bool(state.position)

"""Train a model from one checkpoint to the next."""

from pathlib import Path
from typing import Any

from l3net.runtime import multi_node, stage
from l3net.samples import cached_index, read_shard_index
from l3net.training import Leg, TrainSettings, write_checkpoint


def train_leg(
    train: Path,
    valid: Path,
    checkpoint: Path,
    state: Path,
    *,
    previous: Path | None = None,
    epoch: int,
    front_end: str,
    seed: int,
    front_end_settings: dict[str, Any],
    network: dict[str, Any],
    settings: dict[str, Any],
    how: dict[str, Any],
    local: str | None = None,
    tasks: int = 1,
    threads: int = 1,
) -> None:
    """Train from the previous checkpoint, or from nothing, to the end of `epoch`, and write its checkpoint.

    Killed at any moment and run again, it goes on from its state and ends with the same weights, optimizer and history,
    bit for bit on CPU (the seconds it took aside). SIGTERM saves the state and ends with exit code 1.

    Parameters
    ----------
    train, valid : indexes of shards (JSON).
    checkpoint : HDF5 written (layout: `l3net.checkpoint_files`).
    state : folder of what survives a kill; also ``history.csv`` and ``tensorboard/``, written after every epoch.
    previous : the checkpoint of an earlier epoch.
    front_end : linear | mel128 | mel256.
    front_end_settings, network, settings : sections `front_end`, `network` and `train` of the configuration, the last
        without `how`: those of its keys that change how a leg runs, not what it makes.
    local : folder on a disk of the node to copy the shards to (`l3net.scratch`); None reads them where they are.
    tasks : processes that train together, one on each node of a SLURM job; `threads` of each.

    Raises
    ------
    ConfigError, ShardError, WeightsError
        What cannot be used, and where.
    Interrupted, Diverged
        Asked to stop; a loss that is no number.
    """
    if multi_node.is_asked(tasks):
        multi_node.run_tasks(train_leg, Path(__file__), locals(), tasks=tasks, cpus=threads)
        return
    chosen = TrainSettings.of({**settings, **how})
    train, valid = cached_index(train, local), cached_index(valid, local)
    arguments = {
        "front_end": front_end,
        "image_size": read_shard_index(train).image_size,
        **front_end_settings,
        **network,
        "weight_decay": chosen.weight_decay,
        "synchronised_batch_norm": chosen.synchronised_batch_norm,
        "objective": chosen.objective,
        "spec_augment": chosen.spec_augment,
        "precision": chosen.precision,
        "seed": seed,
    }
    leg = Leg(train, valid, previous, epoch, seed, arguments, state, chosen)
    from l3net.training import run_leg  # TensorFlow takes seconds to import; what is wrong above is said at once

    finished = run_leg(leg)
    if finished is not None:
        write_checkpoint(checkpoint, finished)
        leg.state_file.unlink(missing_ok=True)


if __name__ == "__main__":
    stage.main(train_leg, globals().get("snakemake"))

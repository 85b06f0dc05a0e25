"""Train a model from one checkpoint to the next."""

from pathlib import Path
from typing import Any

from l3net import exchange, samples, training
from l3net.configuration import Train
from l3net.errors import ConfigError
from l3net.runtime import multi_node, stage


@multi_node.runs_in_tasks
def train_leg(
    train: Path,
    valid: Path,
    checkpoint: Path,
    state: Path,
    *,
    previous: Path | None = None,
    initial: list[Path] = [],  # noqa: B006  never changed; the command line shows it
    epoch: int,
    front_end: str,
    seed: int,
    front_end_settings: dict[str, Any],
    network: dict[str, Any],
    settings: dict[str, Any],
    how: dict[str, Any],
    node_cache: str | None = None,
    tasks: int = 1,
    threads: int = 1,
) -> None:
    """Train from the previous checkpoint, or from nothing, to the end of `epoch`, and write its checkpoint.

    Killed at any moment and run again, it goes on from its state and ends with the same weights, optimizer and history,
    on a CPU bit for bit (the seconds it took aside). SIGTERM makes it save the state and end with exit code 1.

    Parameters
    ----------
    train, valid : indexes of shards (JSON).
    checkpoint : HDF5 file written (layout: `l3net.training.checkpoint`).
    state : folder of what survives a kill; ``history.csv`` and ``tensorboard/`` in it are written after every epoch.
    previous : checkpoint of an earlier epoch.
    initial : files of weights that a training without a previous checkpoint starts from: an embedding.keras, a
        vision.keras, a checkpoint, weights of openl3.
    epoch : the last epoch of this leg.
    front_end : linear | mel128 | mel256.
    seed : seed of the initial weights and of the order of samples.
    front_end_settings, network, settings : sections `front_end`, `network` and `train` of the configuration, the last
        without the keys in `how`.
    how : the keys of section `train` that change how a leg runs and not what it makes.
    node_cache : folder on a disk of the node to copy the shards to; None reads them where they are.
    tasks : number of processes that train together, one on each node of a SLURM job.
    threads : number of CPUs of each.

    Raises
    ------
    ConfigError, ShardError, WeightsError
        An input cannot be used; the message says which and why.
    Interrupted, Diverged
        A signal asked it to stop; the loss is not a finite number.
    """
    if previous is not None and initial:
        raise ConfigError(f"initial and previous are given: {previous} goes on from its own weights; leave initial out")
    chosen = Train.read({**settings, **how}, "train")
    train, valid = samples.cached_index(train, node_cache), samples.cached_index(valid, node_cache)
    arguments = {
        "front_end": front_end,
        "image_size": samples.read_shard_index(train).image_size,
        **front_end_settings,
        **network,
        "weight_decay": chosen.weight_decay,
        "synchronised_batch_norm": chosen.synchronised_batch_norm,
        "objective": chosen.objective,
        "spec_augment": chosen.spec_augment,
        "precision": chosen.precision,
        "seed": seed,
    }
    start = {"initial": tuple(initial), "give_initial": exchange.give_initial_weights}
    leg = training.Leg(train, valid, previous, epoch, seed, arguments, state, chosen, **start)
    finished = training.run_leg(leg)  # imports TensorFlow, which takes seconds; what is wrong above is said at once
    if finished is not None:
        training.write_checkpoint(checkpoint, finished)
        leg.state_file.unlink(missing_ok=True)


if __name__ == "__main__":
    stage.main(train_leg, globals().get("snakemake"))

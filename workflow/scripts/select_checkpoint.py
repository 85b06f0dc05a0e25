"""Take the epoch of the highest validation accuracy out of the last checkpoint, and the history of all epochs."""

from pathlib import Path

from l3net import training
from l3net.files import atomic
from l3net.runtime import stage


def select_checkpoint(checkpoint: Path, best: Path, history: Path) -> None:
    """Write the best checkpoint and the history of a finished training.

    The best is sought over all epochs, not only over those whose checkpoint was kept: every checkpoint carries the
    best weights so far. Of equal accuracies the earliest epoch is taken (the paper, section 3.2).

    Parameters
    ----------
    checkpoint : HDF5; the last leg's ``epoch-{NNN}.h5`` (layout: `l3net.training.checkpoint`).
    best : HDF5 written; the same layout, without an optimizer.
    history : CSV written; a line for each epoch: epoch, loss, accuracy, val_loss, val_accuracy, samples_seen,
        images_per_second, waiting_share, learning_rate, seconds.

    Raises
    ------
    WeightsError
        The file is no checkpoint, or the training was never validated.
    """
    last = training.read_checkpoint(checkpoint)
    training.write_checkpoint(best, training.best_checkpoint(last))
    atomic.write_text(history, training.history_csv(last))


if __name__ == "__main__":
    stage.main(select_checkpoint, globals().get("snakemake"))

"""What is counted during an epoch, and the numbers that come of it at its end."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from l3net.configuration import Train

HISTORY = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "samples_seen", "learning_rate")
TIMINGS = ("images_per_second", "waiting_share", "seconds")


class Validation(NamedTuple):
    """Mean loss and accuracy on the validation samples."""

    loss: float
    accuracy: float


@dataclass
class EpochCounts:
    """How far an epoch has come, and what was counted on the way; a state keeps it, so that a leg can go on from there.

    Attributes
    ----------
    batches : number of batches done.
    loss, right : sum of the losses and number of right answers of their samples.
    seconds : time they took.
    steps, step_seconds, waiting : number of steps that were timed, the seconds of these, and those of them in which the
        step waited for its batch.
    """

    batches: int = 0
    loss: float = 0.0
    right: int = 0
    seconds: float = 0.0
    steps: int = 0
    step_seconds: float = 0.0
    waiting: float = 0.0

    def metrics(self, settings: Train, *, epoch: int, validation: Validation, learning_rate: float) -> "EpochMetrics":
        """Return the numbers of the epoch that ends with these counts."""
        n_samples = settings.batches_per_epoch * settings.batch_size
        step_seconds = max(self.step_seconds, 1e-9)
        return EpochMetrics(
            epoch=epoch,
            loss=self.loss / n_samples,
            accuracy=self.right / n_samples,
            val_loss=validation.loss,
            val_accuracy=validation.accuracy,
            samples_seen=epoch * n_samples,
            images_per_second=self.steps * settings.batch_size / step_seconds,
            waiting_share=self.waiting / step_seconds,
            learning_rate=learning_rate,
            seconds=self.seconds,
        )

    def as_position(self) -> dict[str, Any]:
        """Return the counts as a checkpoint keeps them: empty where the epoch has not begun."""
        return asdict(self) if self.batches else {}


@dataclass(frozen=True)
class EpochMetrics:
    """The numbers of one epoch: a function of the data, the configuration and the seed, save those in `TIMINGS`.

    Attributes
    ----------
    epoch : counted from 1.
    loss, accuracy, val_loss, val_accuracy : means over the samples; losses are cross-entropies without the L2 penalty.
    samples_seen : number of training samples since the first epoch.
    images_per_second : rate of the training steps, without the first of a process.
    waiting_share : share of these steps' time in which they waited for their batch.
    learning_rate : rate at the epoch's end.
    seconds : time of training and validation.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    samples_seen: int
    images_per_second: float
    waiting_share: float
    learning_rate: float
    seconds: float

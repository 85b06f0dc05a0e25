"""The sections of training: the grid of models, their front end and network, the training, and the AVC test."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from l3net.configuration.messages import nearest
from l3net.configuration.names import PART_PATTERN, SUBSET_PATTERN, FrontEndName, layers_of_part, network_layers
from l3net.configuration.section import Distinct, Number, PathText, Section, Seed, Whole, setting

if TYPE_CHECKING:
    from l3net.configuration.run import Configuration

FrontEndVersion = Literal["training", "openl3"]
ScheduleName = Literal["constant", "cosine"]
PrecisionName = Literal["float32", "mixed_bfloat16", "mixed_float16"]
StrategyName = Literal["auto", "single", "mirrored", "multi_worker"]
HopLength = Annotated[Whole, Field(ge=1, le=48_000)]
Width = Annotated[Number, Field(ge=1 / 64, le=16)]
ObjectiveName = Literal["correspondence", "contrastive"]


class Models(Section):
    """The grid of models: one for each subset, front end and seed."""

    front_ends: Annotated[list[FrontEndName], Distinct] = setting(
        ["linear", "mel128", "mel256"], "Spectrograms that open the audio subnetwork.", min_length=1
    )
    subsets: Annotated[list[Annotated[str, Field(pattern=SUBSET_PATTERN)]], Field(min_length=1), Distinct] | None = (
        setting(
            None,
            "Subsets to train on; each needs its filter in audioset.subsets. null takes all of those, in the paper's "
            "run music and environmental.",
        )
    )
    seeds: Annotated[list[Seed], Distinct] = setting(
        [0],
        "Seeds to train each model with; from the second on they stand in names: {subset}-{front_end}-seed{n}.",
        min_length=1,
    )


class FrontEnd(Section):
    """The spectrogram that opens the audio subnetwork."""

    version: FrontEndVersion = setting(
        "training", "Definition of the spectrogram: that of the paper's training code, or that of openl3 since 0.4."
    )
    hop_length: HopLength = setting(242, "Samples, at 48 kHz, between two frames of the spectrogram.", unit="samples")


class Network(Section):
    """The network's size."""

    width: Width = setting(1.0, "Factor on every count of channels; 1/64 leaves one channel.")
    batch_norm_momentum: Number = setting(
        0.99, "Momentum of the running statistics of batch norms; runs of a few hundred steps need 0.9.", ge=0, lt=1
    )


class Train(Section):
    """The training of each model."""

    checkpoints: Annotated[list[Annotated[Whole, Field(ge=1, le=999)]], Distinct] = setting(
        list(range(10, 301, 10)),
        "Epochs after which a checkpoint is written; from one to the next is one job.",
        unit="epochs",
        min_length=1,
    )
    batches_per_epoch: Whole = setting(
        4096, "Batches of an epoch (4096 x 64 x 300 epochs = 78.6 M samples).", unit="batches", ge=1
    )
    batch_size: Whole = setting(64, "Samples of a batch, of all replicas together.", unit="samples", ge=1)
    validation_batches: Whole = setting(1024, "Batches of the validation after each epoch.", unit="batches", ge=1)
    learning_rate: Number = setting(1e-5, "Learning rate of Adam.", gt=0, le=10)
    schedule: ScheduleName = setting(
        "constant", "Course of the learning rate: the same throughout, or half a cosine down to 0."
    )
    schedule_epochs: Whole = setting(300, "Epochs at whose end the cosine schedule reaches 0.", unit="epochs", ge=1)
    warmup_steps: Whole = setting(0, "Steps over which the learning rate rises from 0.", unit="steps", ge=0)
    weight_decay: Number = setting(1e-5, "Factor of the L2 penalty on kernels, which is part of the loss.", ge=0, le=1)
    precision: PrecisionName = setting("float32", "Numeric precision of the training.")
    xla: bool = setting(False, "Whether XLA compiles the training step.", changes_only_how=True)
    tf32: bool = setting(
        True, "Whether a GPU may round the inputs of float32 products to TF32; nothing on a CPU.", changes_only_how=True
    )
    deterministic: bool = setting(
        False,
        "Whether a GPU takes operations that give the same bits each time, at a price; a CPU without XLA always does.",
        changes_only_how=True,
    )
    strategy: StrategyName = setting(
        "auto", "Devices to train on: auto takes all of the job, single one.", changes_only_how=True
    )
    synchronised_batch_norm: bool = setting(
        False, "Whether batch norms take their statistics over all replicas; otherwise each takes its own."
    )
    augment: bool = setting(True, "Whether images and sounds are augmented as the recipes say.")
    objective: ObjectiveName = setting("correspondence", "What is learned: correspondence, or a contrastive objective.")
    spec_augment: bool = setting(False, "Whether bands and times of the spectrogram are masked.")
    initial: Annotated[list[PathText], Distinct] = setting(
        [],
        "Files of weights that trainings start from: an embedding.keras, a vision.keras, a checkpoint, or openl3's .h5 "
        "for sound or for images. What they do not hold starts anew.",
    )
    freeze: Annotated[list[Annotated[str, Field(pattern=PART_PATTERN)]], Distinct] = setting(
        [],
        "Parts that training leaves as they are: audio or vision (its embedding), fusion, or starts of layers' names.",
    )
    feed_workers: Whole = setting(
        4, "Processes that read shards.", unit="processes", ge=0, le=256, changes_only_how=True
    )
    save_every_seconds: Number = setting(
        300.0, "Seconds between two states that are saved against a kill.", unit="seconds", ge=0, changes_only_how=True
    )
    stop_on_nan: bool = setting(True, "Whether a loss that is not a number ends the job.", changes_only_how=True)
    steps_per_call: Whole = setting(
        1,
        "Steps that TensorFlow makes before Python has its turn again, for a GPU that waits for Python.",
        unit="steps",
        ge=1,
        le=100,
        changes_only_how=True,
    )


class Evaluate(Section):
    """The test of each model on audio-visual correspondence."""

    batches: Whole = setting(
        77_000,
        "Test batches of each subset, at most (4.9 M samples: a tenth of the 195 K clips of the environmental subset).",
        unit="batches",
        ge=1,
    )


def frozen_parts_are_layers(configuration: "Configuration") -> Iterator[str]:
    """Yield which parts to freeze the network does not have, or that they are all of it (a check of `between_keys`)."""
    train = configuration.train
    names = network_layers(train.objective)
    left = set(names)
    for n, part in enumerate(train.freeze):
        if not (chosen := layers_of_part(part, names)):
            near = nearest(part, names) or f"; there are {names[0]} to {names[-1]}"
            yield f"train.freeze[{n}] is {part!r}, and no layer of objective {train.objective} begins so{near}"
        left -= set(chosen)
    if not left:
        yield f"train.freeze is {', '.join(train.freeze)}, which leaves nothing to train; keep fewer parts"

"""The sections of evaluation: embedding the downstream data sets, classifying them, and the report."""

from typing import Annotated, Literal

from pydantic import Field

from l3net.configuration.embedding_sections import Pooling
from l3net.configuration.names import RUN_PATTERN
from l3net.configuration.section import Distinct, Line, Number, PathText, Section, Seed, Whole, setting

ExportName = Literal["openl3", "onnx", "saved_model", "vision", "vision_openl3", "vision_onnx"]
LayoutName = Literal["us8k", "esc50", "esc10", "dcase2013", "folder"]
ClassifierName = Literal["mlp", "linear", "knn", "svm", "forest"]
ProtocolName = Literal["paper", "published_code"]
SignificancePairs = Literal["averaged", "published_code"]


class Embed(Section):
    """How embeddings are computed."""

    pooling: Pooling = setting(
        6144, "Values of the embeddings of our models, as named at width 1 (6144 or 512).", unit="values"
    )
    exports: Annotated[list[ExportName], Distinct] = setting(
        [],
        "Further files made of each model: weights for openl3 (width 1), ONNX, SavedModel, the vision embedding and "
        "its exports.",
    )
    hop_seconds: Number = setting(
        0.1, "Seconds between two windows of one second; at most one.", unit="seconds", gt=0, le=1
    )
    center: bool = setting(False, "Whether the first window is centred on the first sample, as in openl3.")
    batch_size: Whole = setting(64, "Windows computed at a time.", unit="windows", ge=1, changes_only_how=True)


class Dataset(Section):
    """A downstream data set."""

    layout: LayoutName = setting(meaning="Layout of its files.")
    source: PathText = setting(meaning="Folder of the data set; official downloads it from where it is published.")
    metadata: PathText = setting(
        None,
        "Layout folder: path of a CSV with filename, label and, where known, fold and group; otherwise metadata.csv in "
        "the folder, or, without that, a sub-folder for each class.",
    )
    folds: Whole = setting(5, "Layout folder: folds that are drawn where the data set has none.", unit="folds", ge=2)
    mirror: PathText = setting(None, "Another address with the same archives, for source official.")
    max_megabytes: Whole = setting(
        20_000, "Source official: the most that is taken of an archive from the network.", unit="MB", ge=1
    )


class Classify(Section):
    """How embeddings are classified."""

    classifier: ClassifierName = setting("mlp", "Kind of the classifier.")
    protocol: ProtocolName = setting("paper", "Protocol: that of the paper's text, or that of the published code.")
    hidden: list[Annotated[Whole, Field(ge=1)]] = setting(
        [512, 128], "Units of each hidden layer.", unit="units", min_length=1
    )
    learning_rates: Annotated[list[Annotated[Number, Field(gt=0, le=10)]], Distinct] = setting(
        [1e-5, 1e-4, 1e-3], "Learning rates of Adam to choose from on the validation clips.", min_length=1
    )
    weight_decays: Annotated[list[Annotated[Number, Field(ge=0, le=10)]], Distinct] = setting(
        [1e-5, 1e-4, 1e-3], "Factors of the L2 penalty to choose from on the validation clips.", min_length=1
    )
    max_epochs: Whole = setting(50, "Epochs that each setting trains, at most.", unit="epochs", ge=1)
    patience_epochs: Whole = setting(
        20, "Epochs without a better validation loss after which a setting stops.", unit="epochs", ge=1
    )
    batch_size: Whole = setting(64, "Windows of a training step.", unit="windows", ge=1)
    validation_share: Number = setting(0.1, "Share of the training clips that is kept for validation.", gt=0, lt=1)
    seeds: Annotated[list[Seed], Distinct] = setting(
        [0], "Seeds of the classifiers; each is a whole evaluation with rows of its own.", min_length=1
    )
    xla: bool = setting(True, "Whether XLA compiles the training of all settings.", changes_only_how=True)
    memory_megabytes: Whole = setting(
        20_000, "Megabytes of one job; a fold that needs more than half of them is held in float16.", unit="MB", ge=1
    )
    curve: Annotated[list[Line], Distinct] | None = setting(
        None,
        "Models whose every checkpoint is classified: accuracy against training samples (with one checkpoint there is"
        " none). null takes report.reference.",
    )


class Report(Section):
    """What the tables and figures show."""

    synthetic: bool = setting(False, "Whether the data is synthetic, which is said wherever its numbers appear.")
    data_licence: Line | None = setting(
        None,
        "Licence of the training clips, in a sentence for the model cards; null tells what is known of the source.",
    )
    reference: Line | None = setting(
        None,
        "Model that stands for ours where embeddings are compared: {subset}-{front_end}. null takes the first subset "
        "with mel256 (or the last front end), in the paper's run music-mel256.",
    )
    significance: SignificancePairs = setting(
        "averaged",
        "What is a pair in the tests of significance: a fold, averaged over all other design variations, or, as in the "
        "published code, each fold of each variation.",
    )
    bootstrap_draws: Whole = setting(1000, "Resamples of the clips for an interval.", unit="draws", ge=1, le=1_000_000)
    confidence: Number = setting(0.95, "Level of every interval, as a share.", gt=0, lt=1)
    other_pairing: Annotated[str, Field(pattern=RUN_PATTERN)] | None = setting(
        None, "Finished run of another samples.pairing, whose models are compared with ours in the figure pairing."
    )

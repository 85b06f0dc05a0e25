"""The names of models and embeddings: one pair of functions makes and parses each.

A model is named ``{subset}-{front_end}``, with ``-seed{n}`` from the grid's second seed on; the embedding of a model
``l3-{model}``, and that of one of its checkpoints ``l3-{model}-epoch-{NNN}``. Names of subsets have
lower-case letters, digits and underscores only, so a name can be parsed in one way only.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from l3net.errors import ConfigError

FrontEndName = Literal["linear", "mel128", "mel256"]
# The stages that compute on a GPU where there is one; profiles give each of them a card.
GPU_STAGES = (
    "train_leg",
    "evaluate_avc",
    "evaluate_pairing",
    "evaluate_retrieval",
    "extract_embedding",
    "embed_dataset",
    "classify_dataset",
)
FRONT_ENDS: tuple[str, ...] = get_args(FrontEndName)
EVERY_CLIP = "all"  # in the place of a subset's filter: no clip is left out
RUN_PATTERN = "^[A-Za-z0-9_-]+$"
SUBSET_PATTERN = "^[a-z0-9_]+$"
ENTRY_PATTERN = "^[A-Za-z0-9_][A-Za-z0-9_.+-]*$"
MODULE_PATTERN = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$"
SHA256_PATTERN = "^[0-9a-fA-F]{64}$"
PART_PATTERN = "^(audio|vision|fusion)(_[a-z0-9]+)*$"
IN_WORDS = {
    RUN_PATTERN: "letters, digits, _ and -",
    SUBSET_PATTERN: "lower-case letters, digits and _",
    ENTRY_PATTERN: "a name of letters, digits, _, ., + and -",
    MODULE_PATTERN: "the name of a Python module",
    PART_PATTERN: "audio, vision, fusion, or the beginning of a layer's name",
    SHA256_PATTERN: "64 hexadecimal digits",
}
SUBNETWORK_LAYER = re.compile(r"(audio|vision)_(?:conv|norm)_\d(?:_\d)?")  # with weights; the others are the head's
_MODEL = re.compile(rf"(?P<subset>{SUBSET_PATTERN[1:-1]})-(?P<front_end>{'|'.join(FRONT_ENDS)})(-seed(?P<seed>\d+))?")
_EMBEDDING = re.compile(r"l3-(?P<model>.+?)(-epoch-(?P<epoch>\d{3}))?")


@dataclass(frozen=True)
class ModelName:
    """What the name of a model says.

    Attributes
    ----------
    subset, front_end : what it was trained on, and with which spectrogram.
    seed : its seed; None for the first of the grid (`models.seeds`), which names leave out.
    """

    subset: str
    front_end: str
    seed: int | None = None

    @property
    def name(self) -> str:
        """``{subset}-{front_end}``, with ``-seed{n}`` where there is a seed."""
        return f"{self.subset}-{self.front_end}" + ("" if self.seed is None else f"-seed{self.seed}")

    @classmethod
    def parse(cls, name: str) -> "ModelName":
        """Take a model's name apart.

        Raises
        ------
        ConfigError
            A name of another form.
        """
        found = _MODEL.fullmatch(name)
        if found is None:
            form = f"{{subset}}-{{front_end}} or {{subset}}-{{front_end}}-seed{{n}}, front end {', '.join(FRONT_ENDS)}"
            raise ConfigError(f"{name!r} is no name of a model; expected {form}")
        seed = found["seed"]
        return cls(found["subset"], found["front_end"], None if seed is None else int(seed))


@dataclass(frozen=True)
class EmbeddingName:
    """What the name of an embedding of our own models says.

    Attributes
    ----------
    model : the model whose audio subnetwork it is.
    epoch : the checkpoint it was taken from; None for the best one.
    """

    model: ModelName
    epoch: int | None = None

    @property
    def name(self) -> str:
        """``l3-{model}``, with ``-epoch-{NNN}`` where there is an epoch."""
        return f"l3-{self.model.name}" + ("" if self.epoch is None else f"-{checkpoint_name(self.epoch)}")

    @property
    def checkpoint(self) -> str:
        """``best``, or ``epoch-{NNN}`` where there is an epoch."""
        return "best" if self.epoch is None else checkpoint_name(self.epoch)

    @classmethod
    def parse(cls, name: str) -> "EmbeddingName":
        """Take the name of an embedding of our own models apart.

        Raises
        ------
        ConfigError
            A name of another form, such as that of an entry of section `embeddings`.
        """
        found = _EMBEDDING.fullmatch(name)
        if found is None:
            raise ConfigError(f"{name!r} is no embedding of our own models; expected l3-{{model}}[-epoch-{{NNN}}]")
        return cls(ModelName.parse(found["model"]), found["epoch"] and int(found["epoch"]))


def checkpoint_name(epoch: int) -> str:
    """Return the name of a checkpoint in file names: ``epoch-{NNN}``."""
    return f"epoch-{epoch:03d}"


def model_grid(subsets: list[str], front_ends: list[str], seeds: list[int]) -> list[ModelName]:
    """Return every model of the grid, in the order of the lists; the first of the seeds stays out of the names."""
    return [
        ModelName(subset, front_end, seed)
        for subset in subsets
        for front_end in front_ends
        for seed in (None, *seeds[1:])
    ]


def reference_name(subsets: list[str], front_ends: list[str]) -> str:
    """Return the model of a grid that stands for all: of the first subset, with mel256 or else the last front end."""
    return ModelName(subsets[0], "mel256" if "mel256" in front_ends else front_ends[-1]).name


def network_layers(objective: str) -> list[str]:
    """Return the names of the layers of L3-Net that have weights; a test compares them with the network's."""
    places = [f"{kind}_{block}_{number}" for block in range(1, 5) for number in (1, 2) for kind in ("conv", "norm")]
    head = ["vision_projection", "audio_projection"] if objective == "contrastive" else ["fusion_dense_1"]
    return [f"{side}_{place}" for side in ("vision", "audio") for place in ("norm_0", *places)] + [
        *head,
        "fusion_dense_2",
    ]


def layers_of_part(part: str, names: Iterable[str]) -> list[str]:
    """Return which layers are of a part that `train.freeze` names.

    Parameters
    ----------
    part : ``audio`` or ``vision``, the layers of that embedding (to the last convolution, whose values it pools);
        ``fusion``, all layers that join the two sides; or the beginning of layers' names, as ``vision_conv_1``.
    """
    inside = {name: SUBNETWORK_LAYER.fullmatch(name) for name in names}
    if part == "fusion":
        return [name for name, match in inside.items() if match is None]
    if part in ("audio", "vision"):  # what is behind the embedding is none of it
        return [name for name, match in inside.items() if match and match[1] == part and name[-8:] != "norm_4_2"]
    return [name for name in inside if name.startswith(part)]

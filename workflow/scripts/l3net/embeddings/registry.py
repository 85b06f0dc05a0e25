"""The kinds of embeddings by name: which settings each kind has, and what loads it.

The settings of an embedding are its entry under ``embeddings`` in the configuration, or ``--settings`` of the command
l3net. They are checked here without TensorFlow, so a wrong one is found at once.
"""

import importlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from l3net.embeddings.interface import Embedding
from l3net.embeddings.soundnet import OUTPUTS
from l3net.embeddings.windows import Windows
from l3net.errors import ConfigError, WeightsError
from l3net.inference import PRECISIONS
from l3net.media import SAMPLE_RATE
from l3net.models import FRONT_END_VERSIONS, FRONT_ENDS, POOLINGS

# What the tables show of every embedding, and the values of those that do not have it.
EMBEDDING_FACTS = {"front_end": "", "subset": "", "epoch": -1, "samples_seen": 0, "model_seed": -1}
_SECOND = (SAMPLE_RATE, SAMPLE_RATE)  # the window of our own networks
_TYPE_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_COUNTS = {(0, 0): "no file", (0, 1): "at most one file", (1, 1): "one file", (1, 2): "one or two files"}


@dataclass(frozen=True)
class Kind:
    """A kind of embedding.

    Parameters
    ----------
    loader : module and function of this room, (files, **settings) -> embedding; imported when it is needed.
    keys : the values that each key of the settings may have: some values, or a type.
    files : what its weights files are, in words.
    n_files : how many weights files it takes, at least and at most.
    window : samples and sample rate (Hz) of its windows; None where it sets the times of its vectors itself.
    required : the keys that its settings must have.
    """

    loader: str
    keys: dict[str, tuple | type]
    files: str
    n_files: tuple[int, int]
    window: tuple[int, int] | None = None
    required: tuple[str, ...] = ()

    def check_hop(self, hop_seconds: float) -> None:
        """Raise a `ConfigError` for a hop that is not above zero or is longer than a window."""
        if self.window is not None:
            Windows(*self.window, hop_seconds)

    def load(self, files: list[Path], **settings: Any) -> Embedding:
        """Load the embedding with its weights `files`; `settings` have the keys of this kind."""
        module, function = self.loader.split(".")
        return getattr(importlib.import_module(f"l3net.embeddings.{module}"), function)(files, **settings)


_NETWORK = {"front_end": tuple(FRONT_ENDS), "pooling": POOLINGS, "precision": PRECISIONS}
KINDS = {
    "l3": Kind(
        "embedding_keras.load_l3",
        {**_NETWORK, "subset": str, "model_seed": int},
        "an embedding.keras or .onnx",
        (1, 1),
        _SECOND,
    ),
    "openl3": Kind(
        "embedding_keras.load_openl3",
        {**_NETWORK, "subset": str},
        "openl3_audio_{front_end}_{music|env}.h5",
        (1, 1),
        _SECOND,
    ),
    "vggish": Kind(
        "vggish.load_vggish",
        {"quantize": bool, "relu": bool},
        "vggish_model.ckpt and vggish_pca_params.npz (without the second its 128 values are taken as they are)",
        (1, 2),
        (15600, 16000),
    ),
    "soundnet": Kind("soundnet.load_soundnet", {"layer": OUTPUTS}, "sound8.npy of the TensorFlow port", (1, 1)),
    "hear": Kind(
        "hear_module.load_hear_module",
        {"module": str, "vectors": ("timestamps", "scene")},
        "what the module's load_model takes",
        (0, 1),
        required=("module",),
    ),
    "random": Kind(
        "embedding_keras.load_random",
        {**_NETWORK, "seed": int, "version": FRONT_END_VERSIONS, "hop_length": int, "width": float},
        "as its network is untrained",
        (0, 0),
        _SECOND,
    ),
}


def check_embedding(settings: dict[str, Any], files: list[Path]) -> Kind:
    """Check the settings of an embedding and that its weights files are there; return its kind.

    Raises
    ------
    ConfigError
        An unknown kind, a key that the kind does not have or that is missing, or a value that the key cannot have.
    WeightsError
        Files that are missing, or too many or too few.
    """
    name = settings.get("kind")
    if name not in KINDS:
        raise ConfigError(f"embeddings: unknown kind {name!r}; expected one of {', '.join(KINDS)}")
    kind = KINDS[name]
    for key, value in _own(settings).items():
        if key not in kind.keys:
            raise ConfigError(f"embeddings: kind {name} has no key {key}; it has {', '.join(sorted(kind.keys))}")
        _check_value(f"embeddings: kind {name}: {key}", value, kind.keys[key])
    if missing := [key for key in kind.required if key not in settings]:
        raise ConfigError(f"embeddings: kind {name} needs {', '.join(missing)}")
    least, most = kind.n_files
    if not least <= len(files) <= most:
        raise WeightsError(f"kind {name} takes {_COUNTS[kind.n_files]}, {kind.files}; {len(files)} are given")
    if absent := [path for path in files if not _exists(Path(path))]:
        raise WeightsError(f"{absent[0]}: no such file; expected {kind.files}")
    return kind


def load_embedding(settings: dict[str, Any], files: list[Path]) -> Embedding:
    """Load the embedding that `settings` describe.

    Parameters
    ----------
    settings : ``kind``, one of `KINDS`, and keys of that kind; ``weights`` is accepted and not used here.
    files : its weights files, in the order of the configuration.

    Raises
    ------
    ConfigError
        Settings that `check_embedding` refuses, or that the kind cannot use.
    WeightsError
        Files that are missing, too many or too few, or do not hold what the kind expects.
    """
    kind = check_embedding(settings, files)
    embedding = kind.load([Path(file) for file in files], **_own(settings))
    return replace(embedding, about={**EMBEDDING_FACTS, "kind": settings["kind"], **embedding.about})


def _own(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that are the kind's own; an entry of the configuration also names its kind and weights."""
    return {key: value for key, value in settings.items() if key not in ("kind", "weights")}


def _check_value(name: str, value: Any, allowed: tuple | type) -> None:
    if isinstance(allowed, tuple):
        if value not in allowed:
            raise ConfigError(f"{name} is {value!r}; expected one of {', '.join(map(str, allowed))}")
    elif not isinstance(value, (float, int) if allowed is float else allowed):
        raise ConfigError(f"{name} is {value!r}; expected {_TYPE_NAMES[allowed]}")


def _exists(path: Path) -> bool:
    """Return whether a weights file is there; a TensorFlow checkpoint may be several files that begin with its name."""
    return path.exists() or path.with_name(path.name + ".index").exists()

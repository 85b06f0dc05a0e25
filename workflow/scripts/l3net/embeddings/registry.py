"""Named embeddings: one table of kinds, one interface, whatever is inside.

A kind is a function (settings, files, defaults) -> embedding. `settings` are the few lines of the configuration under
``embeddings``; `files` its weights; `defaults` the settings of our own networks, for what is built from scratch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from l3net.embeddings.embedding_keras import embedding_of_model, load_keras_embedding
from l3net.embeddings.hear_module import load_hear_module
from l3net.embeddings.interface import Embedding
from l3net.embeddings.soundnet import read_soundnet, soundnet_embedding
from l3net.embeddings.vggish import read_vggish, read_whitening, vggish_embedding
from l3net.errors import ConfigError, WeightsError
from l3net.models import build_l3, embedding_network, read_openl3_weights

_IMAGE_SIZE = 32  # of the vision subnetwork that is built and left aside
EMBEDDING_FACTS = {"front_end": "", "subset": "", "epoch": -1, "samples_seen": 0, "model_seed": -1}


@dataclass(frozen=True)
class NetworkDefaults:
    """What an embedding that is built from scratch takes from the configuration.

    Parameters
    ----------
    front_end : {"version", "hop_length"}.
    network : {"width", ...}.
    seed : of initial weights.
    """

    front_end: dict[str, Any] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)
    seed: int = 0


def load_embedding(settings: dict[str, Any], files: list[Path], defaults: NetworkDefaults | None = None) -> Embedding:
    """Return the embedding that `settings` name.

    Parameters
    ----------
    settings : {"kind": one of `KINDS`, ...}; the other keys are the kind's own.
    files : its weights, in the order of the configuration.

    Raises
    ------
    ConfigError
        An unknown kind, a key that the kind has not, or a value that it cannot use.
    WeightsError
        Files that are missing, too many, or not of the right content.
    """
    settings = dict(settings)
    kind = settings.pop("kind", None)
    if kind not in KINDS:
        raise ConfigError(f"embeddings: unknown kind {kind!r}; expected one of {', '.join(KINDS)}")
    keys, loader = KINDS[kind]
    if unknown := sorted(set(settings) - keys - {"weights"}):
        raise ConfigError(f"embeddings: kind {kind} has no key {', '.join(unknown)}; it has {', '.join(sorted(keys))}")
    embedding = loader(settings, files, defaults or NetworkDefaults())
    embedding.about.update({**EMBEDDING_FACTS, "kind": kind, **embedding.about})
    return embedding


def _l3(settings: dict[str, Any], files: list[Path], defaults: NetworkDefaults) -> Embedding:
    found = load_keras_embedding(one_file(files, "l3", "an embedding.keras"), _precision(settings))
    found.about["model_seed"] = settings.get("model_seed", found.about["model_seed"])  # the grid's, not the drawn one
    return found


def _random(settings: dict[str, Any], files: list[Path], defaults: NetworkDefaults) -> Embedding:
    """Return an untrained network: the floor that every learned embedding must beat."""
    front_end, seed = settings.get("front_end", "mel256"), settings.get("seed", defaults.seed)
    whole = build_l3(
        front_end, image_size=_IMAGE_SIZE, width=defaults.network.get("width", 1.0), seed=seed, **defaults.front_end
    )
    model = embedding_network(whole, pooling=settings.get("pooling", 6144))
    return embedding_of_model(model, {"front_end": front_end, "model_seed": seed}, _precision(settings))


def _openl3(settings: dict[str, Any], files: list[Path], defaults: NetworkDefaults) -> Embedding:
    """Return openl3's network with released weights, behind the front end that openl3 puts before it."""
    front_end = settings.get("front_end", "mel256")
    whole = build_l3(front_end, image_size=_IMAGE_SIZE, version="openl3")
    model = embedding_network(whole, pooling=settings.get("pooling", 6144))
    read_openl3_weights(model, one_file(files, "openl3", "openl3_audio_{front_end}_{music|env}.h5"))
    return embedding_of_model(
        model, {"front_end": front_end, "subset": settings.get("subset", "")}, _precision(settings)
    )


def _vggish(settings: dict[str, Any], files: list[Path], defaults: NetworkDefaults) -> Embedding:
    expected = "vggish_model.ckpt and vggish_pca_params.npz (without the second its 128 values are taken as they are)"
    if len(files) not in (1, 2):
        raise WeightsError(f"kind vggish takes one or two files, {expected}; {len(files)} are given")
    whitening = read_whitening(files[1]) if len(files) == 2 else None
    weights = read_vggish(files[0])
    return vggish_embedding(weights, whitening, **{"quantize": True, **_without(settings, "weights")})


def _soundnet(settings: dict[str, Any], files: list[Path], defaults: NetworkDefaults) -> Embedding:
    weights = read_soundnet(one_file(files, "soundnet", "sound8.npy of the TensorFlow port"))
    return soundnet_embedding(weights, settings.get("layer", "conv7"))


def _hear(settings: dict[str, Any], files: list[Path], defaults: NetworkDefaults) -> Embedding:
    if "module" not in settings:
        raise ConfigError("embeddings: kind hear needs module, the name of an installed module with the HEAR 2021 API")
    return load_hear_module(settings["module"], files[0] if files else None, settings.get("vectors", "timestamps"))


def _precision(settings: dict[str, Any]) -> str:
    return settings.get("precision", "float32")


def _without(settings: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != key}


def one_file(files: list[Path], kind: str, expected: str) -> Path:
    """Return the only one of `files`, or raise a `WeightsError` that says what was expected."""
    if len(files) != 1:
        raise WeightsError(f"kind {kind} takes one file, {expected}; {len(files)} are given")
    if not Path(files[0]).exists():
        raise WeightsError(f"{files[0]}: no such file; expected {expected}")
    return Path(files[0])


Loader = Callable[[dict[str, Any], list[Path], NetworkDefaults], Embedding]
KINDS: dict[str, tuple[set[str], Loader]] = {
    "l3": ({"pooling", "front_end", "subset", "model_seed", "precision"}, _l3),
    "openl3": ({"front_end", "pooling", "subset", "precision"}, _openl3),
    "vggish": ({"quantize", "relu"}, _vggish),
    "soundnet": ({"layer"}, _soundnet),
    "hear": ({"module", "vectors"}, _hear),
    "random": ({"front_end", "pooling", "seed", "precision"}, _random),
}

"""Looking into a .keras archive before Keras loads it.

Keras builds whatever layers the archive describes, of any size, and reads HDF5 links that lead elsewhere. The archive
of an embedding holds few kinds of layers, none of which runs what the file says, and no more weights than it has bytes.
"""

import io
from pathlib import Path
from typing import Any

from l3net.embeddings.keras_metadata import MEMBER
from l3net.errors import WeightsError
from l3net.files import Fields, open_foreign_hdf5, open_foreign_zip, parse_json, read_member

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = {_CONFIG, _WEIGHTS, "metadata.json", MEMBER}
_WHAT = "an embedding.keras made by extract_embedding"
_LAYERS = {"BatchNormalization", "Conv2D", "Flatten", "GlobalMaxPooling2D", "InputLayer", "MaxPooling2D", "ReLU"}
_KINDS = {
    ("keras.src.models.functional", "Functional"),
    ("keras", "DTypePolicy"),
    ("keras.regularizers", "L2"),
    ("l3net.models.spectrogram", "Spectrogram"),
    ("l3net.front_ends", "Spectrogram"),  # where version 0.1.0 had it
    (None, "__keras_tensor__"),
    *(("keras.layers", name) for name in _LAYERS),
    *(("keras.initializers", name) for name in ("GlorotUniform", "HeNormal", "Ones", "VarianceScaling", "Zeros")),
}
_CONFIG_BYTES, _MOST_NUMBER = 4 << 20, 100_000  # an embedding's configuration has 30 kB; its largest number is 48,000
_NO_SIZES = {"seed", "shared_object_id"}  # fields whose numbers make nothing large
_MOST_LAYERS, _KERNEL = 200, 9  # values of a kernel for each pair of channels


def check_keras_archive(path: Path) -> None:
    """Check that a .keras describes a network of ours, of the size of its weights, and leads nowhere.

    Raises
    ------
    WeightsError
        It does not; the message names what is strange.
    """
    path = Path(path)
    with open_foreign_zip(path, WeightsError, _WHAT, most=2 * path.stat().st_size + 2 * _CONFIG_BYTES) as archive:
        if strange := sorted(set(archive.namelist()) - _MEMBERS):
            raise WeightsError(f"{path}: holds {strange[0][:80]!r}; expected {_WHAT}")
        config = parse_json(
            read_member(archive, _CONFIG, WeightsError, most=_CONFIG_BYTES), f"{path}: {_CONFIG}", WeightsError, _WHAT
        )
        weights = read_member(archive, _WEIGHTS, WeightsError, most=2 * path.stat().st_size)
    _check_config(Fields(config, f"{path}: {_CONFIG}", WeightsError), len(weights))
    with open_foreign_hdf5(path, WeightsError, _WHAT, content=io.BytesIO(weights)) as file:
        file.datasets("")


def _check_config(config: Fields, n_bytes: int) -> None:
    """Check the kinds and sizes in the description of a network."""
    _check_kinds(config)
    layers = config.fields("config").array("layers")
    if len(layers) > _MOST_LAYERS:
        raise WeightsError(f"{config.where} has {len(layers)} layers; expected at most {_MOST_LAYERS}")
    filters, channels = [], [3]
    for number, values in enumerate(layers):
        layer = Fields(values, f"{config.where}: layer {number}", WeightsError)
        if layer.text("class_name") == "Conv2D":
            conv = layer.fields("config")
            filters.append(conv.whole("filters", 1, _MOST_NUMBER))
            if conv.array("kernel_size") != [3, 3]:
                raise WeightsError(f"{conv.where}: kernel_size is not 3 x 3, as in every network of ours")
            shape = layer.fields("build_config").array("input_shape")
            channels += [n for n in shape if isinstance(n, int)][-1:]
    # Twice what our networks have: the widest convolution's channels stand for those of all.
    most = 4 * _KERNEL * max(filters + channels) * sum(filters)
    if most > 4 * n_bytes + (1 << 20):
        raise WeightsError(
            f"{config.where} describes convolutions of up to {most >> 20} MB, the weights in it have {n_bytes >> 20} MB"
        )


def _check_kinds(config: Fields) -> None:
    """Check every object that Keras would make, and every number, wherever they stand."""
    waiting: list[Any] = [config.values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += [one for key, one in value.items() if key not in _NO_SIZES]
            if "class_name" in value:
                kind = (value.get("module"), value["class_name"])
                registered = value.get("registered_name")
                if kind not in _KINDS or registered not in (None, kind[1], f"l3net>{kind[1]}"):
                    raise WeightsError(f"{config.where} has a {str(kind[1])[:60]!r}; no embedding of this project does")
        elif isinstance(value, int | float) and not abs(value) <= _MOST_NUMBER:
            raise WeightsError(f"{config.where} has a number of more than {_MOST_NUMBER}; no embedding here does")

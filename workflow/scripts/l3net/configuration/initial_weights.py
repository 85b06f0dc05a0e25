"""What files of weights to start from say of themselves, compared with the models that are to start from them.

Without that, a run would find it when shards have been made. TensorFlow is not loaded: the members of a .keras and the
shapes in an HDF5 file tell enough. The size of images and the pooling of an embedding are no part of any weights.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from l3net.configuration.names import FrontEndName
from l3net.errors import ConfigError

if TYPE_CHECKING:
    from l3net.configuration.run import Configuration
    from l3net.files import ForeignHdf5

_WEIGHTS = "resources/weights/"
_WHAT = "weights to start from: an embedding.keras, a vision.keras, a checkpoint, or openl3's .h5"
_METADATA_BYTES, _CONFIG_BYTES = 16 << 20, 4 << 20
_NAMES = {"front_end": "models.front_ends", "front_end_version": "front_end.version"}
_NAMES |= {"hop_length": "front_end.hop_length"}
_SIDES = {"openl3_audio": "audio", "openl3_image": "vision"}  # by the beginnings of the names of openl3's files
_LAST, _LAST_CHANNELS = "conv_4_2", 512  # the last convolution of each side, and its channels at width 1


class StoredWeights(NamedTuple):
    """What a file of weights says of itself.

    Attributes
    ----------
    spectrogram : values by the configuration's keys; none of a file for images.
    channels : those of the last convolution of each side that it holds, ``audio`` and ``vision``.
    """

    spectrogram: dict[str, Any]
    channels: dict[str, int]


def initial_weights_are_there(configuration: "Configuration", folder: Path) -> Iterator[str]:
    """Yield which weights to start from are neither there nor fetched (a check of `between_keys`)."""
    for n, path in enumerate(configuration.train.initial):
        fetched = path.startswith(_WEIGHTS) and path.removeprefix(_WEIGHTS) in configuration.weights
        if not fetched and not (folder / path).is_file():
            yield f"train.initial[{n}] is {path!r}, and there is no such file; nor has section weights one of that name"


def initial_weights_fit_the_models(configuration: "Configuration", folder: Path) -> Iterator[str]:
    """Yield which weights to start from do not go with the models (a check of `between_keys`).

    They cannot be read, are of another spectrogram or width, or hold what another file of them holds too. What a file
    does not say, and one that is still to be fetched, is left to the training.
    """
    wanted = {
        "front_end.version": [configuration.front_end.version],
        "front_end.hop_length": [configuration.front_end.hop_length],
        "models.front_ends": configuration.models.front_ends,
    }
    width, holders = configuration.network.width, {}
    for n, path in enumerate(configuration.train.initial):
        try:
            stored = read_stored(folder / path)
        except ConfigError as error:
            yield f"train.initial[{n}] is {str(error).replace(str(folder / path), path, 1)}"
            continue
        for key, value in stored.spectrogram.items():
            if value is not None and wanted[key] != [value]:
                found = ", ".join(map(str, wanted[key]))
                yield f"{key} is {found}, and train.initial[{n}], {path!r}, is of {value}; expected {key} of {value}"
        for side, channels in stored.channels.items():
            if channels != round(_LAST_CHANNELS * width):
                own = f"{channels / _LAST_CHANNELS:g}"
                yield (
                    f"network.width is {width:g}, and train.initial[{n}], {path!r}, is of {own} ({channels} channels "
                    f"in {side}_{_LAST}); expected network.width of {own}"
                )
            if side in holders:
                other = holders[side]
                yield f"train.initial[{n}], {path!r}, holds the {side} layers, as {other!r} does; name one of them"
            holders[side] = path


def read_stored(path: Path) -> StoredWeights:
    """Read what a file of weights says of itself; of one that is still to be fetched its name does.

    Raises
    ------
    ConfigError
        The file is neither a .keras of this project nor HDF5 with weights of a network like ours.
    """
    about, channels = _of_keras(path) if path.suffix == ".keras" else _of_hdf5(path)
    words = path.stem.split("_")
    side = _SIDES.get("_".join(words[:2]))
    if not about and not channels and side:
        channels = {side: _LAST_CHANNELS}  # openl3 has networks of width 1 only
    if not about and side == "audio":
        front_end = next((word for word in words if word in get_args(FrontEndName)), None)
        about = {"kind": "l3", "front_end": front_end, "front_end_version": "openl3", "hop_length": 242}
    is_of_sound = bool(about) and about.get("kind", "l3") == "l3"
    return StoredWeights({key: about.get(said) for said, key in _NAMES.items()} if is_of_sound else {}, channels)


def _of_keras(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    from l3net.files import Fields, open_foreign_zip, parse_json, read_member

    if not path.exists():
        return {}, {}
    texts = {}
    with open_foreign_zip(path, ConfigError, _WHAT) as archive:
        for member, most in (("l3net.json", _METADATA_BYTES), ("config.json", _CONFIG_BYTES)):
            texts[member] = read_member(archive, member, ConfigError, most=most)
    about, config = (
        Fields(parse_json(text, f"{path}: {member}", ConfigError, "JSON"), f"{path}: {member}", ConfigError)
        for member, text in texts.items()
    )
    channels = {}
    for layer in config.fields("config").array("layers"):
        settings = Fields(layer, config.where, ConfigError).fields("config")
        for side in ("audio", "vision"):
            if settings.values.get("name") == f"{side}_{_LAST}":
                channels[side] = settings.whole("filters")
    return about.values, channels


def _of_hdf5(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    from l3net.files import Fields, open_foreign_hdf5, parse_json

    if not path.exists():
        return {}, {}
    with open_foreign_hdf5(path, ConfigError, _WHAT) as file:
        if (text := file.attribute("metadata")) is not None:
            about = Fields(parse_json(text, f"{path}: metadata", ConfigError, "JSON"), f"{path}: metadata", ConfigError)
            sides = {side: f"weights/{side}_{_LAST}/kernel" for side in ("audio", "vision")}
            kernels = {side: file.dataset(kernel) for side, kernel in sides.items() if kernel in file}
            return about.values, {side: int(kernel.shape[-1]) for side, kernel in kernels.items()}
        return {}, _of_openl3(file, path)


def _of_openl3(file: "ForeignHdf5", path: Path) -> dict[str, int]:
    """Return the widest of the 3 x 3 kernels by their side, which the first tells, of 1 channel or of 3."""
    kernels = [file.dataset(kernel).shape for kernel in file.datasets("")]
    kernels = [shape for shape in kernels if len(shape) == 4 and shape[:2] == (3, 3)]
    side = next((side for first, side in ((1, "audio"), (3, "vision")) if any(k[2] == first for k in kernels)), None)
    if side is None:
        raise ConfigError(f"{path}: holds no network; expected {_WHAT}")
    return {side: int(max(shape[3] for shape in kernels))}

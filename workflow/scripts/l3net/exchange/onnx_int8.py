"""Write an embedding of sound as an ONNX file in 8 bits: ONNX Runtime's static quantisation, calibrated on sounds.

Values between the layers become whole numbers from 0 to 255 of a range that is fixed beforehand: the least and the
largest that the calibration sounds give. What that does to vectors is measured on the same sounds.
"""

import json
import logging
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from l3net import models
from l3net.embeddings import load_onnx_network
from l3net.embeddings.windows import Windows, cut_sounds
from l3net.errors import ClipError, ConfigError
from l3net.files import atomic
from l3net.media import SAMPLE_RATE, audio_blocks
from l3net.models.export_formats import ONNX_KEY
from l3net.vectors import sounds_below

MOST_WINDOWS = 128  # for calibration; a float32 window takes a fifth of a second of a core, and is computed twice
_OPERATIONS = ["Conv", "Relu", "MaxPool"]  # the spectrogram has none of them and stays in float32
_log = logging.getLogger("l3net")


@dataclass(frozen=True)
class Int8Change:
    """What quantisation did to the vectors of `windows` windows.

    Parameters
    ----------
    cosine_mean, cosine_worst : cosine between a window's vectors in float32 and in int8.
    error_mean, error_worst : length of their difference over the length of that in float32.
    """

    windows: int
    cosine_mean: float
    cosine_worst: float
    error_mean: float
    error_worst: float


def export_int8(network: Any, about: dict[str, Any], target: Path, sounds: list[Path]) -> Int8Change:
    """Write `network`, an audio embedding, as an .onnx in 8 bits; return what that does to the vectors of `sounds`.

    Parameters
    ----------
    about : the network's metadata, which the file carries with this change.
    sounds : sound files and folders of them. Of their windows, one each second, at most `MOST_WINDOWS` are drawn.

    Raises
    ------
    ConfigError
        A target that is no .onnx, a network of images, or packages that are missing.
    ClipError
        No sound among `sounds` that can be read; those that cannot be read are named in the log.
    """
    check_int8(about, target)
    windows = calibration_windows(sounds)
    _log.info("calibrating on %d windows of 1 s", len(windows))
    with tempfile.TemporaryDirectory() as name:
        plain, quantised = Path(name) / "float32.onnx", Path(name) / "int8.onnx"
        models.export_embedding(network, about, plain)
        quantise(plain, quantised, windows[:, None])
        change = compare(plain, quantised, windows)
        with atomic.replacing(target) as temporary:
            temporary.write_bytes(_with_metadata(quantised, {"precision": "int8", "int8": asdict(change)}))
    return change


def check_int8(about: dict[str, Any], target: Path) -> None:
    """Raise a `ConfigError` where `export_int8` could not write `target`, before anything is loaded or computed."""
    if target.suffix != ".onnx":
        raise ConfigError(f"{target}: int8 is written as ONNX; name a target that ends with .onnx")
    if about["kind"] != "l3":
        raise ConfigError(f"int8 is calibrated on sounds; the model is of kind {about['kind']}, export it in float32")
    try:
        import onnxruntime.quantization  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError:
        raise ConfigError(f'{target}: int8 needs packages that are not installed: pip install "l3net[onnx]"') from None


def calibration_windows(sounds: list[Path], most: int = MOST_WINDOWS) -> np.ndarray:
    """Return windows of 1 s of `sounds` [shape=(n, 48000)]; of more than `most` a draw that is always the same.

    Windows of zeros, with which recordings are made as long as others, are left out: they set no range.
    """
    found = [path for one in sounds for path in (sounds_below(one) if one.is_dir() else [one])]
    blocks = ((path, audio_blocks(path, SAMPLE_RATE)) for path in found)
    draws, kept, n_seen = np.random.default_rng(0), [], 0
    for cut in cut_sounds(blocks, Windows(SAMPLE_RATE, SAMPLE_RATE, 1.0)):
        if cut.error is not None:
            _log.error("%s", cut.error)
        for window in cut.windows[cut.windows.any(axis=1)]:
            n_seen += 1
            if len(kept) < most:
                kept.append(window.copy())
            elif (place := int(draws.integers(n_seen))) < most:
                kept[place] = window.copy()
    if not kept:
        names = ", ".join(map(str, sounds[:3]))
        raise ClipError(f"{names}: no sound to calibrate on; name sound files, or folders of them")
    return np.stack(kept)


def quantise(source: Path, target: Path, inputs: Iterable[np.ndarray]) -> None:
    """Write the float32 network in `source`, an ONNX file, in 8 bits; it is calibrated on `inputs`, one at a time.

    The first convolution, which hears the sound or its spectrogram, stays in float32: that is as fast, and a
    third less is lost.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = target.with_suffix(".prepared")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    graph = onnx.load(prepared).graph
    quantize_static(
        prepared,
        target,
        _Reader(graph.input[0].name, inputs),
        op_types_to_quantize=_OPERATIONS,
        nodes_to_exclude=[next(node.name for node in graph.node if node.op_type == "Conv")],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


class _Reader:
    """Give ONNX Runtime's quantiser one input after the other."""

    def __init__(self, name: str, inputs: Iterable[np.ndarray]) -> None:
        self._name, self._inputs = name, iter(inputs)

    def get_next(self) -> dict[str, np.ndarray] | None:
        values = next(self._inputs, None)
        return None if values is None else {self._name: values}


def compare(plain: Path, quantised: Path, windows: np.ndarray) -> Int8Change:
    """Return what quantisation does to the vectors of `windows`."""
    expected, found = (load_onnx_network(path)[0](windows).astype(np.float64) for path in (plain, quantised))
    lengths, other_lengths = np.linalg.norm(expected, axis=1), np.linalg.norm(found, axis=1)
    distances, products = np.linalg.norm(found - expected, axis=1), lengths * other_lengths
    # A vector that became zero has lost everything; two that are zero are the same.
    cosines = np.divide((expected * found).sum(axis=1), products, out=1.0 * (distances == 0), where=products > 0)
    errors = np.divide(distances, lengths, out=1.0 * (distances > 0), where=lengths > 0)
    figures = (cosines.mean(), cosines.min(), errors.mean(), errors.max())
    return Int8Change(len(windows), *map(float, figures))


def _with_metadata(path: Path, more: dict[str, Any]) -> bytes:
    """Return an exported ONNX file with `more` among its metadata."""
    import onnx

    model = onnx.load(path)
    about = json.loads({entry.key: entry.value for entry in model.metadata_props}[ONNX_KEY])
    onnx.helper.set_model_props(model, {ONNX_KEY: json.dumps({**about, **more}, sort_keys=True)})
    return model.SerializeToString()

"""Our networks as ONNX files, in float32 or int8, computed by ONNX Runtime; TensorFlow is not needed for them.

`l3net export` writes such a file with the front end inside, and with its metadata among the file's properties.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from l3net.embeddings.interface import WindowEmbedding
from l3net.embeddings.keras_metadata import check_metadata, read_keras_metadata
from l3net.errors import ConfigError, WeightsError
from l3net.files import foreign
from l3net.inference import check_precision
from l3net.inference.winograd import available_threads
from l3net.models.export_formats import ONNX_KEY

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_WHAT = "an .onnx that l3net export wrote"
_AT_ONCE = 2  # windows; more take memory and no less time


def read_metadata(path: Path | str) -> dict[str, Any]:
    """Read the metadata of an embedding in a .keras or an .onnx, by its suffix.

    Raises
    ------
    ConfigError
        An .onnx without the package onnxruntime.
    WeightsError
        What `read_keras_metadata` refuses; an .onnx that cannot be read or is not of this project.
    """
    path = Path(path)
    return (
        _metadata(path, _open(path, _read(path), optimise=False))
        if path.suffix == ".onnx"
        else read_keras_metadata(path)
    )


def load_onnx_embedding(path: Path, precision: str = "float32") -> WindowEmbedding:
    """Load the embedding of sound in an .onnx.

    Raises
    ------
    ConfigError
        A precision other than float32, since the file has its own; the package onnxruntime is missing.
    WeightsError
        A file that cannot be read, is not of this project, or is an embedding of images.
    """
    network, about = load_onnx_network(path, precision)
    if about["kind"] != "l3":
        raise WeightsError(f"{path}: is of kind {about['kind']}; expected one of sound, an embedding.onnx")
    return WindowEmbedding(network, about["dimension"], about["sample_rate"], about["window_samples"], about)


def load_onnx_network(
    path: Path, precision: str = "float32"
) -> tuple[Callable[[np.ndarray], np.ndarray], dict[str, Any]]:
    """Load an .onnx as a function, float32 [n, ...] -> float32 [n, d] for any n, and its metadata.

    Each thread computes inputs of its own: threads that share the layers of one wait for each other at every layer,
    which takes a sixth more time in int8. Only a few inputs alone are shared, since otherwise threads would be idle.
    Errors are those of `load_onnx_embedding`, for images as for sound.
    """
    check_precision(precision)
    if precision != "float32":
        raise ConfigError(f"{path}: an .onnx has the precision it was exported with; leave precision {precision} out")
    content, n_threads = _read(path), available_threads()
    alone = _open(path, content)
    about = _metadata(path, alone)
    (given,), (made,) = alone.get_inputs(), alone.get_outputs()
    threads = ThreadPoolExecutor(n_threads, "onnx")

    @cache
    def shared() -> "InferenceSession":
        return _open(path, content, threads=n_threads)

    def run(values: np.ndarray) -> np.ndarray:
        values = np.ascontiguousarray(values, np.float32)
        parts = [values[first : first + _AT_ONCE] for first in range(0, max(len(values), 1), _AT_ONCE)]
        session = alone if len(parts) > 1 else shared()
        made_of = threads.map(lambda part: session.run([made.name], {given.name: part})[0], parts)
        return np.concatenate(list(made_of))

    return run, about


def _read(path: Path) -> bytes:
    with foreign(path, WeightsError, _WHAT):
        return path.read_bytes()


def _open(path: Path, content: bytes, *, threads: int = 1, optimise: bool = True) -> "InferenceSession":
    try:
        import onnxruntime
    except ImportError:
        raise ConfigError(f'{path}: needs the package onnxruntime: pip install "l3net[onnx]"') from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what fails is raised
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    with foreign(path, WeightsError, _WHAT):
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _metadata(path: Path, session: "InferenceSession") -> dict[str, Any]:
    """Return the metadata of an open file, after a look at whether the network takes and gives what they say."""
    text = session.get_modelmeta().custom_metadata_map.get(ONNX_KEY)
    if text is None:
        raise WeightsError(f"{path}: has no metadata of this project; expected {_WHAT} (earlier ones had none)")
    about = check_metadata(path, text, f"{path}: {ONNX_KEY}")
    if about["kind"] == "l3":
        wanted, takes = ("dimension", "sample_rate", "window_samples"), [about.get("window_samples")]
    else:
        wanted, takes = ("dimension", "image_size"), [about.get("image_size")] * 2 + [3]
    if missing := [name for name in wanted if name not in about]:
        raise WeightsError(f"{path}: its metadata lack {', '.join(missing)}; expected {_WHAT}")
    shapes = [one.shape[1:] for one in (*session.get_inputs(), *session.get_outputs())]
    if shapes != [takes, [about["dimension"]]]:
        raise WeightsError(f"{path}: takes and gives {shapes}, its metadata say {[takes, [about['dimension']]]}")
    return about

"""The formats in which an embedding can be exported; named without TensorFlow, so that a wrong one is found at once.

.h5          the weights file that openl3 0.4 reads with load_audio_embedding_model_from_path or, for a vision
             embedding, load_image_embedding_model_from_path; only for width 1 and hop length 242
.onnx        a network from sound to vectors, front end inside, metadata with it under the key `ONNX_KEY`; needs
             pip install "l3net[onnx]"
.pt          weights and settings for PyTorch, written by `exchange`, with the module that loads them beside
no suffix    a folder with TensorFlow's SavedModel, whose endpoint is "serve"
"""

from pathlib import Path

from l3net.errors import ConfigError

FORMAT_VERSION = 1  # of the metadata that a .keras or an .onnx carries
ONNX_KEY = "l3net"  # of the metadata, a JSON object, among the properties of an .onnx
EXPORT_SUFFIXES = (".h5", ".onnx", ".pt", "")


def check_export_format(target: Path) -> None:
    """Raise a `ConfigError` where the suffix of `target` names no format."""
    if target.suffix not in EXPORT_SUFFIXES:
        raise ConfigError(
            f"{target}: unknown format; expected .h5 (openl3), .onnx, .pt (PyTorch), or no suffix (SavedModel)"
        )

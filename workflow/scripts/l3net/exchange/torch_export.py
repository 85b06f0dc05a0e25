"""Write an embedding for PyTorch: a state dict with its settings, and beside it the module that loads it.

PyTorch is not needed here. Where it is, `torch_embedding.load` of the file gives the vectors of the network.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from l3net import models
from l3net.errors import WeightsError
from l3net.exchange.torch_file import write_torch_file
from l3net.files import atomic

_MODULE = Path(__file__).with_name("torch_embedding.py")
_LAYER = re.compile(r"(audio|vision)_((?:conv|norm)_\d(?:_\d)?)")


def export_embedding(network: Any, about: dict[str, Any], target: Path) -> None:
    """Write `network`, an audio or a vision embedding, in the format that the suffix of `target` names.

    With a ``.pt`` goes a module of the same name: ``embedding.py`` beside ``embedding.pt``. The errors and other
    formats are those of `models.export_embedding`.
    """
    models.check_export_format(target)
    if target.suffix != ".pt":
        models.export_embedding(network, about, target)
        return
    module = target.with_suffix(".py")
    if module.exists() and module.read_bytes() != _MODULE.read_bytes():
        raise WeightsError(f"{module}: is another file, and the module for {target.name} goes there; take another name")
    write_torch_file(target, {"settings": _settings(network), "state_dict": _state(network)})
    atomic.write_text(module, _MODULE.read_text(encoding="utf-8"))


def _layers(network: Any) -> dict[str, Any]:
    """Return the layers with weights by their names without the side."""
    found = {match[2]: layer for layer in network.layers if (match := _LAYER.fullmatch(layer.name))}
    if "conv_4_2" not in found:
        raise WeightsError("only embeddings of L3-Net can be written for PyTorch; expected an embedding.keras")
    return found


def _settings(network: Any) -> dict[str, Any]:
    layers, names = _layers(network), [layer.name for layer in network.layers]
    sound = "front_end" in names
    side = "audio" if sound else "vision"
    places = [name.removeprefix("conv_") for name in layers if name.startswith("conv_")]
    order = [place for place in places if f"{side}_norm_{place}" in names]
    first = [p for p in order if names.index(f"{side}_relu_{p}") < names.index(f"{side}_norm_{p}")]
    pools = [layer for layer in network.layers if layer.name == f"{side}_pool_1"]
    embedding_pool = [layer for layer in network.layers if layer.name == "embedding_pool"]
    settings = {
        "shape": [int(n) for n in network.input_shape[1:]],
        "inputs": int(layers["conv_1_1"].kernel.shape[2]),
        "epsilon": float(layers["norm_0"].epsilon),
        "convolutions": [[place, int(layers[f"conv_{place}"].kernel.shape[3])] for place in places],
        "relu_before_norm": first,
        "pool_all": pools[0].padding == "same",
        "pool": [int(n) for n in embedding_pool[0].pool_size] if embedding_pool else None,
    }
    return {**settings, **_front_end(network.get_layer("front_end"))} if sound else settings


def _front_end(layer: Any) -> dict[str, Any]:
    n_samples = layer.input.shape[1]
    n_fft, n_mels = _sizes(layer)
    magnitudes = bool(n_mels) and layer.version == "openl3"
    return {
        "n_fft": n_fft,
        "filters": [n_fft // 2 + 1, n_mels] if n_mels else [1, 1],
        "hop_length": layer.hop_length,
        "frames": int(layer.output.shape[2]),
        "before": layer.silence_before(n_samples),
        "exponent": 1.0 if magnitudes else 2.0,
        "tens": 10.0 if magnitudes else 5.0,
        "floor": 1e-10 if magnitudes else 1e-20,
    }


def _state(network: Any) -> dict[str, np.ndarray]:
    state = {}
    for name, layer in _layers(network).items():
        values = [np.asarray(variable) for variable in layer.weights]
        if name.startswith("conv"):
            state |= {f"{name}.weight": values[0].transpose(3, 2, 0, 1), f"{name}.bias": values[1]}
        else:
            keys = ("weight", "bias", "running_mean", "running_var")
            state |= {f"{name}.{key}": value for key, value in zip(keys, values, strict=True)}
            state[f"{name}.num_batches_tracked"] = np.zeros(())
    if any(layer.name == "front_end" for layer in network.layers):
        layer = network.get_layer("front_end")
        n_fft, n_mels = _sizes(layer)
        state["filters"] = np.ones((1, 1))
        if n_mels:
            state["filters"] = models.mel_filters(n_mels, n_fft, htk=layer.version == "training").T
    return state


def _sizes(front_end: Any) -> tuple[int, int]:
    spec = models.FRONT_ENDS[front_end.front_end]
    return spec.n_fft, spec.n_mels

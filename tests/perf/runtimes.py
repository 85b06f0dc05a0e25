"""Our network by this library and by others on the same CPU, with the same threads and windows, turn by turn.

The others are ONNX Runtime and OpenVINO, which read the exported file, and ncnn, whose converter reads the network
behind the front end; ours is then measured without the front end too. One that is not installed is left out, and said
so: pip install "l3net[onnx,perf]". The network has drawn weights, the windows are noise (both synthetic).
"""

import importlib.util
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from l3net.embeddings import load_onnx_network
from l3net.embeddings.embedding_keras import embedding_of_model
from l3net.exchange.onnx_int8 import quantise
from l3net.inference import prepare_for_inference, winograd
from l3net.models.export import export_embedding
from tests import tiny_embedding
from tests.perf.ratios import Ratio, divided, in_turns, machine_speed

Network = Callable[[np.ndarray], np.ndarray]
_WINDOWS, _ROUNDS = 8, 7
_GFLOP = 20.36 / 4  # of a window's products at the points of F(4x4, 3x3)


def measure() -> list[Ratio]:
    """Return the ratios of this area."""
    with tempfile.TemporaryDirectory() as name:
        return _measure(Path(name))


def _measure(folder: Path) -> list[Ratio]:
    model = tiny_embedding.write_embedding(
        folder / "full.keras", front_end="mel256", width=1.0, hop_length=242, version="openl3"
    )
    windows = np.random.default_rng(0).normal(0, 0.1, (_WINDOWS, 48000)).astype(np.float32)
    sides = {name: embedding_of_model(model, {}, name).network for name in ("float32", "bfloat16")}
    if _installed("tf2onnx", "onnxruntime"):
        export_embedding(model, {}, folder / "plain.onnx")
        quantise(folder / "plain.onnx", folder / "int8.onnx", windows[:, None])
        sides |= {name: load_onnx_network(folder / f"{name}.onnx")[0] for name in ("plain", "int8")}
        if _installed("openvino"):
            sides["OpenVINO"] = _openvino(folder / "plain.onnx")
    rows = _rows(sides, windows, "")
    if _installed("tf2onnx", "ncnn", "pnnx"):
        behind = keras.Model(model.get_layer("front_end").output, model.output)
        maps = np.array(model.get_layer("front_end")(windows))
        rows += _rows({"float32": prepare_for_inference(behind), "ncnn": _ncnn(behind, folder)}, maps, ", no front end")
    return rows


def _installed(*modules: str) -> bool:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        print(f'runtimes: left out, {", ".join(missing)} not installed: pip install "l3net[onnx,perf]"')
    return not missing


_GOALS = {"bfloat16": 1.6, "int8": 1.35}  # over our float32
_TITLES = {"plain": "ONNX Runtime", "int8": "int8 by ONNX Runtime"}


def _rows(sides: dict[str, Network], windows: np.ndarray, note: str) -> list[Ratio]:
    """Return a ratio for each side but our float32, with how far its vectors are from those."""
    expected = sides["float32"](windows)
    errors = {name: float(np.linalg.norm(side(windows) - expected)) for name, side in sides.items()}
    speed = machine_speed()
    seconds = in_turns({name: (lambda side=side: side(windows)) for name, side in sides.items()}, _ROUNDS, 1)
    speeds = {name: _WINDOWS / float(np.median(own)) for name, own in seconds.items()}
    rows = []
    for name in [name for name in sides if name != "float32"]:
        is_ours = name in _GOALS
        first, second = ("float32", name) if is_ours else (name, "float32")
        title = _TITLES.get(name, name)
        rows.append(
            Ratio(
                name=f"runtimes: {title} / our float32" if is_ours else f"runtimes: our float32 / {title}{note}",
                rounds=divided(seconds[first], seconds[second]),
                goal=_GOALS.get(name, 1.25),
                figures={
                    "float32_windows_per_second": speeds["float32"],
                    f"{name}_windows_per_second": speeds[name],
                    "threads": float(winograd.available_threads()),
                    "difference_of_vectors": errors[name] / float(np.linalg.norm(expected)),
                    f"{name}_over_bound_of_float32_tiles": speeds[name] * _GFLOP / speed,
                    "float32_over_bound_of_its_tiles": speeds["float32"] * _GFLOP / speed,
                },
            )
        )
    return rows


def _openvino(path: Path) -> Network:
    import openvino

    options = {"INFERENCE_NUM_THREADS": winograd.available_threads(), "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(path, "CPU", options).create_infer_request()
    return lambda windows: np.concatenate([request.infer({0: window[None]})[0] for window in windows])


def _ncnn(network: keras.Model, folder: Path) -> Network:
    """Return `network`, maps [n, bins, frames, 1] -> vectors, as pnnx converts it and ncnn computes it in float32."""
    import ncnn
    import tf2onnx

    spec = tf.TensorSpec([1, *network.input_shape[1:]], tf.float32)
    function = tf.function(lambda maps: network(maps, training=False), input_signature=[spec], autograph=False)
    tf2onnx.convert.from_function(function, [spec], opset=18, output_path=str(folder / "behind.onnx"))
    converter = Path(importlib.util.find_spec("pnnx").origin).with_name("pnnx")
    shape = ",".join(map(str, spec.shape))
    subprocess.run([converter, "behind.onnx", f"inputshape=[{shape}]"], cwd=folder, capture_output=True, check=True)
    net = ncnn.Net()
    net.opt.num_threads = winograd.available_threads()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_bf16_storage = False
    net.load_param(str(folder / "behind.ncnn.param"))
    net.load_model(str(folder / "behind.ncnn.bin"))

    def vector(image: np.ndarray) -> np.ndarray:
        with net.create_extractor() as extractor:
            extractor.input("in0", ncnn.Mat(image).clone())
            return np.array(extractor.extract("out0")[1]).reshape(-1)

    return lambda maps: np.stack([vector(image) for image in np.ascontiguousarray(maps, np.float32)])

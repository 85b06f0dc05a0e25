"""Eight bits, made as `l3net export --int8` makes them, of networks that others trained: what ESC-10 loses by them.

    make test-network          (with the extra l3net[onnx])

Both networks are exported and quantised with the code of the command; the clips' features and the classifier are those
of `l3net probe`.
"""

from pathlib import Path

import numpy as np
import pytest

from l3net.cli.probe import fold_predictions, folds_of
from l3net.embeddings.soundnet import SAMPLE_RATE, read_soundnet, soundnet_network
from l3net.exchange.onnx_int8 import quantise
from l3net.media import audio_blocks
from tests.yardsticks import aisfx_hear
from tests.yardsticks.networks import clips_of
from tests.yardsticks.test_networks import weights_or_skip, with_network

CALIBRATION = 64  # clips of the 400, drawn; their labels are not used


def aisfx_of(weights: Path):
    """Return aiSFX's network, and what it takes of a sound."""
    import tensorflow as tf

    model = aisfx_hear.load_model(str(weights))
    spec = tf.TensorSpec([None, aisfx_hear.BLOCK, aisfx_hear.BANDS], tf.float32)

    def blocks(sound: np.ndarray) -> np.ndarray:
        spectrum = aisfx_hear._log_mel(sound)
        spectrum = np.pad(spectrum, ((0, max(0, aisfx_hear.BLOCK - len(spectrum))), (0, 0)))
        starts = range(0, len(spectrum) - aisfx_hear.BLOCK + 1, aisfx_hear.STEP)
        return np.stack([spectrum[start : start + aisfx_hear.BLOCK] for start in starts])

    return tf.function(lambda values: model(values), input_signature=[spec], autograph=False), blocks


def soundnet_of(weights: Path):
    """Return SoundNet's network up to conv5, and what it takes of a sound."""
    return soundnet_network(read_soundnet(weights), "conv5"), lambda sound: sound


NETWORKS = {"aisfx": (aisfx_of, aisfx_hear.SAMPLE_RATE), "soundnet": (soundnet_of, SAMPLE_RATE)}


@with_network
@pytest.mark.parametrize("name", NETWORKS)
def test_eight_bits_lose_at_most_half_a_point(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path: Path, name: str
) -> None:
    tf2onnx = pytest.importorskip("tf2onnx", reason="the extra l3net[onnx] is not installed")
    make, rate = NETWORKS[name]
    network, prepare = make(*weights_or_skip(request, name))
    clips = clips_of(shared_data / "esc10")
    inputs = [prepare(np.concatenate(list(audio_blocks(path, rate)))) for path in clips]
    tf2onnx.convert.from_function(network, network.input_signature, opset=18, output_path=str(tmp_path / "plain.onnx"))
    drawn = np.random.default_rng(0).permutation(len(clips))[:CALIBRATION]
    quantise(tmp_path / "plain.onnx", tmp_path / "int8.onnx", (inputs[number] for number in drawn))
    plain, int8 = (accuracy(tmp_path / f"{kind}.onnx", inputs, clips) for kind in ("plain", "int8"))
    print(f"{name}: {plain:.2f} % in float32, {int8:.2f} % in int8")
    assert int8 >= plain - 0.5


def accuracy(model: Path, inputs: list[np.ndarray], clips: list[Path]) -> float:
    """Return the probe's accuracy in percent with the vectors of an ONNX file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    vectors = [session.run(None, {given.name: values})[0] for values in inputs]
    features = np.stack([np.concatenate([own.mean(0), own.max(0)]) for own in vectors])
    labels = np.array([path.parent.name for path in clips])
    return 100 * float((fold_predictions(features, labels, folds_of(clips)) == labels).mean())

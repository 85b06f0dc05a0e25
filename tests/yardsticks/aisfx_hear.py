"""aiSFX as a module with the HEAR 2021 API: a network with L3's audio convolutions and weights that others trained.

    embeddings:
      aisfx: {kind: hear, module: tests.yardsticks.aisfx_hear, weights: checkpoint.pth}

Source: Ma and Lerch, "Representation Learning for the Automatic Indexing of Sound Effects Libraries", ISMIR 2022. The
weights are checkpoint.pth of the package aisfx 0.1.2, read here without PyTorch. The spectra are those of the
package's spectrogram_librosa.py.

Conventions: sound at 44.1 kHz, scaled to its largest sample; log10(1 + 10^4 x) of the power in 96 mel bands (2048
samples, every 1024), divided by 9.4578; a vector of 512 values for each block of 100 frames, one every 50 frames.
Silence fills the block of a sound that is shorter, and frames behind the last whole block are left out.
"""

import math
import pickle
import zipfile
from collections import OrderedDict
from typing import Any

import librosa
import numpy as np
import tensorflow as tf

SAMPLE_RATE, BANDS = 44100, 96
BLOCK, STEP, HOP = 100, 50, 1024  # frames in a block, from one to the next, and samples from frame to frame
LARGEST = 9.457798957824707  # of the spectra the network was trained with, in the package's preprocessing.py
_EPSILON = 1e-5
_POOLS = {"conv_block1": 2, "conv_block2": 2, "conv_block3": 2, "conv_block4": 1}


class _TensorUnpickler(pickle.Unpickler):
    """Build arrays and plain containers from a checkpoint of PyTorch; refuse whatever else the pickle asks for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__(archive.open("archive/data.pkl"))
        self._archive = archive

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name of the pickle; nothing of that name is imported."""
        if f"{module}.{name}" not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no tensor needs")
        return _ALLOWED[f"{module}.{name}"]

    def persistent_load(self, pid: tuple) -> np.ndarray:
        """Return the values of a storage, which is a member of the archive."""
        _, dtype, key, _, _ = pid
        return np.frombuffer(self._archive.read(f"archive/data/{key}"), dtype)


class _Ignored:
    """Stand for the sizes of the training's tasks, which are numbers of numpy and of no use here."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def _tensor(storage: np.ndarray, offset: int, shape: tuple, *_: Any) -> np.ndarray:
    return storage[offset : offset + math.prod(shape)].reshape(shape)  # every tensor of the checkpoint is contiguous


_ALLOWED = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch.FloatStorage": np.float32,
    "torch.LongStorage": np.int64,
    "numpy.core.multiarray.scalar": _Ignored,
    "numpy.dtype": _Ignored,
    "_codecs.encode": _Ignored,
}


class AiSfx(tf.Module):
    """Hold what the API asks of a model, and the network itself."""

    sample_rate = SAMPLE_RATE
    scene_embedding_size = timestamp_embedding_size = 512

    def __init__(self, path: str) -> None:
        super().__init__(name="aisfx")
        with zipfile.ZipFile(path) as archive:
            weights, _ = _TensorUnpickler(archive).load()
        self._layers = {block: [_folded(weights, f"embedding_net.{block}", n) for n in (1, 2)] for block in _POOLS}

    @tf.function(input_signature=[tf.TensorSpec([None, BLOCK, BANDS], tf.float32)])
    def __call__(self, blocks: tf.Tensor) -> tf.Tensor:
        """Return the vectors [n, 512] of blocks of spectra [n, 100, 96]."""
        x = blocks[..., None]
        for block, pool in _POOLS.items():
            for kernel, bias in self._layers[block]:
                x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
            x = tf.nn.max_pool2d(x, pool, pool, "VALID")
        return tf.reduce_max(tf.reduce_mean(x, axis=2), axis=1)


def _folded(weights: dict[str, np.ndarray], block: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel [3, 3, in, out] and bias of a convolution with its batch norm in them."""
    norm = {key: weights[f"{block}.bn{n}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")}
    scale = norm["weight"] / np.sqrt(norm["running_var"] + _EPSILON)
    kernel = weights[f"{block}.conv{n}.weight"].transpose(2, 3, 1, 0)
    return kernel * scale, norm["bias"] - norm["running_mean"] * scale


def load_model(path: str) -> AiSfx:
    """Return the model; `path` is that of checkpoint.pth."""
    return AiSfx(path)


def get_timestamp_embeddings(audio: np.ndarray, model: AiSfx) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors [n_sounds, n, 512] and the centres of their blocks in ms [n_sounds, n]."""
    spectra = np.stack([_log_mel(sound) for sound in np.asarray(audio)])
    spectra = np.pad(spectra, ((0, 0), (0, max(0, BLOCK - spectra.shape[1])), (0, 0)))
    starts = np.arange(0, spectra.shape[1] - BLOCK + 1, STEP)
    vectors = [model(np.stack([spectrum[start : start + BLOCK] for start in starts])).numpy() for spectrum in spectra]
    times = 1000.0 * (starts + (BLOCK - 1) / 2) * HOP / SAMPLE_RATE
    return np.stack(vectors), np.tile(times, (len(spectra), 1))


def _log_mel(sound: np.ndarray) -> np.ndarray:
    """Return the spectra [n_frames, 96] of a sound, which is scaled to its largest sample as the package does."""
    sound = sound / max(np.abs(sound).max(), 1e-9)
    bands = {"n_mels": BANDS, "fmin": 0.0, "fmax": SAMPLE_RATE / 2, "htk": True, "norm": 1.0}
    power = librosa.feature.melspectrogram(y=sound, sr=SAMPLE_RATE, n_fft=2048, hop_length=HOP, power=2.0, **bands)
    return (np.log10(1.0 + 1e4 * power.T) / LARGEST).astype(np.float32)


def get_scene_embeddings(audio: np.ndarray, model: AiSfx) -> np.ndarray:
    """Return the mean over time of each sound's vectors [n_sounds, 512]."""
    return get_timestamp_embeddings(audio, model)[0].mean(axis=1)

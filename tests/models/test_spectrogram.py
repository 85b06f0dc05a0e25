"""Front ends against librosa and kapre (golden arrays), and as layers."""

from pathlib import Path

import keras
import librosa
import numpy as np
import pytest
import tensorflow as tf

from l3net.errors import ConfigError
from l3net.models.front_ends import FRONT_END_VERSIONS, FRONT_ENDS
from l3net.models.l3 import build_l3
from l3net.models.mel_filters import mel_filters
from l3net.models.spectrogram import SpecAugment, Spectrogram, build_front_end
from tests.golden.front_end_sounds import KINDS, digest, sounds

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = list(FRONT_ENDS)


@pytest.mark.parametrize("oracle", ["librosa", "kapre"])
@pytest.mark.parametrize(("version", "name"), KINDS)
def test_agrees_with_golden_arrays(version: str, name: str, oracle: str) -> None:
    made = digest(np.asarray(build_front_end(name, version=version)(sounds()))[..., 0])
    with np.load(GOLDEN / f"front_ends_{oracle}.npz") as golden:
        for part, values in made.items():
            error = np.abs(values - golden[f"{version}_{name}_{part}"]).mean()
            assert error <= 1e-3, f"{part}: mean error {error} dB"


@pytest.mark.parametrize("htk", [True, False])
@pytest.mark.parametrize("n_mels", [64, 128, 256])
def test_mel_filters_are_librosas(n_mels: int, htk: bool) -> None:
    expected = librosa.filters.mel(sr=48000, n_fft=2048, n_mels=n_mels, htk=htk, norm="slaney")
    np.testing.assert_allclose(mel_filters(n_mels, 2048, htk=htk), expected, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "hop_length", "expected"),
    [
        ("linear", 242, (257, 197)),
        ("mel128", 242, (128, 199)),
        ("mel256", 242, (256, 199)),
        ("mel256", 1936, (256, 25)),
        ("linear", 1936, (257, 25)),
    ],
)
@pytest.mark.parametrize("version", FRONT_END_VERSIONS)
def test_shape(name: str, hop_length: int, expected: tuple[int, int], version: str) -> None:
    layer = build_front_end(name, version=version, hop_length=hop_length)
    shape = layer(sounds()[:1]).shape
    assert tuple(shape) == (1, *expected, 1)
    assert layer.compute_output_shape((1, 48000)) == (1, *expected, 1)


@pytest.mark.parametrize("hop_length", [242, 512, 1000, 2400])
def test_every_hop_makes_the_frames_of_a_plain_stft(hop_length: int) -> None:
    sound = sounds()[:1]
    for name, n_fft in (("linear", 512), ("mel128", 2048)):
        real, imaginary = (np.asarray(part)[0] for part in transformed(name, hop_length, sound))
        before = (((-(-48000 // hop_length) - 1) * hop_length + n_fft - 48000) // 2) if n_fft == 2048 else 0
        padded = np.pad(sound[0].astype(np.float64), (max(before, 0), 2 * n_fft))
        expected = librosa.stft(padded, n_fft=n_fft, hop_length=hop_length, center=False, dtype=np.complex128).T
        np.testing.assert_allclose(real + 1j * imaginary, expected[: len(real)], atol=1e-3)


def transformed(name: str, hop_length: int, sound: np.ndarray):
    """Return what the layer's Fourier transform gives, before it is squared."""
    layer, kept = build_front_end(name, hop_length=hop_length), []
    transform = layer.transform
    layer.transform = lambda *given: kept.append(transform(*given)) or kept[0]
    layer(sound)
    return kept[0]


def test_compiled_it_gives_the_same_and_a_gradient_reaches_the_sound() -> None:
    layer, sound = build_front_end("mel128"), tf.constant(sounds())
    compiled = tf.function(layer, jit_compile=True)(sound)
    np.testing.assert_allclose(compiled, layer(sound), atol=1e-3)
    with tf.GradientTape() as tape:
        tape.watch(sound)
        energy = tf.reduce_sum(layer(sound))
    slope = tape.gradient(energy, sound).numpy()
    assert slope.shape == sound.shape
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 0


@pytest.mark.parametrize("name", NAMES)
def test_silence_is_flat_and_the_maximum_is_each_windows_own(name: str) -> None:
    loud, quiet = sounds()[1], sounds()[1] / 64
    out = np.asarray(build_front_end(name)(np.stack([loud, quiet, np.zeros(48000, np.float32)])))
    np.testing.assert_allclose(out[2], 0.0, atol=1e-4)
    np.testing.assert_allclose(out[:2].max(axis=(1, 2, 3)), 0.0)
    assert out.min() >= -80.0
    np.testing.assert_allclose(out[0], out[1], atol=1e-3)


def test_layer_is_serialisable_and_float32_under_mixed_precision() -> None:
    layer = Spectrogram("mel128", version="openl3", hop_length=484, dtype="mixed_bfloat16")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert copy.get_config() == layer.get_config()
    assert copy(sounds()[:1]).dtype == layer(sounds()[:1]).dtype == "float32"
    assert layer.weights == []


def test_wrong_names_are_told() -> None:
    with pytest.raises(ConfigError, match="unknown front end 'mel64'; expected one of linear, mel128, mel256"):
        build_front_end("mel64")
    with pytest.raises(ConfigError, match="unknown front end version '2'"):
        build_front_end("linear", version="2")
    with pytest.raises(ConfigError, match="hop_length must be 1 sample or more, not 0"):
        build_front_end("linear", hop_length=0)


def test_spec_augment_hides_by_its_seeds_alone() -> None:
    layer = SpecAugment(bands=0.3, times=0.3)
    spectrogram = np.zeros((3, 40, 50, 1), np.float32)
    seeds = np.array([[1, 7], [2, 7], [1, 7]], np.int32)
    assert np.array_equal(layer(spectrogram, seeds), spectrogram)
    hidden = np.asarray(layer(spectrogram, seeds, training=True)) == -80.0
    assert np.array_equal(hidden[0], hidden[2])
    assert not np.array_equal(hidden[0], hidden[1])
    assert 0 < hidden.mean() < 0.85


def test_the_network_transforms_in_float32_in_training_and_in_float64_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transformed_in, fourier = [], Spectrogram.fourier
    monkeypatch.setattr(Spectrogram, "fourier", lambda self, x: transformed_in.append(x.dtype) or fourier(self, x))
    network = build_l3("mel128", image_size=32, width=1 / 16, hop_length=1936)
    batch = {"image": np.zeros((1, 32, 32, 3), np.float32), "audio": sounds()[:1]}
    transformed_in.clear()
    network(batch, training=True)
    network(batch, training=False)
    assert transformed_in == [tf.float32, tf.float64]

"""VGGish: its input against a computation of its own, its checkpoint in TensorFlow 1's format, its post-processing."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from l3net.embeddings import vggish
from l3net.embeddings.vggish import LAYERS, log_mel, read_vggish, read_whitening, vggish_network
from l3net.errors import WeightsError


def log_mel_by_definition(audio: np.ndarray) -> np.ndarray:
    """Return 96 x 64 in float64: sums of cosines and sines for the transform, a loop over the triangles."""
    n = np.arange(400)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / 400)
    frames = np.stack([audio[160 * k : 160 * k + 400] for k in range(96)]).astype(np.float64) * window
    angles = 2 * np.pi * np.outer(n, np.arange(257)) / 512
    magnitude = np.hypot(frames @ np.cos(angles), frames @ np.sin(angles))
    mel = 1127 * np.log(1 + np.linspace(0, 8000, 257) / 700)
    edges = np.linspace(1127 * np.log(1 + 125 / 700), 1127 * np.log(1 + 7500 / 700), 66)
    bands = np.zeros((96, 64))
    for band in range(64):
        low, centre, high = edges[band : band + 3]
        for k in range(1, 257):
            height = min((mel[k] - low) / (centre - low), (high - mel[k]) / (high - centre))
            bands[:, band] += max(height, 0.0) * magnitude[:, k]
    return np.log(bands + 0.01)


def test_log_mel() -> None:
    rng = np.random.default_rng(0)
    audio = (0.3 * rng.standard_normal(15600) + np.sin(np.arange(15600) * 0.2)).clip(-1, 1).astype(np.float32)
    found = log_mel(audio[None]).numpy()[0]
    np.testing.assert_allclose(found, log_mel_by_definition(audio), atol=1e-4)


def test_number_of_parameters() -> None:
    sizes = {name: int(np.prod(shape)) + shape[-1] for name, shape in LAYERS.items()}
    assert sum(sizes.values()) == 72_141_184
    assert sum(size for name, size in sizes.items() if name.startswith("conv")) == 4_499_712


def write_tf1(path: Path, values: dict[str, np.ndarray]) -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = [tf.compat.v1.get_variable(name, initializer=tf.constant(value)) for name, value in values.items()]
        session.run(tf.compat.v1.global_variables_initializer())
        version = tf.compat.v1.train.SaverDef.V1
        saver = tf.compat.v1.train.Saver(variables, write_version=version)
        saver.save(session, str(path), write_meta_graph=False, write_state=False)


def test_a_tf1_checkpoint_is_read_into_the_right_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small shapes stand in for the real ones: a file of 288 MB would tell no more."""
    small = {name: (*shape[:-2], max(shape[-2] // 64, 1), shape[-1] // 64) for name, shape in LAYERS.items()}
    small["fc1/fc1_1"] = (6 * 4 * 8, 64)
    monkeypatch.setattr(vggish, "LAYERS", small)
    rng, values = np.random.default_rng(1), {}
    for name, shape in small.items():
        values[f"vggish/{name}/weights"] = rng.normal(0, 0.1, shape).astype(np.float32)
        values[f"vggish/{name}/biases"] = rng.normal(0, 0.1, shape[-1]).astype(np.float32)
    write_tf1(tmp_path / "vggish_model.ckpt", values)
    assert (tmp_path / "vggish_model.ckpt").is_file()  # one file, as the released one; later formats have several
    read = read_vggish(tmp_path / "vggish_model.ckpt")
    for name, (kernel, bias) in read.items():
        np.testing.assert_array_equal(kernel, values[f"vggish/{name}/weights"])
        np.testing.assert_array_equal(bias, values[f"vggish/{name}/biases"])
    audio = rng.normal(0, 0.1, (2, 15600)).astype(np.float32)
    found = vggish_network(read)(audio).numpy()
    np.testing.assert_allclose(found, network_by_definition(read, audio), rtol=1e-3, atol=1e-5)
    assert (vggish_network(read, relu=True)(audio).numpy() == np.maximum(found, 0)).all()
    values["vggish/fc2/biases"][0] = np.inf
    write_tf1(tmp_path / "spoilt.ckpt", values)
    with pytest.raises(WeightsError, match=r"spoilt\.ckpt: vggish/fc2/biases: 1 of 2 values are not finite"):
        read_vggish(tmp_path / "spoilt.ckpt")


def network_by_definition(weights: dict, audio: np.ndarray) -> np.ndarray:
    """Return the network's output, convolutions as sums over shifted copies."""
    x = np.stack([log_mel_by_definition(window) for window in audio])[..., None]
    for name, (kernel, bias) in weights.items():
        if not name.startswith("conv"):
            x = x.reshape(len(x), -1) @ kernel + bias
            x = x if name == "fc2" else np.maximum(x, 0)
            continue
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        rows, columns = x.shape[1:3]
        shifted = (padded[:, i : i + rows, j : j + columns] @ kernel[i, j] for i in range(3) for j in range(3))
        x = np.maximum(sum(shifted) + bias, 0)
        if name in ("conv1", "conv2", "conv3/conv3_2", "conv4/conv4_2"):
            x = x.reshape(len(x), rows // 2, 2, columns // 2, 2, -1).max(axis=(2, 4))
    return x


def test_a_checkpoint_of_another_network_names_the_first_layer_that_differs(tmp_path: Path) -> None:
    write_tf1(tmp_path / "a.ckpt", {"vggish/conv1/weights": np.zeros((3, 3, 1, 32), np.float32)})
    with pytest.raises(WeightsError, match=r"layer conv1: .* has shape \(3, 3, 1, 32\); expected \(3, 3, 1, 64\)"):
        read_vggish(tmp_path / "a.ckpt")
    write_tf1(tmp_path / "b.ckpt", {"other": np.zeros(3, np.float32)})
    with pytest.raises(WeightsError, match="layer conv1: vggish/conv1/weights is not there"):
        read_vggish(tmp_path / "b.ckpt")
    (tmp_path / "c.ckpt").write_text("no checkpoint")
    with pytest.raises(WeightsError, match="cannot be read as a TensorFlow checkpoint"):
        read_vggish(tmp_path / "c.ckpt")


def test_whitening_and_quantisation(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    matrix, means, vectors = rng.normal(0, 0.1, (128, 128)), rng.normal(0, 1, (128, 1)), rng.normal(0, 1, (5, 128))
    np.savez(tmp_path / "pca.npz", pca_eigen_vectors=matrix, pca_means=means)
    whitening = read_whitening(tmp_path / "pca.npz")
    plain = whitening.apply(vectors, quantize=False)
    expected = np.array([[sum(row * (v - means[:, 0])) for row in matrix] for v in vectors])
    np.testing.assert_allclose(plain, expected.clip(-2, 2), rtol=1e-5, atol=1e-6)
    quantised = whitening.apply(vectors, quantize=True)
    assert set(np.unique(quantised)) <= set(range(256))
    np.testing.assert_allclose(quantised / 63.75 - 2, plain, atol=1 / 63.7)
    np.savez(tmp_path / "bad.npz", pca_eigen_vectors=matrix[:3], pca_means=means)
    with pytest.raises(WeightsError, match=r"shape \(3, 128\)"):
        read_whitening(tmp_path / "bad.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(WeightsError, match="cannot be read as VGGish's PCA"):
        read_whitening(tmp_path / "text.npz")


@pytest.mark.parametrize("name", ["pca_eigen_vectors", "pca_means"])
def test_a_whitening_with_numbers_that_are_not_finite_is_refused(tmp_path: Path, name: str) -> None:
    arrays = {"pca_eigen_vectors": np.eye(128, dtype=np.float32), "pca_means": np.zeros((128, 1), np.float32)}
    arrays[name][3, 0] = np.nan
    np.savez(tmp_path / "pca.npz", **arrays)
    with pytest.raises(WeightsError, match=rf"pca\.npz: {name}: 1 of \d+ values are not finite"):
        read_whitening(tmp_path / "pca.npz")

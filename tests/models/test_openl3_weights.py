"""openl3's weights files against an independent rebuild of its network in Keras 2, and against openl3 itself.

With OPENL3_SRC, the folder of openl3 0.4.2's source (its package fetches weights while it installs, so unpack it only),
and OPENL3_PYTHON, a Python with TensorFlow 2.15 and kapre 0.3.6, openl3 reads what is exported here.
"""

import os
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from l3net.embeddings.embedding_keras import embedding_of_model
from l3net.embeddings.registry import load_embedding
from l3net.errors import WeightsError
from l3net.models.export import export_embedding
from l3net.models.front_ends import FRONT_ENDS
from l3net.models.l3 import build_l3, embedding_network, vision_embedding_network
from l3net.models.openl3_weights import read_openl3_weights, write_openl3_weights
from l3net.models.spectrogram import build_front_end
from tests import tiny_embedding

FULL = {"width": 1.0, "hop_length": 242, "version": "openl3"}


def rebuild(bins: int, frames: int, pool: tuple[int, int]):
    """Return openl3's audio network behind its front end, by its documentation, in Keras 2."""
    import tf_keras
    from tf_keras import layers

    given = x = layers.Input((bins, frames, 1))
    x = layers.BatchNormalization()(x)
    for channels in (64, 128, 256, 512):
        for number in (1, 2):
            x = layers.Conv2D(channels, (3, 3), padding="same")(x)
            if (channels, number) == (512, 2):
                break
            x = layers.Activation("relu")(layers.BatchNormalization()(x))
        if channels < 512:
            x = layers.MaxPooling2D((2, 2), strides=2)(x)
    x = layers.Flatten()(layers.MaxPooling2D(pool, padding="same")(x))
    return tf_keras.Model(given, x)


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.fixture(scope="module")
def sounds() -> np.ndarray:
    rng = np.random.default_rng(0)
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    return np.stack([rng.normal(0, 0.1, 48000), tone + rng.normal(0, 0.01, 48000)]).astype(np.float32)


@pytest.mark.parametrize(("front_end", "pool"), [("mel128", (4, 8)), ("linear", (8, 8))])
def test_an_export_read_by_the_rebuild_gives_the_same_embedding(
    tmp_path: Path, sounds: np.ndarray, front_end: str, pool: tuple[int, int]
) -> None:
    ours = embedding_network(tiny_embedding.network(front_end=front_end, **FULL))
    export_embedding(ours, {"hop_length": 242}, tmp_path / "ours.h5")
    spectra = np.array(build_front_end(front_end, version="openl3")(sounds))
    theirs = rebuild(*spectra.shape[1:3], pool)
    theirs.load_weights(tmp_path / "ours.h5")
    assert difference(theirs(spectra).numpy(), np.array(ours(sounds))) < 1e-4


def test_a_file_written_by_the_rebuild_is_read_here(tmp_path: Path, sounds: np.ndarray) -> None:
    spectra = np.array(build_front_end("mel128", version="openl3")(sounds))
    theirs = rebuild(*spectra.shape[1:3], (4, 8))
    rng = np.random.default_rng(4)
    theirs.set_weights([w + np.abs(rng.normal(0, 0.05, w.shape)) for w in theirs.get_weights()])
    theirs.save_weights(tmp_path / "openl3_audio_mel128_env.h5")
    ours = embedding_network(build_l3("mel128", image_size=32, version="openl3"))
    read_openl3_weights(ours, tmp_path / "openl3_audio_mel128_env.h5")
    assert difference(np.array(ours(sounds)), theirs(spectra).numpy()) < 1e-4


def test_the_vision_embedding_goes_and_comes_back(tmp_path: Path) -> None:
    ours = vision_embedding_network(tiny_embedding.network(**FULL))
    export_embedding(ours, {"hop_length": 242}, tmp_path / "image.h5")
    other = vision_embedding_network(build_l3("mel128", image_size=32, version="openl3"))
    read_openl3_weights(other, tmp_path / "image.h5")
    images = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.array(other(images)), np.array(ours(images)))


def test_spectrogram_layers_of_older_files_are_passed_over(tmp_path: Path) -> None:
    ours = embedding_network(tiny_embedding.network())
    write_openl3_weights(ours, tmp_path / "old.h5", "audio_embedding_layer")
    with h5py.File(tmp_path / "old.h5", "a") as file:
        file.attrs["layer_names"] = np.concatenate([[b"melspectrogram_1"], file.attrs["layer_names"]])
        file["melspectrogram_1/dft:0"] = np.zeros((1024, 1, 1, 513), np.float32)
        file["melspectrogram_1"].attrs["weight_names"] = np.array([b"dft:0"])
    read_openl3_weights(embedding_network(tiny_embedding.network(seed=9)), tmp_path / "old.h5")


def test_a_file_of_another_shape_names_the_first_layer_that_differs(tmp_path: Path) -> None:
    wide = embedding_network(tiny_embedding.network(width=0.25))
    write_openl3_weights(wide, tmp_path / "wide.h5", "audio_embedding_layer")
    narrow = embedding_network(tiny_embedding.network())
    with pytest.raises(WeightsError, match="layer 2, audio_conv_1_1, has weights of shape 3x3x1x16, 16; audio"):
        read_openl3_weights(narrow, tmp_path / "wide.h5")
    (tmp_path / "text.h5").write_text("nothing")
    with pytest.raises(WeightsError, match="cannot be read as weights of openl3"):
        read_openl3_weights(narrow, tmp_path / "text.h5")


OPENL3_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from openl3 import models
sounds, images = np.load("sounds.npy")[:, None], np.load("images.npy")
for name in ("linear", "mel128", "mel256"):
    for size in (6144, 512):
        model = models.load_audio_embedding_model_from_path(f"{name}.h5", name, size)
        np.save(f"{name}_{size}.npy", model.predict(sounds, verbose=0))
    rng, old = np.random.default_rng(4), model.get_weights()
    model.set_weights([w * rng.uniform(0.5, 1.5, w.shape) + np.abs(rng.normal(0, 0.02, w.shape)) for w in old])
    model.save_weights(f"openl3_audio_{name}_env.h5")
    np.save(f"{name}_written.npy", model.predict(sounds, verbose=0))
np.save("image.npy", models.load_image_embedding_model_from_path("image.h5", 8192).predict(images, verbose=0))
"""


def test_openl3_itself_reads_what_is_exported_and_what_it_writes_is_read_here(
    tmp_path: Path, sounds: np.ndarray
) -> None:
    """From sound, through the front end of each; ours as it is used: made ready, behind the kind's settings."""
    source, python = os.environ.get("OPENL3_SRC"), os.environ.get("OPENL3_PYTHON")
    if not source or not python:
        pytest.skip("OPENL3_SRC (openl3 0.4.2's source) and OPENL3_PYTHON (TensorFlow 2.15, kapre 0.3.6) are not set")
    images = np.random.default_rng(0).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
    np.save(tmp_path / "sounds.npy", sounds)
    np.save(tmp_path / "images.npy", images)
    whole = {name: tiny_embedding.network(front_end=name, **FULL) for name in FRONT_ENDS}
    for name, network in whole.items():
        export_embedding(embedding_network(network), {}, tmp_path / f"{name}.h5")
    seen = vision_embedding_network(tiny_embedding.network(**FULL, image_size=224))
    export_embedding(seen, {}, tmp_path / "image.h5")
    subprocess.run([python, "-c", OPENL3_PROGRAM, source], cwd=tmp_path, check=True, capture_output=True)
    assert difference(np.array(seen(images)), np.load(tmp_path / "image.npy")) < 1e-4
    for name, network in whole.items():
        for pooling in (6144, 512):
            ours = embedding_of_model(embedding_network(network, pooling=pooling), {})
            assert difference(ours.network(sounds), np.load(tmp_path / f"{name}_{pooling}.npy")) < 1e-4, name
        settings = {"kind": "openl3", "front_end": name, "pooling": 512, "subset": "env"}
        read = load_embedding(settings, [tmp_path / f"openl3_audio_{name}_env.h5"])
        assert difference(read.network(sounds), np.load(tmp_path / f"{name}_written.npy")) < 1e-4, name


def test_a_file_with_numbers_that_are_not_finite_names_the_layer(tmp_path: Path) -> None:
    ours = embedding_network(tiny_embedding.network())
    write_openl3_weights(ours, tmp_path / "spoilt.h5", "audio_embedding_layer")
    with h5py.File(tmp_path / "spoilt.h5", "a") as file:
        file["audio_conv_1_2/audio_conv_1_2/bias:0"][1] = np.nan
    with pytest.raises(WeightsError, match=r"spoilt\.h5: layer 4, audio_conv_1_2: 1 of 8 values are not finite"):
        read_openl3_weights(ours, tmp_path / "spoilt.h5")

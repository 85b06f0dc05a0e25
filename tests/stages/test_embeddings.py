"""extract_embedding and embed_dataset on tiny inputs."""

import json
from pathlib import Path

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
import soundfile

from l3net.embeddings.embedding_keras import load_keras_embedding, load_network
from l3net.embeddings.keras_metadata import read_keras_metadata
from l3net.errors import ClipError, ConfigError, DatasetError, WeightsError
from l3net.models.l3 import vision_embedding_network
from tests import tiny_embedding
from tests.embeddings import test_soundnet as soundnet
from tests.stages.loading import stage_function

extract_embedding = stage_function("extract_embedding")
embed_dataset = stage_function("embed_dataset")


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, keras.Model]:
    folder = tmp_path_factory.mktemp("model")
    whole = tiny_embedding.write_checkpoint(folder / "epoch-002.h5")
    extract_embedding(
        folder / "epoch-002.h5", folder / "embedding.keras", [folder / "vision.keras"], pooling=512, subset="music"
    )
    return folder / "embedding.keras", whole


def test_an_extracted_embedding_is_the_checkpoints(extracted: tuple[Path, keras.Model]) -> None:
    path, whole = extracted
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 48000)).astype(np.float32)
    tap = keras.Model(whole.input["audio"], whole.get_layer("audio_conv_4_2").output)
    expected = np.array(tap(sound)).max(axis=(1, 2))
    np.testing.assert_allclose(load_keras_embedding(path).network(sound), expected, rtol=1e-5, atol=1e-6)


def test_its_metadata_say_where_it_comes_from(extracted: tuple[Path, keras.Model]) -> None:
    about = read_keras_metadata(extracted[0])
    expected = {"kind": "l3", "front_end": "mel128", "front_end_version": "training", "hop_length": 1936}
    expected |= {"subset": "music", "epoch": 2, "samples_seen": 200, "model_seed": 7, "pooling": 512, "dimension": 64}
    assert {key: about[key] for key in expected} == expected
    assert about["validation_accuracy"] == pytest.approx(0.2)
    assert json.loads(about["config"]) == {"pooling": 512, "subset": "music"}
    assert about["commit"]


def test_the_vision_embedding_is_extracted_too(extracted: tuple[Path, keras.Model]) -> None:
    path, whole = extracted
    network, about = load_network(path.with_name("vision.keras"))
    images = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    expected = vision_embedding_network(whole)(images)
    np.testing.assert_allclose(np.array(network(images)), np.array(expected), rtol=1e-6)
    assert (about["kind"], about["image_size"]) == ("l3-vision", 32)
    with pytest.raises(WeightsError, match="is of kind l3-vision; expected one of sound"):
        load_keras_embedding(path.with_name("vision.keras"))


def test_a_checkpoint_of_another_subset_is_refused(extracted: tuple[Path, keras.Model], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="was trained on music, not on environmental"):
        extract_embedding(extracted[0].with_name("epoch-002.h5"), tmp_path / "a.keras", [], subset="environmental")
    assert not list(tmp_path.iterdir())


def test_what_is_no_embedding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.keras").write_text("nothing")
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    for name, message in {"none": "cannot be read", "text": "is not a Keras archive", "other": "no metadata"}.items():
        with pytest.raises(WeightsError, match=message):
            read_keras_metadata(tmp_path / f"{name}.keras")


@pytest.fixture
def clips(tmp_path: Path) -> pd.DataFrame:
    rng, rows = np.random.default_rng(1), []
    for n, seconds in enumerate((2.0, 0.4, 3.3)):
        path = tmp_path / f"clip{n}.wav"
        soundfile.write(path, rng.normal(0, 0.1, int(16000 * seconds)), 16000)
        rows.append({"path": path, "filename": path.name, "label": "dög", "fold": str(n), "group": f"g{n}"})
    table = pd.DataFrame(rows)
    table.to_csv(tmp_path / "clips.csv", index=False)
    return table


def run(tmp_path: Path, settings: dict, model: list[Path], **options: object) -> h5py.File:
    embed_dataset(
        tmp_path / "clips.csv",
        model,
        tmp_path / "out.h5",
        dataset="tiny",
        embedding="named",
        settings=settings,
        front_end_settings={"version": "training", "hop_length": 1936},
        network={"width": 0.125, "batch_norm_momentum": 0.9},
        seed=5,
        **{"hop_seconds": 0.5, "batch_size": 4, **options},
    )
    return h5py.File(tmp_path / "out.h5")


def test_embed_dataset_with_our_model(tmp_path: Path, clips: pd.DataFrame, extracted: tuple[Path, keras.Model]) -> None:
    settings = {"kind": "l3", "pooling": 512, "subset": "music", "front_end": "mel128", "model_seed": 0}
    with run(tmp_path, settings, [extracted[0]]) as file:
        assert file["offsets"][:].tolist() == [0, 3, 4, 10]
        np.testing.assert_allclose(file["timestamps"][:], [0, 0.5, 1, 0, *np.arange(6) * 0.5])
        assert file["clips/label"].asstr()[:].tolist() == ["dög"] * 3
        assert file["clips/fold"].asstr()[:].tolist() == ["0", "1", "2"]
        expected = {"embedding": "named", "dataset": "tiny", "kind": "l3", "epoch": 2, "samples_seen": 200}
        expected["model_seed"] = 0
        assert {key: file.attrs[key] for key in expected} == expected
        embeddings = file["embedding"][:]
    network = load_keras_embedding(extracted[0]).network
    import soxr

    short = soxr.resample(soundfile.read(clips["path"][1], dtype="float32")[0], 16000, 48000)
    before = (48000 - len(short)) // 2
    padded = np.pad(short, (before, 48000 - len(short) - before))
    np.testing.assert_allclose(embeddings[3], network(padded[None])[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["random", "soundnet", "hear"])
def test_embed_dataset_with_other_kinds(
    tmp_path: Path, clips: pd.DataFrame, extracted: tuple[Path, keras.Model], kind: str
) -> None:
    settings, model = {"kind": kind}, []
    if kind == "soundnet":
        settings["layer"], model = "conv5", [soundnet.save(tmp_path / "drawn.npy", soundnet.drawn())]
    elif kind == "hear":
        settings["module"], model = "l3net.hear", [extracted[0]]
    with run(tmp_path, settings, model) as file:
        offsets, vectors = file["offsets"][:], file["embedding"][:]
        assert (np.diff(offsets) > 0).all()
        assert offsets[-1] == len(vectors) == len(file["timestamps"])
        assert np.isfinite(vectors).all()
        assert file.attrs["kind"] == kind
        assert vectors.shape[1] == {"random": 256, "soundnet": 256, "hear": 64}[kind]


def test_random_is_the_same_every_time_and_follows_the_seed(tmp_path: Path, clips: pd.DataFrame) -> None:
    first, again, other = (
        run(tmp_path, {"kind": "random", **more}, [])["embedding"][:] for more in ({}, {}, {"seed": 6})
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize(
    ("settings", "model", "error", "message"),
    [
        ({"kind": "vgish"}, [], ConfigError, "unknown kind 'vgish'; expected one of l3, openl3, vggish"),
        ({"kind": "random", "layer": "conv7"}, [], ConfigError, "kind random has no key layer; it has front_end"),
        ({"kind": "soundnet"}, [], WeightsError, "takes one file, sound8.npy of the TensorFlow port; 0 are given"),
        ({"kind": "soundnet"}, ["none.npy"], WeightsError, "none.npy: no such file"),
        ({"kind": "hear"}, [], ConfigError, "kind hear needs module"),
        ({"kind": "hear", "module": "no_such_module"}, [], ConfigError, "'no_such_module' cannot be imported"),
        ({"kind": "hear", "module": "json"}, [], ConfigError, "'json' has no load_model, get_timestamp"),
        ({"kind": "openl3", "pooling": 100}, [], ConfigError, "pooling 100"),
    ],
)
def test_settings_that_name_no_embedding(
    tmp_path: Path, clips: pd.DataFrame, settings: dict, model: list[str], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        run(tmp_path, settings, [Path(name) for name in model])
    assert not (tmp_path / "out.h5").exists()


def test_a_broken_clip_ends_the_stage_with_its_name_and_leaves_nothing(tmp_path: Path, clips: pd.DataFrame) -> None:
    clips["path"][1].write_text("no sound")
    with pytest.raises(ClipError, match=r"clip1.wav: cannot be read as sound"):
        run(tmp_path, {"kind": "random"}, [])
    assert not list(tmp_path.glob("*.h5"))
    clips.iloc[:0].to_csv(tmp_path / "clips.csv", index=False)
    with pytest.raises(DatasetError, match="no clips"):
        run(tmp_path, {"kind": "random"}, [])

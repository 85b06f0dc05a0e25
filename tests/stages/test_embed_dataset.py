"""embed_dataset on tiny sounds."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile

from l3net.embeddings.embedding_keras import load_keras_embedding
from l3net.errors import ClipError, ConfigError, DatasetError, WeightsError
from tests import tiny_embedding
from tests.embeddings import test_soundnet as soundnet
from tests.stages.loading import stage_function

extract_embedding = stage_function("extract_embedding")
embed_dataset = stage_function("embed_dataset")
RANDOM = {"kind": "random", "version": "training", "hop_length": 1936, "width": 0.125, "seed": 5}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedding.keras of 64 values."""
    path = tmp_path_factory.mktemp("model") / "embedding.keras"
    tiny_embedding.write_embedding(path, pooling=512)
    return path


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
        tmp_path / "out.h5",
        model=model,
        dataset="tiny",
        embedding="named",
        settings=settings,
        **{"hop_seconds": 0.5, "batch_size": 4, **options},
    )
    return h5py.File(tmp_path / "out.h5")


def test_embed_dataset_with_our_model(tmp_path: Path, clips: pd.DataFrame, model: Path) -> None:
    settings = {"kind": "l3", "pooling": 512, "subset": "music", "front_end": "mel128", "model_seed": 0}
    with run(tmp_path, settings, [model]) as file:
        assert file["offsets"][:].tolist() == [0, 3, 4, 10]
        np.testing.assert_allclose(file["timestamps"][:], [0, 0.5, 1, 0, *np.arange(6) * 0.5])
        assert file["clips/label"].asstr()[:].tolist() == ["dög"] * 3
        assert file["clips/fold"].asstr()[:].tolist() == ["0", "1", "2"]
        expected = {"embedding": "named", "dataset": "tiny", "kind": "l3", "epoch": 2, "samples_seen": 200}
        expected["model_seed"] = 0
        assert {key: file.attrs[key] for key in expected} == expected
        embeddings = file["embedding"][:]
    network = load_keras_embedding(model).network
    import soxr

    short = soxr.resample(soundfile.read(clips["path"][1], dtype="float32")[0], 16000, 48000)
    before = (48000 - len(short)) // 2
    padded = np.pad(short, (before, 48000 - len(short) - before))
    np.testing.assert_allclose(embeddings[3], network(padded[None])[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["random", "soundnet", "hear"])
def test_embed_dataset_with_other_kinds(tmp_path: Path, clips: pd.DataFrame, model: Path, kind: str) -> None:
    settings, files = RANDOM if kind == "random" else {"kind": kind}, []
    if kind == "soundnet":
        settings["layer"], files = "conv5", [soundnet.save(tmp_path / "drawn.npy", soundnet.drawn())]
    elif kind == "hear":
        settings["module"], files = "l3net.hear", [model]
    with run(tmp_path, settings, files) as file:
        offsets, vectors = file["offsets"][:], file["embedding"][:]
        assert (np.diff(offsets) > 0).all()
        assert offsets[-1] == len(vectors) == len(file["timestamps"])
        assert np.isfinite(vectors).all()
        assert file.attrs["kind"] == kind
        assert vectors.shape[1] == {"random": 256, "soundnet": 256, "hear": 64}[kind]


def test_random_is_the_same_every_time_and_follows_the_seed(tmp_path: Path, clips: pd.DataFrame) -> None:
    first, again, other = (run(tmp_path, {**RANDOM, **more}, [])["embedding"][:] for more in ({}, {}, {"seed": 6}))
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
        ({"kind": "openl3", "pooling": 100}, [], ConfigError, "kind openl3: pooling is 100; expected one of 6144, 512"),
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
        run(tmp_path, RANDOM, [])
    assert not list(tmp_path.glob("*.h5"))
    clips.iloc[:0].to_csv(tmp_path / "clips.csv", index=False)
    with pytest.raises(DatasetError, match="no clips"):
        run(tmp_path, RANDOM, [])


def test_a_vector_that_is_not_finite_ends_the_stage_with_clip_and_time(tmp_path: Path, clips: pd.DataFrame) -> None:
    sound, rate = soundfile.read(clips["path"][2])
    soundfile.write(clips["path"][1], sound[:rate], rate)  # the module has no vector for less than half a second
    sound[24000:32000] = 0
    soundfile.write(clips["path"][2], sound, rate)
    with pytest.raises(ClipError, match=r"clip2\.wav: the vector at 1\.50 s holds values that are not finite"):
        run(tmp_path, {"kind": "hear", "module": "tests.embeddings.dividing_hear"}, [])
    assert not list(tmp_path.glob("*.h5"))

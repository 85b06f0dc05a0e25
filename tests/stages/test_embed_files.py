"""l3net embed from the command line and from Python, and l3net.hear."""

import errno
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet
import pytest
import soundfile

import l3net
from l3net.cli.main import main
from l3net.embeddings.audio_files import embed_audio_files, find_audio_files
from l3net.embeddings.embedding_keras import load_keras_embedding
from l3net.embeddings.interface import WindowEmbedding
from l3net.embeddings.vector_file import VECTOR_WRITERS
from l3net.errors import ClipError, ConfigError, WeightsError
from tests import tiny_embedding
from tests.media.test_audio import broken


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "embedding.keras"
    tiny_embedding.write_embedding(path)
    return path


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    soundfile.write(tmp_path / "in" / "a.wav", rng.normal(0, 0.1, (48000, 2)), 16000)
    soundfile.write(tmp_path / "in" / "deep" / "a.flac", rng.normal(0, 0.1, 72000), 48000)
    (tmp_path / "in" / "notes.txt").write_text("not sound, and not tried")
    return tmp_path / "in"


def embed(*arguments: object) -> int:
    return main(["embed", *map(str, arguments)])


@pytest.mark.parametrize("format", ["npz", "h5", "parquet"])
def test_a_folder_is_embedded_and_then_skipped(
    model: Path, sounds: Path, tmp_path: Path, format: str, capsys: pytest.CaptureFixture
) -> None:
    options = ("--model", model, "--output", tmp_path / "out", "--hop-seconds", 0.25, "--format", format)
    assert embed(sounds, *options) == 0
    target = tmp_path / "out" / "deep" / f"a.flac.{format}"
    if format == "npz":
        with np.load(target) as file:
            vectors, times = file["embedding"], file["timestamps"]
    elif format == "h5":
        with h5py.File(target) as file:
            vectors, times = file["embedding"][:], file["timestamps"][:]
    else:
        table = pyarrow.parquet.read_table(target)
        vectors, times = np.stack(table["embedding"].to_numpy()), table["timestamp"].to_numpy()
    audio = soundfile.read(sounds / "deep" / "a.flac", dtype="float32")[0]
    expected, expected_times = l3net.embed(audio, 48000, model=model, hop_seconds=0.25)
    np.testing.assert_allclose(vectors, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(times, expected_times)
    made = target.stat().st_mtime_ns
    assert embed(sounds, *options) == 0
    assert "embedded 0, already done 2, failed 0" in capsys.readouterr().err
    assert target.stat().st_mtime_ns == made
    assert embed(sounds, *options, "--center") == 0
    said = capsys.readouterr().err
    assert "embedding: 4 of 4 s of sound" in said
    assert "embedded 2, already done 0, failed 0" in said
    assert sorted(p.name for p in (tmp_path / "out").rglob("*.*")) == [f"a.flac.{format}", f"a.wav.{format}"]


def test_pooling_over_time_and_a_list(model: Path, sounds: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"{sounds / 'a.wav'}\n\n")
    options = ("--model", model, "--output", tmp_path / "out", "--list", tmp_path / "list.txt")
    assert embed(*options, "--pool", "mean,max,std", "--hop-seconds", 0.2) == 0
    audio = soundfile.read(sounds / "a.wav", dtype="float32")[0]
    windows, _ = l3net.embed(audio, 16000, model=model, hop_seconds=0.2)
    with np.load(tmp_path / "out" / "a.wav.npz") as file:
        expected = np.concatenate([windows.mean(0), windows.max(0), windows.std(0)])
        np.testing.assert_allclose(file["embedding"], expected[None], rtol=1e-3, atol=1e-3)


def test_every_kind_of_file(model: Path, tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture) -> None:
    """Right result or one clear line each; the broken ones do not touch the others; exit code 1 at the end."""
    folder = tmp_path / "in"
    folder.mkdir()
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.1, (192000, 2)).clip(-1, 1)
    bad = dict.fromkeys(broken(folder, noise[:48000]))
    (folder / "film.mp4").write_bytes((shared_data / "video" / "negative" / "no_audio_bikes.mp4").read_bytes())
    bad["film.mp4"] = None
    good = {"a.wav": 1, "a.flac": 1}
    for name, audio, rate, n in (
        ("silence.wav", np.zeros(96000), 48000, 11),
        ("one_sample.wav", noise[:1], 48000, 1),
        ("short.wav", noise[:14400], 48000, 1),
        ("clipping.wav", np.sign(noise[:48000]), 48000, 1),
        ("low.wav", noise[:16000], 8000, 11),
        ("high.wav", noise, 192000, 1),
        ("eight.wav", np.tile(noise[:48000], 4), 48000, 1),
    ):
        soundfile.write(folder / name, audio, rate)
        good[name] = n
    wav = bytearray((folder / "a.wav").read_bytes())
    (folder / "piped.wav").write_bytes(wav[:4] + b"\xff" * 4 + wav[8:40] + b"\xff" * 4 + wav[44:])
    good["piped.wav"] = 1
    assert embed(folder, "--model", model, "--output", tmp_path / "out") == 1
    said = capsys.readouterr().err
    for name in bad:
        assert len([line for line in said.splitlines() if f"{name}:" in line]) == 1
        assert not (tmp_path / "out" / f"{name}.npz").exists()
    for name, n in good.items():
        with np.load(tmp_path / "out" / f"{name}.npz") as file:
            assert np.isfinite(file["embedding"]).all()
            assert len(file["embedding"]) == n, name
    assert f"embedded {len(good)}, already done 0, failed {len(bad)}" in said
    assert "Traceback" not in said
    assert not list((tmp_path / "out").glob(".*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "o"], "no files: name some, a folder, or --list FILE"),
        (["none.wav", "--output", "o"], "none.wav: no such file"),
        (["--list", "none.txt", "--output", "o"], "--list none.txt: cannot be read"),
        ([__file__, "--model", "none.keras", "--output", "o"], "--model none.keras: no such file"),
        ([__file__, "--model", __file__, "--output", "o"], "is not a Keras archive"),
        ([__file__, "--batch-size", "0", "--output", "o"], "--batch-size is 0"),
    ],
)
def test_a_wrong_command_line_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert embed(*arguments) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("settings", ["[]", '{"kind"', "3"])
def test_settings_that_are_no_object(settings: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        embed("a.wav", "--output", "o", "--settings", settings)
    assert "argument --settings: " in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_line(
    model: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert embed(sounds, "--model", model, "--output", tmp_path / "file") == 1
    said = capsys.readouterr().err
    assert said.splitlines()[-1] == f"l3net: {tmp_path / 'file'}: File exists"
    assert "Traceback" not in said


@pytest.mark.parametrize("format", ["npz", "h5", "parquet"])
def test_a_disk_that_fills_up_leaves_nothing(
    model: Path, sounds: Path, tmp_path: Path, format: str, capsys: pytest.CaptureFixture, monkeypatch
) -> None:
    writer = VECTOR_WRITERS[f".{format}"]

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writer, "append", full)
    assert embed(sounds, "--model", model, "--output", tmp_path / "out", "--format", format) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "l3net: writing: No space left on device"
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_what_is_done_needs_no_model(sounds: Path, tmp_path: Path) -> None:
    def never() -> None:
        raise AssertionError("the model was loaded")

    (task,) = find_audio_files([sounds / "a.wav"], tmp_path / "out", ".npz")
    network = WindowEmbedding(lambda windows: windows[:, :2].copy(), 2, 48000, 48000)
    assert embed_audio_files(lambda: network, [task], about={"model": 1}).done == 1
    assert embed_audio_files(never, [task], about={"model": 1}).skipped == 1
    with pytest.raises(AssertionError, match="was loaded"):
        embed_audio_files(never, [task], about={"model": 2})


def test_precision_is_part_of_what_is_done(
    model: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    options = (sounds / "a.wav", "--model", model, "--output", tmp_path / "out")
    found = []
    for precision in ((), ("--precision", "bfloat16")):
        assert embed(*options, *precision) == 0
        assert "embedded 1, already done 0" in capsys.readouterr().err
        with np.load(tmp_path / "out" / "a.wav.npz") as file:
            found.append(file["embedding"])
            about = json.loads(str(file["metadata"]))["embedding"]
    assert about["precision"] == "bfloat16"
    assert 1e-5 < np.linalg.norm(found[0] - found[1]) / np.linalg.norm(found[0]) < 2e-2
    alone, _ = l3net.embed(
        soundfile.read(sounds / "a.wav", dtype="float32")[0], 16000, model=model, precision="bfloat16"
    )
    np.testing.assert_allclose(found[1], alone, rtol=2e-2, atol=2e-2)


def test_hops_and_pools_that_cannot_be(model: Path, sounds: Path, tmp_path: Path) -> None:
    tasks = find_audio_files([sounds], tmp_path / "out", ".npz")
    named = load_keras_embedding(model)
    with pytest.raises(ConfigError, match=r"hop_seconds is 100.*milliseconds"):
        embed_audio_files(lambda: named, tasks, hop_seconds=100)
    with pytest.raises(ConfigError, match="pooling over time by 'median' is unknown"):
        embed_audio_files(lambda: named, tasks, pool=("median",))


def test_two_files_for_one_target_are_named(sounds: Path, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes((sounds / "a.wav").read_bytes())
    with pytest.raises(ConfigError, match="would both be"):
        find_audio_files([sounds / "a.wav", tmp_path / "a.wav"], tmp_path / "out", ".npz")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ClipError, match="no files in this folder"):
        find_audio_files([tmp_path / "nothing"], tmp_path / "out", ".npz")


def test_python_takes_one_sound_or_a_list(model: Path) -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0, 0.1, 100000), (rng.normal(0, 3000, (30000, 2))).astype(np.int16)
    vectors, times = l3net.embed([first, second], 44100, model=model, hop_seconds=0.3, center=True)
    alone, alone_times = l3net.embed(second, 44100, model=model, hop_seconds=0.3, center=True)
    np.testing.assert_allclose(vectors[1], alone, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(times[1], alone_times)
    assert alone.dtype == np.float32
    assert len(vectors[0]) == len(times[0])
    with pytest.raises(ClipError, match="not a finite number"):
        l3net.embed(np.array([np.nan]), 48000, model=model)
    with pytest.raises(WeightsError, match=r"none.keras: cannot be read: No such file"):
        l3net.embed(second, 44100, model="none.keras")


def test_hear(model: Path) -> None:
    from l3net import hear

    loaded = hear.load_model(str(model))
    assert loaded.sample_rate == 48000
    audio = np.random.default_rng(0).uniform(-1, 1, (3, 60000)).astype(np.float32)
    vectors, times = hear.get_timestamp_embeddings(audio, loaded)
    assert vectors.shape == (3, times.shape[1], loaded.timestamp_embedding_size)
    np.testing.assert_allclose(np.diff(times), 50.0, atol=1e-3)
    assert times[0, 0] == 0.0  # the centre of the first window
    alone, _ = l3net.embed(audio[1], 48000, model=model, hop_seconds=0.05, center=True)
    np.testing.assert_allclose(vectors[1], alone, rtol=1e-4, atol=1e-4)
    assert hear.get_scene_embeddings(audio, loaded).shape == (3, loaded.scene_embedding_size)
    with pytest.raises(ConfigError, match="set L3NET_MODEL"):
        hear.load_model()


def test_an_independent_validator_passes(model: Path) -> None:
    """Needs the package hearvalidator (and PyTorch) beside this project's: docs/embeddings.md."""
    if importlib.util.find_spec("hearvalidator") is None:
        pytest.skip("hearvalidator (with PyTorch) is not installed")
    command = [sys.executable, "-m", "hearvalidator.validate", "l3net.hear", "-m", str(model), "-d", "CPU:0"]
    assert "Looks good!" in subprocess.run(command, capture_output=True, text=True).stdout

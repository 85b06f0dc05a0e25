"""l3net embed: files of every format, what is done already, and wrong command lines."""

import errno
import json
import os
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet
import pytest
import soundfile

import l3net
from l3net.cli.main import main, make_parser
from l3net.inference import PRECISIONS
from l3net.vectors.vector_file import VECTOR_WRITERS
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
        (
            ["--list", "none.txt", "--output", "o"],
            "none.txt: cannot be read: No such file or directory",
        ),
        ([__file__, "--model", "none.keras", "--output", "o"], "--model none.keras: no such file"),
        ([__file__, "--model", __file__, "--output", "o"], "File is not a zip file"),
        ([__file__, "--model", str(Path(__file__).parent), "--output", "o"], "is a folder; name the file in it"),
        ([__file__, "--output", __file__], "test_embed.py is a file; expected a folder"),
        ([__file__, "--output", f"{__file__}/o"], "test_embed.py is a file; expected a folder"),
        ([__file__, "--output", "o"], "--model is missing: name an embedding.keras"),
        ([__file__, "--batch-size", "0", "--output", "o"], "--batch-size is 0"),
        ([__file__, "--pool", "mean,median", "--output", "o"], "pooling over time by 'median' is unknown"),
        ([__file__, "--model", __file__, "--hop-seconds", "0", "--output", "o"], "hop_seconds is 0.0; expected above"),
        (
            [__file__, "--model", __file__, "--hop-seconds", "nan", "--output", "o"],
            "hop_seconds is nan; expected above",
        ),
        ([__file__, "--model", __file__, "--hop-seconds", "2", "--output", "o"], "hop_seconds is 2.0 (are these milli"),
        ([__file__, "--settings", '{"kind": "openl4"}', "--output", "o"], "unknown kind 'openl4'; expected one of l3,"),
        ([__file__, "--settings", '{"kind": "random", "layer": 1}', "--output", "o"], "kind random has no key layer"),
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


def test_a_missing_file_among_several_is_one_failed_file(
    model: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    paths = (sounds / "a.wav", sounds / "none.wav", sounds / "deep" / "a.flac")
    assert embed(*paths, "--model", model, "--output", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert len([line for line in said.splitlines() if "none.wav: " in line]) == 1
    assert "embedded 2, already done 0, failed 1" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.flac.npz", "a.wav.npz"]


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
    (line,) = capsys.readouterr().err.splitlines()  # before the model is loaded and a file embedded
    assert line == f"l3net: --output {tmp_path / 'file'}: {tmp_path / 'file'} is a file; expected a folder"


@pytest.mark.parametrize("format", ["npz", "h5", "parquet"])
def test_names_that_are_no_text_are_names_too(
    model: Path, sounds: Path, tmp_path: Path, format: str, capsys: pytest.CaptureFixture
) -> None:
    """An archive of Latin-1 names, unpacked where names are UTF-8; a line break; quotes and a dash."""
    folder = tmp_path / "names" / os.fsdecode(b"S\xe4nger")
    folder.mkdir(parents=True)
    for name in (b"\xdf.wav", b"-a 'b' \"c\".wav", b"two\nlines.wav"):
        (folder / os.fsdecode(name)).write_bytes((sounds / "a.wav").read_bytes())
    common = (tmp_path / "names", "--model", model, "--output", tmp_path / "out", "--format", format)
    assert embed(*common) == 0
    assert "embedded 3, already done 0, failed 0" in capsys.readouterr().err
    assert embed(*common) == 0
    assert "embedded 0, already done 3, failed 0" in capsys.readouterr().err
    for path in (tmp_path / "out").rglob(f"*.{format}"):
        assert main(["info", str(path)]) == 0
        (line,) = [said for said in capsys.readouterr().out.splitlines() if said.startswith("source  ")]
        assert "S\\xe4nger/" in line and line.endswith(".wav")


@pytest.mark.parametrize("format", ["npz", "h5", "parquet"])
def test_a_disk_that_fills_up_leaves_nothing(
    model: Path, sounds: Path, tmp_path: Path, format: str, capsys: pytest.CaptureFixture, monkeypatch
) -> None:
    writer = VECTOR_WRITERS[f".{format}"]

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writer, "append", full)
    assert embed(sounds, "--model", model, "--output", tmp_path / "out", "--format", format) == 1
    target = tmp_path / "out" / f"a.wav.{format}"
    assert (
        capsys.readouterr().err.splitlines()[-1]
        == f"l3net: {target}: the disk is full; make room, or write to another disk, then run again"
    )
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


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


def test_every_precision_is_offered() -> None:
    for precision in PRECISIONS:
        assert make_parser().parse_args(["embed", "--output", "o", "--precision", precision]).precision == precision


def test_a_vector_that_is_not_finite_fails_its_file_alone(
    sounds: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    silent = np.concatenate([np.random.default_rng(0).normal(0, 0.1, 16000), np.zeros(16000)])
    soundfile.write(sounds / "silent.wav", silent, 16000)
    settings = '{"kind": "hear", "module": "tests.embeddings.dividing_hear"}'
    assert embed(sounds, "--settings", settings, "--output", tmp_path / "out") == 1
    assert "silent.wav: the vector at 1.00 s holds values that are not finite" in caplog.text
    assert (tmp_path / "out" / "a.wav.npz").exists()
    assert not (tmp_path / "out" / "silent.wav.npz").exists()

"""Embeddings as ONNX files, in float32 and in 8 bits: made by l3net export, used like an embedding.keras."""

import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import l3net
from l3net.cli.main import main
from l3net.embeddings import load_onnx_network, read_metadata
from l3net.errors import ClipError, ConfigError, WeightsError
from l3net.exchange import onnx_int8
from l3net.exchange.onnx_int8 import calibration_windows
from l3net.models.export import export_embedding
from l3net.models.l3 import vision_embedding_network
from l3net.vectors import load_image_embedding
from tests import tiny_embedding

ABSENT = """
import sys
sys.modules["onnxruntime"] = None
from l3net.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
SETTINGS = {"front_end": "mel128", "hop_length": 1936, "width": 0.25}


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def export(folder: Path, target: str, *options: object) -> tuple[int, str]:
    """Return the exit code of l3net export, and what it said."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = main(["export", *map(str, (folder / "embedding.keras", folder / target, *options))])
    return code, said.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an embedding.keras and sounds (synthetic: tones in noise), one of them broken."""
    folder = tmp_path_factory.mktemp("onnx")
    tiny_embedding.write_embedding(folder / "embedding.keras", **SETTINGS)
    rng = np.random.default_rng(0)
    (folder / "sounds").mkdir()
    for number, rate in enumerate((48000, 16000, 44100)):
        tone = np.sin(2 * np.pi * 220 * 2**number * np.arange(2 * rate) / rate)
        soundfile.write(folder / "sounds" / f"{number}.wav", 0.3 * tone + rng.normal(0, 0.05, 2 * rate), rate)
    (folder / "sounds" / "broken.wav").write_bytes(b"RIFF and no sound")
    return folder


@pytest.fixture(scope="module")
def exported(folder: Path) -> tuple[Path, str]:
    """Return the folder with float32.onnx and int8.onnx in it, and what was said of the second."""
    for module in ("onnx", "onnxruntime", "tf2onnx"):
        pytest.importorskip(module, reason="the extra l3net[onnx] is not installed")
    assert export(folder, "float32.onnx") == (0, "")
    code, said = export(folder, "int8.onnx", "--int8", "--calibrate", folder / "sounds")
    assert code == 0
    return folder, said


def embedded(folder: Path, model: str, target: Path, *options: object) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors and times of sounds/0.wav by l3net embed."""
    given = (folder / "sounds" / "0.wav", "--model", folder / model, "--output", target, *options)
    assert main(["embed", *map(str, given)]) == 0
    with np.load(target / "0.wav.npz") as file:
        return file["embedding"], file["timestamps"]


@pytest.mark.parametrize("options", [(), ("--center", "--hop-seconds", 0.25), ("--pool", "mean,std")], ids=str)
def test_an_onnx_is_embedded_with_as_its_keras_is(exported: tuple[Path, str], tmp_path: Path, options: tuple) -> None:
    folder, _ = exported
    expected, times = embedded(folder, "embedding.keras", tmp_path / "keras", *options)
    for model, least, most in (("float32.onnx", 0.0, 1e-4), ("int8.onnx", 1e-3, 5e-2)):
        vectors, found_times = embedded(folder, model, tmp_path / model, *options)
        np.testing.assert_array_equal(found_times, times)
        assert vectors.dtype == np.float32
        assert least <= difference(vectors, expected) < most


def test_the_other_doors_take_it_too(exported: tuple[Path, str]) -> None:
    folder, _ = exported
    sound = np.random.default_rng(1).normal(0, 0.1, 100_000)
    expected, times = l3net.embed(sound, 48000, model=folder / "embedding.keras", hop_seconds=0.5)
    vectors, found_times = l3net.embed(sound, 48000, model=folder / "float32.onnx", hop_seconds=0.5)
    np.testing.assert_array_equal(found_times, times)
    assert difference(vectors, expected) < 1e-4
    live = l3net.stream(folder / "float32.onnx", hop_seconds=0.5)
    np.testing.assert_array_equal(np.concatenate([live.push(sound.astype(np.float32))[0], live.finish()[0]]), vectors)


@pytest.mark.parametrize("file", ["float32.onnx", "int8.onnx"])
@pytest.mark.parametrize("threads", [1, 3])
def test_vectors_do_not_depend_on_threads_or_on_what_is_beside_them(
    exported: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, threads: int, file: str
) -> None:
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", str(threads))
    run, about = load_onnx_network(exported[0] / file)
    windows = np.random.default_rng(1).normal(0, 0.1, (9, about["window_samples"])).astype(np.float32)
    alone = np.concatenate([run(window[None]) for window in windows])
    assert difference(alone[::-1], alone) > 1e-3  # windows tell one another apart
    for n in (2, 3, 9):
        assert difference(run(windows[:n]), alone[:n]) < 1e-6
    assert run(windows[:0]).shape == (0, about["dimension"])


def test_an_onnx_tells_what_its_keras_tells(exported: tuple[Path, str], capsys: pytest.CaptureFixture) -> None:
    folder, _ = exported
    expected = read_metadata(folder / "embedding.keras")
    about = read_metadata(folder / "float32.onnx")
    takes = {"sample_rate": 48000, "window_samples": 48000, "dimension": about["dimension"]}
    assert about == {**expected, **takes}
    assert main(["info", str(folder / "int8.onnx")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"kind                  l3, sound", "precision             int8"} <= set(lines)


def test_what_int8_does_to_vectors_is_said_and_kept(exported: tuple[Path, str]) -> None:
    """The oracle: both files' vectors of the same windows, compared here."""
    folder, said = exported
    windows = calibration_windows([folder / "sounds"])
    assert len(windows) == 6  # two of each sound
    plain, int8 = (
        np.concatenate([l3net.embed(window, 48000, model=folder / name)[0] for window in windows]).astype(np.float64)
        for name in ("float32.onnx", "int8.onnx")
    )
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(plain, int8, strict=True)]
    errors = np.linalg.norm(int8 - plain, axis=1) / np.linalg.norm(plain, axis=1)
    kept = read_metadata(folder / "int8.onnx")["int8"]
    assert kept["windows"] == 6
    assert [kept["cosine_mean"], kept["cosine_worst"]] == pytest.approx([np.mean(cosines), np.min(cosines)], abs=1e-6)
    assert [kept["error_mean"], kept["error_worst"]] == pytest.approx([np.mean(errors), np.max(errors)], rel=1e-3)
    assert re.search(r"broken\.wav: ", said)  # a sound that cannot be read is named, and the others are used
    assert f"on 6 windows of these sounds: cosine {np.mean(cosines):.5f} in the mean, {np.min(cosines):.5f} at" in said


def test_products_are_of_whole_numbers(exported: tuple[Path, str]) -> None:
    """A file that only passes through 8 bits between float32 convolutions would be neither smaller nor faster."""
    import onnx

    folder, _ = exported
    nodes = {name: node for node in onnx.load(folder / "int8.onnx").graph.node for name in node.output}
    convolutions = [node for node in nodes.values() if node.op_type == "Conv"]
    kinds = [{nodes[name].op_type for name in node.input[:2] if name in nodes} for node in convolutions]
    whole = [found == {"DequantizeLinear"} for found in kinds]
    assert whole == [False] + 7 * [True]  # the first, of the spectrogram, stays in float32
    assert (folder / "int8.onnx").stat().st_size < 0.6 * (folder / "float32.onnx").stat().st_size


def test_a_vision_embedding_is_used_as_onnx_too(tmp_path: Path) -> None:
    pytest.importorskip("tf2onnx", reason="the extra l3net[onnx] is not installed")
    network = vision_embedding_network(tiny_embedding.network())
    export_embedding(network, {"kind": "l3-vision", "image_size": 32}, tmp_path / "vision.onnx")
    loaded = load_image_embedding(tmp_path / "vision.onnx")
    images = np.random.default_rng(0).uniform(-1, 1, (5, 32, 32, 3)).astype(np.float32)
    assert loaded.image_size == 32
    assert difference(loaded.network(images), np.array(network(images))) < 1e-4
    with pytest.raises(WeightsError, match="is of kind l3-vision; expected one of sound"):
        l3net.load(tmp_path / "vision.onnx")


def test_files_that_are_not_ours_are_refused(exported: tuple[Path, str], tmp_path: Path) -> None:
    import onnx

    folder, _ = exported
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(WeightsError, match=r"text\.onnx: cannot be read as an \.onnx that l3net export wrote"):
        l3net.load(tmp_path / "text.onnx")
    model = onnx.load(folder / "float32.onnx")
    about = json.loads(model.metadata_props[0].value)
    for text, message in (
        ("[]", "expected"),
        (json.dumps({**about, "format_version": 2}), "format version 2, this code reads 1"),
        (json.dumps({key: value for key, value in about.items() if key != "sample_rate"}), "lack sample_rate"),
        (json.dumps({**about, "window_samples": 16000}), r"takes and gives \[\[48000\].*metadata say \[\[16000\]"),
    ):
        onnx.helper.set_model_props(model, {"l3net": text})
        onnx.save(model, tmp_path / "other.onnx")
        with pytest.raises(WeightsError, match=message):
            l3net.load(tmp_path / "other.onnx")
    onnx.helper.set_model_props(model, {})
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(WeightsError, match="has no metadata of this project"):
        l3net.load(tmp_path / "other.onnx")
    with pytest.raises(ConfigError, match="leave precision bfloat16 out"):
        l3net.load(folder / "int8.onnx", "bfloat16")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.onnx", "--int8"], "--int8 and --calibrate SOUNDS go together"),
        (["a.onnx", "--calibrate", "sounds"], "--int8 and --calibrate SOUNDS go together"),
        (["a.onnx", "--int8", "--calibrate", "none"], "none: no such file or folder"),
        (["a.h5", "--int8", "--calibrate", "sounds"], "a.h5: int8 is written as ONNX"),
    ],
    ids=str,
)
def test_wrong_commands_are_one_line(folder: Path, arguments: list[str], message: str) -> None:
    options = [str(folder / one) if one in ("sounds", "none") else one for one in arguments[1:]]
    code, said = export(folder, arguments[0], *options)
    assert (code, said.count("\n")) == (1, 1)
    assert message in said
    assert not (folder / arguments[0]).exists()


@pytest.mark.parametrize("command", ["export", "embed", "info"])
def test_without_the_extra_one_line_says_what_to_install(folder: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    arguments = {
        "export": ["export", folder / "embedding.keras", tmp_path / "a.onnx", "--int8", "--calibrate", folder],
        "embed": ["embed", folder / "sounds", "--model", tmp_path / "model.onnx", "--output", tmp_path / "out"],
        "info": ["info", tmp_path / "model.onnx"],
    }[command]
    ended = subprocess.run([sys.executable, "-c", ABSENT, *map(str, arguments)], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.endswith('pip install "l3net[onnx]"\n')


def test_vectors_that_became_zero_are_counted_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"plain": [[3.0, 4.0], [1.0, 0.0], [0.0, 0.0]], "int8": [[3.0, 4.0], [0.0, 0.0], [0.0, 0.0]]}
    vectors = {Path(name): np.array(values, np.float32) for name, values in given.items()}
    monkeypatch.setattr(onnx_int8, "load_onnx_network", lambda path: (lambda windows: vectors[path], {}))
    change = onnx_int8.compare(Path("plain"), Path("int8"), np.zeros((3, 48000)))
    assert change == onnx_int8.Int8Change(3, pytest.approx(2 / 3), 0.0, pytest.approx(1 / 3), 1.0)


def test_windows_for_calibration_are_a_draw_that_is_always_the_same(folder: Path, tmp_path: Path) -> None:
    every = calibration_windows([folder / "sounds"])
    some = calibration_windows([folder / "sounds"], most=4)
    assert some.shape == (4, 48000)
    np.testing.assert_array_equal(some, calibration_windows([folder / "sounds"], most=4))
    assert all(any(np.array_equal(window, one) for one in every) for window in some)
    assert not np.array_equal(some, every[:4])
    soundfile.write(tmp_path / "padded.wav", np.append(every[0], np.zeros(2 * 48000)), 48000, subtype="FLOAT")
    np.testing.assert_array_equal(calibration_windows([tmp_path / "padded.wav"]), every[:1])
    with pytest.raises(ClipError, match="no sound to calibrate on"):
        calibration_windows([folder / "sounds" / "broken.wav"])

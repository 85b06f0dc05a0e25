"""Reading sound: every format alike, blocks as the whole, and one clear line for what cannot be read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from l3net.errors import ClipError
from l3net.media.audio import audio_blocks, audio_from_array, read_audio, resample_audio
from tests import media_sources


@pytest.fixture(scope="module")
def stereo() -> np.ndarray:
    rng = np.random.default_rng(1)
    return (0.2 * rng.standard_normal((48000, 2))).clip(-1, 1)


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [("wav", "PCM_16"), ("wav", "PCM_U8"), ("wav", "PCM_24"), ("wav", "FLOAT"), ("wav", "DOUBLE"), ("flac", "PCM_24")],
)
def test_read_is_libsndfiles_mean_of_the_channels(
    tmp_path: Path, stereo: np.ndarray, suffix: str, subtype: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, stereo, 48000, subtype=subtype)
    expected = soundfile.read(path, dtype="float64")[0].mean(axis=1)
    found = read_audio(path)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000, 192000])
def test_resampling_keeps_a_tone(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate), rate, subtype="FLOAT")
    found = read_audio(path)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000)
    assert len(found) == 48000
    np.testing.assert_allclose(found[2000:-2000], expected[2000:-2000], atol=1e-4)


def test_resampling_of_noise_agrees_with_scipys(stereo: np.ndarray) -> None:
    low = scipy.signal.sosfilt(scipy.signal.butter(8, 0.3, output="sos"), stereo[:, 0])
    found = resample_audio(low, 48000, 32000)
    expected = scipy.signal.resample_poly(low, 2, 3, window=("kaiser", 12.0))
    assert np.abs(found - expected)[500:-500].max() < 2e-4


def test_blocks_joined_are_the_whole(tmp_path: Path, stereo: np.ndarray) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, stereo, 44100)
    pieces = list(audio_blocks(path, block_seconds=0.13))
    assert len(pieces) > 5
    np.testing.assert_allclose(np.concatenate(pieces), read_audio(path), atol=1e-6)


def test_eight_channels_and_one_sample(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "eight.wav", np.tile(np.arange(8) / 16, (10, 1)), 48000, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "eight.wav"), np.full(10, 3.5 / 16))
    soundfile.write(tmp_path / "one.wav", np.array([0.5]), 48000)
    assert read_audio(tmp_path / "one.wav").tolist() == [0.5]


@pytest.mark.parametrize("size", [b"\xff\xff\xff\xff", b"\0\0\0\0"])
def test_a_wav_written_by_a_pipe_has_no_length_and_is_read_to_its_end(
    tmp_path: Path, stereo: np.ndarray, size: bytes
) -> None:
    soundfile.write(tmp_path / "a.wav", stereo, 48000)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[40:44] = content[4:8] = size
    (tmp_path / "b.wav").write_bytes(content)
    np.testing.assert_array_equal(read_audio(tmp_path / "b.wav"), read_audio(tmp_path / "a.wav"))


def broken(folder: Path, stereo: np.ndarray) -> dict[str, str]:
    """Write files that cannot be read; return name -> what is said of it."""
    soundfile.write(folder / "a.flac", stereo, 48000)
    soundfile.write(folder / "a.wav", stereo, 48000)
    flac, wav = (folder / "a.flac").read_bytes(), bytearray((folder / "a.wav").read_bytes())
    (folder / "cut.flac").write_bytes(flac[: len(flac) // 2])
    (folder / "format.wav").write_bytes(wav[:20] + b"\x99" * 16 + wav[36:])
    (folder / "rate.wav").write_bytes(wav[:24] + b"\0" * 4 + wav[28:])
    (folder / "text.wav").write_text("this is no sound\n" * 20)
    (folder / "empty.wav").write_bytes(b"")
    soundfile.write(folder / "nothing.wav", stereo[:0], 48000)
    for name, value in (("nan.wav", np.nan), ("infinite.wav", np.inf)):
        holed = stereo.copy()
        holed[24000, 1] = value
        soundfile.write(folder / name, holed, 48000, subtype="FLOAT")
    said = dict.fromkeys(("format.wav", "rate.wav", "text.wav", "empty.wav"), "cannot be read as sound")
    said |= {"cut.flac": r"(damaged after|cut off)", "nothing.wav": "0 samples"}
    return said | dict.fromkeys(("nan.wav", "infinite.wav"), r"at 0\.500 s is not a finite number")


def test_what_cannot_be_read_is_one_line_with_the_file(tmp_path: Path, stereo: np.ndarray) -> None:
    for name, message in broken(tmp_path, stereo).items():
        with pytest.raises(ClipError, match=message) as raised:
            read_audio(tmp_path / name)
        assert str(raised.value).startswith(str(tmp_path / name))
        assert "\n" not in str(raised.value)


def test_a_missing_file_and_a_film_without_sound(tmp_path: Path, shared_data: Path) -> None:
    with pytest.raises(ClipError, match="No such file"):
        read_audio(tmp_path / "none.wav")
    with pytest.raises(ClipError, match="no sound track"):
        read_audio(shared_data / "video" / "negative" / "no_audio_bikes.mp4")


def test_films_with_sound_are_read(shared_data: Path) -> None:
    paths = sorted((shared_data / "video" / "open").glob("b*.*"))
    assert len(paths) >= 5
    for path in paths:
        assert np.isfinite(read_audio(path)).all()


def test_an_array_is_read_as_a_file_is(tmp_path: Path, stereo: np.ndarray) -> None:
    whole = np.round(stereo * 32767).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", whole, 48000)
    np.testing.assert_allclose(audio_from_array(whole, 48000), read_audio(tmp_path / "a.wav"), atol=1e-7)
    assert audio_from_array(np.zeros(80, np.float64), 8000).shape == (480,)


@pytest.mark.parametrize(
    ("audio", "rate", "message"),
    [
        (np.zeros((2, 2, 2)), 48000, r"shape \(2, 2, 2\)"),
        (np.zeros((2, 500)), 48000, r"expected \(n,\) or \(n, channels\) .*; did you mean the transpose, audio\.T\?"),
        (np.zeros((1, 48000)), 48000, r"did you mean the transpose"),
        ("dog.wav", 48000, "sound is a path, dog.wav; expected samples"),
        (0.5, 48000, r"shape \(\).*; a list is one of sounds: make an array of the samples of one"),
        (np.zeros(500), None, "the sample rate is None; expected a whole number of Hz"),
        (np.zeros(500), float("nan"), "the sample rate is nan; expected a whole number of Hz"),
        (np.zeros(500), float("inf"), "the sample rate is inf; expected a whole number of Hz"),
        (np.zeros(500), 44100.5, r"the sample rate is 44100\.5; expected a whole number of Hz"),
        (np.zeros(500), "48000", "the sample rate is '48000'; expected a whole number of Hz"),
        (np.zeros(0), 48000, "1 or more samples"),
        (np.zeros(9, complex), 48000, "type complex128"),
        (np.zeros(9), 0, "sample rate is 0"),
        (np.array([0.0, np.nan]), 2, r"at 0\.500 s is not a finite"),
    ],
)
def test_an_array_that_is_no_sound(audio: np.ndarray, rate: int, message: str) -> None:
    with pytest.raises(ClipError, match=message):
        audio_from_array(audio, rate)


def test_an_error_that_is_kept_keeps_no_resampler(tmp_path: Path) -> None:
    """Else soxr writes a dozen lines on the screen when the process ends."""
    path = media_sources.run("-f", "lavfi", "-i", "sine=440:r=48000:d=3", to=tmp_path / "a.flac")
    path.write_bytes(path.read_bytes()[:20_000])
    code = f"""
import ctypes
from pathlib import Path
from l3net.media.audio import read_audio
try:
    read_audio(Path({str(path)!r}), 8000)
except Exception as error:
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(error))  # kept to the end
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "a.flac: cut off" in ended.stdout
    assert ended.stderr == ""

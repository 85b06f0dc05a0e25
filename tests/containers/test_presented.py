"""Good sounds whose container libavformat does not read: every sample as it was written, and cut ones told as before.

The oracles are libsndfile, which writes most of them, and the numbers that were packed by hand; SoX 14.4.2
gave the same samples for those that it reads.
"""

import random
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from l3net.containers import check_whole, presented
from l3net.errors import ClipError
from l3net.media.audio import read_audio

RATE = 8000
LITTLE_AU = ["PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
BIG_WAVE = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
LITTLE_AIFF = ["PCM_16", "PCM_24", "PCM_32"]
KINDS = [("a.au", kind, "LITTLE") for kind in LITTLE_AU] + [("a.wav", kind, "BIG") for kind in BIG_WAVE]
KINDS += [("a.aiff", kind, "LITTLE") for kind in LITTLE_AIFF]


def numbers(n: int = 20_011, n_channels: int = 1) -> np.ndarray:
    wave = 0.4 * np.sin(np.arange(n) ** 1.2 / 50) + 0.05 * np.random.default_rng(n).standard_normal(n)
    return np.stack([wave / (1 + channel) for channel in range(n_channels)], axis=1)


def chunk(name: bytes, content: bytes, order: str = "<") -> bytes:
    return name + struct.pack(f"{order}I", len(content)) + content + b"\0" * (len(content) % 2)


def wave_of(*parts: bytes) -> bytes:
    return chunk(b"RIFF", b"WAVE" + b"".join(parts))


def about(kind: int = 1, n_channels: int = 1, width: int = 2) -> bytes:
    block = n_channels * width
    return chunk(b"fmt ", struct.pack("<HHIIHH", kind, n_channels, RATE, RATE * block, block, 8 * width))


@pytest.mark.parametrize(("name", "kind", "order"), KINDS)
@pytest.mark.parametrize("n_channels", [1, 2])
def test_every_sample_is_what_libsndfile_reads(
    name: str, kind: str, order: str, n_channels: int, tmp_path: Path
) -> None:
    path = tmp_path / name
    soundfile.write(path, numbers(n_channels=n_channels), RATE, kind, endian=order)
    expected = soundfile.read(path, always_2d=True)[0].mean(axis=1)
    found = read_audio(path, RATE)
    assert len(found) == len(expected) == 20_011
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("name", "kind", "order"), KINDS)
def test_a_cut_one_is_told(name: str, kind: str, order: str, tmp_path: Path) -> None:
    path = tmp_path / name
    soundfile.write(path, numbers(), RATE, kind, endian=order)
    data = path.read_bytes()
    rng = random.Random(kind + name)
    check_whole(path)
    for at in [rng.randrange(100, len(data)) for _ in range(5)] + [len(data) - 2]:
        path.write_bytes(data[:at])
        with pytest.raises(ClipError, match=r"cut off: the file has \d+ bytes, its header states \d+"):
            read_audio(path, RATE)


@pytest.mark.parametrize(("magic", "order"), [(b"dns.", "<"), (b"\0ds.", "<"), (b".sd\0", ">")])
@pytest.mark.parametrize("size", [None, 0xFFFFFFFF])
def test_marks_of_au_by_other_programs(magic: bytes, order: str, size: int | None, tmp_path: Path) -> None:
    """SoX and DEC write other marks than libsndfile; a writer to a pipe states no size."""
    samples = np.round(numbers()[:, 0] * 2**15)
    content = samples.astype(f"{order}i2").tobytes()
    header = struct.pack(f"{order}5I", 32, len(content) if size is None else size, 3, RATE, 1) + b"note\0\0\0\0"
    (tmp_path / "a.snd").write_bytes(magic + header + content)
    np.testing.assert_array_equal(read_audio(tmp_path / "a.snd", RATE), np.float32(samples / 2**15))


def test_a_big_endian_wave_of_the_extensible_kind(tmp_path: Path) -> None:
    """As SoX writes 24 bits: libavformat takes the mark of PCM for one that it does not know."""
    samples = np.round(numbers()[:, 0] * 2**23).astype(">i4")
    content = samples.view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    guid = bytes.fromhex("00010000000010008000 00aa00389b71")
    form = struct.pack(">HHIIHHHHI", 0xFFFE, 1, RATE, RATE * 3, 3, 24, 22, 24, 4) + guid
    body = b"WAVE" + chunk(b"fmt ", form, ">") + chunk(b"data", content, ">")
    (tmp_path / "a.wav").write_bytes(chunk(b"RIFX", body, ">"))
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", RATE), samples / 2**23, rtol=0, atol=1e-7)


@pytest.mark.parametrize("between", [b"", chunk(b"LIST", b"INFOISFT\3\0\0\0me\0\0")])
def test_several_chunks_of_sound_are_read_one_behind_the_other(
    between: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    samples = np.round(numbers()[:, 0] * 2**15).astype("<i2")
    path = tmp_path / "a.wav"
    one, two, three = (chunk(b"data", samples[part].tobytes()) for part in np.split(np.arange(20_011), [9000, 9007]))
    data = wave_of(about(), one, between, two, between, three)
    path.write_bytes(data)
    np.testing.assert_array_equal(read_audio(path, RATE), np.float32(samples / 2**15))
    assert "a.wav: has 3 chunks of sound, which are read one behind the other" in caplog.text
    for at in (len(data) - 2, len(data) - 5000, len(data) // 4):
        path.write_bytes(data[:at])
        with pytest.raises(ClipError, match=r"cut off: the file has"):
            read_audio(path, RATE)
    half = chunk(b"data", samples[:50].tobytes() + b"\1")  # half a sample at the end of the first
    path.write_bytes(wave_of(about(), half, chunk(b"data", samples[50:].tobytes())))
    np.testing.assert_array_equal(read_audio(path, RATE), np.float32(samples / 2**15))


def test_empty_chunks_beside_the_sound_hold_none(tmp_path: Path) -> None:
    """Alone, a size of 0 is that of a pipe, and all that follows is sound."""
    samples, path = np.round(numbers()[:, 0] * 2**15).astype("<i2"), tmp_path / "a.wav"
    sound, empty, text = chunk(b"data", samples.tobytes()), chunk(b"data", b""), chunk(b"LIST", b"INFO" + bytes(400))
    for pieces in ([sound, empty, text], [empty, sound, text], [empty, empty, sound]):
        path.write_bytes(wave_of(about(), *pieces))
        np.testing.assert_array_equal(read_audio(path, RATE), np.float32(samples / 2**15))


def test_aac_in_wave_is_read_where_its_frames_have_headers(tmp_path: Path) -> None:
    from tests import media_sources

    tone = ["-f", "lavfi", "-i", "sine=440:r=44100:d=1", "-c:a", "aac"]
    bare = media_sources.run(*tone, to=tmp_path / "a.aac")
    form = chunk(b"fmt ", struct.pack("<HHIIHHH", 0x1600, 1, 44100, 16000, 1, 0, 0))
    (tmp_path / "framed.wav").write_bytes(wave_of(form, chunk(b"data", bare.read_bytes())))
    np.testing.assert_array_equal(read_audio(tmp_path / "framed.wav", 44100), read_audio(bare, 44100))
    # ffmpeg writes such a file, and cannot read it back.
    with pytest.raises(
        ClipError, match=r"raw\.wav: cannot be read as sound: holds AAC without the headers of its frames"
    ):
        read_audio(media_sources.run(*tone, to=tmp_path / "raw.wav"), 44100)


def test_files_that_libavformat_reads_are_left_to_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, kind in (("a.wav", "PCM_16"), ("a.aiff", "PCM_24"), ("a.au", "PCM_16"), ("a.flac", "PCM_16")):
        soundfile.write(tmp_path / name, numbers(), RATE, kind)
        assert presented(tmp_path / name) is None
    assert presented(tmp_path / "none.wav") is None
    assert not caplog.messages


@pytest.mark.parametrize("seed", range(40))
def test_a_harmed_header_ends_in_one_line_or_in_sound(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    name, kind, order = KINDS[seed % len(KINDS)]
    path = tmp_path / name
    soundfile.write(path, numbers(500), RATE, kind, endian=order)
    data = bytearray(path.read_bytes())
    for _ in range(4):
        data[rng.randrange(4, 80)] = rng.choice([0, 255, 127, 128, rng.randrange(256)])
    path.write_bytes(data)
    try:
        assert len(read_audio(path, RATE)) <= 500 * 48_000
    except ClipError as error:
        assert "\n" not in str(error)

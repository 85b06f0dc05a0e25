"""Bytes between and behind the frames of MP3, AAC, AC-3 and DTS: tags pass, anything else between frames is damage."""

import io
from pathlib import Path

import av
import numpy as np
import pytest

from l3net.errors import ClipError
from l3net.media.audio import read_audio
from l3net.media.bare_streams import end_of_tags
from tests import media_sources

SECONDS = 4
KINDS = {
    "a.mp3": ["-write_xing", "0", "-b:a", "64k"],
    "vbr.mp3": ["-write_xing", "0", "-q:a", "5"],
    "a.mp2": [],
    "a.aac": [],
    "a.ac3": [],
    "44.ac3": ["-ar", "44100"],
    "a.eac3": [],
    "a.dts": ["-c:a", "dca", "-strict", "-2"],
}
TITLE = b"TIT2\0\0\0\x0d\0\0\0hello world!"
ID3 = b"ID3\x03\0\0\0\0\0" + bytes([len(TITLE)]) + TITLE
ID3_OF_THE_END = b"TAG" + b"hello".ljust(125, b"\0")
ITEM = b"\x05\0\0\0\0\0\0\0Title\0hello"
APE = [b"APETAGEX" + bytes([208, 7, 0, 0, len(ITEM) + 32, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, flag]) + bytes(8)
       for flag in (0xA0, 0x80)]  # fmt: skip
APE_TAG = APE[0] + ITEM + APE[1]
LYRICS = b"LYRICSBEGININD0000210000021LYRICS200"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, list[int]]]:
    """Files of each kind, with the places of their frames."""
    folder = tmp_path_factory.mktemp("frames")
    sound = ["-f", "lavfi", "-i", f"aevalsrc=0.3*sin(2*PI*(300+100*t)*t):s=48000:d={SECONDS}"]
    found = {}
    for name, options in KINDS.items():
        path = media_sources.run(*sound, *options, "-id3v2_version", "0", to=folder / name)
        with av.open(str(path)) as container:
            found[name] = path.read_bytes(), [packet.pos for packet in container.demux(audio=0) if packet.size]
    return found


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("more", [0, 40], ids=["whole frames", "and a part of one"])
def test_zeros_in_the_place_of_frames_are_damage(tmp_path: Path, made: dict, name: str, more: int) -> None:
    data, frames = made[name]
    begin, end = frames[len(frames) // 2], frames[len(frames) // 2 + 4] + more
    (tmp_path / name).write_bytes(data[:begin] + bytes(end - begin) + data[end:])
    with pytest.raises(ClipError, match=r"damaged after \d\.\d\d s of sound"):
        read_audio(tmp_path / name)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("tag", [ID3, ID3_OF_THE_END, APE_TAG, LYRICS], ids=["ID3", "ID3v1", "APE", "lyrics"])
def test_tags_between_frames_are_none(tmp_path: Path, made: dict, name: str, tag: bytes) -> None:
    """As in files that were written one behind the other, or pieces of a stream over HTTP."""
    data, frames = made[name]
    at = frames[len(frames) // 2]
    (tmp_path / name).write_bytes(data[:at] + tag + data[at:])
    assert len(read_audio(tmp_path / name)) / 48000 == pytest.approx(SECONDS, abs=0.12)


@pytest.mark.parametrize("name", KINDS)
def test_half_a_file_behind_a_tag_never_came(tmp_path: Path, made: dict, name: str) -> None:
    data, frames = made[name]
    at = frames[len(frames) // 2]
    (tmp_path / name).write_bytes(data[:at] + ID3_OF_THE_END + bytes(len(data) - at))
    with pytest.raises(ClipError, match=r"damaged after \d\.\d\d s of sound"):
        read_audio(tmp_path / name)


def test_a_large_cover_does_not_hide_that_sound_never_came(tmp_path: Path, made: dict) -> None:
    data, frames = made["a.mp3"]
    size = 1_000_000
    cover = b"ID3\x03\0\0" + bytes(size >> 7 * n & 0x7F for n in (3, 2, 1, 0)) + bytes(size)
    at = frames[len(frames) * 3 // 4]
    (tmp_path / "a.mp3").write_bytes(cover + data)
    whole = read_audio(tmp_path / "a.mp3")
    assert len(whole) / 48000 == pytest.approx(SECONDS, abs=0.1)
    (tmp_path / "a.mp3").write_bytes(cover + data[:at] + bytes(len(data) - at))
    with pytest.raises(ClipError, match="damaged after"):
        read_audio(tmp_path / "a.mp3")


@pytest.mark.parametrize("name", ["a.mp3", "a.aac", "a.ac3"])
@pytest.mark.parametrize("tail", [b"\xff" * 600, APE_TAG + bytes(300), ID3 + bytes(100)], ids=["ones", "APE", "ID3"])
def test_erased_memory_and_tags_behind_the_last_frame_are_left_out(
    tmp_path: Path, made: dict, name: str, tail: bytes
) -> None:
    data, _ = made[name]
    (tmp_path / name).write_bytes(data)
    whole = read_audio(tmp_path / name)
    (tmp_path / name).write_bytes(data + tail)
    assert np.array_equal(read_audio(tmp_path / name)[: len(whole)], whole)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [(b"", 0), (b"no tag", 0), (ID3, len(ID3)), (ID3 + ID3_OF_THE_END + b"x", len(ID3) + 128), (APE_TAG, len(APE_TAG)),
     (LYRICS + ID3_OF_THE_END, len(LYRICS) + 128), (b"TAG+" + bytes(223) + ID3_OF_THE_END, 355)],
)  # fmt: skip
def test_where_tags_end(tags: bytes, expected: int) -> None:
    assert end_of_tags(io.BytesIO(b"xx" + tags), 2) == 2 + expected


@pytest.mark.parametrize("name", ["a.mp3", "vbr.mp3", "a.mp2"])
def test_what_only_looks_like_a_frame_behind_the_last_one_is_left_out(tmp_path: Path, made: dict, name: str) -> None:
    """A tag with the beginning of a frame behind it, and a mark by chance among other bytes."""
    data, _ = made[name]
    (tmp_path / name).write_bytes(data)
    whole = read_audio(tmp_path / name)
    for tail in (ID3 + data[:20], b"by chance \xff\xe7\x37\x9c and more of it " * 3):
        (tmp_path / name).write_bytes(data + tail)
        assert np.array_equal(read_audio(tmp_path / name), whole)

"""Containers of which a part never came, or is missing, though the file has its length."""

import random
import struct
from pathlib import Path

import av
import pytest

from l3net.containers.whole_file import check_whole
from l3net.errors import ClipError
from l3net.media.audio import read_audio
from tests import media_sources

SOUND = ["-f", "lavfi", "-i", "aevalsrc=0.3*sin(2*PI*(300+100*t)*t):s=44100:d=6"]
PICTURE = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=6"]
KINDS = {
    "a.webm": [*SOUND, "-c:a", "libvorbis"],
    "opus.webm": [*PICTURE, *SOUND, "-c:v", "libvpx", "-c:a", "libopus"],
    "live.webm": [*SOUND, "-c:a", "libopus", "-live", "1"],
    "a.avi": [*PICTURE, *SOUND, "-c:a", "mp3"],
    "pcm.avi": [*SOUND, "-c:a", "pcm_s16le"],
    "a.flv": [*PICTURE, *SOUND, "-c:a", "aac"],
    "sound.flv": [*SOUND, "-c:a", "mp3"],
    "a.mpg": [*PICTURE, *SOUND],
    "a.vob": [*SOUND, "-ar", "48000", "-ac", "2", "-c:a", "pcm_dvd"],
    "pieces.mp4": [*SOUND, "-c:a", "aac", "-movflags", "+frag_every_frame+empty_moov+default_base_moof"],
    "a.voc": [*SOUND, "-c:a", "pcm_u8"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("chains")
    return {name: media_sources.run(*options, to=folder / name) for name, options in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
def test_whole_files_pass(made: dict[str, Path], name: str) -> None:
    check_whole(made[name])


@pytest.mark.parametrize("name", KINDS)
def test_half_of_a_file_never_came(tmp_path: Path, made: dict[str, Path], name: str) -> None:
    data, rng = made[name].read_bytes(), random.Random(name)
    for _ in range(20):
        at = rng.randrange(len(data) // 4, len(data) * 3 // 4)
        (tmp_path / name).write_bytes(data[:at] + bytes(len(data) - at))
        if name == "pcm.avi" or name == "a.voc":
            at = _end_of_a_chunk(data, at)
            (tmp_path / name).write_bytes(data[:at] + bytes(len(data) - at))
        with pytest.raises(ClipError, match=r"damaged: (the bytes from|the part at byte|it has its whole size)"):
            check_whole(tmp_path / name)


def _end_of_a_chunk(data: bytes, at: int) -> int:
    """Return where a block of VOC or a chunk of AVI ends: zeros within one are samples."""
    return data.index(b"\x02", at) if data.startswith(b"Creative") else data.index(b"00wb", at)


@pytest.mark.parametrize("name", ["a.webm", "opus.webm", "live.webm", "a.flv", "sound.flv", "pieces.mp4"])
def test_a_piece_is_missing(tmp_path: Path, made: dict[str, Path], name: str) -> None:
    data, rng = made[name].read_bytes(), random.Random(name)
    for _ in range(20):
        at = rng.randrange(len(data) // 4, len(data) * 3 // 4)
        (tmp_path / name).write_bytes(data[:at] + data[at + 1000 :])
        with pytest.raises(ClipError, match=r"damaged[: ]|cut off: the file has"):
            read_audio(tmp_path / name)


@pytest.mark.parametrize("name", ["a.webm", "live.webm", "a.avi", "a.flv", "a.mpg", "a.vob"])
def test_4_kilobytes_in_the_middle_never_came(tmp_path: Path, made: dict[str, Path], name: str) -> None:
    data, rng = made[name].read_bytes(), random.Random(name)
    for _ in range(20):
        at = rng.randrange(len(data) // 4, len(data) * 3 // 4 - 4096)
        (tmp_path / name).write_bytes(data[:at] + bytes(4096) + data[at + 4096 :])
        with pytest.raises(ClipError, match="damaged: "):
            check_whole(tmp_path / name)


def test_chunks_of_avi_that_are_not_filled_up_are_no_damage(tmp_path: Path) -> None:
    """Black pictures of 33 x 31 bytes: a walk that is one byte beside the chunks meets zeros soon."""
    black = ["-f", "lavfi", "-i", "color=black:s=33x31:r=25:d=3", "-c:v", "rawvideo", "-pix_fmt", "gray"]
    path = media_sources.run(*black, to=tmp_path / "a.avi")
    data = path.read_bytes()
    at = begin = data.index(b"movi") + 4
    end = begin - 4 + int.from_bytes(data[begin - 8 : begin - 4], "little")
    chunks = []
    while at < end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.append(data[at : at + 8 + size])
        at += 8 + size + size % 2
    movi = b"movi" + b"".join(chunks)
    head = data[: begin - 8] + struct.pack("<I", len(movi))
    path.write_bytes(head[:4] + struct.pack("<I", len(head) + len(movi + data[at:]) - 8) + head[8:] + movi + data[at:])
    assert len(path.read_bytes()) < len(data)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 75
    check_whole(path)


def test_files_of_ogg_with_one_number_may_follow_one_another(tmp_path: Path) -> None:
    """Ogg asks for a number of its own for each, which writers that are to write the same bytes again do not draw."""
    data = media_sources.run(*SOUND, "-c:a", "libvorbis", to=tmp_path / "a.ogg").read_bytes()
    (tmp_path / "a.ogg").write_bytes(data + data)
    check_whole(tmp_path / "a.ogg")


def test_an_own_element_of_matroska_and_an_own_box_of_mp4_pass(tmp_path: Path, made: dict[str, Path]) -> None:
    data = made["live.webm"].read_bytes()
    at = data.index(b"\x1f\x43\xb6\x75")
    (tmp_path / "own.webm").write_bytes(data[:at] + b"\x42\x99\x85hello" + data[at:])
    check_whole(tmp_path / "own.webm")
    data = made["pieces.mp4"].read_bytes()
    at = data.index(b"moof") - 4
    (tmp_path / "own.mp4").write_bytes(data[:at] + (1008).to_bytes(4) + b"mine" + bytes(1000) + data[at:])
    check_whole(tmp_path / "own.mp4")
    with av.open(str(tmp_path / "own.mp4")) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 5 * 44100


@pytest.mark.parametrize("size", [b"\x01" + b"\xff" * 6 + b"\xfe", b"\x01" + b"\x7f" * 7, b"\x08\x00\x00\x00\x00"])
@pytest.mark.parametrize("mark", [b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"], ids=["segment", "cluster"])
def test_sizes_beyond_every_file_are_no_way_to_walk(
    tmp_path: Path, made: dict[str, Path], size: bytes, mark: bytes
) -> None:
    data = made["a.webm"].read_bytes()
    at = data.index(mark) + 4
    middle = len(data) // 2
    (tmp_path / "a.webm").write_bytes(data[:at] + size + data[at + 8 : middle] + bytes(99) + data[middle:])
    with pytest.raises(ClipError, match=r"damaged: |cut off: the file has"):
        check_whole(tmp_path / "a.webm")


def test_many_bytes_behind_an_mp4_that_is_whole_are_no_damage(tmp_path: Path) -> None:
    path = media_sources.run(*SOUND, "-c:a", "aac", to=tmp_path / "a.m4a")
    whole = read_audio(path)
    path.write_bytes(path.read_bytes() + b"something else " * 2000)
    assert (read_audio(path) == whole).all()

"""Files that end before their headers say so are told, whatever the container; a length no writer knew is none."""

import itertools
import random
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from l3net.containers.whole_file import check_whole
from l3net.errors import ClipError
from tests import media_sources

SOUND = ["-f", "lavfi", "-i", "aevalsrc=0.3*sin(2*PI*(300+100*t)*t):s=44100:d=3"]
PICTURE = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=3"]
KINDS = {
    "a.wav": SOUND,
    "rf64.wav": [*SOUND, "-rf64", "always"],
    "adpcm.wav": [*SOUND, "-c:a", "adpcm_ima_wav"],
    "a.aiff": SOUND,
    "a.caf": SOUND,
    "a.w64": SOUND,
    "a.ogg": [*SOUND, "-c:a", "libvorbis"],
    "a.opus": [*SOUND, "-c:a", "libopus"],
    "a.m4a": SOUND,
    "front.mp4": [*PICTURE, *SOUND, "-movflags", "+faststart"],
    "a.mov": [*PICTURE, *SOUND],
    "a.mka": SOUND,
    "a.mkv": [*PICTURE, *SOUND],
    "a.webm": [*PICTURE, *SOUND, "-c:v", "libvpx", "-c:a", "libvorbis"],
    "a.avi": [*PICTURE, *SOUND, "-c:a", "mp3"],
    "a.wma": SOUND,
    "a.wmv": [*PICTURE, *SOUND],
    "a.ts": [*SOUND, "-c:a", "aac"],
    "a.m2ts": [*SOUND, "-c:a", "ac3"],
    "a.voc": [*SOUND, "-c:a", "pcm_u8"],
    "a.mpg": [*PICTURE, *SOUND],
    "a.vob": [*PICTURE, *SOUND],
    "a.flv": [*PICTURE, *SOUND, "-c:a", "aac"],
    "sound.flv": [*SOUND, "-c:a", "aac"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return {name: media_sources.run(*options, to=folder / name) for name, options in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_file_passes_and_a_cut_one_never(tmp_path: Path, made: dict[str, Path], name: str) -> None:
    check_whole(made[name])
    data = made[name].read_bytes()
    rng = random.Random(name)
    cuts = [rng.randrange(len(data) // 20, len(data) - 188) for _ in range(20)]
    # AVI and WMV end with an index, of which the last bytes are no sound; VOC with a byte that is its end.
    few = [len(data) - n for n in (1, 2, 16, 64)] if not name.endswith(("avi", "wmv", "voc")) else []
    for at in cuts + few:
        (tmp_path / name).write_bytes(data[:at])
        with pytest.raises(ClipError, match=r"cut off: the (file has|page at|last packet)"):
            check_whole(tmp_path / name)


@pytest.mark.parametrize(("name", "chunk", "order"), [("a.wav", b"data", "little"), ("a.aiff", b"SSND", "big")])
def test_a_size_of_the_sound_that_counts_a_header_twice(
    tmp_path: Path, made: dict[str, Path], name: str, chunk: bytes, order: str
) -> None:
    """The file's own size tells such a writer from a cut."""
    data = made[name].read_bytes()
    at = data.index(chunk) + 4
    larger = int.from_bytes(data[at : at + 4], order) + 44
    (tmp_path / name).write_bytes(data[:at] + larger.to_bytes(4, order) + data[at + 4 :])
    check_whole(tmp_path / name)


@pytest.mark.parametrize("name", ["a.ogg", "a.opus"])
def test_a_flipped_bit_in_ogg_is_damage(tmp_path: Path, made: dict[str, Path], name: str) -> None:
    data = made[name].read_bytes()
    rng = random.Random(name)
    for _ in range(60):
        at = rng.randrange(len(data))
        (tmp_path / name).write_bytes(data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :])
        try:
            check_whole(tmp_path / name)
        except ClipError:
            continue
        assert data[:4] != (tmp_path / name).read_bytes()[:4]  # no Ogg at all, which is the demuxer's to say


@pytest.mark.parametrize("name", ["a.mka", "a.mkv"])
def test_a_flipped_bit_in_matroska_is_damage(tmp_path: Path, made: dict[str, Path], name: str) -> None:
    """ffmpeg writes checksums, which it does not compare when it reads."""
    data = made[name].read_bytes()
    rng = random.Random(name)
    for _ in range(60):
        at = rng.randrange(data.index(b"\x1f\x43\xb6\x75") + 12, len(data) - 200)
        (tmp_path / name).write_bytes(data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :])
        with pytest.raises(ClipError, match=r"damaged: the checksum of the part at byte \d+|cut off: the file"):
            check_whole(tmp_path / name)


@pytest.mark.parametrize(("name", "unit"), [("a.ts", 188), ("a.m2ts", 192), ("a.wma", 4096)])
def test_packets_that_were_zeroed_are_damage(tmp_path: Path, made: dict[str, Path], name: str, unit: int) -> None:
    data = made[name].read_bytes()
    for at in range(len(data) // 3, len(data) * 9 // 10, len(data) // 10):
        (tmp_path / name).write_bytes(data[:at] + bytes(unit) + data[at + unit :])
        with pytest.raises(ClipError, match="damaged: the packet at byte"):
            check_whole(tmp_path / name)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_what_a_pipe_writes_in_place_of_a_size_is_no_size(tmp_path: Path, made: dict[str, Path], size: int) -> None:
    data = made["a.wav"].read_bytes()
    at = data.index(b"data") + 4
    (tmp_path / "a.wav").write_bytes(data[:at] + size.to_bytes(4, "little") + data[at + 4 : -1000])
    check_whole(tmp_path / "a.wav")


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
@pytest.mark.parametrize(("name", "chunk", "order"), [("a.aiff", b"SSND", "big"), ("a.w64", b"data\xf3", "little")])
def test_nor_is_it_in_other_files_of_chunks(
    tmp_path: Path, made: dict[str, Path], name: str, chunk: bytes, order: str, size: int
) -> None:
    data = made[name].read_bytes()
    at, width = (data.index(chunk) + 4, 4) if order == "big" else (data.index(chunk) + 16, 8)
    unknown = 0 if order == "little" and size == 0xFFFFFFFF else size  # Wave64 has sizes of 64 bits; 0 is none
    if order == "little" and unknown:
        unknown = 1 << 62
    (tmp_path / name).write_bytes(data[:at] + unknown.to_bytes(width, order) + data[at + width : -1000])
    check_whole(tmp_path / name)


def test_a_stream_of_matroska_has_no_size(tmp_path: Path, made: dict[str, Path]) -> None:
    live = media_sources.run(*SOUND, "-live", "1", to=tmp_path / "live.mka")
    check_whole(live)
    live.write_bytes(live.read_bytes()[:-1])
    with pytest.raises(ClipError, match=r"live\.mka: damaged: the part at byte \d+ is no whole row of elements"):
        check_whole(live)


def test_bytes_behind_the_last_page_or_box_are_no_damage(
    tmp_path: Path, made: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.ogg", "a.m4a", "a.mka", "a.wav", "a.ts", "a.m2ts"):
        (tmp_path / name).write_bytes(made[name].read_bytes() + b"hello there, this is text")
        check_whole(tmp_path / name)
    assert "a.ogg: the 25 bytes behind the last page are left out" in caplog.text
    assert "a.m2ts: the 25 bytes behind the last packet are left out" in caplog.text


def test_a_missing_page_is_damage_except_before_a_live_recording(tmp_path: Path, made: dict[str, Path]) -> None:
    data = made["a.ogg"].read_bytes()
    starts = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"] + [len(data)]
    pages = [data[a:b] for a, b in itertools.pairwise(starts)]
    (tmp_path / "a.ogg").write_bytes(b"".join(pages[:-2] + pages[-1:]))
    with pytest.raises(ClipError, match=r"damaged: page \d+ is missing before byte"):
        check_whole(tmp_path / "a.ogg")
    (tmp_path / "b.ogg").write_bytes(b"".join(pages[:2] + pages[-1:]))
    check_whole(tmp_path / "b.ogg")


def test_other_files_pass(tmp_path: Path) -> None:
    for content in (b"", b"R", b"RIFF", b"RIFF\0\0\0\0WAVE", b"\x1aE\xdf\xa3", b"\x1aE\xdf\xa3\xff", b"text " * 200):
        (tmp_path / "a").write_bytes(content)
        check_whole(tmp_path / "a")


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000, 37800])
def test_the_rate_in_a_flac_header_is_that_of_its_frames(rate: int, tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.sin(np.arange(rate) / 9), rate)
    check_whole(path)
    data = path.read_bytes()
    # The rate stands in the 20 bits from byte 18 of the file.
    other = (int.from_bytes(data[18:21]) ^ (1 << 9)).to_bytes(3)
    path.write_bytes(data[:18] + other + data[21:])
    if rate == 37800:  # such a frame leaves its rate to the header
        check_whole(path)
        return
    with pytest.raises(ClipError, match=rf"a\.flac: damaged: its header states \d+ Hz, its first frame {rate} Hz"):
        check_whole(path)


def flv_tags(data: bytes) -> list[tuple[int, int]]:
    """Return (offset, milliseconds) of each tag of an FLV file, by the format's description."""
    found, at = [], 13
    while at < len(data):
        found.append((at, int.from_bytes(data[at + 7 : at + 8] + data[at + 4 : at + 7])))
        at += 15 + int.from_bytes(data[at + 1 : at + 4])
    assert at == len(data)
    return found


@pytest.mark.parametrize("name", ["a.flv", "sound.flv"])
def test_flv_that_ends_before_its_metadata_say_by_size_and_time(
    tmp_path: Path, made: dict[str, Path], name: str
) -> None:
    data = made[name].read_bytes()
    for at, milliseconds in flv_tags(data)[2:]:  # cut between two tags
        (tmp_path / name).write_bytes(data[:at])
        if milliseconds < 2850:
            with pytest.raises(ClipError, match=f"cut off: the file has {at} bytes, its header states {len(data)}"):
                check_whole(tmp_path / name)


@pytest.mark.parametrize("larger", [1, 1000, 10**9])
def test_flv_of_a_stream_may_have_the_size_of_the_servers_file(
    tmp_path: Path, made: dict[str, Path], larger: int
) -> None:
    data = made["a.flv"].read_bytes()
    at = data.index(b"filesize") + 9
    stated = struct.pack(">d", len(data) + larger)
    (tmp_path / "a.flv").write_bytes(data[:at] + stated + data[at + 8 :])
    check_whole(tmp_path / "a.flv")
    for odd in (b"\x7f\xf8" + bytes(6), b"\xff" * 8, b"\x7f\xf0" + bytes(6), bytes(8)):  # NaN, infinite, 0
        (tmp_path / "a.flv").write_bytes(data[:at] + odd + data[at + 8 : -500])
        check_whole(tmp_path / "a.flv")


def test_flv_of_which_a_part_never_came_is_damaged(tmp_path: Path, made: dict[str, Path]) -> None:
    data = made["a.flv"].read_bytes()
    for at in range(len(data) // 3, len(data) - 20, len(data) // 17):
        (tmp_path / "a.flv").write_bytes(data[:at] + bytes(len(data) - at))
        with pytest.raises(ClipError, match="damaged: it has its whole size, but no tag at its end"):
            check_whole(tmp_path / "a.flv")
    (tmp_path / "a.flv").write_bytes(data + bytes(500))  # behind it
    check_whole(tmp_path / "a.flv")


def test_flv_of_a_pipe_states_nothing(tmp_path: Path) -> None:
    piped = media_sources.run(*SOUND, "-c:a", "aac", "-flvflags", "no_duration_filesize", to=tmp_path / "a.flv")
    piped.write_bytes(piped.read_bytes()[:-3000])
    check_whole(piped)


def test_voc_without_its_end_mark_passes_and_is_said(
    tmp_path: Path, made: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """Old programs leave the mark out."""
    data = made["a.voc"].read_bytes()
    (tmp_path / "a.voc").write_bytes(data[:-1])
    check_whole(tmp_path / "a.voc")
    assert "not marked as the end, so it may be cut off between two blocks" in caplog.text
    (tmp_path / "a.voc").write_bytes(data + b"a tag")
    check_whole(tmp_path / "a.voc")
    for size in (b"\0\0\0", b"\xff\xff\xff"):  # of a pipe
        (tmp_path / "a.voc").write_bytes(data[:27] + size + data[30:-1000])
        check_whole(tmp_path / "a.voc")


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "ULAW"])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_voc_of_libsndfile_passes(tmp_path: Path, subtype: str, n_channels: int) -> None:
    sound = 0.1 * np.random.default_rng(0).standard_normal((50_000, n_channels))
    soundfile.write(tmp_path / "a.voc", sound, 22050, format="VOC", subtype=subtype)
    check_whole(tmp_path / "a.voc")


@pytest.mark.parametrize("target", ["pal-vcd", "pal-svcd", "pal-dvd"])
def test_program_streams_of_discs_pass(tmp_path: Path, target: str) -> None:
    check_whole(media_sources.run(*PICTURE, *SOUND, "-target", target, to=tmp_path / "a.mpg"))


@pytest.mark.parametrize("name", ["a.mpg", "a.vob"])
def test_program_streams_with_an_end_code_or_other_bytes_behind_pass(
    tmp_path: Path, made: dict[str, Path], name: str
) -> None:
    data = made[name].read_bytes()
    for behind in (b"\0\0\1\xb9", b"\0\0\1\xb9" + bytes(2044), bytes(5000), b"TAG and so on", data):
        (tmp_path / name).write_bytes(data + behind)
        check_whole(tmp_path / name)
    # Nothing tells a cut between two packets: many whole files have no end code.
    (tmp_path / name).write_bytes(data[: data.rindex(b"\0\0\1\xba")])
    check_whole(tmp_path / name)


def test_a_pack_mark_by_chance_within_a_packet_is_no_cut(tmp_path: Path, made: dict[str, Path]) -> None:
    data = bytearray(made["a.vob"].read_bytes())
    for at in range(len(data) - 200_000, len(data) - 5000, 2048):
        if at > 0:
            data[at + 1000 : at + 1010] = b"\0\0\1\xba\x44\xff\xff\xff\xff\xff"
    (tmp_path / "a.vob").write_bytes(data)
    check_whole(tmp_path / "a.vob")


@pytest.mark.parametrize("name", ["a.wma", "a.wmv"])
def test_asf_may_count_a_filler_of_64_bytes_in_its_size(tmp_path: Path, made: dict[str, Path], name: str) -> None:
    data = made[name].read_bytes()
    at = data.index(bytes.fromhex("a1dcab8c47a9cf11")) + 40
    for more in (64, 65):
        stated = struct.pack("<Q", len(data) + more)
        (tmp_path / name).write_bytes(data[:at] + stated + data[at + 8 :])
        if more == 64:
            check_whole(tmp_path / name)
    with pytest.raises(ClipError, match=f"cut off: the file has {len(data)} bytes"):
        check_whole(tmp_path / name)

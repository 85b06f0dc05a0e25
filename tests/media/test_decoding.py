"""Sound at its time stamps; what is damaged or cut off is never taken for good, and a guessed length is no promise."""

import random
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from l3net.errors import ClipError
from l3net.media.audio import check_audio, read_audio
from tests import media_sources

NOISY = "aevalsrc=0.3*sin(2*PI*(300+100*t)*t)+0.1*(random(0)-0.5):s=44100:d=4"
VIDEO = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=6"]
LATE_TONE = ["-itsoffset", "2", "-f", "lavfi", "-i", "sine=440:d=4:r=48000"]


def tone(path: Path, *options: str | Path, source: str = NOISY) -> Path:
    return media_sources.run("-f", "lavfi", "-i", source, *options, to=path)


def flipped(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) // 10, len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) // 10, len(data) * 99 // 100)]


def zeroed(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) // 10, len(data) - 5000)
    return data[:at] + bytes(4096) + data[at + 4096 :]


@pytest.mark.parametrize(
    ("name", "options", "harms"),
    [
        ("a.wav", [], [cut]),
        ("a.flac", [], [cut, flipped, zeroed]),
        ("a.ogg", ["-c:a", "libvorbis"], [cut, flipped, zeroed]),
        ("a.opus", ["-c:a", "libopus"], [cut, flipped, zeroed]),
        ("flac.mka", ["-c:a", "flac"], [cut, flipped]),
        ("xing.mp3", [], [cut, zeroed]),
        ("a.aac", [], [cut]),
        ("a.m4a", [], [cut, zeroed]),
    ],
)
def test_harm_is_told_in_20_trials_of_20(tmp_path: Path, name: str, options: list[str], harms: list[Callable]) -> None:
    data = tone(tmp_path / name, *options).read_bytes()
    check_audio(tmp_path / name)
    for harm in harms:
        rng = random.Random(f"{name} {harm.__name__}")
        for _ in range(20):
            (tmp_path / name).write_bytes(harm(data, rng))
            with pytest.raises(ClipError, match=rf"{name}: (cut off|damaged|cannot be read as sound)"):
                read_audio(tmp_path / name)


def test_flac_without_a_count_of_its_samples(tmp_path: Path) -> None:
    data = bytearray(tone(tmp_path / "a.flac").read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)  # what a pipe leaves there
    (tmp_path / "a.flac").write_bytes(data)
    whole = read_audio(tmp_path / "a.flac")
    assert len(whole) == 4 * 48000
    rng = random.Random(3)
    for harm in (cut, flipped):
        for _ in range(20):
            (tmp_path / "b.flac").write_bytes(harm(bytes(data), rng))
            with pytest.raises(ClipError, match=r"cut off|damaged|cannot be read"):
                read_audio(tmp_path / "b.flac")


def test_mp3_without_a_count_of_its_frames(tmp_path: Path) -> None:
    quiet_first = "aevalsrc=if(lt(t\\,6)\\,0.00001\\,0.4)*(random(0)-0.5):s=44100:d=20"
    path = tone(tmp_path / "a.mp3", "-q:a", "4", "-write_xing", "0", source=quiet_first)
    assert check_audio(path) == pytest.approx(20, abs=0.1)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(ClipError, match="cut off: the last frame, after 1"):
        read_audio(path)


def test_a_track_that_begins_after_the_others_is_no_error(tmp_path: Path) -> None:
    """PyAV knows the tracks that a file begins with; here a later tag is said to be of another kind."""
    path = tone(tmp_path / "a.flv", "-c:a", "aac")
    data = bytearray(path.read_bytes())
    at, n = 13, 0
    while at < len(data):
        size = 15 + int.from_bytes(data[at + 1 : at + 4])
        n += 1
        if n == 100:
            data[at] = 9  # picture
            data[at + 11] = 0x12  # a key frame of H.263
        at += size
    path.write_bytes(data)
    assert 3.9 < check_audio(path) < 4.2


BARE = {
    **{
        f"{rate}-{bits}.ac3": ["-ar", str(rate), "-b:a", f"{bits}k"]
        for rate in (32000, 44100, 48000)
        for bits in (96, 448)
    },
    "a.eac3": ["-b:a", "192k"],
    "low.eac3": ["-ar", "44100", "-b:a", "64k"],
    "a.dts": ["-strict", "-2", "-ar", "48000"],
    "a.latm": ["-c:a", "aac", "-f", "latm"],
}


@pytest.mark.parametrize("name", BARE)
def test_a_bare_stream_that_ends_within_a_frame(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Frames one behind the other, without a container: each states its own length, and nothing how many there are."""
    whole = tone(tmp_path / name, *BARE[name])
    assert 3.9 < check_audio(whole) < 4.2
    assert caplog.text == ""
    data, rng = whole.read_bytes(), random.Random(name)
    with av.open(str(whole)) as container:
        begins = {packet.pos for packet in container.demux() if packet.size}
    for _ in range(20):
        at = rng.randrange(len(data) // 10, len(data) - 4)
        if begins & set(range(at - 1, at + 1)):
            continue
        (tmp_path / "cut").with_suffix(whole.suffix).write_bytes(data[:at])
        with pytest.raises(ClipError, match=r"cut off: the last frame, after \d\.\d\d s of sound, is not whole"):
            check_audio((tmp_path / "cut").with_suffix(whole.suffix))


@pytest.mark.parametrize("name", ["a.mp3", "a.aac", "a.flac", "a.ac3", "a.eac3"])
@pytest.mark.parametrize(
    "tail", [b"\0", bytes(1500), b"written by hand " * 20, b"TAG" + bytes(125), b"APETAGEX" + bytes(9000)],
    ids=["one zero", "zeros", "text", "ID3v1", "APE"],
)  # fmt: skip
def test_bytes_behind_the_last_frame_are_no_damage(tmp_path: Path, name: str, tail: bytes, caplog) -> None:
    path = tone(tmp_path / name)
    whole = read_audio(path)
    path.write_bytes(path.read_bytes() + tail)
    found = read_audio(path)
    assert 0 <= len(found) - len(whole) < 2304  # MP3's padding is not cut off where the file is longer than stated
    np.testing.assert_allclose(found[: len(whole) - 1000], whole[:-1000], atol=1e-6)
    if tail == b"\0" and name != "a.flac":
        assert f"{name}: the last 1 bytes, behind 4.0" in caplog.text


@pytest.mark.parametrize("name", ["a.mp3", "a.aac"])
def test_a_file_half_of_which_never_came_is_damage(tmp_path: Path, name: str) -> None:
    data = tone(tmp_path / name, *(["-write_xing", "0"] if name == "a.mp3" else [])).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2] + bytes(len(data) // 2))
    with pytest.raises(ClipError, match=r"damaged after|cut off"):
        read_audio(tmp_path / name)


def test_a_gap_becomes_silence_of_its_length(tmp_path: Path) -> None:
    first, second = (tone(tmp_path / f"{hz}.wav", source=f"sine={hz}:d=2:r=48000") for hz in (440, 1000))
    one_after_the_other = "[0:a][1:a]concat=n=2:v=0:a=1,asetpts='if(lt(T,2),PTS,PTS+3/TB)'"
    inputs = ["-i", first, "-i", second, "-filter_complex", one_after_the_other]
    path = media_sources.run(*inputs, "-c:a", "pcm_s16le", to=tmp_path / "gap.mka")
    audio = read_audio(path)
    assert len(audio) / 48000 == pytest.approx(7, abs=0.06)
    loud = np.flatnonzero(np.abs(audio) > 0.02) / 48000
    assert np.diff(loud).max() == pytest.approx(3, abs=0.06)
    hertz = [np.abs(np.fft.rfft(audio[at : at + 48000])).argmax() for at in (24000, 5 * 48000 + 24000)]
    assert hertz == [440, 1000]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mkv", ["-c:a", "aac"]),
        ("a.mp4", ["-c:a", "aac"]),
        ("a.mov", ["-c:a", "pcm_s16le"]),
        ("a.ts", ["-c:a", "aac"]),
        ("a.mpg", ["-c:a", "mp2"]),
        ("a.wmv", ["-c:a", "wmav2"]),
        ("a.flv", ["-c:a", "aac"]),
        ("a.ogv", ["-c:v", "libtheora", "-c:a", "libvorbis"]),
        ("a.webm", ["-c:v", "libvpx", "-c:a", "libopus"]),
    ],
)
def test_sound_that_begins_after_the_picture_is_led_by_silence(tmp_path: Path, name: str, options: list[str]) -> None:
    audio = read_audio(media_sources.run(*VIDEO, *LATE_TONE, *options, to=tmp_path / name))
    assert len(audio) / 48000 == pytest.approx(6, abs=0.06)
    assert np.flatnonzero(np.abs(audio) > 0.02)[0] / 48000 == pytest.approx(2, abs=0.06)


@pytest.mark.parametrize("name", ["a.opus", "a.ogg", "a.ts", "a.mka"])
def test_a_clock_that_begins_elsewhere_begins_at_0(tmp_path: Path, name: str) -> None:
    plain = tone(tmp_path / "plain.wav", source="sine=440:d=5:r=48000")
    codec = {"a.opus": "libopus", "a.ogg": "libvorbis", "a.ts": "aac", "a.mka": "flac"}[name]
    path = media_sources.run("-i", plain, "-c:a", codec, "-output_ts_offset", "1.4", to=tmp_path / name)
    audio = read_audio(path)
    assert len(audio) / 48000 == pytest.approx(5, abs=0.05)
    assert np.flatnonzero(np.abs(audio) > 0.02)[0] / 48000 < 0.05


@pytest.mark.parametrize(
    ("name", "options"), [("a.wmv", ["-c:a", "wmav2"]), ("a.avi", ["-c:a", "mp3"]), ("a.flv", ["-c:a", "mp3"])]
)
def test_a_stated_length_of_another_stream_is_no_promise(tmp_path: Path, name: str, options: list[str]) -> None:
    path = media_sources.run(*VIDEO, "-f", "lavfi", "-i", "sine=440:d=3:r=44100", *options, to=tmp_path / name)
    assert check_audio(path) == pytest.approx(3, abs=0.1)


def test_time_stamps_that_jump_by_hours_are_refused(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.mka", "-af", "asetpts='if(lt(N,40),PTS,PTS+9000/TB)'", "-c:a", "pcm_s16le")
    with pytest.raises(ClipError, match=r"time stamps jump by 9\d\d\d s after .* of sound; mend the file"):
        read_audio(path)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libopus"), ("a.3gp", "libopencore_amrnb")])
def test_packets_of_zeros_are_no_sound(tmp_path: Path, name: str, codec: str) -> None:
    """Their decoders make some sound of zeros."""
    options = ["-ar", "8000", "-ac", "1"] if name == "a.3gp" else ["-b:a", "24k"]
    path = tone(tmp_path / name, "-c:a", codec, *options)
    data = path.read_bytes()
    at = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 3
    path.write_bytes(data[:at] + bytes(1000) + data[at + 1000 :])
    with pytest.raises(ClipError, match=rf"{name}: damaged after \d\.\d\d s of sound: "):
        read_audio(path)


@pytest.mark.parametrize(("name", "seed"), [("a.wv", 1), ("a.tta", 2), ("a.mxf", 3), ("a.sph", 4)])
def test_other_files_that_count_their_samples(tmp_path: Path, name: str, seed: int) -> None:
    path = tmp_path / name
    if name == "a.sph":
        noise = np.random.default_rng(seed).integers(-9000, 9000, 4 * 16000, np.int16)
        soundfile.write(path, noise, 16000, "PCM_16", format="NIST")
    else:
        tone(path, *(["-f", "mxf_opatom", "-c:a", "pcm_s16le", "-ar", "48000"] if name == "a.mxf" else []))
    assert len(read_audio(path)) / 48000 == pytest.approx(4, abs=0.05)
    data = path.read_bytes()
    draw = random.Random(seed)
    for _ in range(10):
        path.write_bytes(data[: draw.randrange(len(data) // 10, len(data) * 9 // 10)])
        with pytest.raises(ClipError, match=r"cut off|damaged|cannot be read"):
            read_audio(path)

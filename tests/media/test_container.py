"""Opening media: odd names, tags in other encodings, and one line for what cannot be read."""

import os
import re
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

import l3net
from l3net.errors import ClipError
from l3net.media import container
from l3net.media.audio import read_audio
from l3net.media.container import open_container
from l3net.media.decoding import decoded_pieces
from l3net.media.encoding import Encoding, cut_clip
from l3net.media.ffmpeg import ffmpeg_binary
from l3net.media.probe import is_audio, probe_media
from l3net.media.video import frame_shown_at
from tests import media_sources
from tests.loopback import serving


def write_tone(path: Path, seconds: float = 1.0) -> Path:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * 48000)) / 48000)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes(tone.tobytes())
    return path


def latin1_title(path: Path) -> Path:
    """Add a title to a WAVE file, a word in Latin-1 that is not UTF-8."""
    title = "Café".encode("latin-1") + b"\0"
    chunk = b"INFO" + b"INAM" + len(title).to_bytes(4, "little") + title + b"\0" * (len(title) % 2)
    data = path.read_bytes() + b"LIST" + len(chunk).to_bytes(4, "little") + chunk
    path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    return path


def test_a_title_that_is_not_utf8_is_no_reason_not_to_read(tmp_path: Path) -> None:
    plain, titled = write_tone(tmp_path / "plain.wav"), latin1_title(write_tone(tmp_path / "titled.wav"))
    with open_container(titled) as container:
        assert container.metadata["title"] == "Caf\N{REPLACEMENT CHARACTER}"
    assert np.array_equal(read_audio(titled), read_audio(plain))
    assert probe_media(titled) == probe_media(plain)


@pytest.mark.parametrize("name", ["a:b.wav", "http:x.wav", "file:c.wav", "50%d.wav", "-i.wav", "a b?c#d.wav", "ä.wav"])
def test_a_name_is_never_an_address_or_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    write_tone(Path(name))
    assert len(read_audio(Path(name))) == 48000
    assert probe_media(Path(name)).sample_rate == 48000


def test_a_clip_is_cut_out_of_a_relative_name_with_a_colon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    media_sources.video(tmp_path / "v.mp4", seconds=3, size="64x48").rename("of:2020.mp4")
    encoding = Encoding(short_side=48, preset="ultrafast")
    cut_clip(Path("of:2020.mp4"), Path("clip:1.mkv"), start_seconds=1.0, seconds=1.0, encoding=encoding)
    assert probe_media(Path("clip:1.mkv")).duration == pytest.approx(1.0, abs=0.05)


def test_an_address_in_place_of_a_path_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with serving() as server:
        server.answers["/a.wav"] = write_tone(tmp_path / "a.wav")
        with pytest.raises(ClipError, match=r"a\.wav: cannot be read as media: No such file or directory"):
            probe_media(server.url + "/a.wav")
        assert not server.requests


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file or directory"), (b"", "Invalid data"), (b"no sound at all" * 100, "Invalid data")],
)
def test_what_is_not_media_is_told_in_one_line(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "a.xyz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ClipError, match=rf"^{path}: cannot be read as media: {reason}") as caught, open_container(path):
        pass
    assert "\n" not in str(caught.value)


def test_a_folder_is_not_media(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="cannot be read as sound"):
        read_audio(tmp_path)


def test_errors_while_the_file_is_open_become_one_line(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.wav")
    said = f"{path}: cannot be decoded: {os.strerror(5)}"
    with pytest.raises(ClipError, match=said), open_container(path, failing="cannot be decoded"):
        raise OSError(5, os.strerror(5), str(path))


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile neighbour.wav\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nneighbour.wav\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
        "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'>"
        "<Period><AdaptationSet contentType='audio'><Representation id='1' mimeType='audio/wav'><BaseURL>neighbour.wav"
        "</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "<?xml version='1.0'?><playlist version='1' xmlns='http://xspf.org/ns/0/'><trackList><track><location>"
        "file:neighbour.wav</location></track></trackList></playlist>",
        "[playlist]\nFile1=neighbour.wav\nNumberOfEntries=1\n",
        "[Reference]\nRef1=neighbour.wav\n",
        "RTSPtextfile:neighbour.wav\n",
        "amovie=neighbour.wav",
    ],
    ids=["ffconcat", "hls", "sdp", "dash", "xspf", "pls", "asx", "rtsp", "lavfi"],
)
@pytest.mark.parametrize("name", ["list.wav", "list.mp3", "list.m3u8", "list.sdp", "list.mpd", "list.ffconcat"])
def test_a_list_of_other_files_is_no_sound(tmp_path: Path, text: str, name: str) -> None:
    write_tone(tmp_path / "neighbour.wav")
    (tmp_path / name).write_text(text)
    with pytest.raises(ClipError, match=rf"{name}: (cannot be read as sound: Invalid|the file has no sound)"):
        read_audio(tmp_path / name)


@pytest.mark.parametrize("name", ["tone%01d.wav", "tone*.wav", "tone[0-9].wav", "tone1.wav|tone2.wav"])
def test_a_name_is_no_pattern_of_other_names(tmp_path: Path, name: str) -> None:
    for number in (1, 2):
        write_tone(tmp_path / f"tone{number}.wav")
    with pytest.raises(ClipError, match=r"cannot be read as sound: No such file"):
        read_audio(tmp_path / name)


@pytest.mark.parametrize("name", ["list.mp4", "list.mkv", "list.avi", "list.ts"])
@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile neighbour.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nneighbour.mp4\n#EXT-X-ENDLIST\n",
        "movie=neighbour.mp4",
    ],
    ids=["ffconcat", "hls", "lavfi"],
)
def test_a_list_of_other_files_is_no_video(tmp_path: Path, text: str, name: str) -> None:
    """As a video of a source directory, which ffmpeg cuts."""
    media_sources.video(tmp_path / "neighbour.mp4", seconds=2)
    (tmp_path / name).write_text(text)
    with pytest.raises(ClipError):
        cut_clip(tmp_path / name, tmp_path / "clip.mkv", start_seconds=0.0, seconds=1.0, encoding=Encoding())
    assert not (tmp_path / "clip.mkv").exists()


def test_no_other_room_opens_media() -> None:
    library = Path(l3net.__file__).parent
    outside = [path for path in library.parent.rglob("*.py") if path.parent != library / "media"]
    assert len(outside) > 50
    assert not [path.name for path in outside if re.search(r"\bav\.open\(", path.read_text())]


@pytest.mark.parametrize("kind", ["sound", "picture"])
def test_a_track_that_no_decoder_is_known_for(kind: str, tmp_path: Path) -> None:
    """The tag of the codec is another's: sound in a WAVE file, a picture in AVI."""
    if kind == "sound":
        path = media_sources.run("-f", "lavfi", "-i", "sine=d=1", to=tmp_path / "a.wav")
        data = path.read_bytes()
        path.write_bytes(data[:20] + b"\x34\x12" + data[22:])
        with pytest.raises(
            ClipError, match=r"a\.wav: cannot be read as sound: this ffmpeg has no decoder for its sound track"
        ):
            list(decoded_pieces(path))
        assert not is_audio(path)
    else:
        path = media_sources.video(tmp_path / "a.avi", seconds=1)
        path.write_bytes(path.read_bytes().replace(b"H264", b"Q0Q0"))
        with pytest.raises(ClipError, match=r"a\.avi: has no picture that this ffmpeg can decode"):
            frame_shown_at(path, 0.5)
    info = probe_media(path)
    assert (info.has_audio, info.has_video) == (kind == "picture", False)


def test_a_plain_wave_is_not_compared_with_all_packed_formats(tmp_path: Path) -> None:
    assert container.wave_options(write_tone(tmp_path / "plain.wav"))["max_probe_packets"] == "1"
    assert container.wave_options(tmp_path / "missing.wav") == {}
    (tmp_path / "other.flac").write_bytes(b"fLaC" + bytes(1000))
    assert container.wave_options(tmp_path / "other.flac") == {}


def test_a_plain_wave_comes_in_few_large_frames(tmp_path: Path) -> None:
    with open_container(write_tone(tmp_path / "plain.wav")) as opened:
        n_samples = [frame.samples for frame in opened.decode(audio=0)]
    assert min(n_samples[:-1]) * 2 == 1 << 14  # bytes of one channel in 16 bits


@pytest.mark.parametrize("swapped", [False, True], ids=["big endian", "little endian"])
def test_dts_under_the_name_of_pcm_is_read_as_dts(tmp_path: Path, swapped: bool) -> None:
    """As on a CD of surround sound; ffmpeg's own encoder writes the packed sound."""
    sound = ["-f", "lavfi", "-i", "sine=440:duration=2,aformat=sample_rates=48000:channel_layouts=stereo"]
    encoded = ["-c:a", "dca", "-strict", "-2", str(tmp_path / "packed.dts")]
    subprocess.run([ffmpeg_binary(), "-v", "error", *sound, *encoded], check=True)
    packed = np.frombuffer((tmp_path / "packed.dts").read_bytes(), np.int16)
    with wave.open(str(tmp_path / "cd.wav"), "wb") as target:
        target.setparams((2, 2, 48_000, 0, "NONE", ""))
        target.writeframes((packed.byteswap() if swapped else packed).tobytes())
    with open_container(tmp_path / "cd.wav") as opened:
        assert opened.streams.audio[0].codec_context.name == "dca"


def test_a_track_that_pyav_does_not_know_is_one_line(tmp_path: Path) -> None:
    """PyAV counts the tracks when a file is opened, and raises an IndexError where there are more at its end."""
    path = media_sources.run("-f", "lavfi", "-i", "sine=440:d=1", to=tmp_path / "a.wav")
    with pytest.raises(ClipError, match=r"a\.wav: cannot be read as media: a track begins in its middle"):  # noqa: SIM117
        with open_container(path):
            raise IndexError("list index out of range")

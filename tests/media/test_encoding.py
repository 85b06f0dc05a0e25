"""The cut and the encoding of clips: exact lengths, sizes, and the same bytes each time."""

import random
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from l3net.errors import ClipError
from l3net.media import encoding
from l3net.media.audio import read_audio
from l3net.media.encoding import Encoding, _earlier_start, cut_clip, write_video
from l3net.media.ffmpeg import ffmpeg_binary, refuse_no_fault_of_input
from l3net.media.probe import measure_clip, probe_media
from tests import media_sources

FAST = {"preset": "ultrafast"}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("encoding") / "v.mp4"
    return media_sources.video(path, seconds=5, size="160x90", fps="25", more=["-metadata", "title=Secret"])


@pytest.mark.parametrize(("short_side", "size"), [(64, (114, 64)), (None, (160, 90)), (256, (160, 90))])
def test_a_clip_has_its_length_its_size_and_the_stores_encoding(
    tmp_path: Path, video: Path, short_side: int | None, size: tuple[int, int]
) -> None:
    target = tmp_path / "clip.mkv"
    cut_clip(video, target, start_seconds=1.5, seconds=2.0, encoding=Encoding(short_side=short_side, **FAST))
    info, measured = probe_media(target), measure_clip(target)
    assert (measured.n_frames, measured.n_samples) == (60, 96000)
    assert (info.fps, info.sample_rate, info.channels) == (30.0, 48000, 1)
    assert (info.video_codec, info.audio_codec) == ("h264", "flac")
    assert (info.width, info.height) == size
    assert b"Secret" not in target.read_bytes()


def test_the_same_cut_gives_the_same_bytes(tmp_path: Path, video: Path) -> None:
    for name in ("a.mkv", "b.mkv"):
        cut_clip(video, tmp_path / name, start_seconds=1.0, seconds=1.0, encoding=Encoding(**FAST))
    assert (tmp_path / "a.mkv").read_bytes() == (tmp_path / "b.mkv").read_bytes()


def test_what_ffmpeg_says_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not media")
    for name in ("text.mp4", "gone.mp4"):
        with pytest.raises(ClipError, match=r"^ffmpeg: .+") as caught:
            cut_clip(tmp_path / name, tmp_path / "c.mkv", start_seconds=0.0, seconds=1.0, encoding=Encoding())
        assert "\n" not in str(caught.value)


def test_an_encoding_is_given_by_name() -> None:
    with pytest.raises(TypeError, match="positional"):
        Encoding(64)
    arguments = Encoding(short_side=64, crf=30).arguments(2.0)
    assert arguments[arguments.index("-crf") + 1] == "30"
    assert arguments[arguments.index("-t") + 1] == "2.0"


TEST_PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=14", "-f", "lavfi", "-i", "sine=440:d=14"]
RED_BLUE = "geq=r='if(lt(mod(T,10),5),255,0)':g=0:b='if(lt(mod(T,10),5),0,255)',format=yuv420p"


def slides(path: Path, rate: str, *more: str, seconds: int = 30) -> Path:
    """Write a video that is red for 5 seconds, blue for 5, and so on, with `rate` frames a second."""
    picture = ["-f", "lavfi", "-i", f"color=black:s=64x48:r={rate}:d={seconds}"]
    sound = ["-f", "lavfi", "-i", f"sine=440:d={seconds}"]
    return media_sources.run(*picture, *sound, "-vf", RED_BLUE, *more, to=path)


def changes(path: Path) -> list[tuple[float, str]]:
    """Return the seconds of a clip at which its colour changes, with the colour."""
    found = []
    with av.open(str(path)) as container:
        for n, frame in enumerate(container.decode(video=0)):
            red, _, blue = frame.to_ndarray(format="rgb24").mean((0, 1))
            colour = "red" if red > blue else "blue"
            if not found or found[-1][1] != colour:
                found.append((round(n / 30, 3), colour))
    return found


@pytest.mark.parametrize("rate", ["25", "1", "1/5"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
def test_a_frame_is_shown_until_the_next_one_begins(tmp_path: Path, name: str, rate: str) -> None:
    video = slides(tmp_path / name, rate, *([] if name.endswith("webm") else ["-c:v", "libx264", "-c:a", "aac"]))
    cut_clip(video, tmp_path / "c.mkv", start_seconds=7.3, seconds=10.0, encoding=Encoding(**FAST))
    found = changes(tmp_path / "c.mkv")
    assert [colour for _, colour in found] == ["blue", "red", "blue"]
    assert [at for at, _ in found] == pytest.approx([0.0, 2.7, 7.7], abs=0.05)
    assert measure_clip(tmp_path / "c.mkv")[:2] == (300, 480000)


def test_a_frozen_picture_of_variable_rate_stays(tmp_path: Path) -> None:
    frozen = ["-vf", RED_BLUE.replace("mod(T,10),5", "T,9") + ",select='lt(t,3)+gte(t,9)'", "-fps_mode", "vfr"]
    video = slides(tmp_path / "a.mp4", "30", *frozen, "-c:v", "libx264", "-bf", "0", seconds=16)
    cut_clip(video, tmp_path / "c.mkv", start_seconds=4.0, seconds=10.0, encoding=Encoding(**FAST))
    assert changes(tmp_path / "c.mkv") == [(0.0, "red"), (5.0, "blue")]


def test_one_picture_for_the_whole_video(tmp_path: Path) -> None:
    video = slides(tmp_path / "a.mp4", "1/30", "-c:v", "libx264", "-c:a", "aac")
    cut_clip(video, tmp_path / "c.mkv", start_seconds=7.3, seconds=10.0, encoding=Encoding(**FAST))
    assert changes(tmp_path / "c.mkv") == [(0.0, "red")]
    assert measure_clip(tmp_path / "c.mkv")[:2] == (300, 480000)


def test_damage_of_the_source_is_not_painted_over(tmp_path: Path) -> None:
    codecs = ["-c:v", "libx264", "-c:a", "aac", "-movflags", "+faststart"]
    video = media_sources.run(*TEST_PICTURE, *codecs, to=tmp_path / "v.mp4")
    data, rng = video.read_bytes(), random.Random(15)
    for _ in range(8):
        at = rng.randrange(len(data) // 3, len(data) * 2 // 3)
        video.write_bytes(data[:at] + bytes(4096) + data[at + 4096 :])
        with pytest.raises(ClipError, match=r"^the video is damaged at \d+\.\d\d s: \S"):
            cut_clip(video, tmp_path / "c.mkv", start_seconds=2.0, seconds=10.0, encoding=Encoding(**FAST))
    video.write_bytes(data[: len(data) * 9 // 10] + bytes(4096) + data[len(data) * 9 // 10 + 4096 :])
    cut_clip(video, tmp_path / "c.mkv", start_seconds=1.0, seconds=4.0, encoding=Encoding(**FAST))  # far from it


@pytest.mark.parametrize("codec", ["libx264", "libvpx"])
def test_a_checksum_of_matroska_tells_what_no_decoder_does(tmp_path: Path, codec: str) -> None:
    """VP8's decoder notices nothing, and ffmpeg compares no checksum of Matroska when it reads."""
    codecs = ["-c:v", codec, "-deadline", "realtime"] if codec == "libvpx" else ["-c:v", codec, "-g", "25"]
    options = [*codecs, "-c:a", "aac", "-cluster_time_limit", "1000"]
    video = media_sources.run(*TEST_PICTURE, *options, to=tmp_path / "v.mkv")
    data, rng = video.read_bytes(), random.Random(15)
    clusters = [at for at in range(len(data)) if data[at : at + 4] == b"\x1f\x43\xb6\x75"]
    n_seconds = round(probe_media(video).duration)
    assert len(clusters) >= n_seconds
    damaged = next(n for n, at in enumerate(clusters) if at > len(data) // 2)
    for _ in range(4):
        at = rng.randrange(clusters[damaged] + 40, clusters[damaged + 1])
        video.write_bytes(data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :])
        with pytest.raises(ClipError, match=r"^the video is damaged: the checksum of the part at byte \d+ is wrong"):
            cut_clip(video, tmp_path / "c.mkv", start_seconds=2.0, seconds=10.0, encoding=Encoding(**FAST))
    cut_clip(video, tmp_path / "c.mkv", start_seconds=0.5, seconds=2.0, encoding=Encoding(**FAST))  # far from it


def test_pictures_that_a_cut_cannot_refer_to_are_no_damage(tmp_path: Path) -> None:
    codecs = ["-c:v", "libx264", "-x264-params", "open-gop=1:keyint=50:bframes=3"]
    video = media_sources.run(*TEST_PICTURE, *codecs, to=tmp_path / "v.mp4")
    for start in (2.5, 3.1, 3.96):
        cut_clip(video, tmp_path / "c.mkv", start_seconds=start, seconds=2.0, encoding=Encoding(**FAST))
        assert measure_clip(tmp_path / "c.mkv").n_frames == 60


def test_a_disk_without_room_is_no_fault_of_the_video(tmp_path: Path) -> None:
    """ffmpeg is ended by a signal where a file may not grow; the clip must not be called damaged for that."""
    source = media_sources.video(tmp_path / "v.mp4", seconds=4)
    code = (
        "import resource, sys; from pathlib import Path; from l3net.media.encoding import Encoding, cut_clip\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "cut_clip(Path(sys.argv[1]), Path(sys.argv[2]), start_seconds=0, seconds=3, encoding=Encoding())\n"
    )
    command = [sys.executable, "-c", code, str(source), str(tmp_path / "clip.mkv")]
    said = subprocess.run(command, capture_output=True, text=True).stderr
    assert f"OSError: [Errno 27] File too large: '{tmp_path / 'clip.mkv'}'" in said
    for words in ("No space left on device", "Disk quota exceeded", "Read-only file system"):
        with pytest.raises(OSError, match=words):
            refuse_no_fault_of_input(1, f"[out#0/matroska] Error writing trailer: {words}\n", tmp_path / "clip.mkv")
    refuse_no_fault_of_input(1, "Invalid data found when processing input", tmp_path / "clip.mkv")


@pytest.mark.parametrize("number", ["INT", "TERM"])
def test_an_interruption_is_no_fault_of_the_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Ctrl-C and the end of a job of SLURM come to ffmpeg too; the clip must not be called damaged for that."""
    source = media_sources.video(tmp_path / "v.mp4", seconds=20)
    interrupted = tmp_path / "ffmpeg"
    interrupted.write_text(f'#!/bin/sh\nexec timeout --preserve-status -s {number} 0.3 {ffmpeg_binary()} "$@"\n')
    interrupted.chmod(0o755)
    monkeypatch.setattr(encoding, "ffmpeg_binary", lambda: str(interrupted))
    with pytest.raises(InterruptedError, match=r"clip\.mkv"):
        cut_clip(source, tmp_path / "clip.mkv", start_seconds=0, seconds=20.0, encoding=Encoding(preset="placebo"))
    with pytest.raises(InterruptedError):
        refuse_no_fault_of_input(-getattr(signal, f"SIG{number}"), "", tmp_path / "clip.mkv")
    refuse_no_fault_of_input(255, "Error opening input: Operation not permitted", tmp_path / "clip.mkv")


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_sound_stays_in_time_where_a_clip_begins_in_a_standing_picture(rate: int, tmp_path: Path) -> None:
    """The picture stands from 2 to 6 s, the clip begins at 4 s; the sound is noise, whose place can be found."""
    picture = "testsrc=s=64x48:r=30:d=9,select=lt(t\\,2)+gte(t\\,6)"
    noise = f"anoisesrc=d=9:r={rate}:a=0.3:seed=3"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", noise, "-fps_mode", "vfr"]
    source = media_sources.run(
        *inputs, "-c:v", "libx264", "-c:a", "flac", "-ar", str(rate), "-ac", "1", to=tmp_path / "v.mkv"
    )
    cut_clip(source, tmp_path / "clip.mkv", start_seconds=4.0, seconds=4.0, encoding=Encoding(preset="ultrafast"))
    whole, clip = read_audio(source), read_audio(tmp_path / "clip.mkv")
    assert len(clip) == 4 * 48000
    piece, around = clip[48000:96000], whole[5 * 48000 - 9600 : 6 * 48000 + 9600]
    place = int(np.argmax(np.correlate(around, piece[:9600], "valid"))) - 9600
    assert abs(place) <= 48  # a thousandth of a second


@pytest.mark.parametrize("rate", ["25", "30"])
def test_frames_that_follow_each_other_quickly_are_read_from_where_the_clip_begins(tmp_path: Path, rate: str) -> None:
    """Also between two frames, and late in the video; one frame a second is read from the one that is shown."""
    path = media_sources.video(tmp_path / "a.mp4", seconds=9, size="64x48", fps=rate)
    assert [_earlier_start(path, start, start + 1.0) for start in (0.0, 1.5, 7.01)] == [None, None, None]
    slow = media_sources.video(tmp_path / "b.mp4", seconds=9, size="64x48", fps="1")
    assert 6.5 < _earlier_start(slow, 7.3, 8.3) < 7.0


@pytest.mark.parametrize("n_channels", [0, 1, 2])
def test_a_written_video_has_its_frames_and_its_channels_in_order(tmp_path: Path, n_channels: int) -> None:
    """The left channel is loud, the right one has another pitch; without sound there is no audio stream."""
    frames = [np.full((48, 64, 3), 10 * i, np.uint8) for i in range(12)]
    seconds = np.arange(48000) / 48000
    sound = np.float32([0.5 * np.sin(2 * np.pi * hertz * seconds) for hertz in (440, 880)])[:n_channels]
    write_video(
        tmp_path / "a.mp4",
        iter(frames),
        frame_rate=Fraction(12),
        sound=sound if n_channels else None,
        sample_rate=48000,
    )
    info = probe_media(tmp_path / "a.mp4")
    assert (info.width, info.height, info.fps, info.has_audio) == (64, 48, 12.0, n_channels > 0)
    with av.open(str(tmp_path / "a.mp4")) as file:
        shown = [frame.to_ndarray(format="gray").mean() for frame in file.decode(video=0)]
        assert len(shown) == 12
        assert np.all(np.diff(shown) > 5)
    if n_channels:
        with av.open(str(tmp_path / "a.mp4")) as file:
            heard = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)[:, 12000:36000]
        assert len(heard) == n_channels
        spectra = np.abs(np.fft.rfft(heard, axis=1))
        assert (spectra.argmax(axis=1) * 2).tolist() == [440, 880][:n_channels]


def test_a_cut_takes_one_thread(tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job has as many workers as it has cores, and each of them runs one ffmpeg."""
    asked = []

    def watched(words: list[str], **how: object) -> subprocess.CompletedProcess:
        asked.append(words)
        return run(words, **how)

    run = subprocess.run
    monkeypatch.setattr(encoding.subprocess, "run", watched)
    cut_clip(video, tmp_path / "c.mkv", start_seconds=1.0, seconds=2.0, encoding=Encoding(**FAST))
    (words,) = [
        words for words in asked if str(tmp_path / "c.mkv") in words[-2] or f"file:{tmp_path / 'c.mkv'}" in words
    ]
    before_input, behind = words[: words.index("-i")], words[words.index("-i") :]
    for part in (before_input, behind):
        assert part[part.index("-threads") + 1] == "1"


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.avi", ["-c:v", "mpeg4", "-c:a", "mp3"]), ("a.flv", ["-c:v", "flv", "-c:a", "mp3", "-ar", "44100"]),
     ("a.ogv", ["-c:v", "libtheora", "-c:a", "libvorbis"])],
)  # fmt: skip
def test_a_container_that_breaks_is_damage_for_what_comes_later(tmp_path: Path, name: str, options: list[str]) -> None:
    """ffmpeg goes on at the next packet that it finds, and the sound that never came would be silence."""
    video = media_sources.video(tmp_path / name, seconds=12, more=options)
    data = video.read_bytes()
    with av.open(str(video)) as container:
        places = [p.pos for p in container.demux() if p.size and p.pts is not None and 5.0 < p.pts * p.time_base < 5.5]
    at = min(places)
    video.write_bytes(data[:at] + bytes(4096) + data[at + 4096 :])
    target, encoding = tmp_path / "clip.mkv", Encoding(short_side=48, preset="ultrafast")
    cut_clip(video, target, start_seconds=1.0, seconds=2.0, encoding=encoding)
    with pytest.raises(ClipError, match=r"^the video is damaged"):
        cut_clip(video, target, start_seconds=4.0, seconds=3.0, encoding=encoding)


def test_packets_of_zeros_are_damage_of_a_video(tmp_path: Path) -> None:
    """Opus' decoder makes some sound of them, without a word."""
    video = media_sources.video(tmp_path / "a.mp4", seconds=8, more=["-c:a", "libopus"])
    data = bytearray(video.read_bytes())
    with av.open(str(video)) as container:
        places = [(p.pos, p.size) for p in container.demux(audio=0) if p.size and 4.0 < p.pts * p.time_base < 4.1]
    for at, size in places:
        data[at : at + size] = bytes(size)
    video.write_bytes(data)
    target, encoding = tmp_path / "clip.mkv", Encoding(short_side=48, preset="ultrafast")
    cut_clip(video, target, start_seconds=1.0, seconds=2.0, encoding=encoding)
    with pytest.raises(ClipError, match=r"^the video is damaged at 4\.\d\d s: zeros stand in the place of audio"):
        cut_clip(video, target, start_seconds=3.0, seconds=2.0, encoding=encoding)

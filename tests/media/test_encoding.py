"""The cut and the encoding of clips: exact lengths, sizes, and the same bytes each time."""

from pathlib import Path

import pytest

from l3net.errors import ClipError
from l3net.media.encoding import Encoding, cut_clip
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

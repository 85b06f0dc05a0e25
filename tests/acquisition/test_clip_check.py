"""The check of fetched clips: whole, short, and everything that is refused."""

import hashlib
from pathlib import Path

import pytest

from l3net.acquisition.clip_check import check_clip
from l3net.audioset.clip import Clip, ClipFailure
from tests import media_sources, time_code

YTID = "abcdefghijk"


@pytest.mark.parametrize(
    ("there", "wanted", "status"),
    [
        (3.0, 3.0, "ok"),
        (3.03, 3.0, "ok"),
        (3.1, 3.0, "short"),
        (2.97, 3.0, "ok"),
        (2.9, 3.0, "short"),
        (1.1, 3.0, "short"),
    ],
)
def test_a_clip_is_ok_within_a_frame_and_a_twentieth_of_a_second(
    tmp_path: Path, there: float, wanted: float, status: str
) -> None:
    path = tmp_path / "a.mkv"
    time_code.write_clip(path, 1, seconds=round(there * 30) / 30)
    checked = check_clip(path, Clip(YTID, 5.0, 5.0 + wanted))

    assert checked.status == status
    assert checked.longest_seconds == pytest.approx(there, abs=0.02)
    content = path.read_bytes()
    assert checked.media["bytes"] == len(content)
    assert checked.media["sha256"] == hashlib.sha256(content).hexdigest()
    assert (checked.media["width"], checked.media["height"]) == (time_code.WIDTH, time_code.HEIGHT)
    assert (checked.media["fps"], checked.media["sample_rate"]) == (30.0, 48000)


def test_what_is_refused_and_why(tmp_path: Path) -> None:
    clip = Clip(YTID, 0.0, 3.0)
    plain = media_sources.video(tmp_path / "plain.mp4", seconds=3, size="64x48")
    (tmp_path / "text.mkv").write_text("not media")
    time_code.write_clip(tmp_path / "silent.mkv", 1, seconds=3.0, loudness=0.0)
    time_code.write_clip(tmp_path / "second.mkv", 1, seconds=1.0)
    media_sources.run("-i", plain, "-an", "-c", "copy", to=tmp_path / "picture.mkv")
    media_sources.run("-i", plain, "-vn", "-c", "copy", to=tmp_path / "sound.mkv")
    for name, reason, again in (
        ("text", "does not decode: cannot be read as media: Invalid data", True),
        ("gone", "does not decode: cannot be read as media: No such file", True),
        ("silent", "silent from end to end", False),
        ("second", "only 1.00 s where the clip should be", False),
        ("picture", "no sound", False),
        ("sound", "no picture", False),
    ):
        with pytest.raises(ClipFailure, match=f"^invalid_media: {reason}") as caught:
            check_clip(tmp_path / f"{name}.mkv", clip)
        assert caught.value.again == again
        assert str(tmp_path) not in caught.value.reason


@pytest.mark.parametrize("size", ["2x2", "4x160", "2x98"])
def test_a_picture_too_small_or_too_wide_to_be_sampled_is_a_status(tmp_path: Path, size: str) -> None:
    path = media_sources.video(tmp_path / "a.mkv", seconds=3, size=size)
    with pytest.raises(ClipFailure, match=r"invalid_media: the picture has \d+ x \d+ pixels, too few") as caught:
        check_clip(path, Clip(YTID, 0.0, 3.0))
    assert not caught.value.again


def test_a_picture_is_too_wide_beyond_32_times_its_shorter_side(tmp_path: Path) -> None:
    clip, flac = Clip(YTID, 0.0, 3.0), ["-c:a", "flac"]
    just = media_sources.video(tmp_path / "a.mkv", seconds=3, size="8x256", more=flac)
    assert (check_clip(just, clip).media["width"], check_clip(just, clip).media["height"]) == (8, 256)
    with pytest.raises(ClipFailure, match="the picture has 8 x 258 pixels"):
        check_clip(media_sources.video(tmp_path / "b.mkv", seconds=3, size="8x258", more=flac), clip)

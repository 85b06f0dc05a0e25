"""Clips of the store: their outline, and one line for those that cannot be used."""

from pathlib import Path

import numpy as np
import pytest

from l3net.errors import ClipError
from l3net.media.video import Outline, clip_streams, open_clip, read_outline
from tests import media_sources, time_code


def test_the_outline_of_a_clip(tmp_path: Path) -> None:
    time_code.write_clip(tmp_path / "a.mkv", 1, seconds=2.0)
    outline = read_outline(tmp_path / "a.mkv")
    np.testing.assert_allclose(outline.times, np.arange(60) / 30, atol=0.001)
    assert abs(outline.n_sound - 96000) <= 48
    assert (outline.width, outline.height) == (time_code.WIDTH, time_code.HEIGHT)


@pytest.mark.parametrize(
    ("size", "short_side", "scaled"),
    [((320, 240), 256, (341, 256)), ((240, 320), 256, (256, 341)), ((100, 100), 224, (224, 224))],
)
def test_a_size_is_scaled_by_its_shorter_side(size: tuple[int, int], short_side: int, scaled: tuple[int, int]) -> None:
    assert Outline(np.zeros(0), 0, *size).scaled(short_side) == scaled


def test_clips_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    plain = media_sources.video(tmp_path / "plain.mkv", seconds=2, size="64x48")
    media_sources.run("-i", plain, "-an", "-c", "copy", to=tmp_path / "picture.mkv")
    media_sources.run("-i", plain, "-vn", "-c", "copy", to=tmp_path / "sound.mkv")
    media_sources.run("-i", plain, "-c:v", "copy", "-ar", "44100", to=tmp_path / "rate.mkv")
    (tmp_path / "text.mkv").write_text("not media")
    for name, message in (
        ("gone", "is gone from the store; fetch it again"),
        ("picture", "has no sound; expected both"),
        ("sound", "has no picture; expected both"),
        ("rate", "sound at 44100 Hz; expected 48000"),
        ("text", "cannot be decoded: Invalid data found"),
    ):
        with pytest.raises(ClipError, match=f"{name}.mkv: {message}") as caught:
            read_outline(tmp_path / f"{name}.mkv")
        assert "\n" not in str(caught.value)


def test_damage_is_reported_and_not_painted_over(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    time_code.write_clip(path, 1, seconds=2.0)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(ClipError, match=r"a\.mkv: cannot be decoded"), open_clip(path) as container:
        for packet in container.demux(*clip_streams(path, container)):
            packet.decode()

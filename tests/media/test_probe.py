"""What a header says and what a clip holds, against what was written."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from l3net.errors import ClipError
from l3net.media.probe import duration_at_address, is_audio, measure_clip, probe_media
from tests import media_sources, time_code
from tests.loopback import serving


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media_sources.video(tmp_path_factory.mktemp("probe") / "v.mp4", seconds=3, size="64x48", fps="25")


def test_the_header_of_a_video(video: Path) -> None:
    info = probe_media(video)
    assert (info.width, info.height, info.fps, info.video_codec) == (64, 48, 25.0, "h264")
    assert (info.sample_rate, info.audio_codec) == (48000, "aac")
    assert info.duration == pytest.approx(3.0, abs=0.1)
    assert info.has_video
    assert info.has_audio


def test_the_header_of_sound_alone(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((22050, 2)), 22050)
    info = probe_media(tmp_path / "a.wav")
    assert (info.duration, info.sample_rate, info.channels) == (1.0, 22050, 2)
    assert (info.has_video, info.width, info.fps, info.video_codec) == (False, None, None, None)


def test_a_clip_is_counted_to_the_frame_and_the_sample(tmp_path: Path) -> None:
    time_code.write_clip(tmp_path / "a.mkv", 3, seconds=2.5, loudness=0.4)
    measured = measure_clip(tmp_path / "a.mkv")
    assert (measured.n_frames, measured.n_samples) == (75, 120_000)
    assert 0.35 * 32768 < measured.peak <= 0.4 * 32768


def test_a_clip_whose_sound_is_zero_has_no_peak(tmp_path: Path) -> None:
    time_code.write_clip(tmp_path / "a.mkv", 3, seconds=1.0, loudness=0.0)
    assert measure_clip(tmp_path / "a.mkv").peak == 0


def test_is_audio(tmp_path: Path, video: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(10), 8000)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    (tmp_path / "text.wav").write_text("not sound")
    silent = media_sources.run("-i", video, "-an", "-c", "copy", to=tmp_path / "picture.mp4")
    found = [is_audio(path) for path in (tmp_path / "a.wav", video, tmp_path / "empty.wav", tmp_path / "text.wav")]
    assert found == [True, True, False, False]
    assert not is_audio(silent)
    assert not is_audio(tmp_path / "missing.wav")


def test_the_duration_at_an_address_is_asked_through_the_proxy(video: Path) -> None:
    with serving() as server:
        settings = {"proxy": server.url, "headers": {"X-Asked": "yes"}, "timeout_seconds": 5.0}
        server.answers["http://videos.invalid:80/v.mp4"] = video  # as ffmpeg writes it for a proxy
        found = duration_at_address("http://videos.invalid/v.mp4", **settings)
        assert found == pytest.approx(3.0, abs=0.1)
        assert {headers.get("X-Asked") for headers in server.headers} == {"yes"}
        with pytest.raises(ClipError, match=r"^the address cannot be read as media") as caught:
            duration_at_address("http://videos.invalid/SECRET.mp4", **settings)
        assert "SECRET" not in str(caught.value)

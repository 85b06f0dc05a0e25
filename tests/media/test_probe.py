"""What a header says and what a clip holds, against what was written."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from l3net.errors import ClipError
from l3net.media.probe import duration_at_address, is_audio, measure_clip, probe_media, survey_video
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


def test_a_survey_believes_what_is_there_and_not_the_header(tmp_path: Path) -> None:
    whole = media_sources.video(tmp_path / "a.mp4", seconds=6, size="64x48", more=["-movflags", "+faststart"])
    found = survey_video(whole)
    assert found.seconds == pytest.approx(6.0, abs=0.05)
    assert (found.is_silent, found.width, found.height) == (False, 64, 48)
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 4])
    assert probe_media(tmp_path / "cut.mp4").duration == pytest.approx(6.0, abs=0.05)
    assert 3.0 < survey_video(tmp_path / "cut.mp4").seconds < 5.5


def test_a_survey_hears_sound_that_begins_late_and_takes_no_cover_for_a_picture(tmp_path: Path) -> None:
    late = media_sources.video(tmp_path / "late.mp4", seconds=6, size="64x48", click="0.1*gte(t\\,5)*sin(2*PI*440*t)")
    assert not survey_video(late).is_silent
    silent = media_sources.video(tmp_path / "silent.mp4", seconds=3, size="64x48", click="0")
    assert survey_video(silent).is_silent
    cover = media_sources.run("-i", late, "-frames:v", "1", to=tmp_path / "cover.png")
    song = ("-map", "1:a", "-map", "0:v", "-c:v", "copy", "-disposition:v", "attached_pic")
    media_sources.run("-i", cover, "-i", late, *song, to=tmp_path / "song.m4a")
    with pytest.raises(ClipError, match=r"song\.m4a: no picture$"):
        survey_video(tmp_path / "song.m4a")


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

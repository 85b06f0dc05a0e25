"""YouTube's failures, played by an extractor of the tests' own through real yt-dlp: each gives its status."""

from pathlib import Path

import pytest
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import ExtractorError, GeoRestrictedError

from l3net.audioset.clip import FINAL_STATUSES, STATUSES, Clip, ClipFailure
from l3net.downloads.ytdlp import YtdlpSource
from l3net.downloads.ytdlp_failures import classify_failure
from l3net.downloads.ytdlp_options import YOUTUBE_TEMPLATE, Access
from l3net.media.encoding import Encoding

ID = "abcdefghijk"


def http_error(status: int) -> HTTPError:
    return HTTPError(Response(fp=None, url="https://example.org/?secret", headers={}, status=status))


def caused_by(cause: Exception, text: str = "Unable to download webpage") -> ExtractorError:
    return ExtractorError(text, cause=cause, expected=True)


def said(text: str) -> ExtractorError:
    return ExtractorError(text, expected=True, video_id=ID)


PLAYED = [
    (said("Private video. Sign in if you've been granted access to this video"), "private"),
    (said("Join this channel to get access to members-only content like this video"), "private"),
    (said("Video unavailable"), "rate_limited"),
    (said("Video unavailable. This video has been removed by the uploader"), "removed"),
    (said("This video is no longer available because the YouTube account has been terminated"), "removed"),
    (said("This video is not available"), "rate_limited"),
    (said("This video isn't available anymore"), "rate_limited"),
    (said("This content isn't available."), "rate_limited"),
    (said("Video unavailable. This content isn\u2019t available."), "rate_limited"),
    (said("This video is not available on this device"), "rate_limited"),
    (said("The following content is not available on this app. Watch on the latest version"), "rate_limited"),
    (said("This video has been deleted by its owner"), "removed"),
    (said("Video unavailable. This video contains content from X, who has blocked it on copyright grounds"), "removed"),
    (said("This video has been removed for violating YouTube's policy on hate speech"), "removed"),
    (said("Sign in to confirm your age. This video may be inappropriate for some users"), "age_restricted"),
    (GeoRestrictedError("The uploader has not made this video available in your country"), "geo_blocked"),
    (said("Video unavailable. The uploader has not made this video available in your country"), "geo_blocked"),
    (said("Sign in to confirm you\u2019re not a bot. Use --cookies for the authentication"), "bot_check"),
    (said("Sign in to confirm you're not a bot"), "bot_check"),
    (said("YouTube is requiring a captcha challenge before playback"), "bot_check"),
    (
        said(
            "Video unavailable. This content isn't available, try again later. The current session has been "
            "rate-limited by YouTube for up to an hour"
        ),
        "rate_limited",
    ),
    (caused_by(http_error(429)), "rate_limited"),
    (caused_by(http_error(403)), "http_error"),
    (caused_by(http_error(500)), "http_error"),
    (caused_by(http_error(410)), "removed"),
    (caused_by(TransportError("Read timed out.")), "network"),
    (caused_by(TransportError(cause=ConnectionResetError("Connection reset by peer"))), "network"),
    (said("Requested format is not available"), "failed"),
    (said("Failed to extract any player response"), "failed"),
]


def source(error_or_info: Exception | dict, folder: Path) -> YtdlpSource:
    """Return a source whose YouTube raises the error, or has the video."""

    class PlayedIE(InfoExtractor):
        _VALID_URL = r"https://www\.youtube\.com/watch\?v=(?P<id>[A-Za-z0-9_-]{11})$"

        def _real_extract(self, url: str) -> dict:
            if isinstance(error_or_info, Exception):
                raise error_or_info
            return {"id": self._match_id(url), **error_or_info}

    access = Access(allow_private_addresses=True, timeout_seconds=5.0)
    return YtdlpSource(YOUTUBE_TEMPLATE, Encoding(short_side=64, preset="ultrafast"), access, extractors=[PlayedIE])


@pytest.mark.parametrize(("error", "status"), PLAYED, ids=[f"{status}-{n}" for n, (_, status) in enumerate(PLAYED)])
def test_each_failure_gives_its_status(error, status, tmp_path):
    played = source(error, tmp_path)
    with pytest.raises(ClipFailure) as caught:
        played.fetch(Clip(ID, 30.0, 40.0), tmp_path / "clip.mkv")
    played.close()
    assert caught.value.status == status
    assert caught.value.again == (status not in FINAL_STATUSES)
    assert caught.value.reason and "\n" not in caught.value.reason and "secret" not in caught.value.reason


def test_every_status_of_yt_dlp_is_played():
    from_elsewhere = {"ok", "short", "invalid_media"}
    assert {status for _, status in PLAYED} == set(STATUSES) - from_elsewhere


def test_a_live_stream_is_not_recorded(tmp_path):
    played = source({"title": "x", "url": "http://127.0.0.1:9/x.mp4", "ext": "mp4", "is_live": True}, tmp_path)
    with pytest.raises(ClipFailure, match="failed: the video is a live stream"):
        played.fetch(Clip(ID, 30.0, 40.0), tmp_path / "clip.mkv")
    played.close()


def test_reasons_are_one_printable_line_without_addresses(tmp_path):
    played = source(said("\x1b[31mBroken\x00\nat https://user:secret@example.org/?token=secret now"), tmp_path)
    with pytest.raises(ClipFailure) as caught:
        played.fetch(Clip(ID, 30.0, 40.0), tmp_path / "clip.mkv")
    played.close()
    assert caught.value.reason == "Broken at <address> now"


@pytest.mark.parametrize("text", ["Video unavailable", "This content isn't available.", "not available on this device"])
def test_what_says_no_reason_is_no_certain_block(text):
    assert not classify_failure(said(text)).is_certain
    assert classify_failure(caused_by(http_error(429))).is_certain

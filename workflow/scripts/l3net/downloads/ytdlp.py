"""The sources ``youtube`` and ``http``: yt-dlp finds the media, and the ffmpeg that it starts reads the clip's range.

That ffmpeg cuts at the frame and writes the store's encoding at once, so every clip is transcoded once only.
"""

import os
import threading
import urllib.request
from pathlib import Path
from typing import Any

import yt_dlp
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.extractor.generic import GenericIE
from yt_dlp.extractor.youtube import YoutubeIE
from yt_dlp.networking import Request
from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor
from yt_dlp.utils import DownloadError, YoutubeDLError, download_range_func

from l3net.audioset import Clip, ClipFailure, check_ytid
from l3net.downloads.guard_proxy import GuardProxy
from l3net.downloads.ytdlp_failures import classify_failure
from l3net.downloads.ytdlp_options import YOUTUBE_TEMPLATE, Access, read_cookies, ytdlp_options
from l3net.errors import ClipError, ConfigError
from l3net.files import stable_hash
from l3net.media import Encoding, duration_at_address, ffmpeg_binary, network_input_arguments


class YtdlpSource:
    """Fetches clips with yt-dlp, of which each thread has its own instance.

    Parameters
    ----------
    template : an address with ``{ytid}``.
    encoding : the encoding of the clips.
    access : how the network is reached.
    extractors : yt-dlp's extractors that may be used; None takes YouTube's, or for other addresses the generic one.

    Raises
    ------
    ConfigError
        The template has no ``{ytid}`` or is not http(s), or the cookies or the proxy cannot be used.
    """

    remembers_removed = True

    def __init__(
        self,
        template: str,
        encoding: Encoding,
        access: Access,
        extractors: list[type[InfoExtractor]] | None = None,
    ) -> None:
        if not template.startswith(("https://", "http://")) or "{ytid}" not in template:
            raise ConfigError("audioset.url_template must be an http(s) address that contains {ytid}")
        self.template, self.encoding, self.access = template, encoding, access
        self.digest = f"{stable_hash(template):016x}"
        self.extractors = extractors or [YoutubeIE if template == YOUTUBE_TEMPLATE else GenericIE]
        self._proxies = _take_proxies()
        self._cookies = read_cookies(access.cookies)
        self._local, self._sessions, self._lock = threading.local(), [], threading.Lock()
        self._session()  # so that a proxy or runtime that cannot be used is reported now, not at every clip

    def fetch(self, clip: Clip, target: Path) -> None:
        """Write the clip to `target`.

        Raises
        ------
        ClipFailure
            The clip was not obtained, for whatever reason.
        """
        session = self._session()
        session.aim(clip, target, self.encoding)
        try:
            session.extract_info(self.template.format(ytid=check_ytid(clip.ytid)))
        except (YoutubeDLError, OSError) as error:
            raise session.explain(error) from None
        if not target.exists():
            raise ClipFailure("failed", "yt-dlp ended without a file")

    def seconds_declared(self, clip: Clip) -> float | None:
        """Return the length that the video this thread fetched last declares, None where it declares none."""
        return self._session().seconds_declared()

    def close(self) -> None:
        """Close the connections of all threads."""
        for session in self._sessions:
            session.close()
            session.guard.close()

    def _session(self) -> "_Session":
        if not hasattr(self._local, "session"):
            self._local.session = _Session(self.access, self._proxies, self._cookies, self.encoding, self.extractors)
            with self._lock:
                self._sessions.append(self._local.session)
        return self._local.session


class _Session(yt_dlp.YoutubeDL):
    """The yt-dlp of one thread, with a guard proxy of its own; it remembers what it asked for last."""

    def __init__(
        self,
        access: Access,
        proxies: dict[str, str],
        cookies: str | None,
        encoding: Encoding,
        extractors: list[type[InfoExtractor]],
    ) -> None:
        self.guard = GuardProxy(
            allow_private=access.allow_private_addresses,
            upstream=access.proxy,
            environment=proxies,
            rate_limit=access.rate_limit,
            timeout_seconds=access.timeout_seconds,
        )
        self.asked: dict[str, Any] = {}
        FFmpegPostProcessor._ffmpeg_location.set(ffmpeg_binary())  # a context variable, which every thread has to set
        options = ytdlp_options(
            access, cookies=cookies, short_side=encoding.short_side, proxy=self.guard.url, ffmpeg=ffmpeg_binary()
        )
        super().__init__(options, auto_init=False)
        for extractor in extractors:
            self.add_info_extractor(extractor())

    def aim(self, clip: Clip, target: Path, encoding: Encoding) -> None:
        """Set the range, the target and the encoding of the next download."""
        self.asked, self.guard.refused = {}, False
        self.params["outtmpl"] = {"default": str(target).replace("%", "%%")}
        self.params["download_ranges"] = download_range_func(None, [(clip.start_seconds, clip.end_seconds)])
        self.params["external_downloader_args"] = {
            "ffmpeg_i": network_input_arguments(self.params["socket_timeout"]),
            "ffmpeg_o": encoding.arguments(clip.seconds),
        }

    def dl(self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False) -> Any:
        """Download, and remember what was asked for in order to explain a failure."""
        self.asked = info
        if any(not fmt["url"].startswith(("http://", "https://")) for fmt in self._formats()):
            raise DownloadError("refused: the media's address is not http(s)")
        if info.get("is_live") or info.get("live_status") == "is_upcoming":
            raise DownloadError("the video is a live stream: its times are not those of the clip")
        return super().dl(name, info, subtitle, test)

    def explain(self, error: Exception) -> ClipFailure:
        """Translate an error; where only ffmpeg's exit code is known, ask the media's address again."""
        if self.guard.refused:
            return ClipFailure("failed", "refused: leads to a private address (allow_private_addresses)", again=False)
        if "exited with code" not in str(error):
            return classify_failure(error)
        for fmt in self._formats():
            try:
                self.urlopen(Request(fmt["url"], headers={**fmt.get("http_headers", {}), "Range": "bytes=0-1"})).close()
            except YoutubeDLError as answer:
                return classify_failure(answer)
        return ClipFailure("invalid_media", "ffmpeg cannot read what came")

    def seconds_declared(self) -> float | None:
        """Return the length that the page declared, or else the one in the header of the media."""
        if self.asked.get("duration"):
            return float(self.asked["duration"]) - 1.0  # pages round to whole seconds
        durations = []
        for media in self._formats():
            try:
                durations.append(
                    duration_at_address(
                        media["url"],
                        proxy=self.guard.url,
                        headers=media.get("http_headers", {}),
                        timeout_seconds=self.params["socket_timeout"],
                    )
                )
            except ClipError:
                return None
        return max(filter(None, durations), default=None)

    def _formats(self) -> list[dict[str, Any]]:
        return self.asked.get("requested_formats") or ([self.asked] if self.asked else [])


def _take_proxies() -> dict[str, str]:
    """Take the proxies out of the environment with their exceptions, for which ffmpeg would bypass the guard proxy."""
    proxies = urllib.request.getproxies_environment()
    for name in ("no_proxy", "NO_PROXY"):
        os.environ.pop(name, None)
    return proxies

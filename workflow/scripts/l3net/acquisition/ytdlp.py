"""Sources ``youtube`` and ``http``: yt-dlp finds the media, and the ffmpeg that it starts reads the clip's range.

There is one transcode: that ffmpeg writes the store's encoding at once, cutting at the frame.
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

from l3net.acquisition.guard_proxy import GuardProxy
from l3net.acquisition.ytdlp_failures import classify_failure
from l3net.acquisition.ytdlp_options import Access, read_cookies, ytdlp_options
from l3net.audioset import Clip, ClipFailure, check_ytid
from l3net.errors import ClipError, ConfigError
from l3net.media import Encoding, duration_at_address, ffmpeg_binary, network_input_arguments
from l3net.runtime import stable_hash

YOUTUBE_TEMPLATE = "https://www.youtube.com/watch?v={ytid}"


class YtdlpSource:
    """Fetches clips with yt-dlp; each thread has its own.

    Parameters
    ----------
    template : an address with ``{ytid}``.
    encoding : of the clips.
    access : how the network is reached.
    extractors : what yt-dlp may take the address for; by default YouTube or, elsewhere, a file or page.

    Raises
    ------
    ConfigError
        A template without ``{ytid}`` or not http(s), cookies that cannot be read, or a proxy that cannot be used.
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
        self._session()  # a proxy or runtime that cannot be used is told now, not once a clip

    def fetch(self, clip: Clip, target: Path) -> None:
        """Write the clip to `target`.

        Raises
        ------
        Failure
            Whatever kept the clip from being had.
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
        """Return how long the video of the clip that this thread fetched last says it is; None when it does not."""
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
    """yt-dlp for one thread, with a gate of its own; knows what it asked for last."""

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
        FFmpegPostProcessor._ffmpeg_location.set(ffmpeg_binary())  # a context's variable: set in every thread
        chosen = ytdlp_options(access, cookies, encoding.short_side, self.guard.url, ffmpeg_binary())
        super().__init__(chosen, auto_init=False)
        for extractor in extractors:
            self.add_info_extractor(extractor())

    def aim(self, clip: Clip, target: Path, encoding: Encoding) -> None:
        """Set the range of the next download, where it goes and how it is encoded."""
        self.asked, self.guard.refused = {}, False
        self.params["outtmpl"] = {"default": str(target).replace("%", "%%")}
        self.params["download_ranges"] = download_range_func(None, [(clip.start_seconds, clip.end_seconds)])
        self.params["external_downloader_args"] = {
            "ffmpeg_i": network_input_arguments(self.params["socket_timeout"]),
            "ffmpeg_o": encoding.arguments(clip.seconds),
        }

    def dl(self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False) -> Any:
        """Download; remembers what was asked for, to explain a failure by."""
        self.asked = info
        if any(not fmt["url"].startswith(("http://", "https://")) for fmt in self._formats()):
            raise DownloadError("refused: the media's address is not http(s)")
        if info.get("is_live") or info.get("live_status") == "is_upcoming":
            raise DownloadError("the video is a live stream: its times are not those of the clip")
        return super().dl(name, info, subtitle, test)

    def explain(self, error: Exception) -> ClipFailure:
        """Return what an error means. ffmpeg's exit code does not tell: the media's address is then asked again."""
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
        """Return the duration that the page gave, in whole seconds and so less one, or that the file's header gives."""
        if self.asked.get("duration"):
            return float(self.asked["duration"]) - 1.0
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
    """Return the environment's proxies, and take its exceptions away: ffmpeg would pass by the gate for their sake."""
    proxies = urllib.request.getproxies_environment()
    for name in ("no_proxy", "NO_PROXY"):
        os.environ.pop(name, None)
    return proxies

"""The yt-dlp of one thread: every request of its own and of its ffmpeg goes through a guard proxy of its own."""

from pathlib import Path
from typing import Any

import yt_dlp
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.networking import Request
from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor
from yt_dlp.utils import DownloadError, YoutubeDLError, download_range_func

from l3net.audioset import Clip, ClipFailure
from l3net.downloads.guard_proxy import GuardProxy
from l3net.downloads.whole_video import copy_bounded
from l3net.downloads.ytdlp_failures import classify_failure
from l3net.downloads.ytdlp_options import Access, ytdlp_options
from l3net.errors import ClipError
from l3net.media import Encoding, duration_at_address, ffmpeg_binary, network_input_arguments
from l3net.network import reveal


class Session(yt_dlp.YoutubeDL):
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
            upstream=reveal(access.proxy) if access.proxy else None,
            environment=proxies,
            rate_limit=access.rate_limit,
            timeout_seconds=access.timeout_seconds,
        )
        self.asked: dict[str, Any] = {}
        self.declared: float | None = None  # seconds of a video that was fetched whole
        FFmpegPostProcessor._ffmpeg_location.set(ffmpeg_binary())  # a context variable, which every thread has to set
        options = ytdlp_options(
            access, cookies=cookies, short_side=encoding.short_side, proxy=self.guard.url, ffmpeg=ffmpeg_binary()
        )
        super().__init__(options, auto_init=False)
        for extractor in extractors:
            self.add_info_extractor(extractor())
        self.guard.cookies_for = self.cookiejar.get_cookie_header

    def aim(self, clip: Clip, target: Path, encoding: Encoding) -> None:
        """Set the range, the target and the encoding of the next download."""
        self.asked, self.declared, self.guard.refused, self.guard.failure = {}, None, False, ""
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
        return super().dl(name, self._without_secrets(info), subtitle, test)

    def _without_secrets(self, info: dict[str, Any]) -> dict[str, Any]:
        """Return what to download with other addresses, as everybody sees them in ffmpeg's command line."""

        def hidden(media: dict[str, Any]) -> dict[str, Any]:
            is_playlist = "m3u8" in (media.get("protocol") or "")
            headers = media.get("http_headers") or info.get("http_headers") or {}
            url, shown = self.guard.hidden.hide(media["url"], headers, is_playlist=is_playlist)
            return {**media, "url": url, "http_headers": shown}

        if formats := info.get("requested_formats"):
            return {**info, "requested_formats": [hidden(one) for one in formats]}
        return hidden(info)

    def fetch_whole(self, target: Path) -> bool:
        """Fetch the whole file where its server gives no byte ranges; return False where it does.

        Raises
        ------
        ClipFailure
            The file does not come, or has more than `whole_video.copy_bounded` takes.
        """
        formats = self._formats()
        if len(formats) != 1 or "m3u8" in (formats[0].get("protocol") or ""):
            return False
        headers = {**formats[0].get("http_headers", {}), "Range": "bytes=0-1"}
        try:
            with self.urlopen(Request(formats[0]["url"], headers=headers)) as answer:
                if answer.status == 206:
                    return False
                copy_bounded(answer, target)
        except YoutubeDLError as error:
            raise self.explain(error) from None
        return True

    def explain(self, error: Exception) -> ClipFailure:
        """Translate an error; where only ffmpeg's exit code is known, ask the media's address again."""
        if self.guard.refused:
            return ClipFailure("failed", "refused: leads to a private address (allow_private_addresses)", again=False)
        if self.guard.failure:
            return ClipFailure("network", self.guard.failure)
        if "exited with code" not in str(error):
            return self._of_the_server(classify_failure(error))
        for fmt in self._formats():
            try:
                self.urlopen(Request(fmt["url"], headers={**fmt.get("http_headers", {}), "Range": "bytes=0-1"})).close()
            except YoutubeDLError as answer:
                return self._of_the_server(classify_failure(answer))
        return ClipFailure("invalid_media", "ffmpeg cannot read what came")

    def _of_the_server(self, failure: ClipFailure) -> ClipFailure:
        """Say of the server what yt-dlp says of the guard proxy, which is the only host that it connects to."""
        if failure.status != "network":
            return failure
        if self.guard.failure:
            return ClipFailure("network", self.guard.failure)
        if "timed out" in failure.reason:
            return ClipFailure("network", f"the server sends nothing for {self.guard.timeout_seconds:g} s")
        if "proxy" in failure.reason.lower() or "127.0.0.1" in failure.reason:
            return ClipFailure("network", "the connection ended before an answer came")
        return failure

    def seconds_declared(self) -> float | None:
        """Return the length that the page declared, or else the one in the header of the media."""
        if self.declared is not None:
            return self.declared
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

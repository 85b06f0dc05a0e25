"""The sources ``youtube`` and ``http``: yt-dlp finds the media, and the ffmpeg that it starts reads the clip's range.

That ffmpeg cuts at the frame and writes the store's encoding at once, so every clip is transcoded once only.
"""

import os
import threading
import urllib.request
from pathlib import Path

from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.extractor.generic import GenericIE
from yt_dlp.extractor.youtube import YoutubeIE
from yt_dlp.utils import YoutubeDLError

from l3net.audioset import Clip, ClipFailure, check_ytid
from l3net.downloads.ytdlp_options import YOUTUBE_TEMPLATE, Access, read_cookies
from l3net.downloads.ytdlp_session import Session
from l3net.errors import ClipError, ConfigError
from l3net.files import stable_hash
from l3net.media import Encoding, cut_clip, probe_media
from l3net.network import referred, reveal


class YtdlpSource:
    """Fetches clips with yt-dlp, of which each thread has its own instance.

    Parameters
    ----------
    template : an address with ``{ytid}``.
    encoding : the encoding of the clips.
    access : how the network is reached.
    extractors : yt-dlp's extractors that may be used; None takes YouTube's, or for other addresses the generic one.

    Environment variables in the template, ``${NAME}``, are put in; the source's digest is that of the text before.

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
        self.template, self.encoding, self.access = reveal(template), encoding, access
        if not self.template.startswith(("https://", "http://")) or "{ytid}" not in self.template:
            raise ConfigError("audioset.url_template must be an http(s) address that contains {ytid}")
        self.digest = f"{stable_hash(referred(template)):016x}"
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
            session.extract_info(self.template.replace("{ytid}", check_ytid(clip.ytid)))
        except (YoutubeDLError, OSError) as error:
            if "exited with code" not in str(error) or not self._cut_from_whole(session, clip, target):
                raise session.explain(error) from None
        if not target.exists():
            raise ClipFailure("failed", "yt-dlp ended without a file")

    def _cut_from_whole(self, session: Session, clip: Clip, target: Path) -> bool:
        """Fetch the whole video and cut the clip here, where its index cannot be reached without byte ranges."""
        whole = target.with_suffix(".whole")
        try:
            if session.guard.refused or session.guard.failure or not session.fetch_whole(whole):
                return False
            times = {"start_seconds": clip.start_seconds, "seconds": clip.seconds}
            cut_clip(whole, target, **times, encoding=self.encoding)
            session.declared = probe_media(whole).duration
        except ClipError as error:
            raise ClipFailure("invalid_media", str(error).replace(str(whole), "the video")) from None
        finally:
            whole.unlink(missing_ok=True)
        return True

    def seconds_declared(self, clip: Clip) -> float | None:
        """Return the length that the video this thread fetched last declares, None where it declares none."""
        return self._session().seconds_declared()

    def close(self) -> None:
        """Close the connections of all threads."""
        for session in self._sessions:
            session.close()
            session.guard.close()

    def _session(self) -> Session:
        if not hasattr(self._local, "session"):
            self._local.session = Session(self.access, self._proxies, self._cookies, self.encoding, self.extractors)
            with self._lock:
                self._sessions.append(self._local.session)
        return self._local.session


def _take_proxies() -> dict[str, str]:
    """Take the proxies out of the environment with their exceptions, for which ffmpeg would bypass the guard proxy."""
    proxies = urllib.request.getproxies_environment()
    for name in ("no_proxy", "NO_PROXY"):
        os.environ.pop(name, None)
    return proxies

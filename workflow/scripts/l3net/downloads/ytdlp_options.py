"""The options of yt-dlp, made from the configuration."""

import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3net.errors import ConfigError

YOUTUBE_TEMPLATE = "https://www.youtube.com/watch?v={ytid}"
_HEIGHTS = (144, 240, 360, 480, 720)  # heights in which sites offer videos; the last is taken where all sizes are kept


@dataclass(frozen=True, kw_only=True)
class Access:
    """How the network is reached; the keys of the configuration's section audioset have the same names.

    Parameters
    ----------
    format : yt-dlp's format selection; None takes the smallest picture that is large enough.
    cookies : path of a cookies file in Netscape format.
    proxy : address of the user's proxy.
    rate_limit : bytes a second of one worker; None sets no limit.
    timeout_seconds : seconds to wait for a connection or for the next bytes.
    js_runtime : the JavaScript runtime that YouTube needs, ``deno`` or ``node``.
    allow_private_addresses : whether loopback and private networks may be reached.
    """

    format: str | None = None
    cookies: str | None = None
    proxy: str | None = None
    rate_limit: int | None = None
    timeout_seconds: float = 60.0
    js_runtime: str = "deno"
    allow_private_addresses: bool = False


def ytdlp_options(
    access: Access, *, cookies: str | None, short_side: int | None, proxy: str, ffmpeg: str
) -> dict[str, Any]:
    """Return the options for ``yt_dlp.YoutubeDL``; those that are left out keep yt-dlp's defaults.

    Parameters
    ----------
    access : how the network is reached.
    cookies : the text of a cookies file.
    short_side : pixels of the shorter side that are wanted, for which the next larger size on offer is taken; None
        takes up to 720.
    proxy : address of the guard proxy.
    ffmpeg : path of the binary.
    """
    enough = next((height for height in _HEIGHTS if short_side and height >= short_side), _HEIGHTS[-1])
    return {
        "format": access.format or "bv*+ba/b",
        "format_sort": [f"res:{enough}", "proto"],
        "force_keyframes_at_cuts": True,
        "merge_output_format": "mkv",
        "ffmpeg_location": ffmpeg,
        "socket_timeout": access.timeout_seconds,
        "proxy": proxy,
        "cookiefile": io.StringIO(cookies) if cookies else None,
        "js_runtimes": {access.js_runtime: {"path": js_runtime(access.js_runtime)}},
        "noplaylist": True,
        "overwrites": True,
        "continuedl": False,
        "nopart": True,
        "fixup": "never",
        "cachedir": False,
        "quiet": True,
        "noprogress": True,
        "no_warnings": True,
        "no_color": True,
        "logger": _Silence(),
    }


class _Silence:
    """Drops yt-dlp's messages, which may hold addresses and cookies; failures come as exceptions."""

    def debug(self, message: str) -> None:
        """Drop a message."""

    info = warning = error = debug


def read_cookies(path: str | None) -> str | None:
    """Read the text of a cookies file. yt-dlp gets the text, since it would write to the file, from several threads.

    Raises
    ------
    ConfigError
        The file cannot be read.
    """
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"audioset.cookies {path!r} cannot be read: {error.strerror}") from None


def js_runtime(name: str) -> str | None:
    """Find a JavaScript runtime: beside this Python, where its wheel puts it, or on the search path."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)

"""The settings of yt-dlp: what of the configuration reaches it, and how."""

import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3net.errors import ConfigError

_LADDER = (144, 240, 360, 480, 720)  # heights that videos are offered in; the last where the original size is kept


@dataclass(frozen=True)
class Access:
    """How the network is reached; see the keys of the same names in the configuration (section audioset)."""

    format: str | None = None
    cookies: str | None = None
    proxy: str | None = None
    rate_limit: int | None = None
    timeout_seconds: float = 60.0
    js_runtime: str = "deno"
    allow_private_addresses: bool = False


def ytdlp_options(
    access: Access, cookies: str | None, short_side: int | None, proxy: str, ffmpeg: str
) -> dict[str, Any]:
    """Return yt-dlp's settings; what is left out has its default.

    Parameters
    ----------
    access : how the network is reached.
    cookies : the text of a cookies file.
    short_side : pixels of the shorter side that are wanted; the next larger size on offer is taken. None: up to 720.
    proxy : address of the gate.
    ffmpeg : path of the binary.
    """
    enough = next((height for height in _LADDER if short_side and height >= short_side), _LADDER[-1])
    return {
        "format": access.format or "bv*+ba/b",
        "format_sort": [f"res:{enough}", "proto"],
        "force_keyframes_at_cuts": True,
        "merge_output_format": "mkv",
        "ffmpeg_location": ffmpeg,
        "socket_timeout": access.timeout_seconds,
        "proxy": proxy,
        "cookiefile": io.StringIO(cookies) if cookies else None,
        "js_runtimes": {access.js_runtime: {"path": _runtime(access.js_runtime)}},
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
    """Takes yt-dlp's messages, which may hold addresses and cookies; failures come as exceptions."""

    def debug(self, message: str) -> None:
        """Drop a message."""

    info = warning = error = debug


def read_cookies(path: str | None) -> str | None:
    """Return the text of a cookies file: yt-dlp writes to the file it is given, and several threads to the same.

    Raises
    ------
    ConfigError
        A file that cannot be read.
    """
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"audioset.cookies {path!r} cannot be read: {error.strerror}") from None


def _runtime(name: str) -> str | None:
    """Return the path of a JavaScript runtime: beside this Python, where its wheel puts it, or on the path."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)

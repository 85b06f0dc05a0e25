"""Media files: where ffmpeg is, what a file holds, and the cut of a clip out of a video.

Conventions: durations in seconds, sizes in pixels as stored, rates in Hz and frames a second.
"""

import shutil
import subprocess
from functools import cache

import imageio_ffmpeg

from l3net.errors import ConfigError

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpeg,mpegts,mpegvideo,ogg,asf"
FILE_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
NETWORK_OPTIONS = {
    "protocol_whitelist": "http,https,tls,tcp,httpproxy,crypto,data",
    "format_whitelist": f"{_CONTAINERS},hls",
}


@cache
def ffmpeg_binary() -> str:
    """Return the path of ffmpeg: the system's where there is one with x264, else the environment's own.

    Raises
    ------
    ConfigError
        When there is neither.
    """
    if found := shutil.which("ffmpeg"):
        listed = subprocess.run([found, "-hide_banner", "-encoders"], capture_output=True, text=True, errors="replace")
        if " libx264 " in listed.stdout:
            return found
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise ConfigError("no ffmpeg: install it, or imageio-ffmpeg, which brings one, into this environment") from None


def network_input_arguments(timeout_seconds: float) -> list[str]:
    """Return ffmpeg's input options for an address: containers only, and only what http(s) needs to be reached."""
    options = {**NETWORK_OPTIONS, "rw_timeout": round(timeout_seconds * 1e6), "threads": 1}
    return [word for name, value in options.items() for word in (f"-{name}", str(value))]

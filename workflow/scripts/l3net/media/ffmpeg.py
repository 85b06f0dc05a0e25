"""Where ffmpeg is, and what it may open: files here, or addresses of http(s); the containers of films and videos."""

import shutil
import subprocess
from functools import cache

import imageio_ffmpeg

from l3net.errors import ConfigError

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpeg,mpegts,mpegvideo,ogg,asf"
FILE_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
NETWORK_OPTIONS = {
    "protocol_whitelist": "http,https,tls,tcp,httpproxy,crypto,data",
    "format_whitelist": f"{CONTAINERS},hls",
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
    """Return ffmpeg's input options for an address, as words of its command line.

    Parameters
    ----------
    timeout_seconds : seconds to wait for a connection or for the next bytes.
    """
    options = {**NETWORK_OPTIONS, "rw_timeout": round(timeout_seconds * 1e6), "threads": 1}
    return [word for name, value in options.items() for word in (f"-{name}", str(value))]

"""Where ffmpeg is, and what it may open of the files here."""

import shutil
import subprocess
from functools import cache

import imageio_ffmpeg

from l3net.errors import ConfigError

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpeg,mpegts,mpegvideo,ogg,asf"
FILE_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}


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

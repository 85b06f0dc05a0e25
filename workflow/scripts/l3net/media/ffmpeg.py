"""Where ffmpeg is, and what it may open: files here, or addresses of http(s); the containers of films and videos."""

import errno
import os
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from l3net.errors import ConfigError

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpeg,mpegts,mpegvideo,ogg,asf"
FILE_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
NETWORK_OPTIONS = {
    "protocol_whitelist": "http,https,tls,tcp,httpproxy,crypto,data",
    "format_whitelist": f"{CONTAINERS},hls",
}
_ENDED = 255  # ffmpeg's own exit code after SIGINT and SIGTERM
_OF_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


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


def refuse_no_fault_of_input(code: int, said: str, target: Path) -> None:
    """Raise an OSError where ffmpeg failed for the disk that it writes to, or a signal ended it: no fault of its input.

    Parameters
    ----------
    code : ffmpeg's exit code; minus the signal where a signal ended it.
    said : what it wrote to standard error.
    target : the file that it was to write.
    """
    number = errno.EFBIG if code == -signal.SIGXFSZ else next((n for n in _OF_DISK if os.strerror(n) in said), None)
    # An interruption at a keyboard, and the end of a job of SLURM, come to every process of a job.
    is_ended = code in (-signal.SIGINT, -signal.SIGTERM) or (code == _ENDED and os.strerror(errno.EPERM) not in said)
    if number is None and is_ended:
        number = errno.EINTR
    if number is not None:
        raise OSError(number, os.strerror(number), str(target))


def network_input_arguments(timeout_seconds: float) -> list[str]:
    """Return ffmpeg's input options for an address, as words of its command line.

    Parameters
    ----------
    timeout_seconds : seconds to wait for a connection or for the next bytes.
    """
    options = {**NETWORK_OPTIONS, "rw_timeout": round(timeout_seconds * 1e6), "threads": 1}
    return [word for name, value in options.items() for word in (f"-{name}", str(value))]

"""What ffmpeg may do with an address: http(s) and the containers that video sites serve, nothing else."""

from l3net.media.ffmpeg import CONTAINERS

NETWORK_OPTIONS = {
    "protocol_whitelist": "http,https,tls,tcp,httpproxy,crypto,data",
    "format_whitelist": f"{CONTAINERS},hls",
}


def network_input_arguments(timeout_seconds: float) -> list[str]:
    """Return ffmpeg's input options for an address, as words of its command line.

    Parameters
    ----------
    timeout_seconds : seconds to wait for a connection or for the next bytes.
    """
    options = {**NETWORK_OPTIONS, "rw_timeout": round(timeout_seconds * 1e6), "threads": 1}
    return [word for name, value in options.items() for word in (f"-{name}", str(value))]

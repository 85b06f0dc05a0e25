"""Addresses that may hold a password or a token: kept out of what Snakemake writes down, and out of messages.

A rule's params stand in Snakemake's records. `conceal` puts such an address into the environment of the process, which
no other user can read, and gives a reference to it in its place; the stage that needs the address asks `reveal`.
"""

import os
import re
import urllib.parse
from typing import Any

from l3net.errors import ConfigError
from l3net.files.kept import stable_hash

_PREFIX = "concealed://"  # an address still, for rules that tell addresses from paths
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def conceal(address: str) -> str:
    """Return a reference to an address.

    The reference is a hash of the address, so that another address is another reference. It is valid in this process
    and in those that it starts.
    """
    name = f"{stable_hash(address):016x}"
    os.environ[f"L3NET_CONCEALED_{name}"] = address
    return f"{_PREFIX}{name}"


def referred(text: str) -> str:
    """Return what `conceal` gave a reference to; another text is returned as it is.

    Raises
    ------
    ConfigError
        A reference of another process.
    """
    if not text.startswith(_PREFIX):
        return text
    name = f"L3NET_CONCEALED_{text.removeprefix(_PREFIX)}"
    if name not in os.environ:
        raise ConfigError(f"{text} stands for an address that this process does not know; run it by Snakemake")
    return os.environ[name]


def reveal(text: str) -> str:
    """Return what `referred` does, with the environment variables ``${NAME}`` in it replaced by their values.

    Raises
    ------
    ConfigError
        A variable that is not set; the message names it and nothing else of the address.
    """

    def value(found: re.Match) -> str:
        if found[1] not in os.environ:
            raise ConfigError(f"the environment variable {found[1]}, which the configuration names, is not set")
        return os.environ[found[1]]

    return _VARIABLE.sub(value, referred(text))


def shown_address(url: str) -> str:
    """Return an address as messages show it: without user, password, query and fragment."""
    try:
        parts = urllib.parse.urlsplit(url)
        return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "the address"


def split_proxy(address: str, whose: str) -> urllib.parse.SplitResult:
    """Return the parts of a proxy's address.

    Parameters
    ----------
    whose : what the proxy is called in the message.

    Raises
    ------
    ConfigError
        It is no address; the message does not repeat it, since it may hold a password.
    """
    try:
        parts = urllib.parse.urlsplit(address if "://" in address else f"http://{address}")
        # Behind the host stands the end of a password whose beginning was taken for the host's port.
        is_address = bool(parts.hostname) and not parts.path.strip("/") and not (parts.query or parts.fragment)
        _ = parts.port
    except ValueError:  # its text would repeat a part of the address
        is_address = False
    if not is_address:
        raise ConfigError(
            f"{whose} cannot be read as an address; expected http://user:password@host:port, with every"
            " character of user and password that is no letter or digit written as % and its code"
        ) from None
    return parts


def conceal_all(config: dict[str, Any]) -> None:
    """Put references in the place of all addresses of a configuration that may hold a secret, where they stand."""
    audioset = config["audioset"]
    for key in ("url_template", "proxy"):
        if audioset[key]:
            audioset[key] = conceal(audioset[key])
    audioset["segments"] = [_concealed_if_secret(source) for source in audioset["segments"]]
    for section, key in (("weights", "url"), ("datasets", "mirror")):
        for entry in config[section].values():
            if entry.get(key):
                entry[key] = _concealed_if_secret(entry[key])


def _concealed_if_secret(address: str) -> str:
    return conceal(address) if "://" in address and _may_hold_a_secret(address) else address


def _may_hold_a_secret(address: str) -> bool:
    """Return whether an address has a user, a query, a fragment, or a part of its path that looks drawn by chance."""
    parts = address.partition("://")[2]
    if any(letter in parts for letter in "@?#"):
        return True
    return any(len(part) >= 16 and re.search(r"\d", part) and re.search(r"[A-Za-z]", part) for part in parts.split("/"))

"""Recording where an artefact comes from: its configuration and seeds, package versions, and the commit."""

import json
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = ("l3net", "numpy", "scipy", "h5py", "tensorflow", "keras", "scikit-learn", "av", "yt-dlp", "snakemake")


def canonical_json(value: Any) -> str:
    """Write `value` as JSON with sorted keys and without spaces; paths become strings."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def describe(**config: Any) -> dict[str, str]:
    """Return the three strings that every artefact carries: ``config`` and ``versions`` (canonical JSON), ``commit``.

    They hold no time and no machine name, so that the same inputs give the same artefact.
    """
    return {"config": canonical_json(config), "versions": canonical_json(versions()), "commit": commit()}


@cache
def versions() -> dict[str, str]:
    """Return the versions of those packages that a result depends on and that are installed."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def commit() -> str:
    """Return the git commit of this code, with ``-dirty`` for uncommitted changes, or ``unknown`` outside git."""
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--abbrev=40", "--dirty", "--match", "NO-TAG"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        return value.item()
    return str(value)

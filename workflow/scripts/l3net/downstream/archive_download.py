"""Fetching and unpacking the official archives of a downstream data set."""

import hashlib
import logging
import shutil
import tarfile
import urllib.parse
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

from l3net.downstream.archive_layouts import Archive, Layout
from l3net.errors import DatasetError, TransferError
from l3net.files import atomic, open_foreign_tar, open_foreign_zip, read_to_end
from l3net.network import download_file, reveal, shown_address

_log = logging.getLogger("l3net")
_UNPACKED = ".unpacked"


def fetch_archives(
    dataset: str, layout: Layout, downloads: Path, mirror: str | None = None, *, max_megabytes: int = 20_000
) -> Path:
    """Fetch and unpack those archives of a data set that are not there yet; return the data set's folder.

    Parameters
    ----------
    dataset : the data set's name in the configuration, for messages.
    downloads : the folder in which every data set has a folder of its own.
    mirror : an address that has files of the same names; None fetches from where they were published.
    max_megabytes : the most that is taken of an archive.

    Raises
    ------
    DatasetError
        The layout has no official source, or an archive or its metadata is not the published one.
    """
    if not layout.archives:
        raise DatasetError(f"data set {dataset}: layout folder has no official source; give the folder's path")
    folder = downloads / layout.folder
    for archive in layout.archives:
        _fetch_archive(dataset, archive, folder, mirror and reveal(mirror), max_megabytes * 1_000_000)
    _check_metadata(dataset, layout, folder)
    return folder


def _fetch_archive(dataset: str, archive: Archive, folder: Path, mirror: str | None, most: int) -> None:
    name = archive.url.rsplit("/", 1)[-1]
    url = _beside(mirror, name) if mirror else archive.url
    path = folder / name
    is_there = path.is_file() and (_is_readable(path) if archive.md5 is None else _md5_of(path) == archive.md5)
    try:
        if is_there:
            try:
                return _unpack(path, folder, again=False)
            except DatasetError as error:
                if archive.md5 is not None:
                    raise
                _log.warning("%s; it is fetched again", error)
        download_file(url, path, most=most, known_hash=f"md5:{archive.md5}" if archive.md5 else None)
        _unpack(path, folder, again=True)
    except (TransferError, DatasetError, OSError) as error:
        raise DatasetError(f"data set {dataset}: {shown_address(url)}: {error}") from error


def _beside(mirror: str, name: str) -> str:
    """Return the address of a file of a mirror, whose query, such as a token, goes behind the name."""
    parts = urllib.parse.urlsplit(mirror)
    return urllib.parse.urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def _is_readable(path: Path) -> bool:
    """Return whether an archive without a published MD5 is whole: a zip has its directory at its end."""
    return path.suffix != ".zip" or zipfile.is_zipfile(path)


def _unpack(path: Path, folder: Path, *, again: bool) -> None:
    """Unpack a zip or tar archive into `folder`: those members that are missing or of another size, or all.

    Members are written under other names and renamed once they are whole, so that an end in between leaves no part of
    one in its place. Other files in the folder are left alone.
    """
    if path.suffix == ".zip":
        with open_foreign_zip(path, DatasetError, "a zip archive") as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist() if not member.is_dir()}
            _unpack_members(archive.extract, sizes, folder, again=again)
    elif path.suffix == ".gz":
        with open_foreign_tar(path, DatasetError, "a tar archive") as archive:
            sizes = {member.name: member.size for member in archive if member.isfile()}
            read_to_end(archive)
            _unpack_members(partial(_extract, archive), sizes, folder, again=again)


def _extract(archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Write a file of a tar below `path`, on every Python: only 3.11.4 and newer have tarfile's filters."""
    if ".." in PurePosixPath(name).parts:
        raise DatasetError(f"{path.parent}: the member {name} of the archive leads outside; it is not unpacked")
    target = path / name.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.extractfile(name) as source, open(target, "wb") as file:
        shutil.copyfileobj(source, file)


def _unpack_members(extract: Callable[..., object], sizes: dict[str, int], folder: Path, *, again: bool) -> None:
    """Unpack those of the archive's files, given with their sizes, that are not in `folder`, or all of them."""
    waiting = [name for name, size in sizes.items() if again or not _is_whole(folder / name, size)]
    if not waiting:
        return
    with atomic.working_folder(folder / _UNPACKED) as aside:
        for name in waiting:
            extract(name, path=aside)
        for made in sorted(path for path in aside.rglob("*") if path.is_file()):  # where the names, made safe, lead
            target = folder / made.relative_to(aside)
            target.parent.mkdir(parents=True, exist_ok=True)
            atomic.flush_to_disk(made)
            made.replace(target)
    names = [name for name in waiting if ".." not in name]
    if short := [name for name in names if not _is_whole(folder / name.lstrip("/"), sizes[name])]:
        raise OSError(f"{folder / short[0]} is not as long as the archive says ({sizes[short[0]]} bytes)")


def _is_whole(path: Path, n_bytes: int) -> bool:
    return path.is_file() and path.stat().st_size == n_bytes


def _check_metadata(dataset: str, layout: Layout, folder: Path) -> None:
    """Check the MD5 of the metadata, the only published one where a host makes its archives anew."""
    if not layout.metadata_md5:
        return
    path = next((p for p in (folder / layout.metadata, *folder.glob(f"*/{layout.metadata}")) if p.is_file()), None)
    if path is None:
        raise DatasetError(f"data set {dataset}: {folder / layout.metadata} is not in the archive; remove {folder}")
    if (found := _md5_of(path)) != layout.metadata_md5:
        raise DatasetError(f"{path}: MD5 {found}, expected the published {layout.metadata_md5}; remove {folder}")


def _md5_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

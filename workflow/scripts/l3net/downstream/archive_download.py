"""Fetching and unpacking the official archives of a downstream data set."""

import hashlib
import tarfile
import zipfile
from pathlib import Path

from l3net.downstream.archive_layouts import Archive, Layout
from l3net.errors import DatasetError, TransferError
from l3net.runtime import download_file


def fetch_archives(dataset: str, layout: Layout, downloads: Path, mirror: str | None = None) -> Path:
    """Fetch and unpack those archives of a data set that are not there yet; return the data set's folder.

    Parameters
    ----------
    dataset : the data set's name in the configuration, for messages.
    downloads : the folder in which every data set has a folder of its own.
    mirror : an address that has files of the same names; None fetches from where they were published.

    Raises
    ------
    DatasetError
        The layout has no official source, or an archive or its metadata is not the published one.
    """
    if not layout.archives:
        raise DatasetError(f"data set {dataset}: layout folder has no official source; give the folder's path")
    folder = downloads / layout.folder
    for archive in layout.archives:
        _fetch_archive(dataset, archive, folder, mirror)
    _check_metadata(dataset, layout, folder)
    return folder


def _fetch_archive(dataset: str, archive: Archive, folder: Path, mirror: str | None) -> None:
    name = archive.url.rsplit("/", 1)[-1]
    url = f"{mirror.rstrip('/')}/{name}" if mirror else archive.url
    path = folder / name
    is_there = path.exists() and (archive.md5 is None or _md5_of(path) == archive.md5)
    try:
        if not is_there:
            download_file(url, path, known_hash=f"md5:{archive.md5}" if archive.md5 else None)
        _unpack(path, folder, again=not is_there)
    except (TransferError, OSError, tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise DatasetError(f"data set {dataset}: {url}: {' '.join(str(error).split())}") from error


def _unpack(path: Path, folder: Path, *, again: bool) -> None:
    """Unpack a zip or tar archive into `folder` if asked to or if a member is missing there; leave other files be."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            if again or not all((folder / name).exists() for name in archive.namelist()):
                archive.extractall(folder)  # it keeps members inside the folder
    elif path.suffix == ".gz":
        with tarfile.open(path) as archive:
            if again or not all((folder / name).exists() for name in archive.getnames()):
                archive.extractall(folder, filter="data")  # it refuses members that lead out of the folder


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

"""Make the index of a downstream data set: from its official archives, or from a local folder."""

import logging
from pathlib import Path

import pandas as pd

from l3net.downstream import LAYOUTS, SOUND_SUFFIXES, Layout, check_dataset, write_dataset_index
from l3net.errors import DatasetError
from l3net.runtime import stage

_log = logging.getLogger("l3net")


def fetch_dataset(dataset: str, settings: dict, index: Path, downloads: Path = Path("resources/datasets")) -> None:
    """Write the checked index (path, filename, label, fold, group) of a data set.

    Parameters
    ----------
    dataset : name of the data set in the configuration.
    settings : its entry there: ``layout``; ``source``, a folder or ``official``; for layout folder ``metadata``,
        the CSV (default ``metadata.csv`` in the folder); for source official ``mirror``, an
        address with the same file names.
    index : the CSV to write.
    downloads : where official archives are kept and unpacked.

    Raises
    ------
    DatasetError
        A folder that is not there, files that do not agree with the metadata, an archive that cannot be had.
    """
    layout = LAYOUTS[settings["layout"]]
    if settings["source"] == "official":
        folder = _fetch(dataset, layout, downloads, settings.get("mirror"))
    else:
        folder = Path(settings["source"])
        if not folder.is_dir():
            raise DatasetError(
                f"data set {dataset}: no folder {folder}; set datasets.{dataset}.source to the folder of "
                f"{layout.title}, or to 'official' to download it"
            )
    rows = layout.read(folder, settings)
    _log.info("data set %s: %s, licence %s. %s", dataset, layout.title, layout.licence or "yours", layout.citation)
    checked = check_dataset(rows, SOUND_SUFFIXES)
    write_dataset_index(checked, index)
    _log_summary(dataset, checked)


def _log_summary(dataset: str, index: pd.DataFrame) -> None:
    counts = [f"{index[name].nunique()} {name}s" for name in ("label", "fold", "group")]
    _log.info("data set %s: %d clips, %s", dataset, len(index), ", ".join(counts))


def _fetch(dataset: str, layout: Layout, downloads: Path, mirror: str | None) -> Path:
    """Download and unpack the archives that are not there yet; return the data set's folder."""
    import pooch

    if not layout.archives:
        raise DatasetError(f"data set {dataset}: layout folder has no official source; give the folder's path")
    folder = downloads / layout.folder
    for archive in layout.archives:
        name = archive.url.rsplit("/", 1)[-1]
        url = f"{mirror.rstrip('/')}/{name}" if mirror else archive.url
        unpack = {".zip": pooch.Unzip, ".gz": pooch.Untar}.get(Path(name).suffix)
        known = f"md5:{archive.md5}" if archive.md5 else None
        try:
            pooch.retrieve(
                url, known, name, folder, processor=unpack(extract_dir=".") if unpack else None, progressbar=False
            )
        except (OSError, ValueError) as error:
            raise DatasetError(f"data set {dataset}: {url}: {' '.join(str(error).split())}") from error
    _check_metadata(dataset, layout, folder)
    return folder


def _check_metadata(dataset: str, layout: Layout, folder: Path) -> None:
    """Check the published MD5 of the metadata: the only published one where a host makes its archives anew."""
    import hashlib

    if not layout.metadata_md5:
        return
    path = next((p for p in (folder / layout.metadata, *folder.glob(f"*/{layout.metadata}")) if p.is_file()), None)
    if path is None:
        raise DatasetError(f"data set {dataset}: {folder / layout.metadata} is not in the archive; remove {folder}")
    found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    if found != layout.metadata_md5:
        raise DatasetError(f"{path}: MD5 {found}, expected the published {layout.metadata_md5}; remove {folder}")


if __name__ == "__main__":
    stage.main(fetch_dataset, globals().get("snakemake"))

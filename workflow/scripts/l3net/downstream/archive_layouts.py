"""The layouts of downstream data sets: those of the official archives, and a folder with a CSV for one's own.

A reader takes the data set's folder and returns what the metadata says: a row for each clip with the columns path,
filename, label, fold and group (the source recording: clips of one group must not be on both sides of training and
validation), which `datasets.check_dataset` then checks. To add a layout, write a reader and add a line to `LAYOUTS`.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from l3net.downstream.label_columns import own_columns
from l3net.downstream.own_dataset import class_folders
from l3net.errors import DatasetError
from l3net.files import is_cut_in_a_line, read_csv

_log = logging.getLogger("l3net")
SOUND_SUFFIXES = {".wav", ".ogg", ".flac", ".mp3", ".aif", ".aiff", ".m4a", ".mp4", ".mkv", ".webm"}


@dataclass(frozen=True)
class Archive:
    """A published file: its address, and its MD5 where one is published (some hosts make the file anew each time)."""

    url: str
    md5: str | None


@dataclass(frozen=True)
class Layout:
    """A data set's layout.

    Parameters
    ----------
    title : its name in figures and messages.
    folder : where it is downloaded to, in ``resources/datasets/``.
    licence, citation : as its authors state them.
    archives : the files to download; none for a data set of one's own.
    read : returns its rows from its folder and its settings in the configuration.
    metadata, metadata_md5 : the file whose published MD5 is checked where the archive itself has none.
    """

    title: str
    folder: str
    licence: str
    citation: str
    archives: tuple[Archive, ...]
    read: Callable[[Path, dict], pd.DataFrame]
    metadata: str = ""
    metadata_md5: str | None = None


def read_us8k(folder: Path, settings: dict) -> pd.DataFrame:
    """Read UrbanSound8K: ``metadata/UrbanSound8K.csv`` and ``audio/fold{N}/``; the group is the Freesound recording."""
    root, table = _metadata(folder, "metadata/UrbanSound8K.csv", ["slice_file_name", "fsID", "fold", "class"])
    folds = "fold" + table["fold"]
    paths = [root / "audio" / fold / name for fold, name in zip(folds, table["slice_file_name"], strict=True)]
    return _rows(paths, table["slice_file_name"], table["class"], table["fold"], table["fsID"])


def read_esc50(folder: Path, settings: dict) -> pd.DataFrame:
    """Read ESC-50: ``meta/esc50.csv`` and ``audio/``; the group is the Freesound recording."""
    root, table = _metadata(folder, "meta/esc50.csv", ["filename", "fold", "category", "src_file"])
    paths = [root / "audio" / name for name in table["filename"]]
    return _rows(paths, table["filename"], table["category"], table["fold"], table["src_file"])


def read_esc10(folder: Path, settings: dict) -> pd.DataFrame:
    """Read ESC-10: the marked rows of ESC-50, or its first archive (``001 - Dog bark/{fold}-{recording}-A.ogg``)."""
    if _root(folder, "meta/esc50.csv") is not None:
        root, table = _metadata(folder, "meta/esc50.csv", ["filename", "esc10"])
        marked = set(table.loc[table["esc10"].str.lower() == "true", "filename"])
        rows = read_esc50(root, settings)
        return rows[rows["filename"].isin(marked)].reset_index(drop=True)
    found = []
    for path in sorted(folder.glob("[0-9][0-9][0-9] - */*")):
        name = re.fullmatch(r"(\d)-(\d+)-[A-Z]\.\w+", path.name)
        if name and path.suffix.lower() in SOUND_SUFFIXES:
            label = path.parent.name[6:].lower().replace(" ", "_")
            found.append((path, path.name, label, name[1], name[2]))
    if not found:
        raise DatasetError(
            f"{folder}: no ESC-10 here; expected meta/esc50.csv and audio/ (ESC-50), or folders like '001 - Dog bark'"
        )
    return _rows(*zip(*found, strict=True))


def read_dcase2013(folder: Path, settings: dict) -> pd.DataFrame:
    """Read DCASE 2013 scenes: ``scenes_stereo/`` (fold train) and ``scenes_stereo_testset/`` (fold test).

    A recording's class is its name without the last two digits; a test set under coded names is decoded by the
    published key ``dcase2013_task1_filenamekey.csv`` beside it. Each recording is a group of its own.
    """
    found = []
    for fold, name in (("train", "scenes_stereo"), ("test", "scenes_stereo_testset")):
        part = next((path for path in (folder / name / name, folder / name) if path.is_dir()), None)
        if part is None:
            raise DatasetError(f"{folder / name}: no such folder; expected the recordings of DCASE 2013's {fold} set")
        key = _dcase_key(folder) if fold == "test" else {}
        present = {path.name for path in part.iterdir() if path.suffix.lower() == ".wav" and path.name[:1] != "."}
        # With a key, every recording it names is expected, under its coded or its decoded name.
        names = {(coded if coded in present else decoded): decoded for coded, decoded in key.items()}
        for file in sorted(names or present):
            decoded = re.fullmatch(r"([a-z]+)\d\d\.(?i:wav)", names.get(file, file))
            if decoded is None:
                raise DatasetError(f"{part / file}: expected a name like bus01.wav, or the key to coded names")
            found.append((part / file, f"{name}/{file}", decoded[1], fold, f"{name}/{file}"))
    if not found:
        raise DatasetError(f"{folder}: no recordings in scenes_stereo/ and scenes_stereo_testset/; expected WAVE files")
    return _rows(*zip(*found, strict=True))


def read_folder(folder: Path, settings: dict) -> pd.DataFrame:
    """Read a data set of one's own: a CSV with filename, labels and, where known, fold and group; or class folders."""
    path = Path(settings.get("metadata") or folder / "metadata.csv")
    if "metadata" not in settings and not path.is_file():
        return _rows(*class_folders(folder, SOUND_SUFFIXES))
    table = _read_csv(path, ["filename"], is_published=False)
    return _rows([folder / name for name in table["filename"]], table["filename"], *own_columns(table, path))


LAYOUTS = {
    "us8k": Layout(
        title="UrbanSound8K",
        folder="UrbanSound8K",
        licence="CC BY-NC 3.0",
        citation="J. Salamon, C. Jacoby, J. P. Bello. A dataset and taxonomy for urban sound research. ACM MM 2014.",
        archives=(
            Archive("https://zenodo.org/records/1203745/files/UrbanSound8K.tar.gz", "9aa69802bbf37fb986f71ec1483a196e"),
        ),
        read=read_us8k,
        metadata="metadata/UrbanSound8K.csv",
        metadata_md5="5015c37ce7d54c0bb8cd40a0b5ee2074",
    ),
    "esc50": Layout(
        title="ESC-50",
        folder="ESC-50",
        licence="CC BY-NC 3.0",
        citation="K. J. Piczak. ESC: Dataset for environmental sound classification. ACM MM 2015.",
        archives=(Archive("https://github.com/karolpiczak/ESC-50/archive/master.zip", None),),
        read=read_esc50,
        metadata="meta/esc50.csv",
        metadata_md5="54a0d0055a10bb7df84ad340a148722e",
    ),
    "esc10": Layout(
        title="ESC-10",
        folder="ESC-50",
        licence="CC BY 3.0",
        citation="K. J. Piczak. ESC: Dataset for environmental sound classification. ACM MM 2015.",
        archives=(Archive("https://github.com/karolpiczak/ESC-50/archive/master.zip", None),),
        read=read_esc10,
        metadata="meta/esc50.csv",
        metadata_md5="54a0d0055a10bb7df84ad340a148722e",
    ),
    "dcase2013": Layout(
        title="DCASE 2013 scenes",
        folder="dcase2013",
        licence="not stated by the publisher",
        citation="D. Stowell, D. Giannoulis, E. Benetos, M. Lagrange, M. D. Plumbley. Detection and classification of "
        "acoustic scenes and events. IEEE Trans. Multimedia 17(10), 2015.",
        archives=(
            Archive(
                "https://archive.org/download/dcase2013_scene_classification/scenes_stereo.zip",
                "abdefde136d84de33b0f20a0f13a6b97",
            ),
            Archive(
                "https://archive.org/download/dcase2013_scene_classification_testset/scenes_stereo_testset.zip", None
            ),
            Archive(
                "https://archive.org/download/dcase2013_scene_classification_testset/dcase2013_task1_filenamekey.csv",
                None,
            ),
        ),
        read=read_dcase2013,
    ),
    "folder": Layout(title="your own recordings", folder="", licence="", citation="", archives=(), read=read_folder),
}


def _rows(paths, filenames, labels, folds, groups) -> pd.DataFrame:
    columns = {"path": map(str, paths), "filename": filenames, "label": labels, "fold": folds, "group": groups}
    return pd.DataFrame({name: list(values) for name, values in columns.items()}, dtype=str)


def _root(folder: Path, inside: str) -> Path | None:
    """Return the folder that has the file `inside`: `folder`, or one directly below (archives carry their own)."""
    candidates = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    return next((path for path in candidates if (path / inside).is_file()), None)


def _metadata(folder: Path, name: str, columns: list[str]) -> tuple[Path, pd.DataFrame]:
    if (root := _root(folder, name)) is None:
        raise DatasetError(f"{folder / name}: no such file; expected the data set's own metadata there")
    return root, _read_csv(root / name, columns)


def _read_csv(path: Path, columns: list[str], *, is_published: bool = True) -> pd.DataFrame:
    what = f"a CSV with the columns {', '.join(columns)}"
    table = read_csv(path, DatasetError, what, dtype=str, skipinitialspace=True)
    if missing := [name for name in columns if name not in table]:
        raise DatasetError(f"{path}: no column {', '.join(missing)}; found {', '.join(table.columns)}")
    if is_cut_in_a_line(path):
        if is_published:
            raise DatasetError(f"{path}: cut off in its last line; copy or unpack the data set again")
        _log.warning("%s: its last line has no end; was its copy interrupted?", path)
    return table


def _dcase_key(folder: Path) -> dict[str, str]:
    """Return coded name -> decoded name of the test set, empty where there is no key."""
    name = "dcase2013_task1_filenamekey.csv"
    path = next((path for path in (folder / name, folder / "scenes_stereo_testset" / name) if path.is_file()), None)
    if path is None:
        return {}
    table = _read_csv(path, ["wavname", "decodedname"], is_published=False).query("wavname != ''")
    return dict(zip(table["wavname"].str.strip(), table["decodedname"].str.strip(), strict=True))

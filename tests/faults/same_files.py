"""Compares what two runs of a stage wrote: by bytes, or by values where a format keeps times."""

import csv
import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np

# What says when something was made, how long it took, or in which process: another at each run, and no result.
_OF_THE_RUN = {"timings", "date_saved", "attempted_at", "attempts", "seconds", "run", "run_attempts", "commit"}
_OF_THE_RUN |= {"shared_object_id"}  # of Keras: an address in memory


def tree(folder: Path) -> list[str]:
    """Return the names of everything in `folder`, sorted."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def contents(folder: Path) -> dict[str, object]:
    """Return what every file of `folder` holds, by its name."""
    return {name: _content(folder / name) for name in tree(folder) if (folder / name).is_file()}


def differences(one: dict[str, object], other: dict[str, object]) -> list[str]:
    """Return the names of the files that are in one alone or hold something else."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _content(path: Path) -> object:
    data = path.read_bytes()
    try:
        return _values(path, data)
    except (OSError, ValueError, zipfile.BadZipFile):  # half of a file: it equals no whole one
        return data


def _values(path: Path, data: bytes) -> object:
    if data[:8] == b"\x89HDF\r\n\x1a\n":
        return _hdf5(data)
    if path.suffix == ".keras":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: _member(name, archive.read(name)) for name in archive.namelist()}
    if path.suffix == ".csv":
        rows = list(csv.reader(io.StringIO(data.decode())))
        dropped = {i for i, name in enumerate(rows[0] if rows else []) if name in _OF_THE_RUN}
        return [[cell for i, cell in enumerate(row) if i not in dropped] for row in rows]
    return _member(path.name, data)


def _member(name: str, data: bytes) -> object:
    if name.endswith(".h5"):
        return _hdf5(data)
    if name.endswith(".json"):
        return _without_run(json.loads(data))
    return data


def _without_run(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_run(item) for key, item in value.items() if key not in _OF_THE_RUN}
    return [_without_run(item) for item in value] if isinstance(value, list) else value


def _hdf5(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}

    def note(name: str, item: h5py.HLObject) -> None:
        found.update({f"{name}@{key}": np.asarray(value).tobytes() for key, value in item.attrs.items()})
        if isinstance(item, h5py.Dataset):
            is_text = h5py.check_string_dtype(item.dtype)
            found[name] = str(np.asarray(item.asstr()[()]).tolist()).encode() if is_text else item[()].tobytes()

    with h5py.File(io.BytesIO(data)) as file:
        note("", file["/"])
        file.visititems(note)
    return {name: value for name, value in found.items() if not _OF_THE_RUN & set(name.replace("@", "/@").split("/"))}

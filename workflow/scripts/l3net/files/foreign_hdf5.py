"""Reading HDF5 files that somebody else may have made.

HDF5 lets a file name other files (external links, external storage, virtual datasets), lets names lead round in
circles (soft links), and lets a dataset of a few bytes state a shape of terabytes. None of these is followed: data must
stand in the file itself, and no more is read than the file has bytes.
"""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from l3net.errors import L3Error, one_line
from l3net.files.foreign import foreign
from l3net.files.hdf5_heaps import check_heaps, check_heaps_of

_NUMBERS = "biufc"
_ATTRIBUTE_BYTES = 64 << 20
_STORED_TEXT = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])
_DEEPEST = 32  # groups inside each other


class ForeignHdf5:
    """An open HDF5 file of which nothing is believed.

    Parameters
    ----------
    file : the open file.
    path : its name, for messages.
    n_bytes : its size; no more than that is read in all.
    kind : the error that is raised.
    """

    def __init__(self, file: h5py.File, path: Path | str, n_bytes: int, kind: type[L3Error]) -> None:
        self.file, self.path, self.kind, self._left, self._size = file, path, kind, n_bytes, n_bytes

    def __contains__(self, name: str) -> bool:
        return name in self.file

    def names(self, group: str = "/") -> list[str]:
        """Return the names in a group, in their order."""
        return list(self._object(group, h5py.Group))

    def attribute(self, name: str, group: str = "/", default: Any = None) -> Any:
        """Return an attribute: numbers as numpy gives them, text as str; `default` where there is none."""
        attributes = self._object(group, h5py.Group).attrs
        if name not in attributes:
            return default
        about = attributes.get_id(name)
        # Other types (sequences of any length, references) make HDF5 follow addresses that the file states.
        if about.dtype.kind not in f"{_NUMBERS}S" and h5py.check_string_dtype(about.dtype) is None:
            raise self.kind(f"{self.path}: attribute {name} holds {about.dtype}; expected numbers or texts")
        if math.prod(about.shape) * max(about.dtype.itemsize, 1) > min(_ATTRIBUTE_BYTES, self._size):
            raise self.kind(f"{self.path}: attribute {name} states {about.shape} values, more than the file can hold")
        value = attributes[name]
        return value.decode() if isinstance(value, bytes) else value

    def text(self, name: str, group: str = "/") -> str:
        """Return an attribute that is a text."""
        value = self.attribute(name, group)
        if not isinstance(value, str):
            raise self.kind(f"{self.path}: attribute {name} is {type(value).__name__}; expected a text")
        return value

    def array(self, name: str) -> np.ndarray:
        """Read a dataset of numbers whole."""
        dataset = self.dataset(name)
        if dataset.dtype.kind not in _NUMBERS:
            raise self.kind(f"{self.path}: {name} holds {dataset.dtype}; expected numbers")
        self._take(name, dataset.nbytes)
        return dataset[()]

    def texts(self, name: str) -> list[str]:
        """Read a list of texts. Each is stored as a length and a place in a heap, and many may lead to the same one."""
        dataset = self.dataset(name)
        place = dataset.id.get_offset()
        if dataset.ndim != 1 or h5py.check_string_dtype(dataset.dtype) is None or place is None:
            raise self.kind(f"{self.path}: {name} holds {dataset.dtype} {dataset.shape}; expected a list of texts")
        stored = np.fromfile(self.path, _STORED_TEXT, len(dataset), offset=place)
        self._take(name, int(stored["length"].sum(dtype=np.uint64)))
        return dataset.asstr()[:].tolist()

    def arrays(self, group: str) -> dict[str, np.ndarray]:
        """Read all datasets of numbers below a group, by their paths below it; none where there is no such group."""
        return {name: self.array(f"{group}/{name}") for name in self.datasets(group)}

    def datasets(self, group: str) -> list[str]:
        """Return the paths of all datasets below a group, "" for the whole file, in order, after checking each."""
        found: list[str] = []
        waiting = [("", 0)] if not group or group in self.file else []
        while waiting:
            below, depth = waiting.pop()
            for name in self.names(f"{group}/{below}"):
                own = f"{below}{name}"
                self._check_links(f"{group}/{own}")
                if not isinstance(self.file[f"{group}/{own}"], h5py.Group):
                    self.dataset(f"{group}/{own}")
                    found.append(own)
                elif depth == _DEEPEST:
                    raise self.kind(f"{self.path}: more than {_DEEPEST} groups inside each other")
                else:
                    waiting.append((f"{own}/", depth + 1))
        return sorted(found)

    def dataset(self, name: str) -> h5py.Dataset:
        """Return a dataset, not yet read, after checking that its data stand in the file and fit into it.

        Raises
        ------
        L3Error
            It is not there, leads out of the file, or states more values than the file has bytes for.
        """
        dataset = self._object(name, h5py.Dataset)
        if dataset.external or dataset.is_virtual:
            raise self.kind(f"{self.path}: the data of {name} stand in another file, which is not opened")
        if dataset.shape is None or dataset.nbytes > self._size:
            stated = one_line(str(dataset.shape), 60)
            packed = f" (packed: h5repack -f {name}:NONE unpacks it)" if dataset.compression else ""
            raise self.kind(
                f"{self.path}: {name} states the shape {stated} of {dataset.dtype}, more than the {self._size} bytes of"
                f" the file hold{packed}"
            )
        return dataset

    def _object(self, name: str, wanted: type) -> Any:
        self._check_links(name)
        found = self.file[name]
        if not isinstance(found, wanted):
            raise self.kind(f"{self.path}: {name} is no {wanted.__name__.lower()}")
        return found

    def _check_links(self, name: str) -> None:
        """Refuse a name on whose way a link leads elsewhere, in this file or out of it."""
        way = ""
        for step in filter(None, name.split("/")):
            way += f"/{step}"
            if (link := self.file.get(way, getlink=True)) is None:
                raise KeyError(f"it has no {way}")
            if not isinstance(link, h5py.HardLink):
                raise self.kind(f"{self.path}: {way} is a link that leads elsewhere, which is not followed")

    def _take(self, name: str, n_bytes: int) -> None:
        self._left -= n_bytes
        if self._left < 0:
            raise self.kind(f"{self.path}: at {name} more is to be read than the {self._size} bytes of the file")


@contextmanager
def open_foreign_hdf5(
    path: Path, kind: type[L3Error], what: str, *, missing: str = "", content: io.BytesIO | None = None
) -> Iterator[ForeignHdf5]:
    """Open an HDF5 file for reading; what goes wrong while it is open becomes one line.

    Parameters
    ----------
    kind, what, missing : as of `foreign.foreign`.
    content : the file's bytes, where it is a part of another one, `path`.

    Raises
    ------
    L3Error
        Of `kind`: the file is missing, no HDF5, or what is asked of it cannot be read.
    """
    with foreign(path, kind, what, missing=missing):
        n_bytes = content.seek(0, 2) if content is not None else Path(path).stat().st_size
        check_heaps(Path(path)) if content is None else check_heaps_of(content.getvalue(), n_bytes)
        with h5py.File(path if content is None else content, "r") as file:
            yield ForeignHdf5(file, path, n_bytes, kind)

"""Reading archives that somebody else may have made: zip, tar and the archives of numpy and Keras.

A few kilobytes can state, and inflate to, terabytes. What an archive's members are to become is counted before or while
they are unpacked, and ends at a bound.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from l3net.errors import L3Error
from l3net.files.foreign import MEGABYTE, foreign

# Sound packs to a quarter and text to a tenth; the floor lets small archives of silence and of zeros pass.
_MOST_TIMES, _AT_LEAST = 20, 1024 * MEGABYTE
_MOST_MEMBERS = 1_000_000
_MOST_EMPTY_TEXTS = 1000
_LARGEST_RECORD, _LARGEST_REST_SHARE = 1 << 20, 0.1  # bytes that a program fills behind a tar's mark of the end
_AT_ONCE = 64 * MEGABYTE
_UNPACKERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


def unpacked_at_most(path: Path) -> int:
    """Return how many bytes the members of an archive may have together: 20 times its size, or 1 GiB."""
    return max(_MOST_TIMES * path.stat().st_size, _AT_LEAST)


@contextmanager
def open_foreign_zip(
    path: Path, kind: type[L3Error], what: str, *, missing: str = "", most: int | None = None
) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive; what goes wrong while it is open becomes one line.

    Parameters
    ----------
    kind, what, missing : as of `foreign.foreign`.
    most : bytes that its members may have together; None is `unpacked_at_most`.

    Raises
    ------
    L3Error
        Of `kind`: the file is missing, no zip, or states more than may be unpacked.
    """
    with foreign(path, kind, what, missing=missing), zipfile.ZipFile(path) as archive:
        members, most = archive.infolist(), unpacked_at_most(path) if most is None else most
        stated = sum(member.file_size for member in members)
        if stated > most or len(members) > _MOST_MEMBERS:
            raise kind(
                f"{path}: {len(members)} members state {stated / MEGABYTE:.0f} MB together; expected {what}, of at most"
                f" {most / MEGABYTE:.0f} MB"
            )
        yield archive


@contextmanager
def open_foreign_tar(path: Path, kind: type[L3Error], what: str) -> Iterator[tarfile.TarFile]:
    """Open a tar archive, packed or not; what goes wrong while it is open becomes one line.

    No more is unpacked, names and content together, than `unpacked_at_most` says, however small the packed file is.

    Raises
    ------
    L3Error
        Of `kind`: the file is missing, no tar, or unpacks to more than it may.
    """
    with foreign(path, kind, what), open(path, "rb") as packed:
        begins = packed.read(6)
        packed.seek(0)
        unpacker = next((opener for magic, opener in _UNPACKERS.items() if begins.startswith(magic)), None)
        counted = _Counted(unpacker(packed) if unpacker else packed, unpacked_at_most(path), path, kind)
        with tarfile.open(fileobj=counted, mode="r:") as archive:
            yield archive


def check_end_of_tar(path: Path, archive: tarfile.TarFile, kind: type[L3Error]) -> None:
    """Check that a tar without compression, which was read to its end, has its mark of the end and little behind it.

    Zeros are a tar's mark of its end, so one of which a part never came seems to end there.

    Raises
    ------
    L3Error
        Of `kind`: there is no mark, or more behind it than a program fills a record with.
    """
    size = path.stat().st_size
    rest = size - archive.offset
    if rest < tarfile.BLOCKSIZE:
        raise kind(f"{path}: is cut off behind its last member; copy the shard again")
    if rest > _LARGEST_RECORD or rest > max(2 * tarfile.RECORDSIZE, _LARGEST_REST_SHARE * size):
        why = "a part of it never came, or several were joined; copy the shard again"
        raise kind(f"{path}: {rest} bytes stand behind its last member: {why}")


def read_to_end(archive: tarfile.TarFile) -> None:
    """Read a tar to the end of its file, where a compressed one has the checksum of all."""
    while archive.fileobj.read(_AT_ONCE):
        pass


class _Counted(io.RawIOBase):
    """A file that is unpacked as it is read, and ends with an error where it goes on behind `most` bytes."""

    def __init__(self, source: IO[bytes], most: int, path: Path, kind: type[L3Error]) -> None:
        self._source, self._most, self._path, self._kind = source, most, path, kind

    def read(self, size: int = -1) -> bytes:
        """Read as a file does, but never much at once: only the names of members could ask for that."""
        if not 0 <= size <= _AT_ONCE:
            raise self._kind(f"{self._path}: the name of a member states {size} bytes; it is not read")
        content = self._source.read(size)
        self._check(self._source.tell())
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, which unpacks all before it."""
        self._check(offset if whence == 0 else 0)
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._source.tell()

    def _check(self, place: int) -> None:
        if place > self._most:
            most = self._most / MEGABYTE
            raise self._kind(f"{self._path}: unpacks to more than {most:.0f} MB; it is not unpacked further")


def read_member(archive: zipfile.ZipFile, name: str, kind: type[L3Error], *, most: int) -> bytes:
    """Read a member of an open zip archive.

    Raises
    ------
    L3Error
        Of `kind`: it states more than `most` bytes.
    KeyError
        There is no such member.
    """
    member = archive.getinfo(name)
    if member.file_size > most:
        raise kind(
            f"{archive.filename}: {name} states {member.file_size / MEGABYTE:.0f} MB; expected at most"
            f" {most / MEGABYTE:g} MB"
        )
    with archive.open(member) as file:
        # Asked for all, zipfile would inflate without a bound what states a small size.
        content = file.read(member.file_size)
        file.read(1)  # the end, where the checksum is compared
    return content


def read_npz(
    path: Path, kind: type[L3Error], what: str, names: tuple[str, ...], *, most: int | None = None
) -> dict[str, np.ndarray]:
    """Read arrays of numbers or texts from an .npz.

    An array's header states its shape; it is compared with the bytes that are there before room is made for it.

    Parameters
    ----------
    kind, what, most : as of `open_foreign_zip`.
    names : the arrays to read.

    Raises
    ------
    L3Error
        Of `kind`: the file is missing, damaged, has no such array, or one of objects.
    """
    found = {}
    with open_foreign_zip(path, kind, what, most=most) as archive:
        for name in names:
            if f"{name}.npy" not in archive.namelist():
                raise kind(f"{path}: has no array {name}; expected {what}")
            content = read_member(archive, f"{name}.npy", kind, most=unpacked_at_most(path) if most is None else most)
            found[name] = array_of_npy(content, f"{path}: {name}", kind)
    return found


def array_of_npy(content: bytes, where: str, kind: type[L3Error]) -> np.ndarray:
    """Return the array of an .npy after comparing its header with the number of bytes that follow."""
    file = io.BytesIO(content)
    shape, fortran_order, dtype = read_npy_header(file)
    if dtype.hasobject:
        raise kind(f"{where} holds objects; expected numbers or texts")
    n_bytes = dtype.itemsize * _product(shape)
    if min(shape, default=0) < 0 or n_bytes != len(content) - file.tell():
        raise kind(f"{where} states the shape {shape} of {dtype}, and has {len(content) - file.tell()} bytes for it")
    if not n_bytes:  # nothing, or texts without letters
        if _product(shape) > _MOST_EMPTY_TEXTS:
            raise kind(f"{where} states the shape {shape} of {dtype}; expected {_MOST_EMPTY_TEXTS} values at most")
        return np.zeros(shape, dtype)
    flat = np.frombuffer(content, dtype, offset=file.tell())
    return flat.reshape(shape, order="F" if fortran_order else "C").copy()


def read_npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the header of an .npy: shape, whether the order is Fortran's, and type."""
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"its .npy has version {version}; expected 1.0 or 2.0")
    return read(file)


def _product(shape: tuple[int, ...]) -> int:
    """Return the number of values of a shape, exact however large its numbers are."""
    n: Any = 1
    for length in shape:
        n *= int(length)
    return n

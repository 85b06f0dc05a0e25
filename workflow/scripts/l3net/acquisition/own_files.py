"""The files of a folder of one's own videos: found below it whatever their names, told apart, and given an id each.

An id has eleven characters, as those of YouTube, and is a function of the file's place below the folder and its size:
it stays the same when videos are added, when the folder moves, and on another machine.
"""

import hashlib
import os
import string
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from l3net.errors import ClipError
from l3net.files import files_below, printable, sha256_of

_LETTERS = string.ascii_lowercase
_LETTERS_AND_DIGITS = _LETTERS + string.digits  # file systems may take upper case for lower
_ID_LENGTH = 11


@dataclass(frozen=True)
class OwnFile:
    """A file below a folder: its path, its place below the folder as printable text, its label, and what it is by."""

    path: Path
    name: str
    label: str
    ytid: str
    n_bytes: int
    modified_ns: int


def find_files(folder: Path, *, with_labels: bool, without: Path) -> tuple[list[OwnFile], dict[str, str]]:
    """Find the files below a folder, sorted by their places; return those that cannot be looked at with the reasons.

    Links to files and folders are followed, and each folder is visited once. Hidden files, and those that systems
    leave, are passed over.

    Parameters
    ----------
    folder : where to look.
    with_labels : whether the first folder below it that a file is in is its label.
    without : a folder that is passed over.

    Raises
    ------
    ClipError
        The folder is none, or cannot be read.
    """
    if not folder.is_dir():
        raise ClipError(f"{folder} is not a folder; expected one with videos, in sub-folders or not")
    failed: dict[str, str] = {}
    found: list[OwnFile] = []
    taken: set[str] = set()
    try:
        paths = files_below(folder, failed, without=without)
    except OSError as error:
        raise ClipError(f"{folder}: the folder cannot be read: {error.strerror}") from None
    for path in paths:
        place = path.relative_to(folder)
        name = printable(str(place))
        try:
            status = path.stat()
            if not path.is_file():
                continue
        except OSError as error:
            failed[name] = f"cannot be read: {error.strerror}"
            continue
        label = printable(place.parts[0]) if with_labels and len(place.parts) > 1 else ""
        ytid = _draw_id(place, status.st_size, taken)
        found.append(OwnFile(path, name, label, ytid, status.st_size, status.st_mtime_ns))
    return found, failed


def same_files(files: list[OwnFile]) -> dict[str, str]:
    """Return the files that are others of the list, linked or copied, by name: ``the same file as ...``.

    The first of equal files stays. Contents are compared only where sizes are equal.
    """
    first_by_file: dict[tuple[int, int], str] = {}
    of_size: dict[int, list[OwnFile]] = {}
    same: dict[str, str] = {}
    for file in files:
        status = file.path.stat()
        if (known := first_by_file.setdefault((status.st_dev, status.st_ino), file.name)) != file.name:
            same[file.name] = f"the same file as {known}"
        else:
            of_size.setdefault(file.n_bytes, []).append(file)
    for alike in (alike for alike in of_size.values() if len(alike) > 1):
        first_by_content: dict[str, str] = {}
        for file in alike:
            try:
                content = sha256_of(file.path)
            except OSError:
                continue  # the look at the video will say so
            if (known := first_by_content.setdefault(content, file.name)) != file.name:
                same[file.name] = f"the same content as {known}"
    return same


def _draw_id(place: Path, n_bytes: int, taken: set[str]) -> str:
    """Return the id of a file, which no other file has."""
    try:
        name = unicodedata.normalize("NFC", str(place)).encode()  # of a copy from macOS, which takes names apart
    except UnicodeEncodeError:
        name = os.fsencode(place)
    for n in range(1_000_000):
        digest = hashlib.blake2b(name + f"\0{n_bytes}".encode() + (f"\0{n}".encode() if n else b""), digest_size=16)
        number = int.from_bytes(digest.digest(), "big")
        number, letter = divmod(number, len(_LETTERS))
        ytid = _LETTERS[letter]  # an id that begins with a letter is no option and no formula
        for _ in range(_ID_LENGTH - 1):
            number, character = divmod(number, len(_LETTERS_AND_DIGITS))
            ytid += _LETTERS_AND_DIGITS[character]
        if ytid not in taken:
            taken.add(ytid)
            return ytid
    raise ClipError(f"{place}: no id is free")

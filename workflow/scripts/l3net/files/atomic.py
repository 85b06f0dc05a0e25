"""Writing files and folders whole or not at all."""

import errno
import glob
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from l3net.files.kept import stable_hash
from l3net.files.system_errors import system_errno

if TYPE_CHECKING:
    import pandas as pd


_LONGEST_STEM_BYTES = 190  # a name has 255 bytes; the temporary one is longer by a token and ".partial"
_ABANDONED_SECONDS = 86400.0  # after which a temporary file of another machine counts as left by a killed run
_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_CANNOT_FLUSH = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EROFS, errno.EBADF}  # of file systems without fsync


@contextmanager
def replacing(target: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `target`; rename it to `target` if the block ends without an error, else remove it.

    The temporary name starts with a dot and keeps the suffix of `target`, by which writers choose a format. The file is
    on the disk before it is renamed. What killed runs left of the same target is removed first.

    Raises
    ------
    OSError
        The folder cannot be written to, or the disk is full; the error names `target`.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _naming(target):
        with suppress(FileNotFoundError):
            os.lstat(target)  # too long a name is told now, not when all is computed
        _remove_leftovers(target, target.stem)
    temporary = target.with_name(f".{_short(target.stem)}.{_token()}.partial{target.suffix}")
    try:
        with _naming(target, temporary):
            yield temporary
            flush_to_disk(temporary)
            temporary.replace(target)
    finally:
        with suppress(OSError):  # what kept the file from being made or removed has been told, or is by the next run
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(target: Path | str) -> Iterator[Path]:
    """Yield a new temporary folder beside `target`; it replaces `target` if the block ends without an error."""
    target = Path(target)
    with working_folder(target) as temporary:
        yield temporary
        shutil.rmtree(target, ignore_errors=True)
        temporary.replace(target)


@contextmanager
def working_folder(target: Path | str) -> Iterator[Path]:
    """Yield a new temporary folder beside `target`, which is removed at the end; so is what killed runs left of it."""
    target = Path(target)
    with _naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target, target.name)
    temporary = target.with_name(f".{_short(target.name)}.{_token()}.partial")
    with _naming(target):
        temporary.mkdir()
    try:
        with _naming(target, temporary):
            yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def flush_to_disk(path: Path) -> None:
    """Have the system write a file to the disk now, so that no failure of power leaves an empty one in its place."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH:
            raise
    finally:
        os.close(descriptor)


def write_text(target: Path | str, text: str) -> None:
    """Write `text` in UTF-8 to `target`, whole or not at all."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(table: "pd.DataFrame", target: Path | str, *, float_format: str | None = None) -> None:
    """Write `table` without its index as CSV to `target`, whole or not at all.

    Parameters
    ----------
    float_format : how floating-point numbers are written, such as ``"%.6g"``; None writes all their digits.
    """
    with replacing(target) as temporary:
        table.to_csv(temporary, index=False, float_format=float_format)


def _short(stem: str) -> str:
    """Shorten a name so that the temporary one, which is longer, still fits into the 255 bytes of a name."""
    return os.fsencode(stem)[:_LONGEST_STEM_BYTES].decode(errors="ignore")  # which leaves out bytes that are no text


@contextmanager
def _naming(target: Path, temporary: Path | None = None) -> Iterator[None]:
    """Name `target` in errors of the system: in place of the temporary file, and where a full disk names no file."""
    try:
        yield
    except Exception as error:
        number, named = system_errno(error), getattr(error, "filename", None)
        # Writers put files of their own beside the temporary one, or in the folder that it is; a copy names both files.
        names = (str(named), str(getattr(error, "filename2", None)))
        is_temporary = temporary is not None and any(n.startswith(str(temporary.with_suffix(""))) for n in names)
        if number is None or not (temporary is None or is_temporary or (named is None and number in _OF_THE_DISK)):
            raise
        raise OSError(number, os.strerror(number), str(target)) from error


def _token() -> str:
    """Return a token that tells which process of which machine writes a temporary file."""
    return f"{_machine()}{os.getpid():08x}{secrets.token_hex(2)}"


@cache
def _machine() -> str:
    return f"{stable_hash(socket.gethostname()) % 2**16:04x}"


def _remove_leftovers(target: Path, stem: str) -> None:
    """Remove the temporary files of `target`, and what writers put beside them, where their process is gone.

    Whether a process of another machine is gone cannot be told; its files are removed once they are a day old.
    """
    begin = f".{_short(stem)}."
    for left in target.parent.glob(f"{glob.escape(begin)}{'[0-9a-f]' * 16}.partial*"):
        token = left.name.removeprefix(begin)[:16]
        is_here, process = token[:4] == _machine(), int(token[4:12], 16)
        with suppress(OSError):  # another process was faster
            if (is_here and not _is_alive(process)) or time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is another user's
    return True

"""Which files are to be embedded, which are done already, and what came of each: the same for sounds and pictures."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from l3net.errors import ClipError, ConfigError
from l3net.files import files_below, holds, printable, read_kept
from l3net.runtime import exit_code_of_signal
from l3net.vectors.vector_file import read_to_end, read_vector_metadata

_log = logging.getLogger("l3net")


@dataclass(frozen=True)
class EmbedTask:
    """A file, and the file of vectors that is to be written."""

    source: Path
    target: Path

    def __str__(self) -> str:
        return str(self.source)

    def is_done(self, settings: dict[str, Any]) -> bool:
        """Return whether the vectors are there, whole, and of the same file and settings."""
        metadata = read_kept(self.target, read_vector_metadata)
        if metadata is None or not self.source.exists():
            return False
        expected = {**settings, **self.source_metadata()}
        is_same = all(metadata.get(key) == value for key, value in expected.items())
        return is_same and read_kept(self.target, read_to_end) is not None

    def source_metadata(self) -> dict[str, Any]:
        """Return what tells the file that was embedded from another of its name."""
        status = self.source.stat()
        return {"source": str(self.source), "source_bytes": status.st_size, "source_modified": status.st_mtime}


@dataclass
class EmbedOutcome:
    """How many files were embedded or skipped, and the error of each that failed."""

    done: int = 0
    skipped: int = 0
    failed: list[str] = field(default_factory=list)

    def is_waiting(self, task: EmbedTask, settings: dict[str, Any], *, overwrite: bool) -> bool:
        """Return whether a file is to be embedded; one that is done is counted."""
        waits = overwrite or not task.is_done(settings)
        self.skipped += not waits
        return waits

    @contextlib.contextmanager
    def of_one_file(self) -> Iterator[None]:
        """Count what is done within as a file; its `ClipError` is logged and kept, and the next file can follow."""
        try:
            yield
            self.done += 1
        except ClipError as error:
            if exit_code_of_signal() is not None:  # a library took the end of this process for an error of the file
                raise
            self.failed.append(str(error))
            _log.error("%s", error)


def find_tasks(
    paths: list[Path], output: Path, suffix: str, *, is_wanted: Callable[[Path], bool], what: str
) -> list[EmbedTask]:
    """Return a task for each file. Folders are searched and keep their structure under `output`.

    The target of ``dog.wav`` is ``dog.wav.npz``, so two formats of one name do not collide.

    Parameters
    ----------
    paths : files and folders.
    output, suffix : folder of the targets, and what is added to a file's name.
    is_wanted : whether a file in a folder is to be tried. Files that cannot be looked at, and links to nothing, are
        left out with a warning.
    what : what these are, in the plural, for the message.

    Raises
    ------
    ClipError
        No path exists, or a folder is without files. Where other paths exist, one that does not is a task, which fails.
    ConfigError
        Two files that would have the same target.
    """
    tasks: dict[Path, EmbedTask] = {}
    if paths and not any(holds(Path.exists, path) for path in paths):
        raise ClipError(f"{paths[0]}: no such file")
    for path in paths:
        folder = path if holds(Path.is_dir, path) else None
        sources = files_in(path, is_wanted) if folder else [path]
        if not sources:
            raise ClipError(f"{path}: no {what} in this folder")
        for source in sources:
            name = source.relative_to(folder or path.parent)
            target = output / name.with_name(name.name + suffix)
            other = tasks.setdefault(target, EmbedTask(source, target)).source
            if other.resolve() != source.resolve():
                raise ConfigError(f"{other} and {source} would both be {target}; give the folder above them instead")
    return list(tasks.values())


def files_in(folder: Path, is_wanted: Callable[[Path], bool]) -> list[Path]:
    """Return the files below a folder that are to be tried; what cannot be looked at is left out with a warning."""
    unreadable: dict[str, str] = {}
    found = files_below(folder, unreadable)
    unreadable |= {printable(path.name): "leads to nothing; left out" for path in found if not holds(Path.exists, path)}
    for place, why in unreadable.items():
        _log.warning("%s: %s", folder / place, why)
    return [path for path in found if is_wanted(path) and holds(Path.is_file, path)]

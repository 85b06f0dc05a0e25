"""Videos inside tar shards (webdataset) and Parquet files, read from where they lie: nothing is unpacked but the one
video that a worker is cutting, which is a temporary file for so long.

The name of a video, a member's name up to its first dot or a row's id, is ``{ytid}``; or ``{ytid}_{start}`` in whole
seconds of six digits, as VGGSound's are; or ``{ytid}_{start}_{end}`` in milliseconds of seven, as this project's store
names clips: what is named with a start was cut out before, and begins there.
"""

import logging
import re
import tarfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from threading import local
from typing import NamedTuple

from l3net.acquisition.sources import VIDEO_SUFFIXES
from l3net.audioset import Clip, ClipFailure
from l3net.errors import ClipError, ConfigError
from l3net.files import files_below, stable_hash
from l3net.media import Encoding, cut_clip, probe_media

_NAME = re.compile(r"(?P<ytid>[A-Za-z0-9_-]{11})(?:_(?P<seconds>\d{6})|_(?P<start>\d{7})_(?P<end>\d{7}))?")
_ID_COLUMNS, _VIDEO_COLUMNS = ("ytid", "youtube_id", "video_id", "__key__", "key", "id"), ("video", "mp4", "bytes")
_COPY_BYTES = 1 << 22
_log = logging.getLogger("l3net")


class _Video(NamedTuple):
    """A video in an archive: where it begins, in seconds of the whole one, its suffix, and what reads its bytes."""

    start_seconds: float
    suffix: str
    read: Callable[[], Iterator[bytes]]


class ArchiveSource:
    """Cuts clips out of the videos in the ``*.tar`` and ``*.parquet`` of a folder.

    Parameters
    ----------
    folder : the folder of the archives; sub-folders too.
    encoding : the encoding of the clips.

    Raises
    ------
    ConfigError
        The folder is missing or holds no archive.
    """

    remembers_removed = False  # looking again costs little, and the shard may be there by then

    def __init__(self, folder: Path, encoding: Encoding) -> None:
        failed: dict[str, str] = {}
        if not folder.is_dir():
            raise ConfigError(f"audioset.directory {str(folder)!r} is not a folder; expected one with .tar or .parquet")
        self.archives = [path for path in files_below(folder, failed) if path.suffix.lower() in (".tar", ".parquet")]
        for place, why in failed.items():
            _log.warning("%s: %s", folder / place, why)
        if not self.archives:
            raise ConfigError(f"audioset.directory {str(folder)!r} holds no .tar or .parquet; expected such shards")
        self.encoding, self.digest, self._last = encoding, f"{stable_hash(f'tar {folder}'):016x}", local()

    @cached_property
    def _videos(self) -> dict[str, list[_Video]]:
        """Every video by its id, from the headers of the archives; of several with one start the first counts."""
        found: dict[str, list[_Video]] = {}
        for path in self.archives:
            for name, suffix, read in _tar_members(path) if path.suffix.lower() == ".tar" else _parquet_rows(path):
                if (match := _NAME.fullmatch(name)) is not None:
                    start = float(match["seconds"] or int(match["start"] or 0) / 1000)
                    found.setdefault(match["ytid"], []).append(_Video(start, suffix, read))
        return found

    def fetch(self, clip: Clip, target: Path) -> None:
        """Write the clip to `target`.

        Raises
        ------
        ClipFailure
            ``removed`` where no archive has the video, ``invalid_media`` where ffmpeg cannot read it.
        """
        video = self._video(clip)
        whole = target.with_name(f".{target.stem}.whole{video.suffix}")
        times = {"start_seconds": clip.start_seconds - video.start_seconds, "seconds": clip.seconds}
        try:
            with whole.open("wb") as file:
                for piece in video.read():
                    file.write(piece)
            declared = probe_media(whole).duration
            self._last.seconds = None if declared is None else declared + video.start_seconds
            cut_clip(whole, target, **times, encoding=self.encoding)
        except ClipError as error:
            reason = str(error).replace(str(whole), f"{clip.ytid} in audioset.directory")
            raise ClipFailure("invalid_media", reason, again=False) from None
        finally:
            whole.unlink(missing_ok=True)

    def seconds_declared(self, clip: Clip) -> float | None:
        """Return where the video that this thread fetched last ends by its header, None where it states no length."""
        return getattr(self._last, "seconds", None)

    def close(self) -> None:
        """Do nothing, since no archive is kept open."""

    def _video(self, clip: Clip) -> _Video:
        """Return the video that holds the clip: the one that begins last, but not after the clip."""
        fitting = [one for one in self._videos.get(clip.ytid, []) if one.start_seconds <= clip.start_seconds + 0.001]
        if not fitting:
            raise ClipFailure(
                "removed", f"no video {clip.ytid} in the archives of audioset.directory that begins before it"
            )
        return max(fitting, key=lambda one: one.start_seconds)


def _tar_members(path: Path) -> Iterator[tuple[str, str, Callable[[], Iterator[bytes]]]]:
    """Yield the name, suffix and reader of each video in a tar, by its headers alone.

    Raises
    ------
    ClipError
        The tar is damaged or cut, or compressed.
    """
    size = path.stat().st_size
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                name, _, rest = Path(member.name).name.partition(".")
                suffix = f".{rest.rpartition('.')[2].lower()}"
                if not member.isfile() or suffix not in VIDEO_SUFFIXES or name.startswith("._"):
                    continue
                if member.offset_data + member.size > size:
                    raise ClipError(f"{path}: is cut off within {member.name}; copy the shard again")
                yield name, suffix, _range_reader(path, member.offset_data, member.size)
            if archive.offset + tarfile.BLOCKSIZE > size:  # every tar ends with blocks of zeros
                raise ClipError(f"{path}: is cut off behind its last member; copy the shard again")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ClipError(f"{path}: cannot be read as a tar without compression: {error}") from None


def _range_reader(path: Path, start: int, size: int) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        with path.open("rb") as file:
            file.seek(start)
            left = size
            while left and (piece := file.read(min(left, _COPY_BYTES))):
                left -= len(piece)
                yield piece

    return read


def _parquet_rows(path: Path) -> Iterator[tuple[str, str, Callable[[], Iterator[bytes]]]]:
    """Yield the name, suffix and reader of each row of a Parquet file that holds videos, by its column of ids.

    Raises
    ------
    ClipError
        The file is damaged, or has no column of ids or of videos.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            names, groups = file.schema_arrow.names, file.num_row_groups
            ids = next((name for name in _ID_COLUMNS if name in names), None)
            videos = next((name for name in _VIDEO_COLUMNS if name in names and name != ids), None)
            if ids is None or videos is None:
                raise ClipError(
                    f"{path}: no column of {'ids' if ids is None else 'videos'} among {', '.join(names)}; expected one "
                    f"of {', '.join(_ID_COLUMNS if ids is None else _VIDEO_COLUMNS)}"
                )
            for group in range(groups):
                for row, name in enumerate(file.read_row_group(group, [ids])[ids].to_pylist()):
                    yield str(name), ".mp4", _row_reader(path, group, row, videos)
    except (pyarrow.ArrowException, OSError) as error:
        raise ClipError(f"{path}: cannot be read as Parquet: {str(error).splitlines()[0]}") from None


def _row_reader(path: Path, group: int, row: int, column: str) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:
            value = file.read_row_group(group, [column])[column][row].as_py()
        # Hugging Face's data sets keep files as {"bytes": ..., "path": ...}.
        yield value["bytes"] if isinstance(value, dict) else value or b""

    return read

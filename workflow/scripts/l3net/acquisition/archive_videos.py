"""The videos in a tar shard (webdataset) or a Parquet file: whose they are, where they begin, and what reads them.

The name of a video, a member's name or a row's id, is ``{ytid}``; or ``{ytid}_{start}`` in whole seconds of six digits,
as VGGSound's are; or ``{ytid}_{start}_{end}``, in milliseconds as this project's store names clips, or in seconds: what
is named with a start was cut out before, and begins there. Where the name tells no id, as video2dataset's numbers do
not, the member of the same name that ends in .json does; it, or a column of the row, may also say where a video that is
named by its id alone was cut out.
"""

import json
import logging
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from l3net.acquisition.sources import VIDEO_SUFFIXES
from l3net.errors import ClipError
from l3net.files import check_end_of_tar, printable
from l3net.runtime import counted

_YTID = r"[A-Za-z0-9_-]{11}"
_NAME = re.compile(rf"(?P<ytid>{_YTID})(?:_(?P<start>\d{{6}}))?")
_SPAN = re.compile(rf"(?P<ytid>{_YTID})_(?P<start>\d+(?:\.\d+)?)_(?P<end>\d+(?:\.\d+)?)")
_OF_STORE = 7  # digits of its milliseconds
_LEAST_MILLISECONDS = 1000  # two numbers that are nearer to each other are seconds
_ID_COLUMNS = ("ytid", "youtube_id", "video_id", "videoid", "videoID", "__key__", "key", "id")
_START_COLUMNS = ("start_seconds", "start_time", "start")
_VIDEO_COLUMNS = ("video", "mp4", "bytes", "path", "video_path", "file")
_COPY_BYTES, _MOST_JSON_BYTES = 1 << 22, 1 << 20
_Reader = Callable[[], Iterator[bytes]]
_log = logging.getLogger("l3net")


class ArchivedVideo(NamedTuple):
    """A video in an archive.

    Attributes
    ----------
    ytid : its id.
    start_seconds : where it begins, in seconds of the whole one.
    suffix : of a file of it.
    read : yields its bytes.
    is_named : whether its name says where it begins. What stands beside it may be the start of a clip in a whole video.
    """

    ytid: str
    start_seconds: float
    suffix: str
    read: _Reader
    is_named: bool


def videos_in(path: Path) -> Iterator[ArchivedVideo]:
    """Yield the videos of a tar or a Parquet file; those whose id is not known are left out with a warning.

    Raises
    ------
    ClipError
        A file that is damaged, cut or compressed, or a Parquet file without a column of ids or of videos.
    """
    unknown = []
    for name, about, suffix, read in _tar_members(path) if path.suffix.lower() == ".tar" else _parquet_rows(path):
        if (known := _identity(name, about)) is None:
            unknown.append(name)
        else:
            yield ArchivedVideo(known[0], known[1], suffix, read, is_named=known[2])
    if unknown:
        _log.warning(
            "%s: left out %s whose name tells no id, such as %s; expected an id of 11 letters, digits, - or _, "
            "then perhaps _start or _start_end, or a .json with ytid beside it",
            path, counted(len(unknown), "video"), printable(unknown[0][:80]),
        )  # fmt: skip


def _identity(name: str, about: Callable[[], dict[str, Any]]) -> tuple[str, float, bool] | None:
    """Return the id of a video, where it begins, and whether its name says so."""
    named = None
    if found := _NAME.fullmatch(name.partition(".")[0]):
        named = found["ytid"], float(found["start"] or 0), found["start"] is not None
    elif found := _SPAN.fullmatch(name):
        first, last = float(found["start"]), float(found["end"])
        is_of_store = len(found["start"]) == len(found["end"]) == _OF_STORE
        is_fine = is_of_store or last - first >= _LEAST_MILLISECONDS
        named = found["ytid"], first / 1000 if is_fine else first, True
    if named is not None and named[2]:
        return named
    said = about()
    if named is not None and not name.isdigit():
        return named[0], _start_of(said), False
    for key in (*_ID_COLUMNS, "url"):
        if (ytid := _ytid_of(str(said.get(key, "")))) is not None:
            return ytid, _start_of(said), False
    return named


def _ytid_of(text: str) -> str | None:
    """Return an id, or that in an address of YouTube's."""
    address = urlsplit(text)
    if address.scheme in ("http", "https"):
        text = parse_qs(address.query).get("v", [address.path.rpartition("/")[2]])[0]
    return text if re.fullmatch(_YTID, text) and not text.isdigit() else None


def _start_of(said: dict[str, Any]) -> float:
    """Return the seconds at which a video was cut out, 0 where nothing says so."""
    for key in _START_COLUMNS:
        try:
            return max(float(said[key]), 0.0)
        except (KeyError, TypeError, ValueError):
            continue
    return 0.0


def _tar_members(path: Path) -> Iterator[tuple[str, Callable[[], dict[str, Any]], str, _Reader]]:
    """Yield the name, what a .json says, suffix and reader of each video in a tar, by its headers alone."""
    size, videos, sidecars = path.stat().st_size, [], {}
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                place = Path(member.name)
                key, _, rest = place.name.partition(".")
                suffix = f".{rest.rpartition('.')[2].lower()}"
                if not member.isfile() or key.startswith("._"):
                    continue
                if suffix == ".json" and member.size <= _MOST_JSON_BYTES:
                    sidecars[place.parent / key] = _range_reader(path, member.offset_data, member.size)
                if suffix not in VIDEO_SUFFIXES:
                    continue
                if member.offset_data + member.size > size:
                    raise ClipError(f"{path}: is cut off within {member.name}; copy the shard again")
                videos.append((place, suffix, _range_reader(path, member.offset_data, member.size)))
            check_end_of_tar(path, archive, ClipError)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ClipError(f"{path}: cannot be read as a tar; a compressed one must be unpacked: {error}") from None
    for place, suffix, read in videos:
        sidecar = sidecars.get(place.parent / place.name.partition(".")[0])
        yield place.name[: -len(suffix)], lambda sidecar=sidecar: _read_json(sidecar), suffix, read


def _read_json(read: _Reader | None) -> dict[str, Any]:
    """Return what a .json says; nothing where it is none."""
    try:
        said = json.loads(b"".join(read())) if read else {}
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _range_reader(path: Path, start: int, size: int) -> _Reader:
    def read() -> Iterator[bytes]:
        with path.open("rb") as file:
            file.seek(start)
            left = size
            while left and (piece := file.read(min(left, _COPY_BYTES))):
                left -= len(piece)
                yield piece

    return read


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    """Open a Parquet file, read from a buffer; what goes wrong while it is open becomes one line."""
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, buffer_size=_COPY_BYTES) as file:
            yield file
    except (pyarrow.ArrowException, OSError) as error:
        raise ClipError(f"{path}: cannot be read as Parquet: {printable(' '.join(str(error).split())[:200])}") from None


def _parquet_rows(path: Path) -> Iterator[tuple[str, Callable[[], dict[str, Any]], str, _Reader]]:
    """Yield the name, what the row says, suffix and reader of each row of a Parquet file that holds videos."""
    with _parquet(path) as file:
        names, groups = file.schema_arrow.names, file.num_row_groups
        ids = next((name for name in _ID_COLUMNS if name in names), None)
        videos = next((name for name in _VIDEO_COLUMNS if name in names and name != ids), None)
        if ids is None or videos is None:
            raise ClipError(
                f"{path}: no column of {'ids' if ids is None else 'videos'} among {', '.join(names)}; expected one "
                f"of {', '.join(_ID_COLUMNS if ids is None else _VIDEO_COLUMNS)}"
            )
        kind = str(file.schema_arrow.field(videos).type)
        if kind.removeprefix("large_") not in ("binary", "string") and not re.match(r"struct<.*\bbytes: ", kind):
            raise ClipError(f"{path}: column {videos} holds {kind[:80]}; expected bytes, or paths of files")
        wanted = [name for name in names if name in (*_ID_COLUMNS, *_START_COLUMNS) and name != videos]
        for group in range(groups):
            for row, said in enumerate(file.read_row_group(group, wanted).to_pylist()):
                yield str(said[ids]), lambda said=said: said, ".mp4", _row_reader(path, group, row, videos)


def _row_reader(path: Path, group: int, row: int, column: str) -> _Reader:
    def read() -> Iterator[bytes]:
        with _parquet(path) as file:  # row by row, since a group may be gigabytes
            rows = file.iter_batches(batch_size=1, row_groups=[group], columns=[column])
            value = next(islice(rows, row, None))[column][0].as_py()
        value = (value["bytes"] or value.get("path")) if isinstance(value, dict) else value
        if isinstance(value, str):
            yield from _file_beside(path, value)
        elif value:
            yield value
        else:
            raise ClipError(f"{path}: row {row} of group {group} has no video in column {column}")

    return read


def _file_beside(path: Path, name: str) -> Iterator[bytes]:
    """Yield the bytes of a file that a Parquet file names; it lies in the same folder or below it."""
    file = path.parent / name
    if "\0" in name or not file.resolve().is_relative_to(path.parent.resolve()) or not file.is_file():
        raise ClipError(f"{path}: names {printable(name[:80])}; expected a file in its folder or below")
    yield from _range_reader(file, 0, file.stat().st_size)()

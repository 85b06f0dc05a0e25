"""Sources of clips: what a job asks of one, the folder of videos as a source, and the choice among the kinds.

The kinds are the values of ``audioset.source``. A further kind is a class with the members of `Source` and a line in
`open_source`.
"""

from functools import cached_property
from pathlib import Path
from typing import Protocol

from l3net.audioset import Clip, ClipFailure
from l3net.downloads import YOUTUBE_TEMPLATE, Access
from l3net.errors import ClipError, ConfigError
from l3net.files import is_of_a_system, stable_hash
from l3net.media import Encoding, cut_clip, probe_media

# Files of other kinds that stand beside a video (subtitles, thumbnails, unfinished downloads) are not taken for it.
VIDEO_SUFFIXES = {
    *(".3g2", ".3gp", ".asf", ".avi", ".f4v", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
    *(".mts", ".ogv", ".ts", ".vob", ".webm", ".wmv"),
}


class Source(Protocol):
    """What a job asks of a source of clips.

    Attributes
    ----------
    digest : tells sources apart in the records, such as two mirrors.
    remembers_removed : whether a video that was not there is never asked for again.
    """

    digest: str
    remembers_removed: bool

    def fetch(self, clip: Clip, target: Path) -> None:
        """Write the clip to `target` in the store's encoding.

        Raises
        ------
        ClipFailure
            The clip was not obtained.
        """

    def seconds_declared(self, clip: Clip) -> float | None:
        """Return the length that the clip's video declares; `clip` is the one that this thread fetched last."""

    def close(self) -> None:
        """Close all connections."""


class DirectorySource:
    """Cuts clips out of whole videos in a folder, files named ``{ytid}.{suffix}``.

    Parameters
    ----------
    folder : the folder of the videos.
    encoding : the encoding of the clips.

    Raises
    ------
    ConfigError
        The folder is missing.
    """

    remembers_removed = False  # looking again costs nothing, and the file may be there by then

    def __init__(self, folder: Path, encoding: Encoding) -> None:
        if not folder.is_dir():
            raise ConfigError(f"audioset.directory {str(folder)!r} is not a folder; expected videos named {{ytid}}.*")
        self.folder, self.encoding, self.digest = folder, encoding, f"{stable_hash(f'directory {folder}'):016x}"

    @cached_property
    def _videos(self) -> dict[str, Path]:
        videos = [path for path in self.folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()]
        # Of several files of one video the first by name is taken, but never an empty one before another.
        videos.sort(key=lambda path: (path.stat().st_size > 0, _reversed_order(path.name)))
        return {path.stem: path for path in videos if not is_of_a_system(path.name)}

    def fetch(self, clip: Clip, target: Path) -> None:
        """Write the clip to `target`.

        Raises
        ------
        ClipFailure
            ``removed`` where there is no such video, ``invalid_media`` where ffmpeg cannot read it.
        """
        video, times = self._video(clip), {"start_seconds": clip.start_seconds, "seconds": clip.seconds}
        try:
            cut_clip(video, target, **times, encoding=self.encoding)
        except ClipError as error:
            raise ClipFailure("invalid_media", str(error), again=False) from None

    def seconds_declared(self, clip: Clip) -> float | None:
        """Return the length of the whole video that its header states, None where it states none."""
        return probe_media(self._video(clip)).duration

    def close(self) -> None:
        """Do nothing, since no connection is open."""

    def _video(self, clip: Clip) -> Path:
        if clip.ytid not in self._videos:
            raise ClipFailure("removed", f"no video {clip.ytid}.* in audioset.directory")
        return self._videos[clip.ytid]


def _reversed_order(name: str) -> tuple[int, ...]:
    """Return a key by which names sort from the last to the first."""
    return (*(-ord(letter) for letter in name), 1)


def open_source(
    kind: str, *, directory: Path | None, url_template: str | None, encoding: Encoding, access: Access
) -> Source:
    """Open the source of the kind that the configuration names.

    Parameters
    ----------
    kind : ``directory``, ``tar``, ``http`` or ``youtube``.
    directory : folder of the videos, for kind ``directory``, or of the shards, for kind ``tar``.
    url_template : an address with ``{ytid}``, for kind ``http``.
    encoding : the encoding of the clips.
    access : how the network is reached.

    Raises
    ------
    ConfigError
        The kind is unknown, or what it needs is missing or cannot be used.
    """
    if kind in {"directory", "tar"}:
        if directory is None:
            raise ConfigError(f"audioset.directory is null, but source is {kind}; expected a folder")
        if kind == "directory":
            return DirectorySource(directory, encoding)
        from l3net.acquisition.archive_source import ArchiveSource

        return ArchiveSource(directory, encoding)
    if kind not in {"http", "youtube"}:
        raise ConfigError(f"audioset.source is {kind!r}; expected directory, tar, http or youtube")
    from l3net.downloads.ytdlp import YtdlpSource  # here, since yt-dlp takes a second to load

    return YtdlpSource(YOUTUBE_TEMPLATE if kind == "youtube" else url_template or "", encoding, access)

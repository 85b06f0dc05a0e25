"""Source ``directory``: clips are cut out of whole videos that are here already, files named ``{ytid}.*``."""

from functools import cached_property
from pathlib import Path

from l3net.audioset import Clip, ClipFailure
from l3net.errors import ClipError, ConfigError
from l3net.media import Encoding, cut_clip, probe_media
from l3net.runtime import stable_hash

# Other files that stand beside a video (subtitles, thumbnails, unfinished downloads) are none.
_SUFFIXES = {".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm"}


class DirectorySource:
    """Cuts clips out of the videos of a folder.

    Parameters
    ----------
    folder : holds whole videos named ``{ytid}.{suffix}``.
    encoding : of the clips.

    Raises
    ------
    ConfigError
        When the folder is missing.
    """

    remembers_removed = False  # looking again costs nothing, and files may have come since

    def __init__(self, folder: Path, encoding: Encoding) -> None:
        if not folder.is_dir():
            raise ConfigError(f"audioset.directory {str(folder)!r} is not a folder; expected videos named {{ytid}}.*")
        self.folder, self.encoding, self.digest = folder, encoding, f"{stable_hash(f'directory {folder}'):016x}"

    @cached_property
    def _videos(self) -> dict[str, Path]:
        paths = sorted(self.folder.iterdir(), reverse=True)
        return {path.stem: path for path in paths if path.suffix.lower() in _SUFFIXES}

    def fetch(self, clip: Clip, target: Path) -> None:
        """Write the clip to `target`.

        Raises
        ------
        Failure
            ``removed`` when there is no such video, ``invalid_media`` when ffmpeg cannot read it.
        """
        try:
            cut_clip(
                self._video(clip),
                target,
                start_seconds=clip.start_seconds,
                seconds=clip.seconds,
                encoding=self.encoding,
            )
        except ClipError as error:
            raise ClipFailure("invalid_media", str(error), again=False) from None

    def seconds_declared(self, clip: Clip) -> float | None:
        """Return how long the whole video is by its header, or None when it does not say."""
        return probe_media(self._video(clip)).duration

    def close(self) -> None:
        """Nothing is open."""

    def _video(self, clip: Clip) -> Path:
        if clip.ytid not in self._videos:
            raise ClipFailure("removed", f"no video {clip.ytid}.* in audioset.directory")
        return self._videos[clip.ytid]

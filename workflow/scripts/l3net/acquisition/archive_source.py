"""Videos inside tar shards (webdataset) and Parquet files, read from where they lie: nothing is unpacked but the one
video that a worker is cutting, which is a temporary file for so long.
"""

import logging
import re
from functools import cached_property
from pathlib import Path
from threading import local

from l3net.acquisition.archive_videos import ArchivedVideo, videos_in
from l3net.audioset import Clip, ClipFailure
from l3net.errors import ClipError, ConfigError
from l3net.files import files_below, stable_hash
from l3net.media import Encoding, cut_clip, probe_media
from l3net.runtime import counted

_NEAR = 0.5  # seconds
_COMPRESSED = re.compile(r"(?i)\.(?:tar\.(?:gz|bz2|xz|zst)|tgz)$")
_log = logging.getLogger("l3net")


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
        files = list(files_below(folder, failed))
        self.archives = [path for path in files if path.suffix.lower() in (".tar", ".parquet")]
        packed = [path for path in files if _COMPRESSED.search(path.name)]
        for place, why in failed.items():
            _log.warning("%s: %s", folder / place, why)
        if not self.archives:
            hint = f" ({packed[0].name} is compressed: decompress it)" if packed else ""
            raise ConfigError(
                f"audioset.directory {str(folder)!r} holds no .tar or .parquet{hint}; expected such shards"
            )
        if packed:
            _log.warning(
                "%s: left out %s, such as %s: decompress them",
                *(folder, counted(len(packed), "compressed tar"), packed[0].name),
            )
        self.encoding, self.digest, self._last = encoding, f"{stable_hash(f'tar {folder}'):016x}", local()

    @cached_property
    def _videos(self) -> dict[str, list[ArchivedVideo]]:
        """Every video by its id, from the headers of the archives; of several with one start the first counts."""
        found: dict[str, list[ArchivedVideo]] = {}
        again: list[str] = []
        for path in self.archives:
            for video in videos_in(path):
                if any(one.start_seconds == video.start_seconds for one in found.get(video.ytid, [])):
                    again.append(f"{video.ytid} in {path.name}")
                found.setdefault(video.ytid, []).append(video)
        if again:
            _log.warning(
                "left out %s whose id and start another has, such as %s", counted(len(again), "video"), again[0]
            )
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
        try:
            with whole.open("wb") as file:
                for piece in video.read():
                    file.write(piece)
            declared, start = probe_media(whole).duration, video.start_seconds
            if not video.is_named and (declared or 0) > clip.end_seconds - _NEAR:
                start = 0.0  # it has the clip's end, so it is whole, and what stands beside it is the clip's start
            self._last.seconds = None if declared is None else declared + start
            times = {"start_seconds": clip.start_seconds - start, "seconds": clip.seconds}
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

    def _video(self, clip: Clip) -> ArchivedVideo:
        """Return the video that holds the clip: the one that begins last, but not after the clip."""
        fitting = [one for one in self._videos.get(clip.ytid, []) if one.start_seconds <= clip.start_seconds + 0.001]
        if not fitting:
            raise ClipFailure(
                "removed", f"no video {clip.ytid} in the archives of audioset.directory that begins before it"
            )
        return max(fitting, key=lambda one: one.start_seconds)

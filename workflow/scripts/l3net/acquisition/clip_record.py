"""The record of a clip in the store: what became of it, also where it was not obtained."""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from l3net.audioset import STATUSES, USABLE_STATUSES

_FIELD_TYPES = {"status": str, "reason": str, "attempts": int, "attempted_at": str}
_FIELD_TYPES |= {"source": str, "run": str, "run_attempts": int, "media": dict}


@dataclass
class ClipRecord:
    """What became of a clip.

    Parameters
    ----------
    status : one of `audioset.STATUSES`.
    reason : one line for the manifest.
    attempts : attempts so far, of all runs.
    attempted_at : time of the last attempt in UTC.
    source : digest of the source that was asked.
    run, run_attempts : token of the run and its attempts, by which a resumed job knows its own from before the kill.
    media : bytes, duration, fps, width, height, sample_rate and sha256 of the media file, where it was obtained.
    """

    status: str
    reason: str = ""
    attempts: int = 0
    attempted_at: str = ""
    source: str = ""
    run: str = ""
    run_attempts: int = 0
    media: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "ClipRecord":
        """Read a record.

        Raises
        ------
        OSError, TypeError, ValueError
            The file cannot be read, is no JSON, or has other fields, types or a status that there is not.
        """
        record = cls(**json.loads(path.read_text(encoding="utf-8")))
        wrong = [f.name for f in fields(cls) if type(getattr(record, f.name)) is not _FIELD_TYPES[f.name]]
        if wrong or record.status not in STATUSES:
            raise ValueError(f"field {(wrong or ['status'])[0]} has another value than records have")
        return record

    @property
    def usable(self) -> bool:
        """Whether the clip's media file is in the store."""
        return self.status in USABLE_STATUSES

"""Sources of clips: what a job asks of one, and the choice of the one that the configuration names."""

from pathlib import Path
from typing import Protocol

from l3net.audioset import Clip


class Source(Protocol):
    """What a job asks of a source of clips."""

    digest: str  # tells sources apart in the records, e.g. two mirrors
    remembers_removed: bool  # whether a video that was not there is not looked for again

    def fetch(self, clip: Clip, target: Path) -> None:
        """Write the clip to `target` in the store's encoding, or raise `Failure`."""

    def seconds_declared(self, clip: Clip) -> float | None:
        """Return how long the video says it is, of the clip that this thread fetched last."""

    def close(self) -> None:
        """Let go of connections."""

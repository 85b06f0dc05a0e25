"""What the job of a part logs: an estimate before it fetches, the outcome after."""

import logging
import shutil
from collections.abc import Mapping

import pandas as pd

from l3net.acquisition.part_job import PartJob
from l3net.audioset import USABLE_STATUSES, Clip

_MUCH_HOURS, _MUCH_GIGABYTES = 1.0, 10.0  # from these on the estimate is shown on the screen too
_log = logging.getLogger("l3net")


def log_estimate(
    job: PartJob, wanted: list[Clip], *, n_all: int, part: int, parts: int, expect: Mapping[str, float]
) -> None:
    """Log how much a job will fetch and how long that takes, and warn where the disk has too little room.

    Parameters
    ----------
    wanted : the clips of the part.
    n_all : number of clips of all parts.
    expect : the assumptions, ``obtainable`` (share of the clips), ``megabytes_per_clip`` and ``clips_per_hour``.
    """

    def estimate(n_clips: int) -> tuple[float, float, float]:
        n_obtained = n_clips * expect["obtainable"]
        return n_obtained, n_obtained * expect["megabytes_per_clip"] / 1000, n_clips / expect["clips_per_hour"]

    n_left = len(job.unsettled(wanted))
    n_obtained, gigabytes, hours = estimate(n_left)
    _log.log(
        logging.WARNING if hours >= _MUCH_HOURS or gigabytes >= _MUCH_GIGABYTES else logging.INFO,
        "part %d of %d: %d of %d clips to fetch, about %.0f of them obtainable, %.2f GB, %.1f h; "
        "all parts, one after the other: %d clips, about %.0f of them obtainable, %.1f GB, %.1f h at %g clips an hour",
        *(part, parts, n_left, len(wanted), n_obtained, gigabytes, hours),
        *(n_all, *estimate(n_all), expect["clips_per_hour"]),
    )
    if (free := shutil.disk_usage(job.store.folder).free / 1e9) < gigabytes:
        _log.warning("%s has %.1f GB free, this part alone needs about %.1f GB", job.store.folder, free, gigabytes)


def log_outcome(job: PartJob, manifest: pd.DataFrame, *, part: int) -> None:
    """Log how many clips have each status, and how to go on where the job gave up."""
    counts = manifest["status"].value_counts()
    _log.info("part %d: %s", part, ", ".join(f"{n} {status}" for status, n in counts.items()) or "no clips")
    if job.backoff.gave_up:
        _log.warning(
            "part %d: gave up after %d blocks (%s) with nothing between; %d of %d clips are here and stay. Go on "
            "later with snakemake -R fetch_clips, best with a longer audioset.sleep_interval, cookies or a mirror",
            *(part, job.pace.give_up_after, job.backoff.gave_up),
            *(manifest["status"].isin(USABLE_STATUSES).sum(), len(manifest)),
        )

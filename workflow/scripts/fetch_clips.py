"""Fetch the clips of one part: checked, into the store, with a manifest that says what became of each."""

import logging
import shutil
from dataclasses import asdict
from pathlib import Path

from l3net.acquisition import Access, ClipStore, DirectorySource, Pace, PartJob, Source
from l3net.audioset import USABLE_STATUSES, Clip, part_clips
from l3net.errors import ConfigError
from l3net.media import Encoding
from l3net.runtime import atomic, stable_hash, stage

_log = logging.getLogger("l3net")


def fetch_clips(
    clips: list[Path],
    manifest: Path,
    *,
    part: int,
    parts: int,
    source: str,
    store: Path,
    directory: Path | None = None,
    url_template: str | None = None,
    short_side: int | None = 256,
    preset: str = "veryfast",
    crf: int = 23,
    workers: int = 2,
    attempts: int = 3,
    sleep_interval: float = 0.0,
    rate_limit: int | None = None,
    give_up_after: int = 5,
    back_off_seconds: float = 60.0,
    timeout_seconds: float = 60.0,
    format: str | None = None,
    cookies: str | None = None,
    proxy: str | None = None,
    js_runtime: str = "deno",
    allow_private_addresses: bool = False,
    expect: dict | None = None,
) -> None:
    """Fetch what the store lacks of a part's clips, and write the part's manifest.

    Clips of a final status are not asked for again, those of a retryable one are. A job that was killed goes on where
    it was. A job that is blocked ends early and well: its manifest says which clips were not tried.

    Parameters
    ----------
    clips : the lists of all subsets; a clip in several is fetched once.
    manifest : CSV with ``audioset.MANIFEST_COLUMNS``, one row for each distinct clip of the part.
    part, parts : which of how many hash slices.
    source : directory, http or youtube.
    store : folder of the clips.
    others : the keys of the same names in the configuration's section audioset.

    Raises
    ------
    ConfigError
        A source, proxy or cookies file that cannot be used, or a store of other clips.
    ClipError
        A clip list that cannot be read, or a full disk.
    """
    encoding = Encoding(short_side=short_side, preset=preset, crf=crf)
    wanted, n_all = part_clips(clips, part, parts)
    access = Access(format, cookies, proxy, rate_limit, timeout_seconds, js_runtime, allow_private_addresses)
    origin = open_source(source, directory, url_template, encoding, access)
    kept = ClipStore(store, asdict(encoding))
    task = f"{part:04d}-of-{parts:04d}-{stable_hash(f'{origin.digest} {wanted}'):016x}"
    with kept.work_folder() as work, kept.run(task, work) as run:
        job = PartJob(kept, origin, Pace(workers, attempts, sleep_interval, give_up_after, back_off_seconds), run)
        foretell(job, wanted, n_all, part, parts, expect or {})
        try:
            job.fetch(wanted, work)
        finally:
            origin.close()
        table = job.manifest(wanted)
        with atomic.replacing(manifest) as temporary:
            table.to_csv(temporary, index=False)
    counts = table["status"].value_counts()
    _log.info("%s: %s", manifest, ", ".join(f"{n} {status}" for status, n in counts.items()) or "no clips")
    if job.back_off.gave_up:
        _log.warning(
            "part %d: gave up after %d blocks (%s) with nothing between; %d of %d clips are here and stay. Go on "
            "later with snakemake -R fetch_clips, best with a longer audioset.sleep_interval, cookies or a mirror",
            *(part, give_up_after, job.back_off.gave_up, table["status"].isin(USABLE_STATUSES).sum(), len(wanted)),
        )


def open_source(
    name: str, directory: Path | None, url_template: str | None, encoding: Encoding, access: Access
) -> Source:
    """Return the source that the configuration names."""
    if name == "directory":
        if directory is None:
            raise ConfigError("audioset.directory is null, but source is directory; expected a folder of videos")
        return DirectorySource(directory, encoding)
    from l3net.acquisition import (
        YOUTUBE_TEMPLATE,
        YtdlpSource,  # loads yt-dlp, which a directory does without
    )

    if name not in {"http", "youtube"}:
        raise ConfigError(f"audioset.source is {name!r}; expected directory, http or youtube")
    return YtdlpSource(YOUTUBE_TEMPLATE if name == "youtube" else url_template or "", encoding, access)


def foretell(job: PartJob, wanted: list[Clip], n_all: int, part: int, parts: int, expect: dict) -> None:
    """Log what is to come by the configuration's assumptions; on the screen too where it is much."""
    if not expect:
        return

    def amount(n: int) -> tuple[float, float, float]:
        had = n * expect["obtainable"]
        return had, had * expect["megabytes_per_clip"] / 1000, n / expect["clips_per_hour"]

    n_left = len(job.unsettled(wanted))
    clips, gigabytes, hours = amount(n_left)
    is_much = hours >= 1 or gigabytes >= 10
    _log.log(
        logging.WARNING if is_much else logging.INFO,
        "part %d of %d: %d of %d clips to fetch, some %.0f to be had, %.2f GB, %.1f h; "
        "all parts, one after the other: %d clips, some %.0f to be had, %.1f GB, %.1f h at %g clips an hour",
        *(part, parts, n_left, len(wanted), clips, gigabytes, hours, n_all, *amount(n_all), expect["clips_per_hour"]),
    )
    if (free := shutil.disk_usage(job.store.folder).free / 1e9) < gigabytes:
        _log.warning("%s has %.1f GB free, this part alone needs some %.1f GB", job.store.folder, free, gigabytes)


if __name__ == "__main__":
    stage.main(fetch_clips, globals().get("snakemake"))

"""Fetch the clips of one part: checked, into the store, with a manifest that says what became of each."""

from dataclasses import asdict
from pathlib import Path

from l3net.files import atomic, stable_hash
from l3net.runtime import stage


def fetch_clips(
    clips: list[Path],
    manifest: Path,
    *,
    part: int,
    parts: int,
    split: str = "hash",
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

    Clips of a final status are not asked for again, those of a retryable status are. A job that was killed continues
    where it was. A job that is blocked ends early and without an error; its manifest says which clips were not tried.

    Parameters
    ----------
    clips : the lists of all subsets; a clip in several is fetched once.
    manifest : CSV with ``audioset.MANIFEST_COLUMNS``, one row for each distinct clip of the part.
    part, parts : number of the part, and how many there are.
    split : how videos are dealt into parts: hash | balanced | column.
    source : directory, tar, http or youtube.
    store : folder of the clips.
    others : the keys of the same names in the configuration's section audioset.

    Raises
    ------
    ConfigError
        The source, proxy or cookies file cannot be used, or the store holds clips of another encoding.
    ClipError
        A clip list cannot be read, or the disk is full.
    """
    from l3net.acquisition import ClipStore, Pace, PartJob, log_estimate, log_outcome, open_source
    from l3net.audioset import part_clips
    from l3net.downloads import Access
    from l3net.media import Encoding

    encoding = Encoding(short_side=short_side, preset=preset, crf=crf)
    access = Access(
        format=format,
        cookies=cookies,
        proxy=proxy,
        rate_limit=rate_limit,
        timeout_seconds=timeout_seconds,
        js_runtime=js_runtime,
        allow_private_addresses=allow_private_addresses,
    )
    pace = Pace(
        workers=workers,
        attempts=attempts,
        sleep_interval=sleep_interval,
        give_up_after=give_up_after,
        back_off_seconds=back_off_seconds,
    )
    wanted, n_all = part_clips(clips, part, parts, split)
    origin = open_source(source, directory=directory, url_template=url_template, encoding=encoding, access=access)
    kept = ClipStore(store, asdict(encoding))
    task = f"{part:04d}-of-{parts:04d}-{stable_hash(f'{origin.digest} {wanted}'):016x}"
    with kept.work_folder() as work, kept.run(task, work) as run:
        job = PartJob(kept, origin, pace, run)
        if expect:
            log_estimate(job, wanted, n_all=n_all, part=part, parts=parts, expect=expect)
        try:
            job.fetch(wanted, work)
        finally:
            origin.close()
        table = job.manifest(wanted)
        atomic.write_csv(table, manifest)
    log_outcome(job, table, part=part)


if __name__ == "__main__":
    stage.main(fetch_clips, globals().get("snakemake"))

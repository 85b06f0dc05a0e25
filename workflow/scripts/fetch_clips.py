"""Fetch the clips of one part: validated, into the store, with a manifest that says what became of each."""

import hashlib
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from l3net import audioset, files, hashing, media, stage
from l3net.acquisition import Job, Pace
from l3net.clip_sources import Directory
from l3net.clip_store import Record, Store
from l3net.clips import Clip
from l3net.downloads import YOUTUBE, Access, Downloads
from l3net.provenance import canonical_json

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
    expect: dict[str, Any] | None = None,
) -> None:
    """Fetch what is missing of the part's clips and write its manifest."""
    encoding = media.Encoding(short_side)
    wanted = part_clips(clips, part, parts)
    kept = Store(store, asdict(encoding))
    access = Access(format, cookies, proxy, rate_limit, timeout_seconds, js_runtime, allow_private_addresses)
    if source == "directory":
        origin = Directory(directory, encoding)
    else:
        origin = Downloads(YOUTUBE if source == "youtube" else url_template, encoding, access)
    digest = hashlib.blake2b(f"{source} {directory} {url_template}".encode(), digest_size=8).hexdigest()
    job = Job(kept, origin, digest, Pace(workers, attempts, sleep_interval, give_up_after, back_off_seconds))
    name = f"{part:04d}-of-{parts:04d}-{hashing.stable_hash(canonical_json([digest, *map(str, wanted)])):016x}"
    with kept.run(name) as run:
        with kept.work_folder() as work:
            job.fetch(wanted, work, run)
        write_manifest(manifest, wanted, kept, job.blocks.gave_up)


def part_clips(lists: list[Path], part: int, parts: int) -> list[Clip]:
    """Return the distinct clips of all lists that belong to the part, sorted."""
    found: set[Clip] = set()
    for path in lists:
        table = audioset.read_clips(path)
        belongs = [hashing.part_of(ytid, parts) == part for ytid in table["ytid"]]
        found.update(Clip(*row) for row in table.loc[belongs, audioset.KEY].itertuples(index=False, name=None))
    return sorted(found)


def write_manifest(path: Path, clips: list[Clip], store: Store, gave_up: str | None) -> None:
    """Write one row a clip, sorted by id and start."""
    rows = []
    for clip in clips:
        record = store.record(clip) or Record(gave_up or "failed", "not tried: the job gave up before")
        row = {key: value for key, value in asdict(record).items() if key in audioset.MANIFEST_COLUMNS}
        rows.append({**asdict(clip), **row, **record.media})
    table = pd.DataFrame(rows, columns=audioset.MANIFEST_COLUMNS).astype(audioset.MANIFEST_TYPES)
    with files.replacing(path) as temporary:
        table.to_csv(temporary, index=False)
    counts = table["status"].value_counts()
    _log.info("%s: %s", path, ", ".join(f"{n} {status}" for status, n in counts.items()) or "no clips")


if __name__ == "__main__":
    stage.main(fetch_clips, globals().get("snakemake"))

"""fetch_clips killed at random moments: what is re-run ends as if nothing had happened, and fetches nothing twice."""

import multiprocessing
import random
import time
from pathlib import Path

import pandas as pd
import pytest

from l3net.acquisition.clip_store import ClipStore
from l3net.audioset.clip import clip_path
from l3net.audioset.clip_tables import read_manifest
from l3net.files.kept import sha256_of
from tests import media_sources
from tests.loopback import Server, serving
from tests.stages.loading import stage_function

fetch_clips = stage_function("fetch_clips")
N_KILLS = 20
# A process that has read lists (polars) or served (threads) must not be forked: a server without threads forks.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def fetch(arguments: dict) -> None:
    """Run fetch_clips in a process of its own."""
    fetch_clips(**arguments)


def settings(folder: Path, server: Server) -> dict:
    """Return the arguments of fetch_clips for five clips of 2 s, one of which the server never gives."""
    rows = [f"kill--{n:05d},1.0,3.0,/m/04rlf" for n in range(5)]
    clips = folder.parent / "clips.csv"
    clips.write_text("\n".join(["ytid,start_seconds,end_seconds,labels", *rows]) + "\n")
    return {
        "clips": [clips],
        "manifest": folder / "manifest.csv",
        "store": folder / "store",
        "source": "http",
        "url_template": server.url + "/{ytid}.mp4",
        "allow_private_addresses": True,
        "part": 0,
        "parts": 1,
        "short_side": 48,
        "preset": "ultrafast",
    }


def outcome(folder: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the manifest without the times of attempts, and the store's media files by digest."""
    manifest = read_manifest(folder / "manifest.csv").drop(columns="attempted_at")
    return manifest, {path.name: sha256_of(path) for path in sorted((folder / "store").rglob("*.mkv"))}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    video = media_sources.video(tmp_path_factory.mktemp("video") / "v.mp4", seconds=4, size="64x48")
    with serving() as running:
        running.answers = {f"/kill--{n:05d}.mp4": video for n in range(5)} | {"/kill--00003.mp4": 500}
        yield running


def test_twenty_kills_leave_no_trace(server, tmp_path):
    (tmp_path / "undisturbed").mkdir()
    started = time.monotonic()
    fetch_clips(**settings(tmp_path / "undisturbed", server))
    seconds = time.monotonic() - started
    manifest, digests = outcome(tmp_path / "undisturbed")
    assert manifest["status"].tolist() == ["ok"] * 3 + ["http_error", "ok"]
    assert manifest["attempts"].tolist() == [1] * 3 + [3, 1]
    draw, n_kills, number = random.Random(0), 0, 0
    while n_kills < N_KILLS:
        number += 1
        folder = tmp_path / f"kill-{number}"
        folder.mkdir()
        arguments = settings(folder, server)
        child = PROCESSES.Process(target=fetch, args=(arguments,))
        started = time.monotonic()
        child.start()
        child.join(draw.uniform(0.0, seconds))
        if child.exitcode is not None:  # it was faster: the moments to come are drawn from the time it took
            assert child.exitcode == 0
            seconds = time.monotonic() - started
            continue
        child.kill()
        child.join()
        seconds *= 1.1  # and if it is slower, so that no moment of it is left out
        if arguments["manifest"].exists() and not list((folder / "store" / ".runs").iterdir()):
            continue  # its work was done
        n_kills += 1
        finished = {path.name for path in folder.rglob("*.mkv") if ".work" not in path.parts}
        before = server.requests.copy()
        fetch_clips(**arguments)
        again, digests_again = outcome(folder)
        pd.testing.assert_frame_equal(again, manifest)
        assert digests_again == digests
        for name in finished:
            assert server.requests[f"/{name[:11]}.mp4"] == before[f"/{name[:11]}.mp4"], name
        left = sorted(path.name for path in (folder / "store").rglob("*") if path.is_file())
        records = [f"kill--{n:05d}_0001000_0003000.json" for n in range(5)]
        assert left == sorted([*digests, *records, "lock", "store.json"])


def test_two_jobs_on_one_store_do_not_clash(server, tmp_path):
    """Two runs whose lists share every clip work at once in one store."""
    folders = [tmp_path / "one", tmp_path / "two"]
    jobs = []
    for folder in folders:
        folder.mkdir()
        arguments = settings(folder, server) | {"store": tmp_path / "store"}
        jobs.append(PROCESSES.Process(target=fetch, args=(arguments,)))
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
        assert job.exitcode == 0
    tables = [read_manifest(folder / "manifest.csv") for folder in folders]
    usable = tables[0]["status"] == "ok"
    assert usable.sum() == 4
    assert tables[0]["sha256"].tolist() == tables[1]["sha256"].tolist()
    for row in tables[0][usable].itertuples():
        path = clip_path(tmp_path / "store", row.ytid, row.start_seconds, row.end_seconds)
        assert sha256_of(path) == row.sha256


def test_another_job_on_the_same_clip_does_not_make_attempts_endless(server, tmp_path, monkeypatch):
    """The other writes its own record after each attempt of this one, as a job of another run may."""
    from l3net.acquisition.clip_store import ClipRecord

    keep = ClipStore.keep

    def keep_then_other(self, clip, record, work, made=None):
        kept = keep(self, clip, record, work, made)
        if not kept.usable:
            keep(self, clip, ClipRecord("http_error", "other", source=record.source, run="other", run_attempts=1), work)
        return self.record(clip)

    monkeypatch.setattr(ClipStore, "keep", keep_then_other)
    before = server.requests.copy()
    fetch_clips(**settings(tmp_path / "run", server))
    assert server.requests["/kill--00003.mp4"] - before["/kill--00003.mp4"] == 3


def test_work_folders_of_living_jobs_are_left_alone(tmp_path):
    store = ClipStore(tmp_path / "store", {})
    with store.work_folder() as mine:
        (mine / "half.mkv").write_bytes(b"x")
        with ClipStore(tmp_path / "store", {}).work_folder() as other:
            assert (mine / "half.mkv").exists()
        assert not other.exists()
    assert not mine.exists()


def test_work_folders_of_killed_jobs_are_swept(tmp_path):
    (tmp_path / "store" / ".work" / "0123").mkdir(parents=True)
    (tmp_path / "store" / ".work" / "0123" / "half.mkv").write_bytes(b"x")
    (tmp_path / "store" / ".work" / "0123" / "lock").touch()
    with ClipStore(tmp_path / "store", {}).work_folder():
        assert not (tmp_path / "store" / ".work" / "0123").exists()


def test_a_clip_that_lost_bytes_is_fetched_again(server, tmp_path):
    arguments = settings(tmp_path / "run", server)
    fetch_clips(**arguments)
    first = outcome(tmp_path / "run")
    damaged = sorted((tmp_path / "run" / "store").rglob("*.mkv"))[0]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    fetch_clips(**arguments)
    assert outcome(tmp_path / "run")[1] == first[1]


def test_disk_that_is_full_is_not_blamed_on_the_clips(server, tmp_path, monkeypatch):
    from l3net.acquisition import part_job
    from l3net.errors import ClipError

    monkeypatch.setattr(part_job, "_FULL_BYTES", 1 << 60)
    with pytest.raises(ClipError, match="the disk is full; make room"):
        fetch_clips(**settings(tmp_path / "run", server))
    assert not (tmp_path / "run" / "manifest.csv").exists()

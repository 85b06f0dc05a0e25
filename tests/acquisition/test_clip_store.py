"""Records of clips that were not obtained: un-marked by status, reason and time, and never those that are there."""

import json
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from l3net.acquisition.clip_store import ClipRecord, ClipStore, unmark_clips
from l3net.audioset.clip import Clip
from l3net.cli.main import main
from l3net.errors import ConfigError


def clip(n: int) -> Clip:
    return Clip(f"clip-{n:06d}", 0.0, 10.0)


@pytest.fixture
def store(tmp_path: Path) -> ClipStore:
    made = ClipStore(tmp_path / "store", {"crf": 23})
    records = [
        ("removed", "This content isn't available.", "2026-03-01T23:00:00+00:00"),
        ("removed", "This video has been removed by the uploader", "2026-03-01T23:00:00+00:00"),
        ("removed", "This content isn't available.", "2026-02-01T23:00:00+00:00"),
        ("private", "Private video", "2026-03-01T23:00:00+00:00"),
        ("ok", "", "2026-03-01T23:00:00+00:00"),
    ]
    with made.work_folder() as work:
        for n, (status, reason, at) in enumerate(records):
            (work / "a.mkv").write_bytes(b"media")
            record = ClipRecord(status, reason, 1, at, media={"bytes": 5} if status == "ok" else {})
            made.keep(clip(n), record, work, work / "a.mkv" if status == "ok" else None)
    return made


def left(store: ClipStore) -> list[int]:
    return [n for n in range(5) if store.record(clip(n)) is not None]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"status": "removed"}, [3, 4]),
        ({"status": "removed", "reason": "CONTENT isn't"}, [1, 3, 4]),
        ({"status": "removed", "since": "2026-03-01"}, [2, 3, 4]),
        ({"status": "removed", "reason": "content", "since": "2026-03-01T22:00"}, [1, 2, 3, 4]),
        ({"status": "bot_check"}, [0, 1, 2, 3, 4]),
        ({"status": "removed", "since": "2026-03-02T01:00+02:00"}, [2, 3, 4]),
        ({"status": "removed", "since": "2026-03-02T01:00+01:00"}, [0, 1, 2, 3, 4]),
        ({"reason": "isn\u2019t available"}, [1, 3, 4]),
        ({"since": "2026-03-01"}, [2, 4]),
    ],
)
def test_clips_are_unmarked_by_status_reason_and_time(store: ClipStore, chosen: dict, expected: list[int]) -> None:
    assert unmark_clips(store.folder, **chosen) == 5 - len(expected)
    assert left(store) == expected


def test_what_is_no_status_time_or_store_is_told(store: ClipStore, tmp_path: Path) -> None:
    for status in ("ok", "gone"):
        with pytest.raises(ConfigError, match=f"status '{status}': expected private, removed, "):
            unmark_clips(store.folder, status=status)
    with pytest.raises(ConfigError, match="since 'yesterday': expected a date or time such as"):
        unmark_clips(store.folder, status="removed", since="yesterday")
    with pytest.raises(ConfigError, match=r"which clips\? give a status, a reason or a time"):
        unmark_clips(store.folder)
    with pytest.raises(ConfigError, match="since '0001-01-01T00:00\\+14:00': expected a date or time"):
        unmark_clips(store.folder, since="0001-01-01T00:00+14:00")
    with pytest.raises(ConfigError, match="is no store of clips"):
        unmark_clips(tmp_path, status="removed")


def test_the_command(store: ClipStore, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["clips", "retry", "--store", str(store.folder), "--status", "removed", "--reason", "content"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == "2 clips are asked for again by: snakemake -R fetch_clips\n"
    assert main([*arguments[:-3], "ok"]) == 1
    assert "l3net: status 'ok': expected" in capsys.readouterr().err


def test_a_record_is_plain_json(store: ClipStore) -> None:
    record = json.loads(store.path(clip(3)).with_suffix(".json").read_text())
    assert record == asdict(store.record(clip(3)))


DAMAGED = [b"", b'{"status": "ok"', b"\x00" * 200, b"[]", b'{"status": "fine"}', b'{"status": "ok", "media": "5"}']


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_record_is_passed_over_and_said(
    store: ClipStore, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = store.path(clip(4)).with_suffix(".json")
    path.write_bytes(content)
    assert store.record(clip(4)) is None
    assert f"{path} is damaged and is passed over" in caplog.text
    with store.work_folder() as work:
        kept = ClipRecord("ok", media={"bytes": 5})
        assert store.keep(clip(4), kept, work) == kept == store.record(clip(4))


def test_a_whole_clip_with_a_damaged_record_is_not_fetched_again(store: ClipStore, monkeypatch) -> None:
    from l3net.acquisition import part_job
    from l3net.acquisition.clip_check import CheckedClip

    job = part_job.PartJob(store, source=None, pace=None, run="run")
    monkeypatch.setattr(
        part_job, "check_clip", lambda path, clip: CheckedClip(status="ok", media={"bytes": 5}, longest_seconds=10.0)
    )
    store.path(clip(4)).with_suffix(".json").write_text("")
    assert job._found_in_store(clip(4), store.record(clip(4))).status == "ok"
    record = asdict(ClipRecord("ok", media={"bytes": 4}))  # whole, of another media file: that one is not the clip
    store.path(clip(4)).with_suffix(".json").write_text(json.dumps(record))
    assert job._found_in_store(clip(4), store.record(clip(4))) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_damaged_settings_of_a_store_are_written_anew(
    store: ClipStore, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (store.folder / "store.json").write_text(content)
    with ClipStore(store.folder, {"crf": 23}).work_folder():
        pass
    assert json.loads((store.folder / "store.json").read_text()) == {"crf": 23}
    assert "store.json is damaged and is passed over" in caplog.text
    with pytest.raises(ConfigError, match="holds clips with crf 23, not crf 24"):
        ClipStore(store.folder, {"crf": 24})


@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"no token"])
def test_a_damaged_token_of_a_run_is_drawn_anew(store: ClipStore, content: bytes) -> None:
    (store.folder / ".runs").mkdir(exist_ok=True)
    (store.folder / ".runs" / "part").write_bytes(content)
    with store.work_folder() as work, store.run("part", work) as token:
        assert len(token) == 16
        assert (store.folder / ".runs" / "part").read_text() == token


def test_a_job_that_begins_waits_for_none_that_is_at_work_and_leaves_its_folder(store: ClipStore) -> None:
    begun = []

    def begin() -> None:
        with store.work_folder() as mine:
            begun.append(mine)

    with store.work_folder() as first:
        (first / "clip.mkv").write_bytes(b"half")
        other = threading.Thread(target=begin, daemon=True)
        other.start()
        other.join(60)
        assert len(begun) == 1
        assert (first / "clip.mkv").read_bytes() == b"half"
    assert not begun[0].exists()


def test_a_job_that_begins_removes_what_a_killed_one_left(store: ClipStore) -> None:
    left = store.folder / ".work" / "0123456789abcdef"
    left.mkdir()
    for name in ("lock", "clip.mkv"):
        (left / name).write_bytes(b"half")
    with store.work_folder() as mine:
        assert [path for path in mine.parent.iterdir() if path.is_dir()] == [mine]

"""The journal of a run: what is running, done and failed, whatever happened to the process that wrote it."""

import os
from pathlib import Path

import pytest

from l3net.runs import Journal, journal, read_journal


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(journal.FOLDER, str(tmp_path / "logs"))
    return tmp_path / "logs"


def test_a_journal_tells_what_runs_what_is_done_and_what_failed(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100, 200))
    monkeypatch.setattr(journal.time, "time", lambda: float(next(clock)))
    written = Journal()
    written.begin({"make_shard": 3, "all": 1})
    for number in (1, 2, 3):
        written.started(number, "make_shard", f"make_shard music 000{number}", f"{number}.log")
    written.ended(1)
    written.failed(2, "make_shard music 0002 failed: no room")
    so_far = read_journal(logs)
    assert (so_far.n_jobs, so_far.n_done, so_far.is_over, so_far.is_alive) == (4, 1, False, True)
    assert so_far.seconds == {"make_shard": [3.0]}  # started at 101, ended at 104
    assert [job["name"] for job in so_far.running.values()] == ["make_shard music 0003"]
    assert so_far.failed == {2: "make_shard music 0002 failed: no room"}
    written.started(2, "make_shard", "make_shard music 0002", "2.log")  # tried again
    assert read_journal(logs).failed == {}
    written.end()
    assert read_journal(logs).is_over


def test_another_start_begins_it_anew_and_a_cut_line_is_passed_over(logs: Path) -> None:
    Journal().begin({"a": 5})
    Journal().begin({"a": 2})
    with open(logs / "jobs.jsonl", "a") as file:
        file.write('{"what": "ended", "numb')
    assert read_journal(logs).counts == {"a": 2}


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "7",
        "null",
        '{"a": 1}',
        '{"what": "ended", "time": 3.0}',
        '{"what": ["ended"], "time": 3.0, "number": 1}',
        '{"what": "ended", "time": NaN, "number": 1}',
        '{"what": "ended", "time": "3", "number": 1}',
        '{"what": "failed", "time": 3.0, "number": {}, "reason": "x"}',
        '{"what": "began", "time": 3.0, "jobs": [1], "pid": 1, "host": "h"}',
        '{"what": "began", "time": 3.0, "jobs": {"a": "x"}, "pid": 1, "host": "h"}',
        '{"what": "began", "time": 3.0, "jobs": {"a": 1}, "pid": 1e30, "host": "h"}',
        f'{{"what": "began", "time": 3.0, "jobs": {{"a": 1}}, "pid": {10**30}, "host": "h"}}',
        "[" * 100_000,
        "\udcff\udcfe",
    ],
)
def test_a_damaged_line_is_passed_over_and_the_others_count(logs: Path, line: str) -> None:
    written = Journal()
    written.begin({"a": 2})
    written.started(1, "a", "a 1", "1.log")
    with open(logs / "jobs.jsonl", "ab") as file:
        file.write(line.encode(errors="surrogateescape") + b"\n")
    written.ended(1)
    so_far = read_journal(logs)
    assert (so_far.n_jobs, so_far.n_done, so_far.failed) == (2, 1, {})


def test_a_run_whose_process_is_gone_is_known_as_dead(logs: Path) -> None:
    Journal().begin({"a": 1})
    path = logs / "jobs.jsonl"
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    path.write_text(path.read_text().replace(f'"pid": {os.getpid()}', f'"pid": {gone}'))
    assert read_journal(logs).is_alive is False
    path.write_text(path.read_text().replace('"host": "', '"host": "not-'))
    assert read_journal(logs).is_alive is None


def test_a_journal_that_cannot_be_written_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    monkeypatch.setenv(journal.FOLDER, str(tmp_path / "logs"))
    written = Journal()
    written.begin({"a": 1})
    written.started(1, "a", "a", "")
    assert read_journal(tmp_path / "nowhere") is None

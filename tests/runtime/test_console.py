"""What a run shows on the screen, given the messages that Snakemake sends."""

import socket
from pathlib import Path

import pytest

from l3net.runtime import console, logs
from l3net.runtime.console import Console


def started(run: Console, number: int, rule: str, log: Path | str = "", **wildcards: str) -> None:
    fields = {"jobid": number, "rule_name": rule, "wildcards": wildcards, "log": [str(log)] if log else []}
    assert run.lines("job_info", fields, "") == []


def ended(run: Console, number: int) -> list[str]:
    return run.lines("job_finished", {"job_id": number}, "")


def failed(run: Console, number: int, rule: str, log: Path) -> list[str]:
    return run.lines("job_error", {"jobid": number, "rule_name": rule, "log": [str(log)]}, "", is_error=True)


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(f"2026-11-28 07:30:2{n},123 {line}" for n, line in enumerate(lines)) + "\n")
    return path


def test_a_job_is_one_line_with_its_name_its_count_and_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    run, clock = Console(), iter([90.0, 100.0, 130.0, 400.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    stats = {"train_leg": 2, "make_shard": 9, "a": 1, "b": 1, "c": 1, "d": 1, "all": 1, "total": 16}
    assert run.lines("run_info", {"stats": stats}, "Job stats: ...") == [
        "16 jobs: 9 make_shard, 2 train_leg, 1 a, 1 b, 1 c, 2 others"
    ]
    started(run, 7, "train_leg", model="music-mel256", epoch="012")
    started(run, 8, "all")
    (line,) = ended(run, 7)
    assert line[8:] == " 1 of 16  train_leg music-mel256 012  5 min"
    assert run.lines("run_info", {"stats": stats}, "again, at the end") == []


def test_what_snakemake_says_of_its_own_work_is_left_out_and_the_rest_is_passed_on() -> None:
    run = Console()
    for text in ("Building DAG of jobs...", "Using shell: /usr/bin/bash", "Execute 2 jobs...", "Complete log(s): x"):
        assert run.lines(None, {}, text) == []
    assert run.lines("resources_info", {}, "Provided cores: 2") == []
    assert run.lines(None, {}, "Unlocked working directory.") == ["Unlocked working directory."]
    assert run.last_lines() == []


def test_an_error_about_a_file_of_configuration_is_no_word_about_its_own_work() -> None:
    run, said = Console(), "Config file must be given as JSON or YAML with keys at top level."
    assert run.lines(None, {}, "Config file config.yaml is extended by additional config") == []
    assert run.lines("error", {}, f"WorkflowError:\n{said}", is_error=True) == [said]


def test_the_error_of_a_job_is_the_last_error_of_its_log_and_stands_once(tmp_path: Path) -> None:
    run = Console()
    log = written(tmp_path / "a.log", "INFO reading", "ERROR make_shard: clip b: cut short", "INFO end")
    started(run, 3, "make_shard", log, subset="music", part="0001")
    assert (
        run.lines("error", {}, "CalledProcessError in ...\nCommand x returned non-zero exit status 1.", is_error=True)
        == []
    )
    (line,) = failed(run, 3, "make_shard", log)
    assert line == f"make_shard music 0001 failed: clip b: cut short (log: {log})"
    assert run.lines(None, {}, "Elapsed time: 0:00:03") == []
    assert run.lines("error", {}, "At least one job did not complete successfully.", is_error=True) == []
    assert run.last_lines() == []  # it is the last line already


def test_errors_stand_at_the_end_again_where_other_jobs_went_on(tmp_path: Path) -> None:
    run = Console()
    logs = [written(tmp_path / f"{n}.log", f"ERROR fetch_clips: reason {n}") for n in (1, 2, 3)]
    for n, log in enumerate(logs, start=1):
        started(run, n, "fetch_clips", log, part=f"000{n}")
        failed(run, n, "fetch_clips", log)
    assert len(ended(run, 2)) == 1  # it was tried again, with success
    last = run.last_lines()
    assert last[0] == "2 jobs failed; the same command goes on:"
    assert [line.partition(" (log")[0] for line in last[1:]] == [
        "fetch_clips 0001 failed: reason 1",
        "fetch_clips 0003 failed: reason 3",
    ]


def test_an_unexpected_error_is_named_by_its_exception(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(
        "2026-11-28 07:30:20,123 ERROR train_leg: unexpected error\nTraceback (most recent call last):\n"
        "  File \"x.py\", line 1, in f\nKeyError: 'mel'\n"
    )
    assert logs.reason_in(log) == "train_leg: unexpected error: KeyError: 'mel'"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "killed, or out of memory"), ("2026-11-28 07:30:20,1 INFO on\n", "killed"), (None, "no log")],
)
def test_a_job_that_left_no_error(tmp_path: Path, text: str | None, reason: str) -> None:
    if text is not None:
        (tmp_path / "a.log").write_text(text)
    assert reason in logs.reason_in(tmp_path / "a.log")


def test_a_group_tells_each_job_that_failed(tmp_path: Path) -> None:
    run, log = Console(), written(tmp_path / "a.log", "ERROR embed_dataset: no memory")
    innocent = written(tmp_path / "b.log", "INFO done")
    jobs = [("classify_dataset", innocent), ("embed_dataset", log)]
    info = [{"jobid": n, "rule_name": name, "log": [str(path)], "output": []} for n, (name, path) in enumerate(jobs)]
    (line,) = run.lines("group_error", {"job_error_info": info}, "", is_error=True)
    assert line.startswith("embed_dataset failed: no memory (log")


def test_failed_logs_are_shown_where_that_is_asked_for(tmp_path: Path) -> None:
    run, log = Console(shows_logs=True), written(tmp_path / "a.log", "INFO reading b", "ERROR make_shard: no b")
    started(run, 1, "make_shard", log)
    shown = failed(run, 1, "make_shard", log)
    assert [line.split(" ", 4)[4] for line in shown[:-1]] == ["INFO reading b", "ERROR make_shard: no b"]
    assert shown[-1].startswith("make_shard failed: no b")


def test_an_error_of_snakemake_keeps_its_words_and_loses_its_places() -> None:
    text = 'WorkflowError in file "/a/common.smk", line 25:\nconfig: run: missing\n  File "/a/Snakefile", line 3, in x'
    run = Console()
    assert run.lines("error", {}, text, is_error=True) == ["config: run: missing"]
    assert run.last_lines() == []
    run.lines(None, {}, "something else")
    assert run.last_lines() == ["config: run: missing"]


def test_a_run_without_errors_ends_with_how_to_make_its_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(console.REPORT, "report: make report CONFIG=x.yaml")
    clock = iter([1000.0, 1805.0, 1840.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    run = Console()
    run.lines("run_info", {"stats": {"all": 1}}, "")
    run.lines("job_finished", {"job_id": 0}, "")
    assert run.lines(None, {}, "report: make report CONFIG=x.yaml") == []  # Snakefile: onsuccess
    assert run.lines(None, {}, "Elapsed time: 0:13:25.123456") == ["done in 13 min"]
    assert run.last_lines() == ["report: make report CONFIG=x.yaml"]
    assert run.lines(None, {}, "Elapsed time: 0:13:25.123456") == ["done in 14 min"]
    run = Console()
    run.lines(None, {}, "Nothing to be done (all requested files are present and up to date).")
    assert run.last_lines() == ["report: make report CONFIG=x.yaml"]


def test_a_run_that_leaves_jobs_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1000.0, 1001.0, 1002.0, 1014.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    run = Console()
    run.lines("run_info", {"stats": {"make_shard": 1, "train_leg": 2}}, "")
    run.lines("job_info", {"rule_name": "make_shard", "jobid": 1, "log": []}, "")
    run.lines("job_finished", {"job_id": 1}, "")
    (line,) = run.lines(None, {}, "Elapsed time: 0:00:14.1")
    assert line == "1 of 3 jobs done in 14 s: where --until names several rules, the run ends at the first of them"


def test_a_run_that_was_interrupted_does_not_say_that_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(console.REPORT, "report: make report CONFIG=x.yaml")
    run = Console()
    run.lines("run_info", {"stats": {"make_shard": 2, "all": 1}}, "")
    started(run, 1, "make_shard")
    ended(run, 1)
    said = "stopped after 0 s, 1 of 3 jobs done; the same command goes on"
    assert run.lines(None, {}, "Elapsed time: 0:00:00.1") == [said]
    run.lines(None, {}, "OSError: Missing files after 5 seconds.", is_error=True)
    for number in (2, 3):
        started(run, number, "make_shard")
        ended(run, number)
    assert run.lines(None, {}, "Elapsed time: 0:00:00.1") == [said.replace("1 of", "3 of")]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (119, "119 s"), (125, "2 min"), (7300, "2.0 h"), (200_000, "2.3 days")]
)
def test_times_as_people_say_them(seconds: float, text: str) -> None:
    assert console.duration(seconds) == text


def test_a_console_speaks_for_the_jobs_of_its_own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(logs.SPEAKER, socket.gethostname())
    assert logs.tells_how_jobs_end()
    monkeypatch.setenv(logs.SPEAKER, "another")
    assert not logs.tells_how_jobs_end()

"""Every stage, killed at random moments or on a disk without room: nothing partial, one line, the same artefacts."""

import re
from pathlib import Path

import pytest

from tests.faults.conftest import FULL
from tests.faults.results import Notes
from tests.faults.stage_jobs import STAGES

pytestmark = pytest.mark.timeout(7200)  # the first test waits for the process that tries them all


def test_every_rule_has_a_job_here(root: Path) -> None:
    rules = re.findall(r"^rule (\w+):", "".join(path.read_text() for path in (root / "rules").glob("*.smk")), re.M)
    assert set(STAGES) == set(rules)


@pytest.mark.parametrize("name", STAGES)
def test_what_follows_a_kill_is_what_would_have_been(name: str, stages_tried: list[dict], notes: Notes) -> None:
    (row,) = [row for row in stages_tried if (row["what"], row["stage"]) == ("kill", name)]
    notes.note("stages", name, killed=row["killed"], kill_wrong=len(row["wrong"]))
    assert sum(row["killed"].values()) == (20 if FULL else 1)
    assert row["wrong"] == []


@pytest.mark.parametrize("condition", ["full", "half", "read-only", "file-limit"])
@pytest.mark.parametrize("name", STAGES)
def test_a_disk_without_room_is_one_line(name: str, condition: str, stages_tried: list[dict], notes: Notes) -> None:
    rows = [row for row in stages_tried if (row["what"], row["stage"]) == (condition, name)]
    if not rows:
        pytest.skip("not in the short form" if not FULL else "only root can mount a small disk")
    notes.note(
        "stages", name, **{condition: "-" if "left_out" in rows[0] else ", ".join(rows[0]["wrong"]) or "one line"}
    )
    assert rows[0]["wrong"] == [], rows[0]["said"]

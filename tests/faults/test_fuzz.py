"""Inputs of every kind, harmed: the right result or one line of at most 400 characters, within 60 s and 2 GB."""

import pytest

from tests.faults.conftest import FULL, Driven
from tests.faults.fuzz_kinds import KINDS
from tests.faults.results import PAGE, Notes, read_kept, with_tables
from tests.faults.stage_jobs import STAGES

pytestmark = pytest.mark.timeout(7200)


@pytest.mark.parametrize("name", KINDS)
def test_harm_gives_the_right_result_or_one_line(name: str, inputs_harmed: Driven, notes: Notes) -> None:
    (row,) = [row for row in inputs_harmed.found if row["kind"] == name]
    counts = {outcome: row.get(outcome, 0) for outcome in ("same", "another", "refused", "other")}
    notes.note("fuzz", name, n=row["n"], tells=row["tells"], another_by=row["another_by"], **counts)
    assert row["n"] == (300 if FULL else 20)
    assert sum(counts.values()) == row["n"]
    assert counts["other"] == 0, row["examples"]
    if row["tells"]:
        assert counts["another"] == 0, row["examples"]
    assert counts["refused"] > 0


def test_the_page_shows_what_the_last_full_run_saw() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_tables(text) == text
    kept = read_kept()
    assert set(kept["stages"]) <= set(STAGES)
    assert set(kept["fuzz"]) <= set(KINDS)

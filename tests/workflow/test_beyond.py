"""The table of what users ask for: every page, preset and test that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "beyond.md"


def rows() -> list[list[str]]:
    """Return the cells of the table's rows."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """Return the names of all tests."""
    found = (
        re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE) for path in (ROOT / "tests").rglob("test_*.py")
    )
    return {name for names in found for name in names}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_what_a_row_names_is_there(row: list[str], tests: set[str]) -> None:
    wish, answer, page, tested = row
    assert wish
    (link,) = re.findall(r"\[\w[\w ]*\]\(([^)]+)\)", page)
    assert (PAGE.parent / link).is_file()
    named = re.findall(r"`([^`]+)`", tested)
    assert named
    for name in named:
        if "/" in name:
            assert (ROOT / name).exists(), name
        elif name.endswith(".py"):
            assert any((ROOT / "tests").rglob(name)), name
        else:
            assert name in tests, name
    for name in re.findall(r"`((?:presets|docs|tests)/[^`]+)`", answer):
        assert (ROOT / name).is_file(), name


def test_no_row_is_missed() -> None:
    assert len(rows()) >= 18
    assert len({row[0] for row in rows()}) == len(rows())

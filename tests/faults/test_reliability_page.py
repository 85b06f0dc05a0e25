"""docs/reliability.md can be checked: every test that it names is there, and each table of it has a row for all."""

import fnmatch
import re
from pathlib import Path

from tests.faults.results import PAGE, read_kept

TESTS = Path(__file__).parents[1]


def test_every_test_that_the_page_names_is_there() -> None:
    modules = list(TESTS.rglob("*.py"))
    defined = {name for path in modules for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))}
    places = {path.relative_to(TESTS).with_suffix("").as_posix() for path in modules}
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w/])test_[\w*]+(?:\.py)?", page))
    assert len(named) > 100
    missing = {name for name in named if not fnmatch.filter(defined, name)}
    in_words = {name.removesuffix(".py") for name in missing}
    of_modules = {place.rpartition("/")[2] for place in places}
    assert in_words <= of_modules, sorted(in_words - of_modules)
    paths = {
        found.removesuffix(".py").removeprefix("tests/") for found in re.findall(r"\w[\w/]*/test_\w+(?:\.py)?", page)
    }
    assert paths <= places, sorted(paths - places)


def test_every_stage_has_been_killed() -> None:
    rules = "".join(path.read_text(encoding="utf-8") for path in (TESTS.parent / "rules").glob("*.smk"))
    stages = read_kept()["stages"]
    assert set(stages) == set(re.findall(r"^rule (\w+):", rules, re.MULTILINE))
    assert all(sum(row["killed"].values()) == 20 and not row["kill_wrong"] for row in stages.values())


def test_every_kind_of_input_has_been_harmed_300_times() -> None:
    kinds = (TESTS / "faults" / "fuzz_kinds.py").read_text(encoding="utf-8")
    named = set(re.findall(r'^ +\(?"([\w.]+)", ?\(|^ +"([\w.]+)",$', kinds, re.MULTILINE))
    kept = {name: row for name, row in read_kept()["fuzz"].items() if "n" in row}
    assert {name for pair in named for name in pair if name} == set(kept)
    assert all((row["n"], row["other"]) == (300, 0) for row in kept.values())

"""Planting faults: each mutant is one change, valid code, and of code only."""

import ast
from pathlib import Path

from tests.mutation.mutants import mutants_of, sample

CODE = '''"""A module: 1 < 2."""
import logging

_log = logging.getLogger("x")


def chosen(a: int, b: int = 3) -> int:
    """Return 4 + 5."""
    _log.info("%d", a + b)
    if not a or a < b:
        raise ValueError(f"{a + b}")
    return max(a, b) + call(first=a, second=b)
'''


def test_a_mutant_is_one_change_of_code(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(CODE)
    found = {mutant.fault: mutant for mutant in mutants_of(tmp_path / "module.py", "module.py")}
    assert set(found) == {
        "(4)",
        "(not a and a < b)",
        "(a)",
        "(a <= b)",
        "return None",
        "(max(a, b) - call(first=a, second=b))",
        "(max(b, a))",
        "(min(a, b))",
        "(call(first=b, second=a))",
    }
    for mutant in found.values():
        changed = ast.parse(mutant.source(CODE))
        assert ast.dump(changed) != ast.dump(ast.parse(CODE))
        assert mutant.source(CODE).count("\n") == CODE.count("\n")


def test_the_sample_is_the_same_every_time_and_where_other_lines_change(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(CODE)
    first = [mutant.key for mutant in sample(tmp_path, 3)]
    assert len(first) == len(set(first)) == 3
    (tmp_path / "module.py").write_text(CODE.replace("import logging\n", "import logging\nimport ast\n"))
    assert [mutant.key for mutant in sample(tmp_path, 3)] == first


def test_the_sample_follows_a_file_that_moves_and_draws_anew_where_a_line_has_gone(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(CODE)
    drawn = [mutant.key for mutant in sample(tmp_path, 2)]
    others = [mutant.key for mutant in sample(tmp_path, 3)][2:]
    (tmp_path / "room").mkdir()
    (tmp_path / "module.py").rename(tmp_path / "room" / "module.py")
    moved = sample(tmp_path, 2, drawn)
    assert [mutant.key for mutant in moved] == drawn
    assert {mutant.module for mutant in moved} == {"room/module.py"}
    gone = ["module.py: pass -> (1)", drawn[1]]
    assert [mutant.key for mutant in sample(tmp_path, 3, gone)] == [drawn[1], drawn[0], *others]

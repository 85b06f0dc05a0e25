"""The floor plan: a module imports only from floors below its own (the ground floor from itself too).

The plan is the one that the library tells in its docstring.
"""

import ast
import re
from pathlib import Path

import pytest

import l3net

LIBRARY = Path(l3net.__file__).parent
MODULES = sorted(path for path in LIBRARY.glob("*.py") if path.stem != "__init__")


def floors() -> dict[str, int]:
    """Return the floor of every module in the plan; a floor may take several lines."""
    told = re.split(r"^ +(\d) ", l3net.__doc__, flags=re.MULTILINE)[1:]
    return {module: int(floor) for floor, names in zip(told[::2], told[1::2], strict=True) for module in names.split()}


FLOOR = floors()


def imports(path: Path) -> set[str]:
    """Return every module that the file imports, inside functions too; ``l3net.x`` as ``l3net.x``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "l3net":
            found |= {f"l3net.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_stands_on_its_floor(path: Path) -> None:
    assert path.stem in FLOOR, f"{path.stem} has no floor: add it to the plan in l3net/__init__.py"
    for name in imports(path):
        if name.startswith("l3net."):
            below = name.split(".")[1]
            is_below = FLOOR[below] < FLOOR[path.stem] or FLOOR[below] == FLOOR[path.stem] == 0
            assert is_below, f"{path.stem} imports {below}"
        if name.split(".")[0] in {"tensorflow", "keras"}:
            assert FLOOR[path.stem] >= 2, f"{path.stem} (floor {FLOOR[path.stem]}) imports {name}"


def test_plan_names_no_module_that_is_not_there() -> None:
    assert set(FLOOR) == {path.stem for path in MODULES}

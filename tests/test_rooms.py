"""The plan of the library: small rooms, and TensorFlow only where networks are.

That a room imports only from rooms below it is import-linter's to check (pyproject.toml, `make lint`).
"""

import ast
from pathlib import Path

import pytest

import l3net

LIBRARY = Path(l3net.__file__).parent
ROOMS = sorted(path.parent for path in LIBRARY.glob("*/__init__.py"))
MODULES = sorted(LIBRARY.rglob("*.py"))
WITH_TENSORFLOW = {"devices", "feed", "models", "inference", "training", "embeddings", "downstream", "hear.py"}
MOST_FILES, MOST_LINES = 12, 220


def imported(path: Path) -> set[str]:
    """Return the first names of all modules that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_the_rooms_are_there() -> None:
    assert {"runtime", "media", "audioset", "samples", "training", "cli"} <= {room.name for room in ROOMS}
    outside = {path.name for path in LIBRARY.glob("*.py")}
    assert outside == {"__init__.py", "errors.py", "hear.py"}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_is_small_and_says_what_it_is_for(room: Path) -> None:
    files = [path.name for path in room.iterdir() if path.suffix in {".py", ".cpp", ".hpp"}]
    assert len(files) <= MOST_FILES, f"{room.name} has {len(files)} files"
    assert ast.get_docstring(ast.parse((room / "__init__.py").read_text()))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_a_module_is_short_and_loads_tensorflow_only_where_networks_are(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES
    if path.relative_to(LIBRARY).parts[0] not in WITH_TENSORFLOW:
        assert not imported(path) & {"tensorflow", "keras"}

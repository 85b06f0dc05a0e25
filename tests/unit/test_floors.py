"""The floor plan: a module imports only from floors below its own (the ground floor from itself too)."""

import ast
import re
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "workflow" / "scripts" / "l3net"
FLOORS = [
    {"errors", "files", "hashing", "interrupts", "progress", "provenance", "shard_format", "stage", "validate", "clips", "addresses", "launch", "scratch"},
    {"shards", "shard_writer", "shard_index", "video", "feed_order", "batch_memory", "reader_processes"}
    | {"media", "datasets", "audioset", "statistics", "figures", "ontology", "gate", "back_off", "download_failures", "download_settings"}
    | {"dataset_layouts", "sound", "windows", "embedding_files", "vector_files", "weights", "checkpoint_files"}
    | {"synthesis_sound", "synthesis_picture", "synthesis_motion", "synthesis_video"},
    {"selection", "clip_check", "clip_sources", "clip_store", "downloads"}
    | {
        "feed_reader",
        "samples",
        "folds",
        "front_ends",
        "legs",
        "embedding_streams",
        "sampling",
        "synthesis_voices",
        "synthesis_music",
        "synthesis_street",
    },
    {"acquisition"}
    | {"perceptrons"}
    | {"networks", "feed", "released_soundnet", "released_vggish", "released_openl3", "hear_modules", "keras_embeddings", "embed_files", "synthesis", "synthesis_recordings"},
    {"checkpoints", "correspondence", "devices", "steps"},
    {"training", "embeddings", "embedding_exports", "classifiers"},
    {"cli", "hear"},
]
FLOOR = {module: floor for floor, modules in enumerate(FLOORS) for module in modules}
MODULES = sorted(path for path in LIBRARY.glob("*.py") if path.stem != "__init__")


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
    assert path.stem in FLOOR, f"{path.stem} has no floor: add it to the plan here and in l3net/__init__.py"
    for name in imports(path):
        if name.startswith("l3net."):
            below = name.split(".")[1]
            is_below = FLOOR[below] < FLOOR[path.stem] or FLOOR[below] == FLOOR[path.stem] == 0
            assert is_below, f"{path.stem} imports {below}"
        if name.split(".")[0] in {"tensorflow", "keras"}:
            assert FLOOR[path.stem] >= 2, f"{path.stem} (floor {FLOOR[path.stem]}) imports {name}"


def test_plan_is_told_in_the_library() -> None:
    sys.path.insert(0, str(LIBRARY.parent))
    import l3net

    told = re.split(r"^ +(\d) ", l3net.__doc__, flags=re.MULTILINE)[1:]  # a floor may take several lines
    assert {int(floor): set(names.split()) for floor, names in zip(told[::2], told[1::2], strict=True)} == dict(
        enumerate(FLOORS)
    )

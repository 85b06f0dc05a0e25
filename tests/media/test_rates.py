"""The sample rate and the frame rate are written once in the library."""

import ast
from pathlib import Path

import l3net
from l3net.media.rates import FPS, SAMPLE_RATE

LIBRARY = Path(l3net.__file__).parent
# Rates of the demo's sources, which are those of a video site; the bound of a key; the rates that FLAC has codes for.
ELSEWHERE = {"containers/packets.py", "demo/world.py", "configuration/training_sections.py"}


def numbers(path: Path) -> set[int | float]:
    constants = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    return {value for value in constants if isinstance(value, int | float)}


def test_the_rates_are_the_papers() -> None:
    assert (SAMPLE_RATE, FPS) == (48_000, 30)


def test_no_other_module_writes_the_sample_rate() -> None:
    modules = {path.relative_to(LIBRARY).as_posix(): numbers(path) for path in LIBRARY.rglob("*.py")}
    assert {name for name, found in modules.items() if SAMPLE_RATE in found} - ELSEWHERE == {"media/rates.py"}

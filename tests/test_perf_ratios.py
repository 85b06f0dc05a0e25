"""What the measurements of speed say of a goal, and the memory that is the process's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.perf.ratios import Ratio, in_turns

ROOT = Path(__file__).parents[1]


def verdict(rounds: list[float], goal: float, better: str = "higher", **more: float) -> str:
    return Ratio(name="x", rounds=rounds, goal=goal, better=better, **more).verdict


@pytest.mark.parametrize(
    ("rounds", "better", "expected"),
    [
        ([1.1, 1.2, 1.3], "higher", "met"),
        ([0.7, 0.8, 0.9], "higher", "NOT met"),
        ([0.9, 1.2, 1.3], "higher", "undecided"),
        ([0.7, 0.8, 0.9], "lower", "met"),
        ([1.1, 1.2, 1.3], "lower", "NOT met"),
        ([0.9, 0.95, 1.3], "lower", "undecided"),
        ([1.0], "higher", "met"),
    ],
)
def test_a_ratio_whose_rounds_lie_on_both_sides_of_its_goal_is_undecided(
    rounds: list[float], better: str, expected: str
) -> None:
    assert verdict(rounds, 1.0, better) == expected


def test_of_many_rounds_a_single_slow_one_decides_nothing() -> None:
    assert verdict([0.2, *[1.1] * 22, 9.0], 1.0) == "met"
    # Eight of 24 below the goal: the median's interval (the 7th to the 18th) reaches below it.
    assert verdict([0.9] * 8 + [1.1] * 16, 1.0) == "undecided"


def test_a_ratio_of_bests_beyond_its_rounds_belongs_to_the_spread() -> None:
    one = Ratio(name="x", rounds=[1.1, 1.2], value=0.9, goal=1.0)
    assert one.spread == (0.9, 1.2) and one.verdict == "undecided"


def test_sides_take_turns() -> None:
    order: list[str] = []
    seconds = in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3, warm_up=1)
    assert "".join(order) == "abababab" and [len(values) for values in seconds.values()] == [3, 3]


def test_peak_memory_is_the_process_s_own_and_not_what_its_parent_held() -> None:
    """The largest memory as `resource` tells it is inherited over fork and exec: the reason for the other way."""
    held = bytearray(400 << 20)
    held[::4096] = b"x" * len(held[::4096])
    code = "from tests.perf.memory import peak_megabytes as p; a = p(); b = b'x' * (300 << 20); print(a, p())"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    before, after = map(float, ended.stdout.split())
    assert before < 300 < 400 and 290 < after - before < 320
    del held


def test_the_fold_of_urbansound8ks_size_is_a_file_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In small: `make perf` is run seldom, and what reads its file may have changed since."""
    from l3net.downstream.mlp_grid import MlpGrid
    from tests.perf import downstream

    monkeypatch.setattr(MlpGrid, "fit", MlpGrid.fit)  # the fold is given another, which ends after two steps
    for name, value in {"CLIPS": 400, "WINDOWS": 31, "DIMENSIONS": 8}.items():
        monkeypatch.setattr(downstream, f"US8K_{name}", value)
    megabytes, seconds = downstream._fold(tmp_path)
    assert megabytes > 0
    assert seconds > 0

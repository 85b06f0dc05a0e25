"""One measurement: two sides taken turn by turn, their ratio in every round, and what may be said of its goal."""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A ratio with its goal.

    Parameters
    ----------
    name : area and what was measured.
    rounds : the ratio of each round.
    goal, better : what it should reach, "higher" or "lower".
    value : the ratio itself where it is not the median of the rounds, such as that of the best of both sides.
    figures : what stands behind it, with units in their names; texts say what the work was.
    """

    name: str
    rounds: list[float]
    goal: float
    better: str = "higher"
    value: float | None = None
    figures: dict[str, float | str] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return statistics.median(self.rounds) if self.value is None else self.value

    @property
    def spread(self) -> tuple[float, float]:
        """The 95 % interval of the median over rounds, by their order; of five rounds or fewer, the whole range."""
        from scipy.stats import binom  # here, since it would add to the memory of processes that are measured

        ordered = sorted(self.rounds)
        left = max(int(binom.ppf(0.025, len(ordered), 0.5)) - 1, 0)
        return min(ordered[left], self.ratio), max(ordered[-1 - left], self.ratio)

    @property
    def verdict(self) -> str:
        """Met, NOT met, or undecided where the rounds lie on both sides of the goal."""
        low, high = self.spread
        if low < self.goal < high:
            return "undecided"
        return "met" if (self.ratio >= self.goal if self.better == "higher" else self.ratio <= self.goal) else "NOT met"

    def row(self) -> dict:
        """Return what is kept in results/perf.json."""
        kept = {name: value for name, value in asdict(self).items() if name not in ("name", "value")}
        return kept | {"ratio": self.ratio, "spread": list(self.spread), "verdict": self.verdict}


def in_turns(sides: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 0) -> dict[str, list[float]]:
    """Return the seconds that each side took in each round, all sides in every round, one after the other."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds + warm_up):
        for name, side in sides.items():
            began = time.perf_counter()
            side()
            seconds[name].append(time.perf_counter() - began)
    return {name: values[warm_up:] for name, values in seconds.items()}


def divided(first: Iterable[float], second: Iterable[float]) -> list[float]:
    """Return the ratio of each round."""
    return [a / b for a, b in zip(first, second, strict=True)]


def machine_speed(seconds: float = 1.0) -> float:
    """Return the GFLOP/s of a fixed matrix product in this process, with its threads."""
    left = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    left @ left
    began, n = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        left @ left
        n += 1
    return 2 * 1024**3 * n / (time.perf_counter() - began) / 1e9

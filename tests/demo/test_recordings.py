"""Recordings of the data sets: their length, that no two are alike, and the official names of their classes."""

import csv
from pathlib import Path

import numpy as np
import pytest

from l3net.demo.recordings import DCASE2013, ESC50, US8K, draw_recording


@pytest.mark.parametrize("recipes", [US8K, ESC50, DCASE2013], ids=["us8k", "esc50", "dcase2013"])
def test_recordings_have_their_length_and_differ(recipes: dict) -> None:
    rng = np.random.default_rng(0)
    recipe = next(iter(recipes.values()))
    first, second = (draw_recording(recipe, 1.5, 22_050, rng) for _ in range(2))
    assert first.shape == second.shape == (33_075,)
    assert 0.09 < np.abs(first).max() <= 0.91
    assert not np.allclose(first, second)


def test_recipes_carry_official_names_and_numbers(shared_data: Path) -> None:
    def official(name: str, label: str, number: str) -> set[tuple[str, int]]:
        with open(shared_data / "benchmarks" / name) as file:
            return {(row[label], int(row[number])) for row in csv.DictReader(file)}

    assert {(k, r.number) for k, r in US8K.items()} == official("UrbanSound8K.csv", "class", "classID")
    assert {(k, r.number) for k, r in ESC50.items()} < official("esc50.csv", "category", "target")
    with open(shared_data / "benchmarks/dcase2013_task1_filenamekey.csv") as file:
        assert set(DCASE2013) == {row["decodedname"][:-6] for row in csv.DictReader(file)}

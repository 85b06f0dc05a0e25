"""Names in figures, and which embedding stands for ours."""

import pandas as pd
import pytest

from l3net.report.labels import (
    display_name,
    embedding_titles,
    measure_name,
    model_title,
    reference_embedding,
    scores_note,
    titles_in,
)

SCORES = pd.DataFrame(
    [
        ["l3-environmental-mel256", "environmental-mel256", "l3"],
        ["l3-music-mel128", "music-mel128", "l3"],
        ["l3-music-mel128-seed1", "music-mel128-seed1", "l3"],
        ["l3-of-another", "", "hear"],
        ["random", "", "random"],
    ],
    columns=["embedding", "model", "kind"],
)


def test_titles_come_from_columns_and_not_from_names() -> None:
    assert titles_in(SCORES) == {
        "l3-environmental-mel256": "L3 env. mel256",
        "l3-music-mel128": "L3 music mel128",
        "l3-music-mel128-seed1": "L3 music mel128-seed1",
        "l3-of-another": "l3-of-another",
        "random": "random (untrained)",
    }
    assert embedding_titles({"random": {}, "x": {"model": "music-linear"}}) == {
        "random": "random",
        "x": "L3 music linear",
    }
    assert (model_title("music-mel256"), display_name("us8k"), display_name("birds")) == (
        "L3 music mel256",
        "UrbanSound8K",
        "birds",
    )


def test_the_reference_is_the_models_else_the_first_of_ours() -> None:
    assert reference_embedding(SCORES, "music-mel128") == "l3-music-mel128"
    assert reference_embedding(SCORES, "music-linear") == "l3-environmental-mel256"
    assert reference_embedding(SCORES[3:4], "music-linear") == "l3-of-another"
    with pytest.raises(ValueError, match="without rows"):
        reference_embedding(SCORES[:0], "music-linear")


def test_the_note_counts_each_fold_once() -> None:
    rows = [["us8k", fold, 10, seed] for fold in ("1", "2") for seed in (0, 1)] + [["birds", "test", 5, 0]]
    scores = pd.DataFrame(rows, columns=["dataset", "fold", "n_clips", "seed"])
    expected = "protocol: paper; dashed: chance; birds n = 5 clips in 1 fold, UrbanSound8K n = 20 clips in 2 folds"
    assert scores_note(scores, "paper") == expected


@pytest.mark.parametrize(
    ("datasets", "several", "expected"),
    [
        (["a", "b"], [], "accuracy (%)"),
        (["a"], ["a"], "average precision (%)"),
        (["a", "b"], ["b"], "accuracy or average precision (%)"),
    ],
)
def test_an_axis_is_named_for_what_it_shows(datasets: list[str], several: list[str], expected: str) -> None:
    scores = pd.DataFrame({"dataset": datasets})
    assert measure_name(scores) == (expected if not several else "accuracy (%)")
    shares = [0.2 if name in several else float("nan") for name in datasets]
    assert measure_name(scores.assign(prevalence=shares)) == expected

"""The paper's numbers stand beside the embedding they are of, whatever the seed, and beside no other."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from l3net.errors import DatasetError
from l3net.report.pages import to_latex
from l3net.report.summary import names_in_paper, printed, read_paper, side_by_side, summarise

EMBEDDINGS = [
    ["l3-music-mel256", "l3", "music", "mel256", "music-mel256", "best", "0"],
    ["l3-music-mel256-seed1", "l3", "music", "mel256", "music-mel256-seed1", "best", "1"],
    ["l3-music-linear", "l3", "music", "linear", "music-linear", "best", "0"],
    ["l3-music-mel256-epoch-004", "l3", "music", "mel256", "music-mel256", "epoch-004", "0"],
    ["vggish", "vggish", "", "", "", "", ""],
]
COLUMNS = ["embedding", "kind", "subset", "front_end", "model", "checkpoint", "model_seed"]


@pytest.fixture
def overall() -> pd.DataFrame:
    measures = {"fold_mean": 0.75, "fold_std": 0.01, "accuracy": 0.76, "ci_low": 0.7, "ci_high": 0.8}
    counts = {"n_clips": 8732, "n_folds": 10, "n_seeds": 1, "epoch": 3, "n_units": 1297}
    table = pd.DataFrame(EMBEDDINGS, columns=COLUMNS)
    return table.assign(dataset="us8k", protocol="paper", unit="recording", **measures, **counts)


@pytest.fixture
def published(root: Path) -> pd.DataFrame:
    return read_paper(root / "resources" / "paper_results.csv")


def test_every_seed_of_a_model_is_the_papers(overall: pd.DataFrame, published: pd.DataFrame) -> None:
    assert names_in_paper(overall, published)[:3] == ["l3-music-mel256", "l3-music-mel256", "l3-music-linear"]
    table = summarise(overall, published, synthetic=False).set_index("embedding")
    assert sorted(table.index) == ["l3-music-linear", "l3-music-mel256", "l3-music-mel256-seed1", "vggish"]
    assert table["paper"].to_dict() == {
        "l3-music-mel256": 0.7823,
        "l3-music-mel256-seed1": 0.7823,
        "l3-music-linear": pytest.approx(np.nan, nan_ok=True),
        "vggish": pytest.approx(0.7343),
    }
    assert table["difference"]["vggish"] == pytest.approx(0.0157)


def test_what_only_the_paper_has_ends_the_list(overall: pd.DataFrame, published: pd.DataFrame) -> None:
    lines = printed(summarise(overall, published, synthetic=False), published)
    has_ours = lines["mean over folds"] != ""
    ours, theirs = lines[has_ours], lines[~has_ours]
    assert (set(ours["data"]), set(theirs["data"])) == ({"real"}, {"paper's"})
    assert set(theirs["embedding"]) == {"l3-environmental-mel256", "soundnet"}
    assert (theirs.index > ours.index.max()).all()


@pytest.mark.parametrize("text", ["nan", "inf", "", "seventy", "178.23", "-1"])
def test_an_accuracy_of_the_paper_that_is_none_is_refused_with_its_row(root: Path, tmp_path: Path, text: str) -> None:
    lines = (root / "resources" / "paper_results.csv").read_text().splitlines()
    assert ",79.34," in lines[4]
    lines[4] = lines[4].replace(",79.34,", f",{text},")
    (tmp_path / "paper.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(
        DatasetError, match=rf"paper\.csv: row 4: column accuracy_percent holds '{text}'; expected 0 to"
    ):
        read_paper(tmp_path / "paper.csv")


def test_of_a_data_set_that_the_paper_does_not_have_no_column_is_empty(
    overall: pd.DataFrame, published: pd.DataFrame
) -> None:
    table = summarise(overall.assign(dataset="birds"), published, synthetic=False)
    assert not {"paper", "difference", "paper_source"} & set(table.columns)
    assert list(printed(table, published).columns) == [
        "data set",
        "embedding",
        "mean over folds",
        "over all clips",
        "data",
    ]
    assert list(side_by_side(table, published).columns) == ["embedding", "birds"]


def test_latex_takes_every_name() -> None:
    table = pd.DataFrame([["50_% & more", "1 ± 2"]], columns=["embedding", "ours"])
    assert r"50\_\% \& more & 1 $\pm$ 2 \\" in to_latex(table, "note")


def test_another_table_is_not_the_papers(tmp_path: Path) -> None:
    (tmp_path / "paper.csv").write_text("dataset,accuracy\nus8k,0.9\n")
    with pytest.raises(DatasetError, match=r"paper\.csv: expected the columns table, dataset"):
        read_paper(tmp_path / "paper.csv")

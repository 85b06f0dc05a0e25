"""The official metadata as it is published."""

from pathlib import Path

import pytest

from l3net.downstream.archive_layouts import LAYOUTS
from l3net.errors import DatasetError
from tests import tiny_datasets


def test_official_metadata_has_the_published_size(shared_data: Path, tmp_path: Path) -> None:
    for layout, name, n_clips, n_folds, n_labels in (
        ("us8k", "UrbanSound8K.csv", 8732, 10, 10),
        ("esc50", "esc50.csv", 2000, 5, 50),
        ("esc10", "esc50.csv", 400, 5, 10),
    ):
        official = LAYOUTS[layout]
        target = tmp_path / layout / official.metadata
        target.parent.mkdir(parents=True)
        target.write_bytes((shared_data / "benchmarks" / name).read_bytes())
        table = official.read(tmp_path / layout, {})
        assert (len(table), table["fold"].nunique(), table["label"].nunique()) == (n_clips, n_folds, n_labels)


@pytest.mark.parametrize("cut", [1, 2, 8, 20])
def test_metadata_that_was_cut_is_never_taken(tmp_path: Path, cut: int) -> None:
    """The last label would be another one, such as drilli, and lose its place among its class."""
    tiny_datasets.lay_out_us8k(tmp_path)
    path = tmp_path / "metadata" / "UrbanSound8K.csv"
    LAYOUTS["us8k"].read(tmp_path, {})
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DatasetError, match=r"UrbanSound8K\.csv: cut off in its last line; copy or unpack"):
        LAYOUTS["us8k"].read(tmp_path, {})


def test_a_table_of_ones_own_may_end_without_an_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "metadata.csv").write_text("filename,label\na.wav,dog\nb.wav,cat")
    assert LAYOUTS["folder"].read(tmp_path, {})["label"].tolist() == ["dog", "cat"]
    assert "metadata.csv: its last line has no end; was its copy interrupted?" in caplog.text

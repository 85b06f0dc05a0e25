"""The official metadata as it is published."""

from pathlib import Path

from l3net.downstream.archive_layouts import LAYOUTS


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

"""l3net probe: folds, features, and the accuracy of an embedding that tells tones apart."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from l3net.cli.main import main
from l3net.cli.probe import find_recordings, fold_accuracies, folds_of, recording_features
from l3net.embeddings.interface import WindowEmbedding
from l3net.errors import ClipError, DatasetError

RATE = 8000


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Two classes, a tone of each pitch, in five folds."""
    rng = np.random.default_rng(0)
    for name, hertz in (("low", 200), ("high", 2000)):
        (tmp_path / name).mkdir()
        for fold in range(1, 6):
            seconds = np.arange(RATE * 3 // 2) / RATE
            sound = 0.3 * np.sin(2 * np.pi * hertz * seconds) + rng.normal(0, 0.05, seconds.size)
            soundfile.write(tmp_path / name / f"{fold}-{hertz}.wav", sound, RATE)
    (tmp_path / "low" / "notes.txt").write_text("no sound")
    return tmp_path


def changes_of_sign(windows: np.ndarray) -> np.ndarray:
    return (np.diff(np.sign(windows), axis=1) != 0).sum(axis=1, keepdims=True).astype(np.float32)


def test_folds_are_the_numbers_that_names_begin_with(recordings: Path) -> None:
    paths = find_recordings(recordings)
    assert len(paths) == 10
    assert folds_of(paths).tolist() == [1, 2, 3, 4, 5] * 2
    letters = [Path(f"{name}/{letter}.wav") for name in "ab" for letter in "abcdefg"]
    assert folds_of(letters).tolist() == [0, 1, 2, 3, 4, 0, 1] * 2


@pytest.mark.parametrize(
    "names",
    [
        ["a/1-x.wav", "a/1-y.wav", "b/1-x.wav", "b/1-y.wav"],  # one fold
        ["a/1-x.wav", "a/2-y.wav", "b/2-x.wav", "b/2-y.wav"],  # outside fold 2 is one class
        ["a/1-x.wav", "a/2-y.wav", "b/2-x.wav", "b/y.wav"],
        [f"{name}/{n:02d}.wav" for name in "ab" for n in range(11)],  # running numbers
    ],
)
def test_numbers_that_make_no_folds_are_passed_over(names: list[str]) -> None:
    n = len(names) // 2
    assert folds_of(map(Path, names)).tolist() == [k % 5 for k in range(n)] * 2


@pytest.mark.parametrize(("names", "n"), [("a/x b/x", 0), ("a/x a/y b/z", 1), ("a/1-x a/2-y b/1-z c/3", 1)])
def test_two_classes_need_two_recordings(names: str, n: int) -> None:
    with pytest.raises(DatasetError, match=f"^{n} of . classes have two recordings or more; expected two such"):
        folds_of(Path(f"{name}.wav") for name in names.split())


def test_features_are_mean_and_maximum_over_time(recordings: Path) -> None:
    paths = find_recordings(recordings)
    embedding = WindowEmbedding(changes_of_sign, 1, RATE, RATE)
    features = recording_features(embedding, paths, 0.25)
    sound = soundfile.read(paths[0], dtype="float32")[0]
    by_hand = changes_of_sign(np.stack([sound[:RATE], sound[2000:10000], sound[4000:12000]]))
    np.testing.assert_allclose(features[0], [by_hand.mean(), by_hand.max()], rtol=1e-6)
    labels = np.array([path.parent.name for path in paths])
    assert fold_accuracies(features, labels, folds_of(paths)) == [1.0] * 5


def test_each_fold_is_tested_by_what_the_others_taught() -> None:
    """In fold 1 the classes are swapped: trained on the other folds, the classifier is wrong there alone."""
    folds, labels = np.repeat([0, 1, 2], 4), np.tile(["a", "b"], 6)
    features = np.where(labels == "a", 1.0, -1.0)
    features[folds == 1] *= -1
    found = fold_accuracies(features[:, None], labels, folds)
    assert found[1] == 0.0


def test_the_command_prints_the_accuracies(recordings: Path, capsys: pytest.CaptureFixture) -> None:
    settings = '{"kind": "random", "front_end": "mel128", "hop_length": 1936, "width": 0.0625, "pooling": 512}'
    assert main(["probe", str(recordings), "--settings", settings, "--hop-seconds", "0.5"]) == 0
    said, warned = capsys.readouterr()
    assert "left out, 1 file without sound: low/notes.txt\n" in warned
    n = len(find_recordings(recordings))
    assert said == (
        f"accuracy: 100.0 %, by fold 100.0 100.0 100.0 100.0 100.0\nchance:   50.0 %, {n} recordings of 2 classes\n"
    )


def test_folders_without_recordings_and_broken_ones(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="0 of its sub-folders have recordings; expected two or more"):
        find_recordings(recordings / "low")
    with pytest.raises(DatasetError, match="none: no such folder"):
        find_recordings(tmp_path / "none")
    embedding = WindowEmbedding(changes_of_sign, 1, RATE, RATE)
    with pytest.raises(ClipError, match=r"notes\.txt: cannot be read as sound"):
        recording_features(embedding, [recordings / "low" / "notes.txt"])

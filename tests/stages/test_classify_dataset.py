"""classify_dataset: no leaks, chance on shuffled labels, resuming after a kill, every classifier, both protocols."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from l3net.downstream.evaluation import FoldEvaluator, FoldOutcome
from l3net.errors import ConfigError, DatasetError
from tests.stages.loading import stage_function
from tests.tiny_datasets import write_embeddings

classify_dataset = stage_function("classify_dataset")
SMALL = {
    "hidden": [16],
    "learning_rates": [1e-3, 1e-2],
    "weight_decays": [1e-4],
    "max_epochs": 12,
    "patience_epochs": 6,
    "batch_size": 16,
    "validation_share": 0.2,
}


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_embeddings(tmp_path_factory.mktemp("embeddings") / "easy.h5")


def classify(embeddings: Path, folder: Path, **changes: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    predictions, settings = folder / "scores" / "l3.csv", folder / "scores" / "l3.settings.csv"
    state = folder / "scores" / ".l3"
    classify_dataset(embeddings, predictions, settings, state, "toy", "l3-music-mel256", **{**SMALL, **changes})
    assert not state.exists()
    return pd.read_csv(predictions, dtype={"fold": str}), pd.read_csv(settings, dtype={"fold": str})


@pytest.fixture(scope="module")
def classified(embeddings: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    return classify(embeddings, tmp_path_factory.mktemp("run"))


def test_every_clip_is_predicted_once_with_likelihoods(classified: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    predictions, _ = classified
    facts = "dataset,embedding,kind,front_end,subset,epoch,samples_seen,protocol,seed,fold"
    assert ",".join(predictions.columns[:15]) == f"{facts},filename,label,predicted,correct,group"
    assert list(predictions.columns[15:]) == [f"p:class {n}" for n in range(4)]
    assert sorted(predictions["filename"]) == [f"{n:03d}.wav" for n in range(48)]
    assert (predictions["kind"].iloc[0], predictions["epoch"].iloc[0]) == ("l3", 8)
    likelihoods = predictions.iloc[:, 15:].to_numpy()
    assert np.allclose(likelihoods.sum(axis=1), 1, atol=1e-4)
    names = np.array([f"class {n}" for n in range(4)])
    assert (names[likelihoods.argmax(axis=1)] == predictions["predicted"]).all()
    assert ((predictions["predicted"] == predictions["label"]) == predictions["correct"]).all()
    assert predictions["correct"].mean() > 0.9


def test_the_setting_with_the_best_validation_is_chosen(classified: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    _, settings = classified
    assert len(settings) == 3 * 2
    for _, found in settings.groupby("fold"):
        assert found["chosen"].sum() == 1
        assert found.loc[found["chosen"], "valid_accuracy"].item() == found["valid_accuracy"].max()


def test_the_protocol_is_said_in_every_row(embeddings: Path, tmp_path: Path) -> None:
    predictions, _ = classify(embeddings, tmp_path, protocol="published_code")
    assert set(predictions["protocol"]) == {"published_code"}


def test_shuffled_labels_score_at_chance(tmp_path: Path) -> None:
    """Labels drawn anew for each recording: with clips of one recording on two sides they could be learned by heart."""
    path = write_embeddings(tmp_path / "shuffled.h5", clips_per_class=60, windows=2, clips_per_group=3)
    with h5py.File(path, "a") as file:
        names, of_clip = np.unique(file["clips/group"].asstr()[:], return_inverse=True)
        drawn = np.random.default_rng(2).permutation(np.arange(names.size) % 4)
        file["clips/label"][:] = [f"class {k}" for k in drawn[of_clip]]
    predictions, _ = classify(path, tmp_path)
    # 80 recordings decide (their three clips agree): four deviations of a binomial around 1 in 4.
    assert abs(predictions["correct"].mean() - 0.25) < 4 * (0.25 * 0.75 / 80) ** 0.5


def test_a_killed_job_goes_on_with_the_fold_it_was_at(
    embeddings: Path, tmp_path: Path, classified, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate, made = FoldEvaluator.evaluate, []

    def killed_at_third(self: FoldEvaluator, repeat: int, fold: str) -> FoldOutcome:
        made.append(fold)
        if len(made) == 3:
            raise KeyboardInterrupt
        return evaluate(self, repeat, fold)

    monkeypatch.setattr(FoldEvaluator, "evaluate", killed_at_third)
    with pytest.raises(KeyboardInterrupt):
        classify(embeddings, tmp_path)
    assert not (tmp_path / "scores" / "l3.csv").exists()
    predictions, settings = classify(embeddings, tmp_path)
    assert made == ["1", "2", "3", "3"]
    pd.testing.assert_frame_equal(predictions, classified[0])
    pd.testing.assert_frame_equal(settings, classified[1])


def test_kept_folds_of_other_settings_are_not_taken(embeddings: Path, tmp_path: Path, classified) -> None:
    state = tmp_path / "scores" / ".l3" / "0123456789abcdef"
    state.mkdir(parents=True)
    (state / "0-1.npz").write_bytes(b"of another configuration")
    predictions, _ = classify(embeddings, tmp_path)
    pd.testing.assert_frame_equal(predictions, classified[0])


@pytest.mark.parametrize("classifier", ["linear", "knn", "svm", "forest"])
def test_other_classifiers_have_the_same_face(embeddings: Path, tmp_path: Path, classifier: str) -> None:
    predictions, settings = classify(embeddings, tmp_path, classifier=classifier, seeds=[0, 1])
    assert predictions.groupby("seed").size().to_dict() == {0: 48, 1: 48}
    assert predictions["correct"].mean() > 0.9
    assert settings.groupby(["seed", "fold"])["chosen"].sum().eq(1).all()
    assert np.allclose(predictions.filter(like="p:").sum(axis=1), 1, atol=1e-4)


def test_bad_input_gets_one_line(tmp_path: Path, embeddings: Path) -> None:
    (tmp_path / "no.h5").write_text("no HDF5")
    with pytest.raises(DatasetError, match=r"no\.h5: cannot be read as an embeddings file of embed_dataset"):
        classify(tmp_path / "no.h5", tmp_path)
    shutil.copy(embeddings, tmp_path / "short.h5")
    with h5py.File(tmp_path / "short.h5", "a") as file:
        file["offsets"][-1] -= 1
    with pytest.raises(DatasetError, match="offsets do not fit 48 clips and 144 windows"):
        classify(tmp_path / "short.h5", tmp_path)
    alone = write_embeddings(tmp_path / "alone.h5", clips_per_class=6, clips_per_group=2)
    with h5py.File(alone, "a") as file:
        file["clips/group"][:] = file["clips/label"].asstr()[:]
        file["clips/fold"][:] = ["1" if label < "class 2" else "2" for label in file["clips/label"].asstr()]
    with pytest.raises(DatasetError, match="fold 1 leaves no clip to validate on"):
        classify(alone, tmp_path)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"classifier": "nope"}, r"classify\.classifier"),
        ({"protocol": "ours"}, r"classify\.protocol"),
        ({"hidden": [0]}, r"classify\.hidden"),
        ({"learning_rates": [-1.0]}, r"classify\.learning_rates"),
        ({"max_epochs": 0}, r"classify\.max_epochs"),
        ({"validation_share": 1.5}, r"classify\.validation_share"),
    ],
)
def test_a_setting_that_the_configuration_would_refuse(
    setting: dict, message: str, embeddings: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        classify(embeddings, tmp_path, **setting)
    assert list(tmp_path.iterdir()) == []


def test_by_hand_everything_but_names_may_be_left_out(embeddings: Path, tmp_path: Path) -> None:
    """As a command: the grid is the paper's, nine settings, where none is given."""
    from l3net.runtime.stage import command_line

    words = {"embeddings": embeddings, "predictions": tmp_path / "p.csv", "settings": tmp_path / "s.csv"}
    words |= {"state": tmp_path / ".state", "dataset": "toy", "embedding": "l3", "max-epochs": 1}
    given = command_line(classify_dataset).parse_args([f"--{name}={value}" for name, value in words.items()])
    classify_dataset(**vars(given))
    tried = pd.read_csv(tmp_path / "s.csv")
    assert sorted(set(zip(tried["learning_rate"], tried["weight_decay"], strict=True))) == [
        (rate, decay) for rate in (1e-5, 1e-4, 1e-3) for decay in (1e-5, 1e-4, 1e-3)
    ]

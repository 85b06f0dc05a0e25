"""The answers of a model: each stands beside the clips that its sample shows and sounds of, over several shards."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from l3net.feed import prepare_batch
from l3net.files.kept import sha256_of
from l3net.models.l3 import build_l3
from l3net.samples import read_shard_index, write_shard_index
from l3net.training import Answers, ask_correspondence
from tests import tiny_shards

N_CLIPS, SHARE, KINDS = 5, 6, 3


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards, parts 0 and 1, of whose lists some clips could not be had, so that numbers of samples have gaps."""
    folder, entries = tmp_path_factory.mktemp("shards"), []
    for part in (0, 1):
        made = tiny_shards.write_split(folder / str(part), "test", n_clips=N_CLIPS, share=SHARE, kinds=KINDS, seed=part)
        with h5py.File(folder / str(part) / "test.h5", "r+") as file:
            file.attrs["part"] = part
            rows = file["samples"][:]
            rows["n"] += np.where(rows["clip"] > part, 7 * SHARE, 0)
            file["samples"][:] = rows
        known = read_shard_index(made)
        entries.append(replace(known.shards[0], sha256=sha256_of(Path(known.shards[0].path))))
    both = replace(known, n_samples=2 * known.n_samples, n_clips=2 * N_CLIPS, shards=entries)
    write_shard_index(both, folder / "test.json")
    return folder / "test.json"


@pytest.fixture(scope="module")
def answers(index: Path) -> Answers:
    """The answers of a network that always says match, so that it is right where a sample's label is 1."""
    model = build_l3("mel128", image_size=tiny_shards.SIZE, width=1 / 16, hop_length=1936)
    model.get_layer("fusion_dense_2").bias.assign([-9.0, 9.0])
    return ask_correspondence(model, index, seed=0, batch_size=16, batches=100)


def recipes(index: Path) -> np.ndarray:
    """Return the recipes of both shards, clips numbered on."""
    found = []
    for part, shard in enumerate(read_shard_index(index).shards):
        with h5py.File(shard.path) as file:
            rows = file["samples"][:]
        rows["clip"] += part * N_CLIPS
        rows["sound"] += part * N_CLIPS
        found.append(rows)
    return np.concatenate(found)


def test_every_sample_is_asked_about_once_with_its_own_clips(index: Path, answers: Answers) -> None:
    rows = recipes(index)
    np.testing.assert_array_equal(answers.clips, np.stack([rows["clip"], rows["sound"]], axis=1))
    np.testing.assert_array_equal(answers.right, rows["label"] == 1)
    assert 0 < answers.right.mean() < 1


def test_a_label_has_the_samples_in_which_its_clips_are_heard(index: Path, answers: Answers) -> None:
    rows = recipes(index)
    kind = rows["sound"] % N_CLIPS % KINDS
    found = answers.by_label()
    assert list(found) == sorted(tiny_shards.MIDS[:KINDS])
    for k in range(KINDS):
        of_label = found[tiny_shards.MIDS[k]]
        np.testing.assert_array_equal(of_label.right, rows["label"][kind == k] == 1)
        np.testing.assert_array_equal(of_label.clips[:, 1], rows["sound"][kind == k])


def test_fewer_batches_ask_about_fewer_samples(index: Path) -> None:
    model = build_l3("mel128", image_size=tiny_shards.SIZE, width=1 / 16, hop_length=1936)
    few = ask_correspondence(model, index, seed=0, batch_size=8, batches=3)
    assert few.right.size == len(few.clips) == 24


def test_samples_are_asked_about_as_they_are_and_not_augmented(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def prepared(batch: dict, augment: bool):
        made = prepare_batch(batch, augment)
        seen.append(augment)
        return made

    monkeypatch.setattr("l3net.training.correspondence.prepare_batch", prepared)
    model = build_l3("mel128", image_size=tiny_shards.SIZE, width=1 / 16, hop_length=1936)
    ask_correspondence(model, index, seed=0, batch_size=16, batches=1)
    assert seen == [False]

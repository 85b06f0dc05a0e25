"""Retrieval: one matching sample a clip, both ways, by the directions that the network gives."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from l3net import training
from l3net.errors import ConfigError
from l3net.models.objectives import OBJECTIVES
from l3net.samples.sample import read_sample
from l3net.samples.shard_reader import Shard
from l3net.training.correspondence import Pairs, embed_pairs
from l3net.training.model_state import load_l3
from tests import tiny_embedding, tiny_shards
from tests.stages.loading import stage_function


def test_directions_are_the_networks_of_the_matching_samples(tmp_path: Path) -> None:
    """Twelve clips with two samples each, of which one matches: the choice of the sample is none."""
    index = tiny_shards.write_split(tmp_path, "test", n_clips=12, share=2, kinds=4)
    network = tiny_embedding.write_checkpoint(tmp_path / "best.h5", objective="contrastive")
    images, sounds = [], []
    with Shard(tmp_path / "test.h5") as shard:
        for row in np.flatnonzero(shard.samples["label"] == 1):
            sample = read_sample(shard, int(row))
            images.append(sample.image / 127.5 - 1)
            sounds.append(sample.sound / 32768)
    both = {"image": np.array(images, np.float32), "audio": np.array(sounds, np.float32)}
    _, seen, heard = OBJECTIVES["contrastive"].training_network(network).predict(both, verbose=0)
    pairs = embed_pairs(load_l3(tmp_path / "best.h5", best=False)[0], index, seed=0, batch_size=5)
    np.testing.assert_allclose(pairs.images, seen, atol=1e-4)
    np.testing.assert_allclose(pairs.sounds, heard, atol=1e-4)


def test_the_table_has_the_recall_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    seen = rng.standard_normal((30, 4))
    heard = seen + rng.standard_normal((30, 4))
    seen, heard = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (seen, heard))
    monkeypatch.setattr(training, "load_l3", lambda path: (None, {}), raising=False)
    asked: list[dict] = []

    def embed(network: None, index: Path, **options: int) -> Pairs:
        asked.append({"index": index, **options})
        return Pairs(seen, heard)

    monkeypatch.setattr(training, "embed_pairs", embed, raising=False)
    stage_function("evaluate_retrieval")(
        tmp_path / "best.h5", tmp_path / "test.json", tmp_path / "r.csv", model="m", seed=3, batch_size=5
    )
    assert asked == [{"index": tmp_path / "test.json", "seed": 3, "batch_size": 5}]
    table = pd.read_csv(tmp_path / "r.csv")
    assert table["n_clips"].tolist() == [30] * 6
    for query, queries, items in (("sound", heard, seen), ("image", seen, heard)):
        ranks = [int(np.argsort(-(items @ one)).tolist().index(n)) for n, one in enumerate(queries)]
        found = table[table["query"] == query].set_index("k")
        for k in (1, 5, 10):
            assert found.loc[k, "recall"] == pytest.approx(np.mean(np.array(ranks) < k), abs=1e-6)
            assert found.loc[k, "chance"] == pytest.approx(k / 30, abs=1e-6)
            assert found.loc[k, "ci_low"] <= found.loc[k, "recall"] <= found.loc[k, "ci_high"]
    assert table["recall"].nunique() > 3


def test_a_model_of_another_objective_is_refused(tmp_path: Path) -> None:
    index = tiny_shards.write_split(tmp_path, "test", n_clips=4, share=2)
    tiny_embedding.write_checkpoint(tmp_path / "best.h5")
    with pytest.raises(ConfigError, match=r"retrieval needs a model of train\.objective contrastive"):
        stage_function("evaluate_retrieval")(
            tmp_path / "best.h5", index, tmp_path / "r.csv", model="m", seed=0, batch_size=5
        )

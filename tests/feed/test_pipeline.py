"""The feed's batches: on one device they lie where a reader wrote them."""

from pathlib import Path

import numpy as np

from l3net.feed import pipeline
from tests import tiny_shards


def test_tensors_for_one_device_lie_where_the_batch_was_written(tmp_path: Path, monkeypatch) -> None:
    index, read = tiny_shards.write_split(tmp_path, "train", n_clips=4, share=8), []
    real = pipeline.read_batches
    monkeypatch.setattr(pipeline, "read_batches", lambda *a: (read.append(batch) or batch for batch in real(*a)))
    batch = next(iter(pipeline.open_feed(index, batch_size=4, epoch=0, seed=1, workers=0)))
    (written,) = read
    for name, values in written.arrays.items():
        assert np.array_equal(batch[name].numpy(), values)
        values[...] = 1
        assert (batch[name].numpy() == 1).all(), f"{name} is a copy"
    assert [name.decode() for name in batch["sample_id"].numpy()] == written.sample_ids

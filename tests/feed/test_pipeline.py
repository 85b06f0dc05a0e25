"""The feed's batches: on one device they lie where a reader wrote them, as many as are to be held."""

from pathlib import Path

import numpy as np

from l3net.feed import pipeline, shared_memory
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


def test_no_batch_is_copied_until_more_are_held_than_the_feed_was_told(tmp_path: Path, monkeypatch) -> None:
    index, copied = tiny_shards.write_split(tmp_path, "train", n_clips=4, share=24), []
    real = shared_memory.aligned_copy
    monkeypatch.setattr(shared_memory, "aligned_copy", lambda values: copied.append(1) or real(values))
    settings = {"batch_size": 4, "epoch": 0, "seed": 1, "workers": 0, "batches": 20}
    for room, copies in ((20, 0), (12, 8), (1, 16)):  # four at least
        held = list(pipeline.open_feed(index, held=room, **settings))
        assert (len(held), len(copied)) == (20, copies)
        copied.clear()

"""Filling batches: every clip is read once, and no more are held than the shuffle buffer holds."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from l3net.feed import batch_filler
from l3net.feed.batch_filler import BatchFiller, ReadPlan
from l3net.feed.shared_memory import BatchBuffer
from l3net.samples.shard_reader import Shard
from tests import tiny_shards

N_CLIPS, SHARE, COPIES, BUFFERED, BATCH = 3, 20, 30, 16, 8


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index of many shards of few clips (the same ones, which a reader does not know)."""
    folder = tmp_path_factory.mktemp("many")
    path = tiny_shards.write_split(folder, "train", n_clips=N_CLIPS, share=SHARE)
    fields = json.loads(path.read_text())
    (entry,) = fields["shards"]
    fields["shards"] = [{**entry, "path": f"part-{n}.h5"} for n in range(COPIES)]
    for shard in fields["shards"]:
        shutil.copy(folder / entry["path"], folder / shard["path"])
    fields.update(n_samples=N_CLIPS * SHARE * COPIES, n_clips=N_CLIPS * COPIES)
    path.write_text(json.dumps(fields))
    return path


@pytest.mark.parametrize("readers", [1, 4])
def test_a_pass_reads_every_clip_once_and_holds_few(index: Path, readers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read, opened = Counter(), Counter()

    class Counted(Shard):
        def __init__(self, path: Path) -> None:
            opened[path.name] += 1
            super().__init__(path)

        def clip_data(self, clip: int):
            read[self.path.name, clip] += 1
            return super().clip_data(clip)

    monkeypatch.setattr(batch_filler, "Shard", Counted)
    n_batches = N_CLIPS * SHARE * COPIES // BATCH
    plan = ReadPlan(
        index=str(index), batch_size=BATCH, first_batch=0, end_batch=n_batches, seed=1, shuffle_buffer_clips=BUFFERED
    )
    fillers = [BatchFiller(plan, number, readers) for number in range(readers)]
    size = BatchBuffer.n_bytes(BATCH, tiny_shards.SIZE)
    buffer = BatchBuffer(memoryview(bytearray(size)), BATCH, tiny_shards.SIZE)
    for batch in range(n_batches):
        rows = sorted(row for filler in fillers for row in filler.fill(batch, buffer).rows)
        assert rows == list(range(BATCH))
        assert sum(filler.n_clips_held for filler in fillers) <= BUFFERED + 1
    for filler in fillers:
        filler.close()
    assert len(read) == N_CLIPS * COPIES
    # The pass is a circle: the clips that its first block takes up half way come again at its end.
    assert read.total() <= N_CLIPS * COPIES + BUFFERED
    assert opened.total() <= read.total()

"""Memory does not grow over 2,000 epochs or 10,000 shards; only in the full form, since both take minutes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny_shards
from tests.faults.conftest import FULL
from tests.faults.results import Notes

pytestmark = [
    pytest.mark.skipif(not FULL, reason="takes minutes; make test-faults does it"),
    pytest.mark.timeout(7200),
]
EPOCHS, SHARDS = 2000, 10_000
MOST_GROWTH_MEGABYTES = 40.0
MUST = f"memory grows by less than {MOST_GROWTH_MEGABYTES:.0f} MB"
# Prints the memory of the process, in MB, at each save of the state.
TRAIN = """
import json, sys
from pathlib import Path
from tests.stages.loading import stage_function
from tests.tiny_training import arguments
from l3net.training import loop

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

seen, made = [], loop.validation_step
def watched(*a, **k):
    step = made(*a, **k)
    def told(batch):
        seen.append(resident())
        return step(batch)
    return told
loop.validation_step = watched
changes = {"batches_per_epoch": 1, "validation_batches": 1, "save_every_seconds": 5.0}
folder = Path(sys.argv[1])
stage_function("train_leg")(**arguments(folder, folder / "run", epoch=int(sys.argv[2]), **changes))
print(json.dumps(seen))
"""
READ = """
import json, sys
from pathlib import Path
from l3net.feed.batch_filler import ReadPlan
from l3net.feed.batch_reader import read_batches
from l3net.samples.shard_index import read_shard_index

index = read_shard_index(Path(sys.argv[1]))
seen = []
plan = ReadPlan(index=sys.argv[1], batch_size=8, first_batch=0, end_batch=index.n_samples // 8, seed=1)
for n, batch in enumerate(read_batches(plan, 0)):
    if n % 50 == 0:
        seen.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6)
print(json.dumps(seen))
"""


def memory(code: str, *arguments: object) -> list[float]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


def grown(seen: list[float]) -> float:
    """Return the megabytes between the second tenth and the last one."""
    tenth = len(seen) // 10
    return sorted(seen[-tenth:])[tenth // 2] - sorted(seen[tenth : 2 * tenth])[tenth // 2]


def test_memory_is_flat_over_epochs(tmp_path: Path, notes: Notes) -> None:
    tiny_shards.write_split(tmp_path, "train")
    tiny_shards.write_split(tmp_path, "valid")
    seen = memory(TRAIN, tmp_path, EPOCHS)
    assert len(seen) == EPOCHS
    growth = grown(seen)
    notes.note("cases", f"training of {EPOCHS} epochs", must=MUST, came=f"{growth:.1f} MB",
               test="test_memory_is_flat_over_epochs")  # fmt: skip
    assert growth < MOST_GROWTH_MEGABYTES


def test_memory_is_flat_over_shards(tmp_path: Path, notes: Notes) -> None:
    index = tiny_shards.write_split(tmp_path / "one", "train", n_clips=2, share=4)
    fields = json.loads(index.read_text())
    (entry,) = fields["shards"]
    for n in range(SHARDS):
        os.link(tmp_path / "one" / entry["path"], tmp_path / f"part-{n:05d}.h5")
    fields["shards"] = [{**entry, "path": f"part-{n:05d}.h5"} for n in range(SHARDS)]
    fields |= {name: SHARDS * fields[name] for name in ("n_samples", "n_clips")}
    (tmp_path / "train.json").write_text(json.dumps(fields))
    growth = grown(memory(READ, tmp_path / "train.json"))
    notes.note("cases", f"an epoch of {SHARDS} shards", must=MUST, came=f"{growth:.1f} MB",
               test="test_memory_is_flat_over_shards")  # fmt: skip
    assert growth < MOST_GROWTH_MEGABYTES

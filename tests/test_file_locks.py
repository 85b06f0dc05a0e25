"""File systems without a lock service (NFS without lockd, errno 37): HDF5 files are written and read all the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NO_LOCKS = """
#include <errno.h>
int flock(int fd, int op) { (void)fd; (void)op; errno = ENOLCK; return -1; }
"""
WRITE_AND_READ = """
import sys, l3net, h5py
from l3net.acquisition.clip_store import ClipStore
from l3net.feed.shard_digests import demand_digest
from l3net.files import sha256_of
from l3net.samples import IndexedShard, cached_index
from pathlib import Path
with h5py.File(sys.argv[1], "w") as file:
    file["a"] = [1, 2]
with h5py.File(sys.argv[1]) as file:
    assert list(file["a"]) == [1, 2]
store = ClipStore(Path(sys.argv[2]), {"crf": 23})
for _ in range(2):
    with store.work_folder() as work, store.run("part", work):
        pass
folder = Path(sys.argv[2])
(folder / "shards").mkdir()
(folder / "shards" / "a.h5").write_bytes(b"a shard")
index = folder / "shards" / "train.json"
index.write_text('{"shards": [{"path": "a.h5"}]}')
for _ in range(2):
    copied = cached_index(index, str(folder / "node"))
    assert (copied.parent / "a.h5").read_bytes() == b"a shard" and copied != index
entry = IndexedShard(str(folder / "shards" / "a.h5"), sha256_of(folder / "shards" / "a.h5"), 1, 1)
demand_digest(entry, "train.json", folder / "marks")
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc builds the library that refuses locks")
def test_files_are_written_and_read_where_there_are_no_locks(tmp_path: Path) -> None:
    (tmp_path / "nolock.c").write_text(NO_LOCKS)
    subprocess.run(["gcc", "-shared", "-fPIC", tmp_path / "nolock.c", "-o", tmp_path / "nolock.so"], check=True)
    environment = {**os.environ, "LD_PRELOAD": str(tmp_path / "nolock.so")}
    environment.pop("HDF5_USE_FILE_LOCKING", None)
    command = [sys.executable, "-c", WRITE_AND_READ, tmp_path / "a.h5", tmp_path / "store"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    said = ended.stderr.splitlines()
    assert [line.partition(": ")[2].startswith("this file system has no locks") for line in said] == [True] * 3, said
    without = ["-c", WRITE_AND_READ.replace(", l3net, h5py", ", h5py"), tmp_path / "b.h5", tmp_path / "store"]
    refused = subprocess.run([sys.executable, *without], env=environment, capture_output=True, text=True)
    assert "errno = 37" in refused.stderr or "No locks available" in refused.stderr  # so the library refuses locks

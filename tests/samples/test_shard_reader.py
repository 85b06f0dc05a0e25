"""The reader of shards: a second of sound, read where it lies in the file, against the whole sound read by h5py."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from l3net.errors import ShardError
from l3net.samples import Shard
from tests.small_store import SmallStore

SECOND = 48000


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SmallStore(tmp_path_factory.mktemp("store"), seconds=3.5).write().make_shard()


def _stored_anew(shard: Path, path: Path, **options: object) -> Path:
    """Copy a shard, its sound stored in another way."""
    path.write_bytes(shard.read_bytes())
    with h5py.File(path, "r+") as file:
        sound = file["sound/pcm"][:]
        del file["sound/pcm"]
        file.create_dataset("sound/pcm", data=sound, **options)
    return path


@pytest.mark.parametrize(
    "stored",
    [
        {"chunks": (SECOND,)},
        {"chunks": (SECOND,), "compression": "gzip"},
        {"chunks": (SECOND,), "shuffle": True},
        {"chunks": (1000,)},
        {},
        {"chunks": (SECOND,), "dtype": ">i2"},
    ],
    ids=["as written", "compressed", "shuffled", "short chunks", "in one piece", "bytes in the other order"],
)
def test_a_second_is_the_same_however_its_sound_is_stored(shard: Path, stored: dict, tmp_path: Path) -> None:
    with Shard(_stored_anew(shard, tmp_path / "shard.h5", **stored)) as opened:
        sound, into = opened.pcm[:], np.empty(SECOND, np.int16)
        for clip, row in enumerate(opened.clips):
            last = int(row["sound_length"]) - SECOND
            for start in sorted({0, 1, last // 3, last - 1, last, *range(0, last, SECOND)} & set(range(last + 1))):
                opened.window(clip, start, into)
                first = int(row["sound_start"]) + start
                assert np.array_equal(into, sound[first : first + SECOND]), (clip, start)


def test_a_second_beyond_the_sound_is_refused(shard: Path) -> None:
    with Shard(shard) as opened, pytest.raises(ShardError, match="is not a shard"):
        opened.window(0, len(opened.pcm) - SECOND + 1, np.empty(SECOND, np.int16))


def test_a_file_cut_short_while_it_is_open_is_told(shard: Path, tmp_path: Path) -> None:
    path = tmp_path / "shard.h5"
    path.write_bytes(shard.read_bytes())
    with Shard(path) as opened:
        place = opened.pcm.id.get_chunk_info_by_coord((0,)).byte_offset
        with path.open("r+b") as file:
            file.truncate(place + SECOND)
        with pytest.raises(ShardError, match="cut short"):
            opened.window(0, 0, np.empty(SECOND, np.int16))


def test_seconds_as_they_are_written_are_read_where_they_lie(shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    into = np.empty(SECOND, np.int16)
    with Shard(shard) as opened:
        read: list[int] = []
        real: Callable = opened._read_of_chunk
        monkeypatch.setattr(opened, "_read_of_chunk", lambda *a: (read.append(a[0]), real(*a)))
        opened.window(0, 100, into)
    assert len(read) == 2

"""The memory of batches: pieces that do not overlap, and copies that share nothing with it."""

import numpy as np

from l3net import batch_memory
from l3net.shard_format import SAMPLE


def test_slots_keep_what_another_process_wrote_and_do_not_overlap() -> None:
    rng = np.random.default_rng(0)
    with batch_memory.shared(3, 1001) as file:
        ours, theirs = (batch_memory.slots(file.fileno(), 3, 1001) for _ in range(2))
        fields = ("audio", "recipes", "lengths", "jpeg")
        written = []
        for slot in ours:
            for name in fields:
                place = getattr(slot, name)
                value = np.frombuffer(rng.bytes(place.nbytes), place.dtype).reshape(place.shape)
                place[...] = value
                written.append(value.tobytes())
        assert [getattr(slot, name).tobytes() for slot in theirs for name in fields] == written
    assert (ours[0].audio.shape, ours[0].jpeg.shape, ours[0].recipes.dtype) == ((3, 48000), (3, 1001), SAMPLE)


def test_a_copy_is_aligned_and_its_own() -> None:
    values = np.arange(7 * 48000, dtype=np.int16).reshape(7, 48000)
    for _ in range(20):
        copy = batch_memory.aligned_copy(values)
        assert copy.ctypes.data % 64 == 0
        assert np.array_equal(copy, values)
        assert not np.shares_memory(copy, values)

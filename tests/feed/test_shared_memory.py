"""The memory of batches: pieces that do not overlap, and copies that share nothing with it."""

import gc

import numpy as np
import pytest

from l3net.feed.shared_memory import BATCHES_AHEAD, BufferPool, aligned_copy, create_shared_file, map_buffers
from l3net.samples.shard_format import SAMPLE


def test_slots_keep_what_another_process_wrote_and_do_not_overlap() -> None:
    rng = np.random.default_rng(0)
    with create_shared_file(4, 3, 1001) as file:
        ours, theirs = (map_buffers(file.fileno(), 3, 1001) for _ in range(2))
        fields = ("audio", "recipes", "lengths", "jpeg")
        written = []
        for slot in ours:
            for name in fields:
                place = getattr(slot, name)
                value = np.frombuffer(rng.bytes(place.nbytes), place.dtype).reshape(place.shape)
                place[...] = value
                written.append(value.tobytes())
        assert [getattr(slot, name).tobytes() for slot in theirs for name in fields] == written
    assert len(ours) == 4
    assert (ours[0].audio.shape, ours[0].jpeg.shape, ours[0].recipes.dtype) == ((3, 48000), (3, 1001), SAMPLE)


def test_a_copy_is_aligned_and_its_own() -> None:
    values = np.arange(7 * 48000, dtype=np.int16).reshape(7, 48000)
    for _ in range(20):
        copy = aligned_copy(values)
        assert copy.ctypes.data % 64 == 0
        assert np.array_equal(copy, values)
        assert not np.shares_memory(copy, values)


@pytest.fixture
def lender() -> BufferPool:
    with create_shared_file(BATCHES_AHEAD + 2, 2, 100) as file:
        made = map_buffers(file.fileno(), 2, 100)
    for number, slot in enumerate(made):
        slot.audio[:] = number
    return BufferPool(made)


def test_sound_is_lent_without_a_copy_and_its_slot_free_when_nothing_refers_to_it(lender) -> None:
    number = lender.take()
    audio = lender.lend(number)
    assert np.shares_memory(audio, lender._slots[number].audio)
    part = audio[1:, ::2]
    del audio
    gc.collect()
    others = [lender.take() for _ in range(BATCHES_AHEAD + 1)]
    assert number not in others
    assert (part == number).all()
    del part
    assert lender.take() == number


def test_sound_is_copied_rather_than_slots_run_out(lender) -> None:
    held = [(number, lender.lend(number)) for number in (lender.take() for _ in range(20))]
    lent = {number for number, audio in held if np.shares_memory(audio, lender._slots[number].audio)}
    assert len(lent) == 2
    for number, slot in enumerate(lender._slots):
        if number not in lent:
            slot.audio[:] = -1
    assert all((audio == number).all() for number, audio in held)


def test_a_tensor_keeps_the_slot(lender) -> None:
    import tensorflow as tf

    number = lender.take()

    def lend():
        yield lender.lend(number)

    (tensor,) = tf.data.Dataset.from_generator(lend, output_signature=tf.TensorSpec([2, 48000], tf.int16))
    gc.collect()
    assert number not in [lender.take() for _ in range(BATCHES_AHEAD + 1)]
    assert (tensor.numpy() == number).all()

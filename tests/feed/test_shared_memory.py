"""Buffers of batches: they do not overlap, and a pool keeps each while its sound is used."""

import gc

import numpy as np
import pytest

from l3net.feed.shared_memory import BATCHES_AHEAD, BufferPool, create_shared_file, map_buffers
from l3net.samples.shard_format import SAMPLE


def test_buffers_keep_what_another_process_wrote_and_do_not_overlap() -> None:
    rng = np.random.default_rng(0)
    with create_shared_file(4, 3, 1001) as file:
        ours, theirs = (map_buffers(file.fileno(), 3, 1001) for _ in range(2))
        fields = ("audio", "recipes", "lengths", "jpeg")
        written = []
        for buffer in ours:
            for name in fields:
                place = getattr(buffer, name)
                value = np.frombuffer(rng.bytes(place.nbytes), place.dtype).reshape(place.shape)
                place[...] = value
                written.append(value.tobytes())
        assert [getattr(buffer, name).tobytes() for buffer in theirs for name in fields] == written
    assert len(ours) == 4
    assert (ours[0].audio.shape, ours[0].jpeg.shape, ours[0].recipes.dtype) == ((3, 48000), (3, 1001), SAMPLE)


@pytest.fixture
def pool() -> BufferPool:
    with create_shared_file(BATCHES_AHEAD + 2, 2, 100) as file:
        made = map_buffers(file.fileno(), 2, 100)
    for number, buffer in enumerate(made):
        buffer.audio[:] = number
    return BufferPool(made)


def test_sound_is_not_copied_and_its_buffer_is_free_when_nothing_refers_to_it(pool) -> None:
    number = pool.acquire()
    audio = pool.release_when_unused(number)
    assert np.shares_memory(audio, pool._buffers[number].audio)
    part = audio[1:, ::2]
    del audio
    gc.collect()
    others = [pool.acquire() for _ in range(BATCHES_AHEAD + 1)]
    assert number not in others
    assert (part == number).all()
    del part
    assert pool.acquire() == number


def test_sound_is_copied_when_buffers_run_short(pool) -> None:
    held = [(number, pool.release_when_unused(number)) for number in (pool.acquire() for _ in range(20))]
    uncopied = {number for number, audio in held if np.shares_memory(audio, pool._buffers[number].audio)}
    assert len(uncopied) == 2
    for number, buffer in enumerate(pool._buffers):
        if number not in uncopied:
            buffer.audio[:] = -1
    assert all((audio == number).all() for number, audio in held)


def test_a_tensor_keeps_the_buffer(pool) -> None:
    import tensorflow as tf

    number = pool.acquire()

    def give():
        yield pool.release_when_unused(number)

    (tensor,) = tf.data.Dataset.from_generator(give, output_signature=tf.TensorSpec([2, 48000], tf.int16))
    gc.collect()
    assert number not in [pool.acquire() for _ in range(BATCHES_AHEAD + 1)]
    assert (tensor.numpy() == number).all()

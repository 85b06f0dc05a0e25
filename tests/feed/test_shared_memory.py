"""Buffers of batches: they do not overlap, and a pool keeps each while its sound or images are used."""

import gc

import numpy as np
import pytest

from l3net.feed.shared_memory import BATCHES_AHEAD, BufferPool, create_shared_file, map_buffers
from l3net.samples.shard_format import SAMPLE


def test_buffers_keep_what_another_process_wrote_and_do_not_overlap() -> None:
    rng = np.random.default_rng(0)
    with create_shared_file(4, 3, 9) as file:
        ours, theirs = (map_buffers(file.fileno(), 3, 9) for _ in range(2))
        fields = ("audio", "image", "recipes")
        written = []
        for buffer in ours:
            for name in fields:
                place = getattr(buffer, name)
                value = np.frombuffer(rng.bytes(place.nbytes), place.dtype).reshape(place.shape)
                place[...] = value
                written.append(value.tobytes())
        assert [getattr(buffer, name).tobytes() for buffer in theirs for name in fields] == written
    assert len(ours) == 4
    assert (ours[0].audio.shape, ours[0].image.shape, ours[0].recipes.dtype) == ((3, 48000), (3, 9, 9, 3), SAMPLE)


@pytest.fixture
def pool() -> BufferPool:
    with create_shared_file(BATCHES_AHEAD + 2, 2, 10) as file:
        made = map_buffers(file.fileno(), 2, 10)
    for number, buffer in enumerate(made):
        buffer.audio[:] = buffer.image[:] = number
    return BufferPool(made)


@pytest.mark.parametrize("kept", [0, 1])
def test_nothing_is_copied_and_a_buffer_is_free_when_nothing_refers_to_its_sound_or_images(pool, kept) -> None:
    number = pool.acquire()
    handed_over = pool.release_when_unused(number)
    assert np.shares_memory(handed_over[0], pool._buffers[number].audio)
    assert np.shares_memory(handed_over[1], pool._buffers[number].image)
    part = handed_over[kept][1:, ::2]
    del handed_over
    gc.collect()
    others = [pool.acquire() for _ in range(BATCHES_AHEAD + 1)]
    assert number not in others
    assert (part == number).all()
    del part
    assert pool.acquire() == number


def test_sound_and_images_are_copied_when_buffers_run_short(pool) -> None:
    held = [(number, *pool.release_when_unused(number)) for number in (pool.acquire() for _ in range(20))]
    uncopied = {number for number, audio, _ in held if np.shares_memory(audio, pool._buffers[number].audio)}
    assert uncopied == {number for number, _, image in held if np.shares_memory(image, pool._buffers[number].image)}
    assert len(uncopied) == 2
    for number, buffer in enumerate(pool._buffers):
        if number not in uncopied:
            buffer.audio[:], buffer.image[:] = -1, 255
    assert all((audio == number).all() and (image == number).all() for number, audio, image in held)


@pytest.mark.parametrize(("kept", "spec"), [(0, ([2, 48000], "int16")), (1, ([2, 10, 10, 3], "uint8"))])
def test_a_tensor_keeps_the_buffer(pool, kept, spec) -> None:
    import tensorflow as tf

    number = pool.acquire()

    def give():
        yield pool.release_when_unused(number)[kept]

    (tensor,) = tf.data.Dataset.from_generator(give, output_signature=tf.TensorSpec(*spec))
    gc.collect()
    assert number not in [pool.acquire() for _ in range(BATCHES_AHEAD + 1)]
    assert (tensor.numpy() == number).all()

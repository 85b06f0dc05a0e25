"""Buffers of batches: they do not overlap, and a pool keeps each while anything of it is used."""

import gc

import numpy as np
import pytest

from l3net.feed.shared_memory import BATCHES_AHEAD, BufferPool, create_shared_file, map_buffers


def test_buffers_keep_what_another_process_wrote_and_do_not_overlap() -> None:
    rng = np.random.default_rng(0)
    with create_shared_file(4, 3, 9) as file:
        ours, theirs = (map_buffers(file.fileno(), 3, 9) for _ in range(2))
        written = []
        for buffer in ours:
            for place in buffer.arrays.values():
                value = np.frombuffer(rng.bytes(place.nbytes), place.dtype).reshape(place.shape)
                place[...] = value
                written.append(value.tobytes())
        assert [place.tobytes() for buffer in theirs for place in buffer.arrays.values()] == written
    assert len(ours) == 4
    shapes = {name: (place.shape, place.dtype.name) for name, place in ours[0].arrays.items()}
    assert shapes == {
        "audio": ((3, 48000), "int16"),
        "image": ((3, 9, 9, 3), "uint8"),
        "label": ((3,), "int32"),
        "flip": ((3,), "bool"),
        "saturation": ((3,), "float32"),
        "brightness": ((3,), "float32"),
        "saturation_first": ((3,), "bool"),
        "gain": ((3,), "float32"),
    }
    assert {place.ctypes.data % 64 for buffer in ours for place in buffer.arrays.values()} == {0}


@pytest.fixture
def pool() -> BufferPool:
    with create_shared_file(BATCHES_AHEAD + 2, 2, 10) as file:
        made = map_buffers(file.fileno(), 2, 10)
    for number, buffer in enumerate(made):
        buffer.arrays["audio"][:] = buffer.arrays["image"][:] = buffer.arrays["gain"][:] = number
    return BufferPool(made)


@pytest.mark.parametrize("kept", ["audio", "image", "gain"])
def test_nothing_is_copied_and_a_buffer_is_free_when_nothing_refers_to_it(pool, kept) -> None:
    number = pool.acquire()
    handed_over = pool.release_when_unused(number)
    for name, place in pool._buffers[number].arrays.items():
        assert np.shares_memory(handed_over[name], place)
    part = handed_over[kept][1:]
    del handed_over
    gc.collect()
    others = [pool.acquire() for _ in range(BATCHES_AHEAD + 1)]
    assert number not in others
    assert (part == number).all()
    del part
    assert pool.acquire() == number


def test_a_batch_is_copied_when_buffers_run_short(pool) -> None:
    held = [(number, pool.release_when_unused(number)) for number in (pool.acquire() for _ in range(20))]
    for name in ("audio", "image", "gain"):
        buffers = [buffer.arrays[name] for buffer in pool._buffers]
        uncopied = {number for number, given in held if np.shares_memory(given[name], buffers[number])}
        assert len(uncopied) == len(buffers) - 1
        for number, place in enumerate(buffers):
            if number not in uncopied:
                place[:] = 99
        assert all((given[name] == number).all() for number, given in held)
        assert {given[name].ctypes.data % 64 for _, given in held} == {0}


def by_a_data_set(values: np.ndarray) -> object:
    import tensorflow as tf

    (tensor,) = tf.data.Dataset.from_generator(
        lambda: iter([values]), output_signature=tf.TensorSpec(values.shape, values.dtype)
    )
    return tensor


def by_dlpack(values: np.ndarray) -> object:
    import tensorflow as tf

    return tf.experimental.dlpack.from_dlpack(values.__dlpack__())


@pytest.mark.parametrize("kept", ["audio", "image", "gain"])
@pytest.mark.parametrize("made", [by_a_data_set, by_dlpack])
def test_a_tensor_keeps_the_buffer(pool, made, kept) -> None:
    number = pool.acquire()
    tensor = made(pool.release_when_unused(number)[kept])
    gc.collect()
    assert number not in [pool.acquire() for _ in range(BATCHES_AHEAD + 1)]
    assert (tensor.numpy() == number).all()
    if made is by_dlpack:
        del tensor
        assert pool.acquire() == number

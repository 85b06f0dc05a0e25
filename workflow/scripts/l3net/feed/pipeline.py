"""The feed: batches of shards as tensors; for several devices as a tf.data data set.

Readers decode the images to where TensorFlow reads them. What the network takes is made of a batch inside the training
step (`augment.prepare_batch`).
"""

import atexit
import re
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from l3net.errors import ConfigError, ShardError
from l3net.feed.batch_filler import ReadPlan
from l3net.feed.batch_reader import ReadBatch, read_batches
from l3net.feed.shared_memory import HELD_BATCHES, OF_RECIPES
from l3net.media import SAMPLE_RATE
from l3net.samples import read_shard_index

_BATCHES_AHEAD = 2
_under_way: weakref.WeakSet[Iterator] = weakref.WeakSet()


class Feed:
    """The batches of a training or a validation, an epoch at a time.

    The samples are one endless stream, each once before any comes again, in an order given by the seed; epoch k is its
    k-th stretch of `batches` batches. So an epoch is a function of (seed, epoch), and a late start costs nothing.

    On one device the batches are made without tf.data, whose threads take three times as long to hand them over.
    For several devices all whole epochs are one data set, which is iterated again: each that TensorFlow makes takes
    time to trace, and leaves some kilobytes behind until the process ends.

    Parameters
    ----------
    index : JSON file written by index_shards.
    batch_size : number of samples of a batch; every batch is full.
    seed : seed of the order.
    batches : number of batches of an epoch; None takes as many as all samples fill, at least one.
    workers : number of processes that read; 0 reads in this one. The batches are the same for any number.
    shuffle : False takes the first sample of every clip, then the second of every clip, in the stored order.
    shuffle_buffer_clips : number of clips whose samples are mixed with each other at a time; memory grows with it
        (docs/samples.md).
    marks : folder that remembers which shards were compared with the digests of the index, for the feeds after this one
        (`shard_digests.demand_digest`); None: each process compares a shard once.
    place : puts a data set onto several devices (`tf.distribute.Strategy.experimental_distribute_dataset`); None: the
        batches are for one device.
    held : number of batches that are held at a time, or fewer; further ones are copied.

    Raises
    ------
    ShardError
        The index cannot be read.
    ConfigError
        A number is out of range.
    """

    def __init__(
        self,
        index: Path,
        *,
        batch_size: int,
        seed: int,
        batches: int | None = None,
        workers: int = 1,
        shuffle: bool = True,
        shuffle_buffer_clips: int = 128,
        marks: Path | None = None,
        place: Callable[[tf.data.Dataset], Any] | None = None,
        held: int = HELD_BATCHES,
    ) -> None:
        shards = read_shard_index(index)
        self._n = max(shards.n_samples // batch_size, 1) if batches is None and batch_size > 0 else batches
        if batch_size < 1 or self._n < 1 or workers < 0:
            raise ConfigError(
                f"feed: batch_size {batch_size} and batches {batches} must be 1 or more; "
                f"workers {workers} must be 0 or more"
            )
        self._signature = _signature(batch_size, shards.image_size)
        self._reading, self._place = (workers, max(held, HELD_BATCHES)), place
        self._whole: Any = None
        self._plan = ReadPlan(
            index=str(index),
            batch_size=batch_size,
            first_batch=0,
            end_batch=self._n,
            seed=seed,
            shuffle=shuffle,
            shuffle_buffer_clips=shuffle_buffer_clips,
            marks=None if marks is None else str(marks),
        )

    def epoch(self, epoch: int, start_batch: int = 0) -> "Epoch":
        """Return the batches of an epoch; they are to be taken before another epoch is asked for.

        Parameters
        ----------
        epoch : which stretch of the stream, counted from 0.
        start_batch : number of batches at the epoch's start to leave out.

        Returns
        -------
        Epoch
            Mappings of image uint8 [B, S, S, 3] (the crops), audio int16 [B, 48000], label int32 [B] (1: corresponds),
            flip bool, saturation and brightness float32, saturation_first bool, gain float32, sample_id string, and
            label_mids string (labels of the clip that is heard).

        Raises
        ------
        ConfigError
            A number is out of range.
        """
        if min(epoch, start_batch) < 0:
            raise ConfigError(f"feed: epoch {epoch} and start_batch {start_batch} must be 0 or more")
        first = epoch * self._n
        plan = replace(self._plan, first_batch=first + start_batch, end_batch=first + self._n)
        if self._place is None:
            return Epoch(lambda: map(_tensors, read_batches(plan, *self._reading)))
        self._plan = plan  # which a data set reads when it is iterated
        if start_batch:
            return Epoch(partial(iter, self._data_set(self._n - start_batch)))
        if self._whole is None:
            self._whole = self._data_set(self._n)
        return Epoch(partial(iter, self._whole))

    def _data_set(self, n: int) -> Any:
        data = tf.data.Dataset.from_generator(
            lambda: map(_all_arrays, read_batches(self._plan, *self._reading)), output_signature=self._signature
        )
        return self._place(data.apply(tf.data.experimental.assert_cardinality(max(n, 0))).prefetch(_BATCHES_AHEAD))


def open_feed(index: Path, *, batch_size: int, epoch: int, seed: int, start_batch: int = 0, **options: Any) -> "Epoch":
    """Open the batches of one epoch; the options are those of `Feed`."""
    return Feed(index, batch_size=batch_size, seed=seed, **options).epoch(epoch, start_batch)


class Epoch:
    """The batches of an epoch. What iterates over them ends at Python's end at the latest.

    Parameters
    ----------
    begin : returns an iterator over them, from the first one on.
    """

    def __init__(self, begin: Callable[[], Iterator]) -> None:
        self._begin = begin

    def __iter__(self) -> Iterator[dict[str, Any]]:
        batches = _each(self._begin)
        _under_way.add(batches)
        return batches


def _each(begin: Callable[[], Iterator]) -> Iterator[dict[str, Any]]:
    """Yield all batches; unlike TensorFlow's iterator, this one can be closed."""
    yield from begin()


@atexit.register
def _end_what_is_under_way() -> None:
    """End iterators that somebody holds on to, since they cannot end later.

    TensorFlow's iterator waits for its thread to end, and that for Python, which runs no threads while it takes its
    modules apart: the process would hang.
    """
    for batches in list(_under_way):
        if not batches.gi_running:
            batches.close()


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what TensorFlow raises when a feed's reader fails into the reader's own `ShardError`.

    TensorFlow wraps an error of the feed's Python code in its own, with a traceback as text.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if found := re.search(r"ShardError: (.+)", error.message):
            raise ShardError(found[1]) from None
        raise


def _tensors(batch: ReadBatch) -> dict[str, tf.Tensor]:
    """Return a batch as tensors that lie where its arrays do."""
    # tf.convert_to_tensor would copy them; what is imported needs memory at a multiple of 64 bytes, as a buffer has
    numbers = {name: tf.experimental.dlpack.from_dlpack(values.__dlpack__()) for name, values in batch.arrays.items()}
    with tf.device("CPU"):
        return numbers | {name: tf.convert_to_tensor(texts) for name, texts in _texts(batch).items()}


def _all_arrays(batch: ReadBatch) -> dict[str, np.ndarray]:
    return batch.arrays | _texts(batch)


def _texts(batch: ReadBatch) -> dict[str, np.ndarray]:
    return {"sample_id": np.array(batch.sample_ids, object), "label_mids": np.array(batch.label_mids, object)}


def _signature(batch_size: int, image_size: int) -> dict[str, tf.TensorSpec]:
    kinds = {**OF_RECIPES, "sample_id": tf.string, "label_mids": tf.string}
    return {
        "image": tf.TensorSpec([batch_size, image_size, image_size, 3], tf.uint8),
        "audio": tf.TensorSpec([batch_size, SAMPLE_RATE], tf.int16),
        **{name: tf.TensorSpec([batch_size], kind) for name, kind in kinds.items()},
    }

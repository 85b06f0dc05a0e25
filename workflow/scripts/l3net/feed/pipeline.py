"""The feed: batches of shards as a tf.data data set.

Readers decode the images to where TensorFlow reads them. What the network takes is made of a batch inside the training
step (`augment.prepare_batch`).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from l3net.errors import ConfigError, ShardError
from l3net.feed.batch_filler import ReadPlan
from l3net.feed.batch_reader import ReadBatch, read_batches
from l3net.media import SAMPLE_RATE
from l3net.samples import read_shard_index

_BATCHES_AHEAD = 2


def open_feed(
    index: Path,
    *,
    batch_size: int,
    epoch: int,
    seed: int,
    workers: int = 1,
    shuffle: bool = True,
    batches: int | None = None,
    start_batch: int = 0,
    shuffle_buffer_clips: int = 128,
    marks: Path | None = None,
) -> tf.data.Dataset:
    """Open the batches of one epoch, from `start_batch` on.

    The samples are one endless stream, each once before any comes again, in an order given by the seed; epoch k is its
    k-th stretch of `batches` batches. So an epoch is a function of (seed, epoch), and a late start costs nothing.

    Parameters
    ----------
    index : JSON file written by index_shards.
    batch_size : number of samples of a batch; every batch is full.
    epoch : which stretch of the stream, counted from 0.
    seed : seed of the order.
    workers : number of processes that read; 0 reads in this one. The batches are the same for any number.
    shuffle : False takes the first sample of every clip, then the second of every clip, in the stored order.
    batches : number of batches of an epoch; None takes as many as all samples fill, at least one.
    start_batch : number of batches at the epoch's start to leave out.
    shuffle_buffer_clips : number of clips whose samples are mixed with each other at a time; memory grows with it
        (docs/samples.md).
    marks : folder that remembers which shards were compared with the digests of the index, for the feeds after this one
        (`shard_digests.demand_digest`); None: each process compares a shard once.

    Returns
    -------
    tf.data.Dataset
        Mappings of image uint8 [B, S, S, 3] (the crops), audio int16 [B, 48000], label int32 [B] (1: corresponds),
        flip bool, saturation and brightness float32, saturation_first bool, gain float32, sample_id string, and
        label_mids string (labels of the clip that is heard).

    Raises
    ------
    ShardError
        The index or a shard cannot be read.
    ConfigError
        A number is out of range.
    """
    shards = read_shard_index(index)
    n = max(shards.n_samples // batch_size, 1) if batches is None else batches
    if min(batch_size, n) < 1 or min(epoch, start_batch, workers) < 0:
        raise ConfigError(
            f"feed: batch_size {batch_size} and batches {n} must be 1 or more; "
            f"epoch {epoch}, start_batch {start_batch} and workers {workers} must be 0 or more"
        )
    plan = ReadPlan(
        index=str(index),
        batch_size=batch_size,
        first_batch=epoch * n + start_batch,
        end_batch=(epoch + 1) * n,
        seed=seed,
        shuffle=shuffle,
        shuffle_buffer_clips=shuffle_buffer_clips,
        marks=None if marks is None else str(marks),
    )
    data = tf.data.Dataset.from_generator(
        lambda: map(_arrays, read_batches(plan, workers)), output_signature=_signature(batch_size, shards.image_size)
    )
    return data.apply(tf.data.experimental.assert_cardinality(max(n - start_batch, 0))).prefetch(_BATCHES_AHEAD)


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


def _arrays(batch: ReadBatch) -> dict[str, Any]:
    """Return a batch as arrays that stay as they are when its buffer is filled again."""
    rows = batch.recipes
    return {
        "image": batch.image,
        "audio": batch.audio,
        "label": rows["label"].astype(np.int32),
        "flip": rows["flip"].astype(bool),
        "saturation": rows["saturation"].copy(),
        "brightness": rows["brightness"].copy(),
        "saturation_first": rows["saturation_first"].astype(bool),
        "gain": rows["gain"].copy(),
        "sample_id": np.array(batch.sample_ids, object),
        "label_mids": np.array(batch.label_mids, object),
    }


def _signature(batch_size: int, image_size: int) -> dict[str, tf.TensorSpec]:
    kinds = {
        "label": tf.int32,
        "flip": tf.bool,
        "saturation": tf.float32,
        "brightness": tf.float32,
        "saturation_first": tf.bool,
        "gain": tf.float32,
        "sample_id": tf.string,
        "label_mids": tf.string,
    }
    return {
        "image": tf.TensorSpec([batch_size, image_size, image_size, 3], tf.uint8),
        "audio": tf.TensorSpec([batch_size, SAMPLE_RATE], tf.int16),
        **{name: tf.TensorSpec([batch_size], kind) for name, kind in kinds.items()},
    }

"""The answers of a trained L3-Net to its own task: do this image and this second of sound belong together?"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from l3net.feed import one_line_errors, open_feed, prepare_batch
from l3net.samples import read_shard_index


@one_line_errors()
def correspondence_answers(
    model: keras.Model, index: Path, *, seed: int, batch_size: int, batches: int
) -> tuple[np.ndarray, list[list[str]]]:
    """Ask the model about samples of an index, without augmentation.

    Parameters
    ----------
    model : as of `networks.build_l3`.
    index : index of shards (JSON).
    seed : of the choice of samples.
    batches : how many, at most; a sample is asked about once, so fewer where the index holds fewer.

    Returns
    -------
    right : bool np.ndarray [shape=(n,)].
    labels : n lists of the labels (mids) of the clips the sounds are from.
    """

    @tf.function(autograph=False)
    def ask(batch):
        image, audio, label = prepare_batch(batch, False)
        guess = tf.argmax(model({"image": image, "audio": audio}, training=False), axis=1, output_type=tf.int32)
        return tf.equal(guess, tf.cast(label, tf.int32))

    right, labels, asked = [], [], set()
    # A feed starts over where an index is used up; what it asks for again is not counted.
    batches = min(batches, -(-read_shard_index(index).n_samples // batch_size))
    data = open_feed(index, batch_size=batch_size, epoch=0, seed=seed, batches=batches)
    for batch in data:
        for is_right, name, mids in zip(
            ask(batch).numpy(), batch["sample_id"].numpy(), batch["label_mids"].numpy(), strict=True
        ):
            if name not in asked:
                asked.add(name)
                right.append(is_right)
                labels.append(mids.decode().split(","))
    return np.array(right, bool), labels

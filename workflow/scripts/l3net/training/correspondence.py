"""The answers of a trained L3-Net to its own task: do this image and this second of sound belong together?"""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from l3net.feed import one_line_errors, open_feed, prepare_batch
from l3net.samples import read_shard_index


@dataclass(frozen=True)
class Answers:
    """The answers to a number of samples.

    Attributes
    ----------
    right : whether each is right [shape=(n,), bool].
    labels : for each sample the labels (mids) of the clip that is heard.
    """

    right: np.ndarray
    labels: list[list[str]]

    def by_label(self) -> dict[str, np.ndarray]:
        """Return the answers of each label, by ascending label; a sample counts for every label of its clip."""
        known = sorted({label for labels in self.labels for label in labels})
        return {label: self.right[[label in labels for labels in self.labels]] for label in known}


@one_line_errors()
def ask_correspondence(model: keras.Model, index: Path, *, seed: int, batch_size: int, batches: int) -> Answers:
    """Ask the model about samples of an index, without augmentation.

    Parameters
    ----------
    model : the network (`models.build_l3`).
    index : index of shards (JSON).
    seed : seed of the choice of samples.
    batch_size : number of samples asked about at a time.
    batches : number of batches, at most; a sample is asked about once, so there are fewer where the index holds fewer.

    Raises
    ------
    ShardError
        The index or a shard cannot be read.
    """

    @tf.function(autograph=False)
    def answer(batch):
        image, audio, label = prepare_batch(batch, False)
        guess = tf.argmax(model({"image": image, "audio": audio}, training=False), axis=1, output_type=tf.int32)
        return tf.equal(guess, tf.cast(label, tf.int32))

    right, labels, asked = [], [], set()
    # A feed starts over where an index is used up; what it yields again is not counted.
    batches = min(batches, -(-read_shard_index(index).n_samples // batch_size))
    for batch in open_feed(index, batch_size=batch_size, epoch=0, seed=seed, batches=batches):
        names, mids = batch["sample_id"].numpy(), batch["label_mids"].numpy()
        for is_right, name, of_clip in zip(answer(batch).numpy(), names, mids, strict=True):
            if name not in asked:
                asked.add(name)
                right.append(is_right)
                labels.append(of_clip.decode().split(","))
    return Answers(np.array(right, bool), labels)

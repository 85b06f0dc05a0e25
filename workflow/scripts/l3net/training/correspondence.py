"""The answers of a trained L3-Net to its own task: do this image and this second of sound belong together?"""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from l3net.devices import one_line_out_of_memory
from l3net.errors import ConfigError
from l3net.feed import one_line_errors, open_feed, prepare_batch
from l3net.models import OBJECTIVES
from l3net.samples import Shard, ShardIndex, read_shard_index


@dataclass(frozen=True)
class Answers:
    """The answers to a number of samples.

    Attributes
    ----------
    right : whether each is right [shape=(n,), bool].
    clips : for each sample the clip that is seen and the clip that is heard, numbered over all shards of the index
        [shape=(n, 2), int].
    labels : for each clip of the index its labels (mids).
    """

    right: np.ndarray
    clips: np.ndarray
    labels: list[list[str]]

    def by_label(self) -> dict[str, "Answers"]:
        """Return the answers of each label, by ascending label; a sample counts for every label of the clip heard."""
        heard = self.clips[:, 1]
        found = {}
        for label in sorted({label for labels in self.labels for label in labels}):
            chosen = np.array([label in labels for labels in self.labels])[heard]
            if chosen.any():
                found[label] = Answers(self.right[chosen], self.clips[chosen], self.labels)
        return found


class _Recipes:
    """What an index's shards say about their samples: which clips each is made of, and the clips' labels."""

    def __init__(self, index: ShardIndex) -> None:
        self.labels: list[list[str]] = []
        self._numbers: dict[str, np.ndarray] = {}
        self._first: dict[str, int] = {}
        clips = []
        for entry in index.shards:
            with Shard(Path(entry.path)) as shard:
                rows, part = shard.samples[:], f"{index.subset}/{shard.part}"
                self._numbers[part], self._first[part] = rows["n"], sum(map(len, clips))
                clips.append(np.stack([rows["clip"], rows["sound"]], axis=1) + len(self.labels))
                self.labels += [labels.split(",") for labels in shard.labels]
        self.clips = np.concatenate(clips)

    def row_of(self, sample_id: str) -> int:
        """Return the place of a sample, ``{subset}/{part}/{n}``, in `clips`; samples of a part ascend by n."""
        part, _, n = sample_id.rpartition("/")
        return self._first[part] + int(np.searchsorted(self._numbers[part], int(n)))


@dataclass(frozen=True)
class Pairs:
    """The directions in which a contrastive network sees and hears the same clips.

    Attributes
    ----------
    images, sounds : vectors of length 1 [shape=(n_clips, d)], of one matching sample of each clip.
    """

    images: np.ndarray
    sounds: np.ndarray


@one_line_errors()
def embed_pairs(model: keras.Model, index: Path, *, seed: int, batch_size: int) -> Pairs:
    """Compute the directions of one matching sample of each clip of an index: the first that is read.

    Raises
    ------
    ConfigError
        The network was not trained with objective contrastive, so that its two sides share no space.
    ShardError
        The index or a shard cannot be read.
    """
    if "vision_direction" not in {layer.name for layer in model.layers}:
        raise ConfigError("retrieval needs a model of train.objective contrastive, whose sides share one space")
    network = OBJECTIVES["contrastive"].training_network(model)

    @tf.function(autograph=False)
    def directions(batch):
        image, audio, label = prepare_batch(batch, False)
        return label, network({"image": image, "audio": audio}, training=False)[1:]

    known = read_shard_index(index)
    recipes, found = _Recipes(known), {}
    batches = -(-known.n_samples // batch_size)
    for batch in open_feed(index, batch_size=batch_size, epoch=0, seed=seed, batches=batches):
        with one_line_out_of_memory("train.batch_size", batch_size):
            label, (images, sounds) = directions(batch)
        for n, name in enumerate(batch["sample_id"].numpy()):
            if label[n] == 1:
                clip = int(recipes.clips[recipes.row_of(name.decode()), 0])
                found.setdefault(clip, (images[n].numpy(), sounds[n].numpy()))
    images, sounds = zip(*(found[clip] for clip in sorted(found)), strict=True)
    return Pairs(np.stack(images), np.stack(sounds))


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

    known = read_shard_index(index)
    recipes = _Recipes(known)
    right, asked = np.zeros((2, known.n_samples), bool)
    # A feed starts over where an index is used up; what it yields again is not counted.
    batches = min(batches, -(-known.n_samples // batch_size))
    for batch in open_feed(index, batch_size=batch_size, epoch=0, seed=seed, batches=batches):
        rows = [recipes.row_of(name.decode()) for name in batch["sample_id"].numpy()]
        with one_line_out_of_memory("train.batch_size", batch_size):
            right[rows], asked[rows] = answer(batch).numpy(), True
    return Answers(right[asked], recipes.clips[asked], recipes.labels)

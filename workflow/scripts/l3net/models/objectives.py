"""What L3-Net learns: each objective is a head on both subnetworks, and the loss of what the network then gives.

To add one, write a head and a loss here, name them in `OBJECTIVES`, and allow the name in the configuration
(`configuration.training_sections.ObjectiveName`).

Conventions: a head ends in the probabilities of [mismatch, correspond] [shape=(batch, 2)], whatever the objective, so
that accuracies compare; labels are int32 [shape=(batch,)], 1 where image and sound correspond.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import tensorflow as tf
from keras import layers

from l3net.models.spectrogram import StopGradient

HIDDEN = 128  # units of the fusion's hidden layer, whatever the width
PROJECTION = 128  # units of each side's projection under the contrastive objective
TEMPERATURE = 0.1  # of the contrastive objective


@dataclass(frozen=True)
class Objective:
    """An objective of training.

    Attributes
    ----------
    head : function of (maker of layers, vision vector, audio vector) that returns the probabilities.
    loss : function of (label, probabilities, *further outputs) that returns the sum of the losses of a batch.
    further_outputs : names of the layers whose outputs the loss takes beside the probabilities.
    looks_at_all_devices : whether the loss of a device's samples takes those of the other devices.
    """

    head: Callable[..., keras.KerasTensor]
    loss: Callable[..., tf.Tensor]
    further_outputs: tuple[str, ...] = ()
    looks_at_all_devices: bool = False

    def training_network(self, l3_model: keras.Model) -> keras.Model:
        """Return the network with all outputs that the loss takes, as a list; it shares the layers of `l3_model`."""
        further = [l3_model.get_layer(name).output for name in self.further_outputs]
        return keras.Model(l3_model.input, [l3_model.output, *further], name="l3_training") if further else l3_model


def _fusion(make, seen, heard):
    x = make(layers.Concatenate, name="fusion_concat")([seen, heard])
    x = make.dense("fusion_dense_1", HIDDEN, activation="relu")(x)
    return make.dense("fusion_dense_2", 2, activation="softmax", dtype="float32")(x)


def _similarity(make, seen, heard):
    """Return probabilities from the cosine of both sides' projections; their gradient stays out of the subnetworks."""
    sides = []
    for side, x in (("vision", seen), ("audio", heard)):
        x = make.dense(f"{side}_projection", PROJECTION, dtype="float32")(x)
        sides.append(make(layers.UnitNormalization, name=f"{side}_direction", dtype="float32")(x))
    cosine = make(layers.Dot, axes=1, name="cosine", dtype="float32")(sides)
    cosine = make(StopGradient, name="cosine_alone", dtype="float32")(cosine)
    # Drawn at random it could judge the wrong way round, and a short training would not turn it.
    rising = keras.initializers.Constant([-1.0, 1.0])
    return make.dense("fusion_dense_2", 2, kernel_initializer=rising, activation="softmax", dtype="float32")(cosine)


def _correspondence_losses(label, probabilities):
    return tf.reduce_sum(keras.losses.sparse_categorical_crossentropy(label, probabilities))


def _contrastive_losses(label, probabilities, images, sounds):
    """Return the contrastive loss times the batch size, plus that of the judgement learned beside it.

    On several devices it is the device's share of both: the sum over all is what one device gives for the whole batch.
    """
    judgement, context = _correspondence_losses(label, probabilities), tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        loss = contrastive_loss(images, sounds, label)
        return judgement + loss * tf.cast(tf.shape(label)[0], loss.dtype)
    # A device compares its own pairs with the images and sounds of all; gradients go back to where these are of.
    all_images, all_sounds = _gathered(context, images, sounds)
    n_matching = context.all_reduce("sum", tf.reduce_sum(tf.cast(label, images.dtype)))
    share = contrastive_loss(images, sounds, label, all_images=all_images, all_sounds=all_sounds, n_matching=n_matching)
    return judgement + share * tf.cast(tf.shape(all_images)[0], share.dtype)


def _gathered(context, images, sounds):
    """Return the rows of all devices: the sum of each one's among zeros, since `all_gather` fails between processes."""
    n, place = tf.shape(images)[0], context.replica_id_in_sync_group
    shares = tf.one_hot(place, context.num_replicas_in_sync, dtype=images.dtype) * tf.cast(n, images.dtype)
    shares = tf.cast(context.all_reduce("sum", shares), tf.int32)
    before = tf.reduce_sum(shares[:place])
    after = tf.reduce_sum(shares) - before - n
    return [context.all_reduce("sum", tf.pad(rows, [[before, after], [0, 0]])) for rows in (images, sounds)]


def contrastive_loss(
    images: tf.Tensor,
    sounds: tf.Tensor,
    label: tf.Tensor,
    *,
    all_images: tf.Tensor | None = None,
    all_sounds: tf.Tensor | None = None,
    n_matching: tf.Tensor | None = None,
) -> tf.Tensor:
    """Return InfoNCE over a batch, both ways, for the pairs that correspond; all others of the batch are negatives.

    Parameters
    ----------
    images, sounds : vectors of length 1 [shape=(batch, d)].
    label : int32 [shape=(batch,)]; 1 where the pair corresponds.
    all_images, all_sounds, n_matching : vectors of the whole batch, and how many pairs correspond in it, where the
        others are a part of it; the result is then the part's share of the whole batch's loss.
    """
    all_images, all_sounds = images if all_images is None else all_images, sounds if all_sounds is None else all_sounds
    own = tf.reduce_sum(images * sounds, axis=1) / TEMPERATURE
    of_image = tf.reduce_logsumexp(tf.matmul(images, all_sounds, transpose_b=True) / TEMPERATURE, axis=1)
    of_sound = tf.reduce_logsumexp(tf.matmul(sounds, all_images, transpose_b=True) / TEMPERATURE, axis=1)
    matching = tf.cast(label, images.dtype)
    number = tf.reduce_sum(matching) if n_matching is None else n_matching
    return 0.5 * tf.reduce_sum(matching * (of_image + of_sound - 2.0 * own)) / tf.maximum(number, 1.0)


OBJECTIVES = {
    "correspondence": Objective(_fusion, _correspondence_losses),
    "contrastive": Objective(_similarity, _contrastive_losses, ("vision_direction", "audio_direction"), True),
}

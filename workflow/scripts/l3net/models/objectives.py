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
    """

    head: Callable[..., keras.KerasTensor]
    loss: Callable[..., tf.Tensor]
    further_outputs: tuple[str, ...] = ()

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
        sides.append(layers.UnitNormalization(name=f"{side}_direction", dtype="float32")(x))
    cosine = layers.Dot(axes=1, name="cosine", dtype="float32")(sides)
    cosine = StopGradient(name="cosine_alone", dtype="float32")(cosine)
    return make.dense("fusion_dense_2", 2, activation="softmax", dtype="float32")(cosine)


def _correspondence_losses(label, probabilities):
    return tf.reduce_sum(keras.losses.sparse_categorical_crossentropy(label, probabilities))


def _contrastive_losses(label, probabilities, images, sounds):
    """Return the contrastive loss times the batch size, plus that of the judgement learned beside it."""
    batch_size = tf.cast(tf.shape(label)[0], tf.float32)
    return _correspondence_losses(label, probabilities) + contrastive_loss(images, sounds, label) * batch_size


def contrastive_loss(images: tf.Tensor, sounds: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """Return InfoNCE over a batch, both ways, for the pairs that correspond; all others of the batch are negatives.

    Parameters
    ----------
    images, sounds : vectors of length 1 [shape=(batch, d)].
    label : int32 [shape=(batch,)]; 1 where the pair corresponds.
    """
    similar = tf.matmul(images, sounds, transpose_b=True) / TEMPERATURE
    own = tf.linalg.diag_part(similar)
    both = tf.reduce_logsumexp(similar, axis=0) + tf.reduce_logsumexp(similar, axis=1) - 2.0 * own
    matching = tf.cast(label, tf.float32)
    return 0.5 * tf.reduce_sum(matching * both) / tf.maximum(tf.reduce_sum(matching), 1.0)


OBJECTIVES = {
    "correspondence": Objective(_fusion, _correspondence_losses),
    "contrastive": Objective(_similarity, _contrastive_losses, ("vision_direction", "audio_direction")),
}

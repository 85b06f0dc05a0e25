"""One step of training and one of validation, on any number of devices; the optimizer and its learning rate.

A batch is what `feed.open_feed` yields; `prepare` (normally `feed.prepare`) makes images, sound and labels of it
inside the step, so that it runs where the network does.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from l3net.models import projection_network

TEMPERATURE = 0.1  # of the contrastive objective
_TEXT = ("sample_id", "label_mids")
Step = Callable[[dict[str, Any]], tuple[tf.Tensor, tf.Tensor]]


def training_step(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    strategy: tf.distribute.Strategy,
    prepare: Callable,
    *,
    batch_size: int,
    augment: bool,
    xla: bool,
) -> Step:
    """Return a function of a batch that makes one update; it returns the sum of losses and the right answers.

    The loss is the mean over the whole batch, whatever the number of devices, plus the L2 penalty of the kernels;
    the sum that is returned leaves the penalty out.
    """
    forward = _forward(model)
    replicas = strategy.num_replicas_in_sync

    def gradients(numbers):
        with tf.GradientTape() as tape:
            losses, right = forward(prepare(numbers, augment), numbers, True)
            penalty = tf.add_n(model.losses) if model.losses else 0.0
            total = optimizer.scale_loss(losses / batch_size + penalty / replicas)
        return tape.gradient(total, model.trainable_variables), losses, right

    compiled = tf.function(gradients, jit_compile=True, autograph=False) if xla else gradients

    def replica(batch):
        found, losses, right = compiled(_numbers(batch, model, optimizer.iterations))
        optimizer.apply_gradients(zip(found, model.trainable_variables, strict=True))
        return losses, right

    return _over_replicas(replica, strategy)


def validation_step(model: keras.Model, strategy: tf.distribute.Strategy, prepare: Callable, *, xla: bool) -> Step:
    """Return a function of a batch that returns the sum of losses and the right answers, and changes nothing."""
    forward = _forward(model)

    def measure(numbers):
        return forward(prepare(numbers, False), numbers, False)

    compiled = tf.function(measure, jit_compile=True, autograph=False) if xla else measure
    return _over_replicas(lambda batch: compiled(_numbers(batch, model, 0)), strategy)


def _over_replicas(replica, strategy):
    """Return one traced function that runs `replica` on every device and sums what they return."""

    @tf.function(autograph=False)
    def step(batch):
        parts = strategy.run(replica, args=(batch,))
        return tuple(strategy.reduce(tf.distribute.ReduceOp.SUM, part, axis=None) for part in parts)

    return step


def _numbers(batch, model, step):
    """Return what the step computes with; text cannot be compiled, so each window's mask seed is made of it here."""
    numbers = {key: value for key, value in batch.items() if key not in _TEXT}
    if "mask_seed" in model.input:
        hashed = tf.cast(tf.strings.to_hash_bucket_fast(batch["sample_id"], 2**31 - 1), tf.int32)
        numbers["mask_seed"] = tf.stack([hashed, tf.zeros_like(hashed) + tf.cast(step, tf.int32)], axis=1)
    return numbers


def _forward(model):
    """Return a function of (prepared batch, numbers, training) that returns the sum of losses and right answers."""
    is_contrastive = any(layer.name == "audio_direction" for layer in model.layers)
    network = projection_network(model) if is_contrastive else model

    def forward(prepared, numbers, training):
        image, audio, label = prepared
        inputs = {"image": image, "audio": audio}
        if "mask_seed" in model.input:
            inputs["mask_seed"] = numbers["mask_seed"]
        probabilities, *sides = (
            network(inputs, training=training) if is_contrastive else (network(inputs, training=training),)
        )
        losses = tf.reduce_sum(keras.losses.sparse_categorical_crossentropy(label, probabilities))
        if sides:
            losses += contrastive_loss(*sides, label) * tf.cast(tf.shape(label)[0], tf.float32)
        right = tf.equal(tf.argmax(probabilities, axis=1, output_type=tf.int32), tf.cast(label, tf.int32))
        return losses, tf.reduce_sum(tf.cast(right, tf.int32))

    return forward


def contrastive_loss(images: tf.Tensor, sounds: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """Return InfoNCE over a batch, both ways, for the pairs that correspond; all others of the batch are negatives.

    Parameters
    ----------
    images, sounds : vectors of length 1 [shape=(batch, d)].
    label : int32 [shape=(batch,)] ; 1 where the pair corresponds.
    """
    similar = tf.matmul(images, sounds, transpose_b=True) / TEMPERATURE
    own = tf.linalg.diag_part(similar)
    both = tf.reduce_logsumexp(similar, axis=0) + tf.reduce_logsumexp(similar, axis=1) - 2.0 * own
    matching = tf.cast(label, tf.float32)
    return 0.5 * tf.reduce_sum(matching * both) / tf.maximum(tf.reduce_sum(matching), 1.0)

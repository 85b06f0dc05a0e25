"""One step of training and one of validation, on any number of devices.

A batch is what `feed.open_feed` yields; `prepare` (normally `feed.prepare_batch`) makes images, sound and labels of it
inside the step, so that it runs where the network does.
"""

import logging
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from l3net.models import OBJECTIVES

_TEXT = ("sample_id", "label_mids")
_log = logging.getLogger("l3net")
Step = Callable[[dict[str, Any]], tuple[tf.Tensor, tf.Tensor]]


def training_step(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    strategy: tf.distribute.Strategy,
    prepare: Callable,
    *,
    objective: str = "correspondence",
    batch_size: int,
    augment: bool,
    xla: bool,
) -> Step:
    """Return a function of a batch that makes one update and returns the sum of losses and the right answers.

    The loss is the mean over the whole batch, whatever the number of devices, plus the L2 penalty of the kernels;
    the sum that is returned leaves the penalty out.

    Parameters
    ----------
    model : the network (`models.build_l3`).
    optimizer : its optimizer, with its variables made.
    strategy : the devices to train on.
    prepare : function of (batch, augment) that returns images, sounds and labels.
    objective : what is learned (`models.OBJECTIVES`).
    batch_size : samples of a batch, of all devices together.
    augment : whether `prepare` augments.
    xla : whether XLA compiles the step: on one device the whole of it with the update, on several forward and backward,
        between which and the update gradients are summed over the devices.
    """
    forward = _forward(model, objective)
    replicas = strategy.num_replicas_in_sync

    def gradients(numbers):
        with tf.GradientTape() as tape:
            losses, right = forward(prepare(numbers, augment), numbers, True)
            penalty = tf.add_n(model.losses) if model.losses else 0.0
            total = optimizer.scale_loss(losses / batch_size + penalty / replicas)
        return tape.gradient(total, model.trainable_variables), losses, right

    def update(numbers):
        found, losses, right = gradients(numbers)
        optimizer.apply_gradients(zip(found, model.trainable_variables, strict=True))
        return losses, right

    if xla and replicas == 1:
        update = _compiled(update, objective, strategy)
    elif xla:
        gradients = _compiled(gradients, objective, strategy)

    def replica(batch):
        return update(_numbers(batch, model, optimizer.iterations))

    return _over_replicas(replica, strategy)


def several_steps(step: Step, n: int) -> Callable[[list[dict[str, Any]]], list[tuple[tf.Tensor, tf.Tensor]]]:
    """Return a function of a list of batches that makes a step with each, in order, and returns what each returned.

    Of `n` batches, the steps are one call of TensorFlow, without Python between them; of fewer, as at an epoch's end,
    each is a call of its own, since every other number would be traced anew. Bits are the same either way.
    """

    @tf.function(autograph=False)
    def together(batches):
        return [step(batch) for batch in batches]

    def steps(batches):
        return together(batches) if len(batches) == n > 1 else [step(batch) for batch in batches]

    return steps


def validation_step(
    model: keras.Model,
    strategy: tf.distribute.Strategy,
    prepare: Callable,
    *,
    objective: str = "correspondence",
    xla: bool,
) -> Step:
    """Return a function of a batch that returns the sum of losses and the right answers, and changes nothing.

    Its parameters are those of `training_step`.
    """
    forward = _forward(model, objective)

    def measure(numbers):
        return forward(prepare(numbers, False), numbers, False)

    compiled = _compiled(measure, objective, strategy) if xla else measure
    return _over_replicas(lambda batch: compiled(_numbers(batch, model, 0)), strategy)


def _compiled(function, objective, strategy):
    """Return a function compiled by XLA, or as it is where it asks other devices, which XLA cannot compile in one."""
    if OBJECTIVES[objective].looks_at_all_devices and strategy.num_replicas_in_sync > 1:
        _log.warning("train.xla is left out: the objective %s compares samples of several devices", objective)
        return function
    return tf.function(function, jit_compile=True, autograph=False)


def _over_replicas(replica, strategy):
    """Return one traced function that runs `replica` on every device and sums what they return."""

    @tf.function(autograph=False)
    def step(batch):
        parts = strategy.run(replica, args=(batch,))
        return tuple(strategy.reduce(tf.distribute.ReduceOp.SUM, part, axis=None) for part in parts)

    return step


def _numbers(batch, model, step):
    """Return the numbers of a batch. XLA compiles no text, so each window's mask seed is made of its name here."""
    numbers = {key: value for key, value in batch.items() if key not in _TEXT}
    if "mask_seed" in model.input:
        hashed = tf.cast(tf.strings.to_hash_bucket_fast(batch["sample_id"], 2**31 - 1), tf.int32)
        numbers["mask_seed"] = tf.stack([hashed, tf.zeros_like(hashed) + tf.cast(step, tf.int32)], axis=1)
    return numbers


def _forward(model, objective):
    """Return a function of (prepared batch, numbers, training) that returns the sum of losses and right answers."""
    learned = OBJECTIVES[objective]
    network = learned.training_network(model)

    def forward(prepared, numbers, training):
        image, audio, label = prepared
        inputs = {"image": image, "audio": audio}
        if "mask_seed" in model.input:
            inputs["mask_seed"] = numbers["mask_seed"]
        outputs = network(inputs, training=training)
        probabilities, *further = outputs if learned.further_outputs else (outputs,)
        losses = learned.loss(label, probabilities, *further)
        right = tf.equal(tf.argmax(probabilities, axis=1, output_type=tf.int32), tf.cast(label, tf.int32))
        return losses, tf.reduce_sum(tf.cast(right, tf.int32))

    return forward

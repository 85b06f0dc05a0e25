"""One epoch of several multi-layer perceptrons at once: the computation that `MlpGrid` calls again and again.

The settings differ only in learning rate (Adam) and weight decay (L2 on kernels, part of the loss). The first layer's
kernels lie side by side, [n_inputs, n_settings, n_hidden], so that one matrix product serves all settings; those of
later layers are stacked, [n_settings, n_in, n_out]. The parameters are one list: all kernels, then all biases.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import tensorflow as tf

VALIDATE_AT_ONCE = 512  # windows
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7


class TensorWindows(NamedTuple):
    """Windows [n_rows, n_inputs], their classes, and how many of the rows count; the rest is padding.

    Classes are numbers [n_rows], or where a window may have several, 0 and 1 [n_rows, n_classes].
    """

    x: tf.Tensor
    y: tf.Tensor
    n: tf.Tensor


class AdamState(NamedTuple):
    """The parameters, their first and second moments, and the number of steps taken."""

    parameters: list[tf.Tensor]
    first: list[tf.Tensor]
    second: list[tf.Tensor]
    steps: tf.Tensor


class EpochResult(NamedTuple):
    """What an epoch leaves.

    Attributes
    ----------
    state : the state of training.
    best : the parameters of each setting's best epoch so far.
    lowest : each setting's lowest validation loss so far [n_settings].
    loss, hits : each setting's mean validation loss and number of windows classified rightly [n_settings].
    """

    state: AdamState
    best: list[tf.Tensor]
    lowest: tf.Tensor
    loss: tf.Tensor
    hits: tf.Tensor


class MlpEpoch:
    """The epoch of one architecture and list of settings, compiled once.

    Parameters
    ----------
    sizes : inputs, hidden units of each layer, classes.
    learning_rates, weight_decays : one of each for every setting.
    batch_size : windows a step.
    penalised_validation : add the L2 penalty to the validation loss, as Keras does.
    several_labels : outputs are sigmoids; the loss is the mean of the classes' cross-entropies, as Keras'.
    xla : compile with XLA.
    """

    def __init__(
        self,
        sizes: list[int],
        learning_rates: list[float],
        weight_decays: list[float],
        *,
        batch_size: int,
        penalised_validation: bool,
        several_labels: bool = False,
        xla: bool,
    ) -> None:
        self.sizes, self.batch_size, self.n_settings = sizes, batch_size, len(learning_rates)
        self.n_layers = len(sizes) - 1
        self._rates = tf.constant(learning_rates, tf.float32)
        self._decays = tf.constant(weight_decays, tf.float32)
        self._penalised_validation, self._several_labels = penalised_validation, several_labels
        self.run = tf.function(self._epoch, jit_compile=xla)

    def first_parameters(self, rng: np.random.Generator) -> list[tf.Tensor]:
        """Draw Glorot-uniform kernels, the same for every setting, and zero biases."""
        kernels, biases = [], []
        for k, (n_in, n_out) in enumerate(pairwise(self.sizes)):
            limit = (6 / (n_in + n_out)) ** 0.5
            kernel = rng.uniform(-limit, limit, (n_in, n_out)).astype(np.float32)
            kernels.append(tf.constant(np.stack([kernel] * self.n_settings, axis=1 if k == 0 else 0)))
            biases.append(tf.zeros((self.n_settings, n_out)))
        return kernels + biases

    def _epoch(self, train, valid, order, state, best, lowest, running):
        """Train an epoch, validate, and keep the parameters of every setting that got better.

        Parameters
        ----------
        train, valid : TensorWindows
        order : numbers of the training windows in the order in which they are seen, padded [n_rows].
        state, best, lowest : as the epoch before left them.
        running : which settings may still get better [n_settings].
        """

        def step(i, *flat):
            rows = tf.slice(order, [i * self.batch_size], [self.batch_size])
            weight = tf.cast(i * self.batch_size + tf.range(self.batch_size) < train.n, tf.float32)
            return (i + 1, *self._step(tf.gather(train.x, rows), tf.gather(train.y, rows), weight, AdamState(*flat)))

        n_steps = (train.n + self.batch_size - 1) // self.batch_size
        _, *flat = tf.while_loop(lambda i, *_: i < n_steps, step, [tf.constant(0), *state])
        state = AdamState(*flat)
        loss, hits = self._validate(valid, state.parameters)
        better = tf.logical_and(running, loss < lowest)
        kept = [
            tf.where(self._of_setting(better, k, new), new, old)
            for k, (new, old) in enumerate(zip(state.parameters, best, strict=True))
        ]
        return EpochResult(state, kept, tf.where(better, loss, lowest), loss, hits)

    def _step(self, x: tf.Tensor, y: tf.Tensor, weight: tf.Tensor, state: AdamState) -> AdamState:
        """Return the state after one step of Adam on the windows of weight 1."""
        parameters = state.parameters
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            losses, _ = self._losses(y, self._logits(x, parameters))
            # Summed over settings: none is in another's term, so each gets its own gradient.
            loss = tf.reduce_sum(losses * weight) / tf.reduce_sum(weight)
            for k, kernel in enumerate(parameters[: self.n_layers]):
                loss += tf.reduce_sum(tf.square(kernel) * self._of_setting(self._decays, k, kernel))
        gradients = tape.gradient(loss, parameters)
        steps = state.steps + 1.0
        rates = self._rates * tf.sqrt(1 - _BETA2**steps) / (1 - _BETA1**steps)
        first = [m + (g - m) * (1 - _BETA1) for m, g in zip(state.first, gradients, strict=True)]
        second = [v + (tf.square(g) - v) * (1 - _BETA2) for v, g in zip(state.second, gradients, strict=True)]
        moved = [
            p - self._of_setting(rates, k, p) * m / (tf.sqrt(v) + _EPSILON)
            for k, (p, m, v) in enumerate(zip(parameters, first, second, strict=True))
        ]
        return AdamState(moved, first, second, steps)

    def _validate(self, windows: TensorWindows, parameters: list[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Return each setting's validation loss and number of windows classified rightly."""

        def add(i, loss, hits):
            start = i * VALIDATE_AT_ONCE
            rows = tf.slice(windows.x, [start, 0], [VALIDATE_AT_ONCE, self.sizes[0]])
            further = windows.y.shape[1:]
            y = tf.slice(windows.y, [start] + [0] * len(further), [VALIDATE_AT_ONCE, *further])
            counts = tf.cast(start + tf.range(VALIDATE_AT_ONCE) < windows.n, tf.float32)
            losses, right = self._losses(y, self._logits(rows, parameters))
            return i + 1, loss + tf.reduce_sum(losses * counts, 1), hits + tf.reduce_sum(right * counts, 1)

        blocks = (windows.n + VALIDATE_AT_ONCE - 1) // VALIDATE_AT_ONCE
        zeros = tf.zeros([self.n_settings])
        _, loss, hits = tf.while_loop(lambda i, *_: i < blocks, add, [tf.constant(0), zeros, zeros])
        loss /= tf.cast(tf.maximum(windows.n, 1), tf.float32)
        return (loss + self._penalties(parameters) if self._penalised_validation else loss), hits

    def _losses(self, y: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return each setting's loss of each window, and whether it is right (of several labels, the share that is)."""
        labels = tf.broadcast_to(y[None], [self.n_settings, *y.shape])
        if self._several_labels:
            losses = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
            right = tf.cast((logits > 0) == (labels > 0.5), tf.float32)
            return tf.reduce_mean(losses, axis=-1), tf.reduce_mean(right, axis=-1)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        return losses, tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == labels, tf.float32)

    def _penalties(self, parameters: list[tf.Tensor]) -> tf.Tensor:
        """Return each setting's L2 penalty [n_settings]."""
        squares = [
            tf.reduce_sum(tf.square(kernel), axis=[0, 2] if k == 0 else [1, 2])
            for k, kernel in enumerate(parameters[: self.n_layers])
        ]
        return self._decays * tf.add_n(squares)

    def _logits(self, x: tf.Tensor, parameters: list[tf.Tensor]) -> tf.Tensor:
        """Return logits [n_settings, n_windows, n_classes]."""
        kernels, biases = parameters[: self.n_layers], parameters[self.n_layers :]
        side_by_side = tf.reshape(kernels[0], [self.sizes[0], self.n_settings * self.sizes[1]])
        x = tf.cast(tf.bitcast(x, tf.float16), tf.float32) if x.dtype == tf.uint16 else x
        h = tf.reshape(tf.matmul(x, side_by_side), [-1, self.n_settings, self.sizes[1]])
        h = tf.transpose(h, [1, 0, 2]) + biases[0][:, None]
        for kernel, bias in zip(kernels[1:], biases[1:], strict=True):
            h = tf.matmul(tf.nn.relu(h), kernel) + bias[:, None]
        return h

    def _of_setting(self, values: tf.Tensor, k: int, parameter: tf.Tensor) -> tf.Tensor:
        """Reshape one value of each setting so that it multiplies the k-th parameter."""
        if k == 0:
            return values[None, :, None]
        return tf.reshape(values, [-1] + [1] * (len(parameter.shape) - 1))

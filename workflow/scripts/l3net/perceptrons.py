"""Several multi-layer perceptrons, alike but for learning rate and weight decay, trained as one XLA program.

Every setting sees the same windows in the same order from the same first weights; only its learning rate (Adam) and
weight decay (L2 on kernels, part of the loss) differ. The first layer's kernels lie side by side,
[n_inputs, n_settings, n_hidden], so that one matrix product serves all settings; the later ones are stacked,
[n_settings, n_in, n_out]. An epoch is one call of the program; folds padded to equal shapes compile it once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import tensorflow as tf

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7
_VALIDATE_AT_ONCE = 512


@dataclass(frozen=True)
class Trained:
    """What training leaves of each setting: the weights of its best epoch and how it did.

    Attributes
    ----------
    weights : for each layer a kernel [shape=(n_settings, n_in, n_out)] and a bias [shape=(n_settings, n_out)].
    best_epoch, epochs : np.ndarray [shape=(n_settings,)] ; from 1; epochs trained until its patience ended.
    loss, accuracy : np.ndarray [shape=(n_settings,)] ; over validation windows at the best epoch.
    """

    weights: list[tuple[np.ndarray, np.ndarray]]
    best_epoch: np.ndarray
    epochs: np.ndarray
    loss: np.ndarray
    accuracy: np.ndarray


class Perceptrons:
    """The batched program for one architecture and list of settings.

    Parameters
    ----------
    sizes : inputs, hidden units of each layer, classes.
    learning_rates, weight_decays : one of each setting.
    batch_size : windows a step.
    xla : compile with XLA.
    """

    def __init__(
        self,
        sizes: list[int],
        learning_rates: list[float],
        weight_decays: list[float],
        *,
        batch_size: int = 64,
        xla: bool = True,
    ) -> None:
        self.sizes, self.batch_size, self.n_settings = sizes, batch_size, len(learning_rates)
        self._rates = tf.constant(learning_rates, tf.float32)
        self._decays = tf.constant(weight_decays, tf.float32)
        self._epoch = tf.function(self._run_epoch, jit_compile=xla)

    def fit(
        self,
        train: tuple[np.ndarray, np.ndarray, int],
        valid: tuple[np.ndarray, np.ndarray, int],
        *,
        max_epochs: int,
        patience_epochs: int,
        seed: int,
        tell: Callable[[int], None] | None = None,
    ) -> Trained:
        """Train every setting with early stopping on its validation loss; return the best weights of each.

        Parameters
        ----------
        train, valid : windows [shape=(n_padded, n_inputs)], labels [shape=(n_padded,)], number of windows that count.
        seed : of the first weights and the order of the windows.
        tell : called with each epoch's number.
        """
        rng = np.random.Generator(np.random.Philox(seed))
        kernels, biases = self._first_weights(rng)
        x, y, n = self._tensors(*train, self.batch_size)
        valid_x, valid_y, n_valid = self._tensors(*valid, _VALIDATE_AT_ONCE)
        zeros = [[tf.zeros_like(p) for p in kernels + biases] for _ in range(2)]
        state = (kernels + biases, *zeros, tf.constant(0.0))
        watch = _Watch(self.n_settings, patience_epochs)
        best, lowest = kernels + biases, tf.fill([self.n_settings], np.float32(np.inf))
        for epoch in range(1, max_epochs + 1):
            order = np.zeros(x.shape[0], np.int32)
            order[: train[2]] = rng.permutation(train[2])
            running = tf.constant(watch.running)
            state, best, lowest, loss, hits = self._epoch(
                x, y, n, tf.constant(order), valid_x, valid_y, n_valid, state, best, lowest, running
            )
            watch.see(epoch, loss.numpy(), hits.numpy() / max(valid[2], 1))
            if tell is not None:
                tell(epoch)
            if not watch.running.any():
                break
        return Trained(self._by_setting(best), watch.best_epoch, watch.epochs, watch.loss, watch.accuracy)

    def _first_weights(self, rng: np.random.Generator) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Return Glorot-uniform kernels and zero biases, the same for every setting."""
        kernels, biases = [], []
        for k, (n_in, n_out) in enumerate(pairwise(self.sizes)):
            limit = (6 / (n_in + n_out)) ** 0.5
            kernel = rng.uniform(-limit, limit, (n_in, n_out)).astype(np.float32)
            kernels.append(tf.constant(np.stack([kernel] * self.n_settings, axis=1 if k == 0 else 0)))
            biases.append(tf.zeros((self.n_settings, n_out)))
        return kernels, biases

    def _tensors(self, x: np.ndarray, y: np.ndarray, n: int, multiple: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return the data as tensors; the number of rows must be a multiple of the batch (`padded`)."""
        if len(x) % multiple or len(x) != len(y):
            raise ValueError(f"{len(x)} windows and {len(y)} labels: expected equal multiples of {multiple}")
        # Half-precision numbers travel as bits: XLA on a CPU would first turn all of them into float32.
        x = x.view(np.uint16) if x.dtype == np.float16 else x
        return _taken_over(x), tf.convert_to_tensor(y.astype(np.int32)), tf.constant(n, tf.int32)

    def _by_setting(self, parameters: list[tf.Tensor]) -> list[tuple[np.ndarray, np.ndarray]]:
        n = len(self.sizes) - 1
        kernels = [p.numpy() for p in parameters[:n]]
        kernels[0] = kernels[0].transpose(1, 0, 2)
        return list(zip(kernels, [p.numpy() for p in parameters[n:]], strict=True))

    def _logits(self, x: tf.Tensor, parameters: list[tf.Tensor]) -> tf.Tensor:
        """Return logits [n_settings, n_windows, n_classes]."""
        n = len(self.sizes) - 1
        kernels, biases = parameters[:n], parameters[n:]
        side_by_side = tf.reshape(kernels[0], [self.sizes[0], self.n_settings * self.sizes[1]])
        x = tf.cast(tf.bitcast(x, tf.float16), tf.float32) if x.dtype == tf.uint16 else x
        h = tf.reshape(tf.matmul(x, side_by_side), [-1, self.n_settings, self.sizes[1]])
        h = tf.transpose(h, [1, 0, 2]) + biases[0][:, None]
        for kernel, bias in zip(kernels[1:], biases[1:], strict=True):
            h = tf.matmul(tf.nn.relu(h), kernel) + bias[:, None]
        return h

    def _of_setting(self, values: tf.Tensor, k: int, parameter: tf.Tensor) -> tf.Tensor:
        """Return one value a setting, shaped to multiply the k-th parameter."""
        if k == 0:
            return values[None, :, None]
        return tf.reshape(values, [-1] + [1] * (len(parameter.shape) - 1))

    def _step(self, x: tf.Tensor, y: tf.Tensor, weight: tf.Tensor, state: tuple) -> tuple:
        """Return the state after one step of Adam on the windows of weight 1."""
        parameters, first, second, count = state
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            labels = tf.broadcast_to(y[None], [self.n_settings, self.batch_size])
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, self._logits(x, parameters))
            # Summed over settings: none is in another's term, so each gets its own gradient.
            loss = tf.reduce_sum(losses * weight) / tf.reduce_sum(weight)
            for k, kernel in enumerate(parameters[: len(self.sizes) - 1]):
                loss += tf.reduce_sum(tf.square(kernel) * self._of_setting(self._decays, k, kernel))
        gradients = tape.gradient(loss, parameters)
        count += 1.0
        rates = self._rates * tf.sqrt(1 - _BETA2**count) / (1 - _BETA1**count)
        first = [m + (g - m) * (1 - _BETA1) for m, g in zip(first, gradients, strict=True)]
        second = [v + (tf.square(g) - v) * (1 - _BETA2) for v, g in zip(second, gradients, strict=True)]
        moved = [
            p - self._of_setting(rates, k, p) * m / (tf.sqrt(v) + _EPSILON)
            for k, (p, m, v) in enumerate(zip(parameters, first, second, strict=True))
        ]
        return moved, first, second, count

    def _run_epoch(self, x, y, n, order, valid_x, valid_y, n_valid, state, best, lowest, running):
        """Train an epoch, validate, and keep the parameters of every setting that got better."""

        def train(i, *state):
            rows = tf.slice(order, [i * self.batch_size], [self.batch_size])
            weight = tf.cast(i * self.batch_size + tf.range(self.batch_size) < n, tf.float32)
            return (i + 1, *self._step(tf.gather(x, rows), tf.gather(y, rows), weight, state))

        steps = (n + self.batch_size - 1) // self.batch_size
        _, *state = tf.while_loop(lambda i, *_: i < steps, train, [tf.constant(0), *state])
        loss, hits = self._validate(valid_x, valid_y, n_valid, state[0])
        better = tf.logical_and(running, loss < lowest)
        kept = [
            tf.where(self._of_setting(better, k, new), new, old)
            for k, (new, old) in enumerate(zip(state[0], best, strict=True))
        ]
        return tuple(state), kept, tf.where(better, loss, lowest), loss, hits

    def _validate(self, x: tf.Tensor, y: tf.Tensor, n: tf.Tensor, parameters: list[tf.Tensor]):
        """Return each setting's mean cross-entropy and number of windows classified rightly."""

        def add(i, loss, hits):
            start = i * _VALIDATE_AT_ONCE
            rows = tf.slice(x, [start, 0], [_VALIDATE_AT_ONCE, self.sizes[0]])
            labels = tf.broadcast_to(
                tf.slice(y, [start], [_VALIDATE_AT_ONCE])[None], [self.n_settings, _VALIDATE_AT_ONCE]
            )
            counts = tf.cast(start + tf.range(_VALIDATE_AT_ONCE) < n, tf.float32)
            logits = self._logits(rows, parameters)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            right = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == labels, tf.float32)
            return i + 1, loss + tf.reduce_sum(losses * counts, 1), hits + tf.reduce_sum(right * counts, 1)

        blocks = (n + _VALIDATE_AT_ONCE - 1) // _VALIDATE_AT_ONCE
        zeros = tf.zeros([self.n_settings])
        _, loss, hits = tf.while_loop(lambda i, *_: i < blocks, add, [tf.constant(0), zeros, zeros])
        return loss / tf.cast(tf.maximum(n, 1), tf.float32), hits


def _taken_over(x: np.ndarray) -> tf.Tensor:
    """Return `x` as a tensor: the same memory where its address allows (64 bytes), on the GPU where there is one."""
    aligned = x.flags.c_contiguous and x.ctypes.data % 64 == 0
    tensor = tf.experimental.dlpack.from_dlpack(x.__dlpack__()) if aligned else tf.convert_to_tensor(x)
    return tf.identity(tensor) if tf.config.list_physical_devices("GPU") else tensor


class _Watch:
    """Early stopping of each setting by itself."""

    def __init__(self, n_settings: int, patience_epochs: int) -> None:
        self.patience = patience_epochs
        self.running = np.ones(n_settings, bool)
        self.best_epoch, self.epochs = np.zeros(n_settings, int), np.zeros(n_settings, int)
        self.loss, self.accuracy = np.full(n_settings, np.inf), np.zeros(n_settings)

    def see(self, epoch: int, loss: np.ndarray, accuracy: np.ndarray) -> None:
        """Take note of an epoch's validation; stop the settings that have not got better for long enough."""
        self.epochs[self.running] = epoch
        better = self.running & (loss < self.loss)
        self.best_epoch[better], self.loss[better], self.accuracy[better] = epoch, loss[better], accuracy[better]
        self.running &= epoch - self.best_epoch < self.patience


def padded(n: int, batch_size: int) -> tuple[int, int]:
    """Return the numbers of rows that hold `n` windows for training and for validation."""
    return -(-n // batch_size) * batch_size, -(-n // _VALIDATE_AT_ONCE) * _VALIDATE_AT_ONCE


def predict(weights: list[tuple[np.ndarray, np.ndarray]], setting: int, x: np.ndarray) -> np.ndarray:
    """Return the likelihoods [shape=(n_windows, n_classes)] of one setting."""
    h = np.asarray(x, np.float32)
    for k, (kernel, bias) in enumerate(weights):
        h = (np.maximum(h, 0) if k else h) @ kernel[setting] + bias[setting]
    h = np.exp(h - h.max(axis=1, keepdims=True))
    return h / h.sum(axis=1, keepdims=True)

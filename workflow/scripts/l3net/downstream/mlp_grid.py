"""Several multi-layer perceptrons, alike but for learning rate and weight decay, trained together as one program.

Every setting sees the same windows in the same order from the same first weights, stops by its own validation loss and
keeps its own best epoch. An epoch is one call of the program; folds padded to equal shapes (`padded`) compile it once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from l3net.downstream.mlp_epoch import VALIDATE_AT_ONCE, MlpEpoch


@dataclass(frozen=True)
class TrainedGrid:
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


class MlpGrid:
    """Perceptrons of one architecture over a list of settings.

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
        self._program = MlpEpoch(sizes, learning_rates, weight_decays, batch_size=batch_size, xla=xla)

    def fit(
        self,
        train: tuple[np.ndarray, np.ndarray, int],
        valid: tuple[np.ndarray, np.ndarray, int],
        *,
        max_epochs: int,
        patience_epochs: int,
        seed: int,
        tell: Callable[[int], None] | None = None,
    ) -> TrainedGrid:
        """Train every setting with early stopping on its validation loss; return the best weights of each.

        Parameters
        ----------
        train, valid : windows [shape=(n_padded, n_inputs)], labels [shape=(n_padded,)], number of windows that count.
        seed : of the first weights and the order of the windows.
        tell : called with each epoch's number.
        """
        rng = np.random.Generator(np.random.Philox(seed))
        program = self._program
        best = program.first_parameters(rng)
        x, y, n = _tensors(*train, program.batch_size)
        valid_x, valid_y, n_valid = _tensors(*valid, VALIDATE_AT_ONCE)
        moments = [[tf.zeros_like(p) for p in best] for _ in range(2)]
        state = (best, *moments, tf.constant(0.0))
        lowest = tf.fill([program.n_settings], np.float32(np.inf))
        watch = _Watch(program.n_settings, patience_epochs)
        for epoch in range(1, max_epochs + 1):
            order = np.zeros(x.shape[0], np.int32)
            order[: train[2]] = rng.permutation(train[2])
            running = tf.constant(watch.running)
            state, best, lowest, loss, hits = program.epoch(
                x, y, n, tf.constant(order), valid_x, valid_y, n_valid, state, best, lowest, running
            )
            watch.see(epoch, loss.numpy(), hits.numpy() / max(valid[2], 1))
            if tell is not None:
                tell(epoch)
            if not watch.running.any():
                break
        return TrainedGrid(self._by_setting(best), watch.best_epoch, watch.epochs, watch.loss, watch.accuracy)

    def _by_setting(self, parameters: list[tf.Tensor]) -> list[tuple[np.ndarray, np.ndarray]]:
        n = self._program.n_layers
        kernels = [p.numpy() for p in parameters[:n]]
        kernels[0] = kernels[0].transpose(1, 0, 2)
        return list(zip(kernels, [p.numpy() for p in parameters[n:]], strict=True))


def _tensors(x: np.ndarray, y: np.ndarray, n: int, multiple: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the data as tensors; the number of rows must be a multiple of the batch (`padded`)."""
    if len(x) % multiple or len(x) != len(y):
        raise ValueError(f"{len(x)} windows and {len(y)} labels: expected equal multiples of {multiple}")
    # Half-precision numbers travel as bits: XLA on a CPU would first turn all of them into float32.
    x = x.view(np.uint16) if x.dtype == np.float16 else x
    return _taken_over(x), tf.convert_to_tensor(y.astype(np.int32)), tf.constant(n, tf.int32)


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


def padded_rows(n: int, batch_size: int) -> tuple[int, int]:
    """Return the numbers of rows that hold `n` windows for training and for validation."""
    return -(-n // batch_size) * batch_size, -(-n // VALIDATE_AT_ONCE) * VALIDATE_AT_ONCE


def mlp_likelihoods(weights: list[tuple[np.ndarray, np.ndarray]], setting: int, x: np.ndarray) -> np.ndarray:
    """Return the likelihoods [shape=(n_windows, n_classes)] of one setting."""
    h = np.asarray(x, np.float32)
    for k, (kernel, bias) in enumerate(weights):
        h = (np.maximum(h, 0) if k else h) @ kernel[setting] + bias[setting]
    h = np.exp(h - h.max(axis=1, keepdims=True))
    return h / h.sum(axis=1, keepdims=True)

"""Several multi-layer perceptrons, alike but for learning rate and weight decay, trained together as one program.

Every setting starts from the same weights, sees the same windows in the same order, stops by its own validation loss
and keeps its own best epoch. An epoch is one call of the program, which is compiled once if all folds have one shape.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from l3net.downstream.mlp_epoch import VALIDATE_AT_ONCE, AdamState, MlpEpoch, TensorWindows
from l3net.downstream.standardise import LabelledWindows
from l3net.runtime.aligned_memory import ALIGNMENT_BYTES


@dataclass(frozen=True)
class TrainedGrid:
    """What is kept of each setting: the weights of its best epoch and its validation.

    Attributes
    ----------
    weights : for each layer a kernel [shape=(n_settings, n_in, n_out)] and a bias [shape=(n_settings, n_out)].
    best_epoch, epochs : np.ndarray [shape=(n_settings,)] ; number of the best epoch, from 1; number of epochs trained.
    loss, accuracy : np.ndarray [shape=(n_settings,)] ; over the validation windows at the best epoch.
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
    penalised_validation : add the L2 penalty to the validation loss that stops a setting, as Keras does.
    several_labels : whether a window may have any of the classes; labels are then rows of 0 and 1, outputs sigmoids.
    xla : compile with XLA.
    """

    def __init__(
        self,
        sizes: list[int],
        learning_rates: list[float],
        weight_decays: list[float],
        *,
        batch_size: int = 64,
        penalised_validation: bool = False,
        several_labels: bool = False,
        xla: bool = True,
    ) -> None:
        how = {"batch_size": batch_size, "penalised_validation": penalised_validation, "xla": xla}
        how["several_labels"] = several_labels
        self._program = MlpEpoch(sizes, learning_rates, weight_decays, **how)

    def fit(
        self, train: LabelledWindows, valid: LabelledWindows, *, max_epochs: int, patience_epochs: int, seed: int
    ) -> TrainedGrid:
        """Train every setting with early stopping on its validation loss; return the best weights of each.

        Parameters
        ----------
        train, valid : windows, padded to the numbers of rows that `padded_rows` gives.
        max_epochs : epochs at most.
        patience_epochs : a setting stops after so many epochs without a lower validation loss.
        seed : of the first weights and the order of the windows.

        Raises
        ------
        ValueError
            Windows that are not padded so.
        """
        rng = np.random.Generator(np.random.Philox(seed))
        program = self._program
        best = program.first_parameters(rng)
        data = _tensors(train, program.batch_size), _tensors(valid, VALIDATE_AT_ONCE)
        state = AdamState(best, *([tf.zeros_like(p) for p in best] for _ in range(2)), tf.constant(0.0))
        lowest = tf.fill([program.n_settings], np.float32(np.inf))
        watch = _EarlyStopping(program.n_settings, patience_epochs)
        for epoch in range(1, max_epochs + 1):
            order = np.zeros(len(train.x), np.int32)
            order[: train.n] = rng.permutation(train.n)
            running = tf.constant(watch.running)
            state, best, lowest, loss, hits = program.run(*data, tf.constant(order), state, best, lowest, running)
            watch.note(epoch, loss.numpy(), hits.numpy() / max(valid.n, 1))
            if not watch.running.any():
                break
        return TrainedGrid(self._by_setting(best), watch.best_epoch, watch.epochs, watch.loss, watch.accuracy)

    def _by_setting(self, parameters: list[tf.Tensor]) -> list[tuple[np.ndarray, np.ndarray]]:
        n = self._program.n_layers
        kernels = [p.numpy() for p in parameters[:n]]
        kernels[0] = kernels[0].transpose(1, 0, 2)
        return list(zip(kernels, [p.numpy() for p in parameters[n:]], strict=True))


def _tensors(windows: LabelledWindows, multiple: int) -> TensorWindows:
    """Return the windows as tensors; the number of rows must be a multiple of what is worked on at once."""
    x, y = windows.x, windows.y
    if len(x) % multiple or len(x) != len(y):
        raise ValueError(f"{len(x)} windows and {len(y)} labels: expected equal multiples of {multiple}")
    # Half-precision numbers travel as bits: XLA on a CPU would first turn all of them into float32.
    x = x.view(np.uint16) if x.dtype == np.float16 else x
    return TensorWindows(
        _taken_over(x),
        tf.convert_to_tensor(y.astype(np.int32 if y.ndim == 1 else np.float32)),
        tf.constant(windows.n, tf.int32),
    )


def _taken_over(x: np.ndarray) -> tf.Tensor:
    """Return `x` as a tensor: without a copy where its memory is aligned, on the GPU where there is one."""
    aligned = x.flags.c_contiguous and x.ctypes.data % ALIGNMENT_BYTES == 0
    tensor = tf.experimental.dlpack.from_dlpack(x.__dlpack__()) if aligned else tf.convert_to_tensor(x)
    return tf.identity(tensor) if tf.config.list_physical_devices("GPU") else tensor


class _EarlyStopping:
    """Watches the validation loss of each setting and stops each by itself."""

    def __init__(self, n_settings: int, patience_epochs: int) -> None:
        self.patience = patience_epochs
        self.running = np.ones(n_settings, bool)
        self.best_epoch, self.epochs = np.zeros(n_settings, int), np.zeros(n_settings, int)
        self.loss, self.accuracy = np.full(n_settings, np.inf), np.zeros(n_settings)

    def note(self, epoch: int, loss: np.ndarray, accuracy: np.ndarray) -> None:
        """Note an epoch's validation; stop the settings whose loss has not fallen for as long as their patience."""
        self.epochs[self.running] = epoch
        better = self.running & (loss < self.loss)
        self.best_epoch[better], self.loss[better], self.accuracy[better] = epoch, loss[better], accuracy[better]
        self.running &= epoch - self.best_epoch < self.patience


def padded_rows(n_train: int, n_valid: int, batch_size: int) -> tuple[int, int]:
    """Return how many rows hold so many windows in whole batches of training and in whole blocks of validation."""
    return -(-n_train // batch_size) * batch_size, -(-n_valid // VALIDATE_AT_ONCE) * VALIDATE_AT_ONCE


def mlp_likelihoods(
    weights: list[tuple[np.ndarray, np.ndarray]], setting: int, x: np.ndarray, *, several_labels: bool = False
) -> np.ndarray:
    """Return the likelihoods [shape=(n_windows, n_classes)] that one setting gives the windows `x`."""
    h = np.asarray(x, np.float32)
    for k, (kernel, bias) in enumerate(weights):
        h = (np.maximum(h, 0) if k else h) @ kernel[setting] + bias[setting]
    if several_labels:
        return 0.5 * (1.0 + np.tanh(0.5 * h))
    h = np.exp(h - h.max(axis=1, keepdims=True))
    return h / h.sum(axis=1, keepdims=True)

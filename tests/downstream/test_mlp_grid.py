"""The batched program of perceptrons: the same as each setting alone, and as Keras trains it."""

from itertools import pairwise

import numpy as np
import pytest

from l3net.downstream.mlp_grid import MlpGrid, TrainedGrid, mlp_likelihoods, padded_rows
from l3net.downstream.standardise import LabelledWindows

RATES, DECAYS = [1e-4, 1e-3, 1e-2], [1e-5, 1e-4, 1e-3]
GRID = [(rate, decay) for rate in RATES for decay in DECAYS]
N_TRAIN, N_VALID, N_INPUTS, N_CLASSES = 150, 40, 20, 4


@pytest.fixture(scope="module")
def data() -> tuple[LabelledWindows, LabelledWindows]:
    """Noisy classes, so that settings differ in when they stop; padded as folds are."""
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((N_CLASSES, N_INPUTS)) * 0.4

    def draw(n: int, rows: int) -> LabelledWindows:
        y = rng.integers(0, N_CLASSES, rows)
        x = (centres[y] + rng.standard_normal((rows, N_INPUTS))).astype(np.float32)
        x[n:] = 1e3  # padding must never be seen
        return LabelledWindows(x, y, n)

    rows = padded_rows(N_TRAIN, N_VALID, 32)
    return draw(N_TRAIN, rows[0]), draw(N_VALID, rows[1])


def fit(
    grid: list[tuple[float, float]],
    data: tuple,
    *,
    xla: bool = True,
    penalised_validation: bool = False,
    **changes: object,
) -> TrainedGrid:
    rates, decays = zip(*grid, strict=True)
    sizes = [N_INPUTS, 24, 12, N_CLASSES]
    how = {"batch_size": 32, "penalised_validation": penalised_validation, "xla": xla}
    program = MlpGrid(sizes, list(rates), list(decays), **how)
    return program.fit(*data, **{"max_epochs": 12, "patience_epochs": 3, "seed": 5, **changes})


@pytest.fixture(scope="module")
def together(data: tuple) -> TrainedGrid:
    return fit(GRID, data)


def test_settings_stop_by_themselves(together: TrainedGrid) -> None:
    assert len(set(together.epochs)) > 1
    assert ((together.epochs == 12) | (together.epochs - together.best_epoch == 3)).all()


@pytest.mark.parametrize(("number", "xla"), [(4, True), *((number, False) for number in range(9))])
def test_batched_settings_get_the_weights_they_get_alone(
    together: TrainedGrid, data: tuple, number: int, xla: bool
) -> None:
    """Alone without XLA, which need not be compiled for each; one with it."""
    alone = fit([GRID[number]], data, xla=xla)
    for (kernel, bias), (kernel_alone, bias_alone) in zip(together.weights, alone.weights, strict=True):
        np.testing.assert_allclose(kernel[number], kernel_alone[0], atol=1e-5, rtol=0)
        np.testing.assert_allclose(bias[number], bias_alone[0], atol=1e-5, rtol=0)
    assert together.best_epoch[number] == alone.best_epoch[0]
    assert together.accuracy[number] == pytest.approx(alone.accuracy[0])
    assert together.loss[number] == pytest.approx(alone.loss[0], abs=1e-5)


def test_the_same_seed_gives_the_same_bits_and_another_does_not(together, data: tuple) -> None:
    again, other = fit(GRID, data), fit(GRID, data, seed=6)
    np.testing.assert_array_equal(together.weights[0][0], again.weights[0][0])
    assert not np.array_equal(together.weights[0][0], other.weights[0][0])


def keras_network(rate: float, decay: float, rng: np.random.Generator):
    """Return the perceptron in Keras, with the first weights that the program draws from `rng`."""
    import keras

    layers = []
    sizes = [N_INPUTS, 24, 12, N_CLASSES]
    for k, (n_in, n_out) in enumerate(pairwise(sizes)):
        limit = (6 / (n_in + n_out)) ** 0.5
        kernel = rng.uniform(-limit, limit, (n_in, n_out)).astype(np.float32)
        activation = "softmax" if k == 2 else "relu"
        layer = keras.layers.Dense(n_out, activation, kernel_regularizer=keras.regularizers.L2(decay))
        layer.build((None, n_in))
        layer.set_weights([kernel, np.zeros(n_out)])
        layers.append(layer)
    model = keras.Sequential([keras.Input((N_INPUTS,)), *layers])
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_it_is_what_keras_trains(data: tuple) -> None:
    """The same first weights and order through Keras: Adam, L2 on kernels, means over partial batches."""
    rate, decay = GRID[7]
    trained = fit([GRID[7]], data, max_epochs=3, patience_epochs=3)
    assert trained.best_epoch[0] == 3
    x, y, n = data[0].x, data[0].y, data[0].n
    rng = np.random.Generator(np.random.Philox(5))
    model = keras_network(rate, decay, rng)
    for _ in range(3):
        order = rng.permutation(n)
        model.fit(x[order], y[order], batch_size=32, shuffle=False, verbose=0)
    for (kernel, bias), layer in zip(trained.weights, model.layers, strict=True):
        np.testing.assert_allclose(kernel[0], layer.get_weights()[0], atol=1e-4)
        np.testing.assert_allclose(bias[0], layer.get_weights()[1], atol=1e-4)
    np.testing.assert_allclose(mlp_likelihoods(trained.weights, 0, x[:50]), model.predict(x[:50], verbose=0), atol=1e-4)


def test_a_penalised_validation_is_kerass_val_loss(data: tuple) -> None:
    """As in the published code: two decays at once, so that each must get its own penalty and its own best epoch."""
    settings = [(1e-2, 1e-2), (1e-2, 1e-4)]
    penalised, plain = (fit(settings, data, penalised_validation=answer, max_epochs=7) for answer in (True, False))
    train, valid = data
    shown = (valid.x[: valid.n], valid.y[: valid.n])
    for k, (rate, decay) in enumerate(settings):
        rng = np.random.Generator(np.random.Philox(5))
        model, losses, cross_entropies = keras_network(rate, decay, rng), [], []
        for _ in range(penalised.epochs[k]):
            order = rng.permutation(train.n)
            for start in range(0, train.n, 32):
                rows = order[start : start + 32]
                model.train_on_batch(train.x[rows], train.y[rows])
            model.reset_metrics()
            losses.append(model.test_on_batch(*shown)[0])
            cross_entropies.append(losses[-1] - sum(map(float, model.losses)))
        assert penalised.best_epoch[k] == 1 + np.argmin(losses)
        assert penalised.loss[k] == pytest.approx(min(losses), rel=1e-3)
        assert plain.loss[k] == pytest.approx(cross_entropies[plain.best_epoch[k] - 1], rel=1e-3)
    assert model.evaluate(*shown, verbose=0)[0] == pytest.approx(losses[-1], rel=1e-5)
    # Keras' own choice, with the penalty, differs from that of the cross-entropy alone.
    assert penalised.best_epoch[0] != plain.best_epoch[0]


def test_rows_that_are_not_padded_are_refused(data: tuple) -> None:
    train, valid = data
    with pytest.raises(ValueError, match="149 windows and 149 labels: expected equal multiples of 32"):
        fit(GRID, (LabelledWindows(train.x[:149], train.y[:149], 149), valid))


def test_several_labels_as_keras_trains_them() -> None:
    """Sigmoid outputs: weights after two epochs, validation loss and likelihoods against Keras' own model."""
    import keras

    rng = np.random.default_rng(7)
    rows = padded_rows(N_TRAIN, N_VALID, 32)
    truth = rng.standard_normal((N_INPUTS, N_CLASSES))

    def draw(n: int, n_rows: int) -> LabelledWindows:
        x = rng.standard_normal((n_rows, N_INPUTS)).astype(np.float32)
        y = (x @ truth + rng.standard_normal((n_rows, N_CLASSES)) > 1).astype(np.float32)
        x[n:], y[n:] = 1e3, 1
        return LabelledWindows(x, y, n)

    train, valid = draw(N_TRAIN, rows[0]), draw(N_VALID, rows[1])
    how = {"batch_size": 32, "several_labels": True, "xla": False}
    sizes = [N_INPUTS, 24, N_CLASSES]
    program = MlpGrid(sizes, [1e-3, 1e-2], [0.0, 1e-3], **how)
    found = program.fit(train, valid, max_epochs=2, patience_epochs=5, seed=5)
    replay = np.random.Generator(np.random.Philox(5))
    first = [np.asarray(p) for p in program._program.first_parameters(replay)]
    orders = [replay.permutation(N_TRAIN) for _ in range(2)]
    for setting, (rate, decay) in enumerate([(1e-3, 0.0), (1e-2, 1e-3)]):
        layers = [
            keras.layers.Dense(24, "relu", kernel_regularizer=keras.regularizers.L2(decay)),
            keras.layers.Dense(N_CLASSES, "sigmoid", kernel_regularizer=keras.regularizers.L2(decay)),
        ]
        model = keras.Sequential([keras.Input((N_INPUTS,)), *layers])
        model.set_weights([first[0][:, setting], first[2][setting], first[1][setting], first[3][setting]])
        model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
        losses = []
        for order in orders:
            for start in range(0, N_TRAIN, 32):
                chosen = order[start : start + 32]
                model.train_on_batch(train.x[chosen], train.y[chosen])
            p = np.clip(model.predict(valid.x[:N_VALID], verbose=0), 1e-7, 1 - 1e-7)
            y = valid.y[:N_VALID]
            losses.append(float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()))
        assert found.loss[setting] == pytest.approx(min(losses), rel=1e-4)
        if losses[1] < losses[0]:
            for (kernel, _), layer in zip(found.weights, layers, strict=True):
                np.testing.assert_allclose(kernel[setting], layer.get_weights()[0], atol=2e-5)
            mine = mlp_likelihoods(found.weights, setting, valid.x[:N_VALID], several_labels=True)
            np.testing.assert_allclose(mine, p, atol=1e-4)

"""The optimizer against Keras' own, and the course of the learning rate."""

import keras
import numpy as np
import tensorflow as tf

from l3net.configuration import Train
from l3net.training.optimizer import Adam, LearningRate


def test_adam_is_keras_adam() -> None:
    def trained(optimizer: keras.optimizers.Optimizer) -> list[np.ndarray]:
        variables = [keras.Variable(np.linspace(-1, 1, 12).reshape(3, 4).astype(np.float32))]
        variables.append(keras.Variable(np.ones(5, np.float32)))
        optimizer.build(variables)

        @tf.function
        def update():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.sin(variables[0].value)) + tf.reduce_sum(variables[1].value ** 3)
            optimizer.apply_gradients(zip(tape.gradient(loss, [v.value for v in variables]), variables, strict=True))

        for _ in range(30):
            update()
        return [np.asarray(v) for v in [*variables, *optimizer.variables]]

    rate = LearningRate(1e-2, warmup_steps=5)
    for ours, theirs in zip(trained(Adam(rate)), trained(keras.optimizers.Adam(rate)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=5e-6)


def test_learning_rate_rises_and_falls() -> None:
    constant = LearningRate(0.5)
    assert [float(constant(step)) for step in (0, 1000)] == [0.5, 0.5]
    cosine = LearningRate(1.0, warmup_steps=10, total_steps=110)
    at = [float(cosine(step)) for step in (0, 4, 9, 60, 110, 500)]
    np.testing.assert_allclose(at, [0.1, 0.5, 1.0, 0.5, 0.0, 0.0], atol=1e-6)


def test_learning_rate_of_a_configuration() -> None:
    settings = Train(learning_rate=0.5, batches_per_epoch=10, schedule_epochs=3, warmup_steps=4)
    assert LearningRate.of(settings).get_config() == {"rate": 0.5, "warmup_steps": 4, "total_steps": None}
    cosine = settings.model_copy(update={"schedule": "cosine"})
    assert LearningRate.of(cosine).get_config() == {"rate": 0.5, "warmup_steps": 4, "total_steps": 30}


def test_without_a_warm_up_the_rate_begins_to_fall_at_once() -> None:
    cosine = LearningRate(1.0, total_steps=10)
    np.testing.assert_allclose([float(cosine(step)) for step in (0, 5)], [1.0, 0.5], atol=1e-6)

"""The optimizer (Adam, as in the paper, section 3.2) and its learning rate."""

import math

import keras
import tensorflow as tf

from l3net.configuration import Train


class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises linearly over `warmup_steps`, then stays, or falls as a cosine to 0 at `total_steps`."""

    @classmethod
    def of(cls, settings: Train) -> "LearningRate":
        """Return the learning rate that section train of the configuration describes."""
        falls = settings.schedule == "cosine"
        return cls(
            settings.learning_rate,
            warmup_steps=settings.warmup_steps,
            total_steps=settings.schedule_epochs * settings.batches_per_epoch if falls else None,
        )

    def __init__(self, rate: float, *, warmup_steps: int = 0, total_steps: int | None = None) -> None:
        self.rate, self.warmup_steps, self.total_steps = rate, warmup_steps, total_steps

    def __call__(self, step):
        """Return the rate at `step`, counted from 0."""
        step = tf.cast(step, tf.float32)
        rate = tf.constant(self.rate, tf.float32)
        if self.total_steps:
            share = (step - self.warmup_steps) / max(self.total_steps - self.warmup_steps, 1)
            rate *= 0.5 * (1.0 + tf.cos(math.pi * tf.clip_by_value(share, 0.0, 1.0)))
        if self.warmup_steps:
            rate *= tf.minimum(1.0, (step + 1.0) / self.warmup_steps)
        return rate

    def get_config(self):
        """Return what the schedule is made from."""
        return {"rate": self.rate, "warmup_steps": self.warmup_steps, "total_steps": self.total_steps}


class Adam(keras.optimizers.Adam):
    """Keras' Adam with one operation for each variable in place of a dozen: the same formula, traced and run faster."""

    def apply(self, grads, trainable_variables=None):
        """Update the variables by their gradients."""
        step = tf.cast(self.iterations + 1, tf.float32)
        self._powers = tf.pow(self.beta_1, step), tf.pow(self.beta_2, step)
        return super().apply(grads, trainable_variables)

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable."""
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self._powers[0],
            beta2_power=self._powers[1],
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def make_optimizer(model: keras.Model, rate: LearningRate, precision: str) -> keras.optimizers.Optimizer:
    """Return Adam with its variables made (the paper, section 3.2); under ``mixed_float16`` it scales the loss."""
    optimizer = Adam(rate)
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer

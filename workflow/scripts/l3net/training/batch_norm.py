"""The batch norm of a training: Keras' own, computed by one operation in place of a dozen."""

import keras
import tensorflow as tf


def batch_norm_for(xla: bool) -> type[keras.layers.BatchNormalization]:
    """Return the class of batch norms for a training whose step is compiled by XLA, or is not.

    XLA fuses Keras' batch norm by itself. The fused operation it would put together from sums of squares, whose
    difference loses digits where a mean is large beside its deviation.
    """
    return keras.layers.BatchNormalization if xla else FusedBatchNormalization


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch norm in a training, by TensorFlow's fused operation.

    Keras 3 puts its batch norm together from means, differences and products, each of which passes over the whole
    picture, forward and backward. The fused operation passes over it twice, takes bfloat16 and float16 as they are with
    statistics in float32, and carries the ReLU behind it. Out of training, frozen, in float64, or synchronised over
    devices, it is Keras' own.
    The running variance is that of the batch, as in Keras 3, not the unbiased estimate of the published code's Keras 2.
    """

    def call(self, inputs, training=None, mask=None):
        """Return `inputs` [shape=(batch, height, width, channels)] normalised; in training by its own statistics."""
        if not (training and self.trainable) or self.synchronized or inputs.dtype == tf.float64:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        n = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
        variance *= (n - 1.0) / n  # the operation returns the unbiased estimate
        for running, found in ((self.moving_mean, mean), (self.moving_variance, variance)):
            running.assign(running.value * self.momentum + found * (1.0 - self.momentum))
        return outputs

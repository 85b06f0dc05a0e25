"""The augmentation inside the training step: flip, saturation, brightness and gain, as the recipes say."""

from typing import Any

import tensorflow as tf


def prepare_batch(batch: dict[str, Any], augment: bool) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Make what the network takes of a batch.

    Parameters
    ----------
    batch : a batch of `pipeline.open_feed`.
    augment : whether images are flipped and recoloured and sounds scaled as the recipes say.

    Returns
    -------
    Images float32 [B, S, S, 3] in [-1, 1], sounds float32 [B, 48000] in [-1, 1), labels int32 [B].
    """
    image = tf.cast(batch["image"], tf.float32) / 255.0
    audio = tf.cast(batch["audio"], tf.float32) / 32768.0
    if augment:
        flip = tf.reshape(batch["flip"], [-1, 1, 1, 1])
        image = tf.where(flip, tf.reverse(image, [2]), image)
        image = _recolour(image, *(_wide(batch[k]) for k in ("saturation", "brightness", "saturation_first")))
        audio = audio * batch["gain"][:, None]
    return image * 2.0 - 1.0, audio, tf.convert_to_tensor(batch["label"])


def _recolour(image: tf.Tensor, saturation: tf.Tensor, brightness: tf.Tensor, saturation_first: tf.Tensor) -> tf.Tensor:
    """Scale the saturation and shift the brightness, in either order.

    The saturation is scaled in closed form, which equals scaling it in HSV: with v and m the largest and smallest
    channel of a pixel, and s the factor, each channel c becomes v - (v - c) min(s, v / (v - m)).
    """
    before = tf.where(saturation_first, 0.0, brightness)
    image = tf.clip_by_value(image + before, 0.0, 1.0)
    largest = tf.reduce_max(image, -1, keepdims=True)
    spread = largest - tf.reduce_min(image, -1, keepdims=True)
    factor = tf.minimum(saturation, tf.math.divide_no_nan(largest, spread))
    image = largest - (largest - image) * factor
    return tf.clip_by_value(image + (brightness - before), 0.0, 1.0)


def _wide(values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(values, [-1, 1, 1, 1])

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
    image = tf.convert_to_tensor(batch["image"])
    audio = tf.cast(batch["audio"], tf.float32) / 32768.0
    if augment:
        flip = tf.reshape(batch["flip"], [-1, 1, 1, 1])
        image = tf.where(flip, tf.reverse(image, [2]), image)  # of bytes, a quarter of the memory of floats
        image = _recolour(image, *(_wide(batch[k]) for k in ("saturation", "brightness", "saturation_first")))
        audio = audio * batch["gain"][:, None]
    else:
        image = tf.cast(image, tf.float32) / 255.0
    return image * 2.0 - 1.0, audio, tf.convert_to_tensor(batch["label"])


def _recolour(image: tf.Tensor, saturation: tf.Tensor, brightness: tf.Tensor, saturation_first: tf.Tensor) -> tf.Tensor:
    """Scale the saturation and shift the brightness of images of bytes, in either order; return values in [0, 1].

    The saturation is scaled in closed form, which equals scaling it in HSV: with v and m the largest and smallest
    channel of a pixel, and s the factor, each channel c becomes v - (v - c) min(s, v / (v - m)).
    """
    before = tf.where(saturation_first, 0.0, brightness)
    # A shift keeps the order of channels, so they are compared as bytes; slices, since XLA reduces an axis of three
    # elements one by one on a CPU, which takes as long as all else here.
    red, green, blue = (image[..., channel : channel + 1] for channel in range(3))
    largest = _shifted(tf.maximum(tf.maximum(red, green), blue), before)
    smallest = _shifted(tf.minimum(tf.minimum(red, green), blue), before)
    factor = tf.minimum(saturation, tf.math.divide_no_nan(largest, largest - smallest))
    image = largest - (largest - _shifted(image, before)) * factor
    return tf.clip_by_value(image + (brightness - before), 0.0, 1.0)


def _shifted(image: tf.Tensor, brightness: tf.Tensor) -> tf.Tensor:
    """Return bytes as values in [0, 1] with the brightness added."""
    return tf.clip_by_value(tf.cast(image, tf.float32) / 255.0 + brightness, 0.0, 1.0)


def _wide(values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(values, [-1, 1, 1, 1])

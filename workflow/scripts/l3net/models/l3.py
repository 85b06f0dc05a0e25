"""L3-Net: a vision and an audio subnetwork, fused to say whether an image and a second of sound correspond.

Conventions: images float32 [shape=(batch, size, size, 3)] in [-1, 1]; sound float32 [shape=(batch, 48000)] in
[-1, 1); outputs [mismatch, correspond]. Source: the paper, section 2, and the published training code, whose
vision subnetwork has one convolution in the order conv, ReLU, batch norm (all others: conv, batch norm, ReLU).
"""

import functools

import keras
from keras import layers

from l3net.errors import ConfigError
from l3net.files import stable_hash
from l3net.media import SAMPLE_RATE
from l3net.models.front_ends import FRONT_ENDS, HOP_LENGTH, POOLINGS
from l3net.models.objectives import OBJECTIVES
from l3net.models.spectrogram import SpecAugment, build_front_end

CHANNELS = (64, 128, 256, 512)  # of the four blocks, at width 1
AUDIO_TAP, VISION_TAP = "audio_conv_4_2", "vision_conv_4_2"


def build_l3(
    front_end: str,
    *,
    image_size: int,
    width: float = 1.0,
    version: str = "training",
    hop_length: int = HOP_LENGTH,
    batch_norm_momentum: float = 0.99,
    weight_decay: float = 1e-5,
    synchronised_batch_norm: bool = False,
    objective: str = "correspondence",
    spec_augment: bool = False,
    precision: str = "float32",
    seed: int = 0,
    batch_norm: type[layers.BatchNormalization] = layers.BatchNormalization,
) -> keras.Model:
    """Build the whole network: {"image", "audio"} -> probabilities [shape=(batch, 2)] of [mismatch, correspond].

    Parameters
    ----------
    front_end, version, hop_length : the spectrogram at the front of the audio subnetwork, see `build_front_end`.
    image_size : side of the square image in pixels; 224 in the paper.
    width : factor on the channels of every convolution.
    batch_norm_momentum : share of the running means that a training step keeps.
    weight_decay : L2 on the kernels of convolutions and dense layers; its losses are in ``model.losses``.
    synchronised_batch_norm : whether batch norms take their means over all replicas.
    objective : ``correspondence``, or ``contrastive``, which puts projections of both sides in place of the fusion.
    spec_augment : whether training masks bands and times of the spectrogram; the network then has a third input,
        "mask_seed" int32 [batch, 2].
    precision : ``float32``, ``mixed_bfloat16`` or ``mixed_float16``; spectrograms and outputs are float32 under each.
    seed : the initial weights of each layer are drawn from this seed and the layer's name.
    batch_norm : class of the batch norms; a training has a quicker one, files have Keras' own.

    Raises
    ------
    ConfigError
        An unknown front end, version or objective, or a width that leaves a block without channels.
    """
    if objective not in OBJECTIVES:
        raise ConfigError(f"unknown objective {objective!r}; expected one of {', '.join(OBJECTIVES)}")
    if width * CHANNELS[0] < 1:
        raise ConfigError(f"network.width {width} leaves the first block without channels; expected 1/64 or more")
    norms = functools.partial(batch_norm, momentum=batch_norm_momentum, synchronized=synchronised_batch_norm)
    make = _Layers(width, weight_decay, precision, seed, norms)
    image = keras.Input((image_size, image_size, 3), name="image")
    audio = keras.Input((SAMPLE_RATE,), name="audio")
    inputs = {"image": image, "audio": audio}
    spectrogram = build_front_end(front_end, version=version, hop_length=hop_length)(audio)
    if spec_augment:
        inputs["mask_seed"] = keras.Input((2,), name="mask_seed", dtype="int32")
        spectrogram = SpecAugment(name="spec_augment")(spectrogram, inputs["mask_seed"])
    seen = _subnetwork(make, "vision", image, padding="same", relu_before_norm=("1_2",))
    heard = _subnetwork(make, "audio", spectrogram, padding="valid")
    return keras.Model(inputs, OBJECTIVES[objective].head(make, seen, heard), name="l3")


def embedding_network(l3_model: keras.Model, *, pooling: int = 6144) -> keras.Model:
    """Return the audio embedding of an L3 network: sound [batch, 48000] -> [batch, d]. It shares the network's layers.

    It takes the output of the last convolution, before batch norm and ReLU (the paper, section 3.1), and pools it.

    Parameters
    ----------
    pooling : one of `POOLINGS`: 6144 values (maxima over patches of the map, at width 1 and hop 242) or 512 (maxima
        over the whole map).
    """
    if pooling not in POOLINGS:
        raise ConfigError(f"embed.pooling {pooling} is unknown; expected one of {', '.join(map(str, POOLINGS))}")
    front_end = FRONT_ENDS[l3_model.get_layer("front_end").front_end]
    vectors = _pool(l3_model.get_layer(AUDIO_TAP).output, front_end.pool_size if pooling == 6144 else None)
    return keras.Model(l3_model.input["audio"], vectors, name="embedding")


def vision_embedding_network(l3_model: keras.Model) -> keras.Model:
    """Return the vision embedding: images [batch, size, size, 3] -> [batch, d]; 8192 at width 1 and 224 pixels."""
    vectors = _pool(l3_model.get_layer(VISION_TAP).output, (7, 7))
    return keras.Model(l3_model.input["image"], vectors, name="vision_embedding")


class _Layers:
    """Make the layers of one network, with its width, initial weights, regularisation and precision."""

    def __init__(self, width, weight_decay, precision, seed, norms):
        self.width, self.decay, self.precision, self.seed, self.norms = width, weight_decay, precision, seed, norms

    def __call__(self, kind, *settings, name, dtype=None, **options):
        return kind(*settings, name=name, dtype=dtype or self.precision, **options)

    def _kernel(self, name):
        """Return how a layer's kernel starts (He normal, as every kernel of the published code) and its penalty."""
        start = keras.initializers.HeNormal(seed=stable_hash(f"{self.seed}/{name}") % 2**31)
        return {"kernel_initializer": start, "kernel_regularizer": keras.regularizers.L2(self.decay)}

    def conv(self, name, channels):
        channels = round(channels * self.width)
        return self(layers.Conv2D, channels, 3, padding="same", name=name, **self._kernel(name))

    def dense(self, name, units, **options):
        return self(layers.Dense, units, name=name, **(self._kernel(name) | options))

    def norm(self, name, **options):
        return self(self.norms, name=name, **options)


def _subnetwork(make, side, x, *, padding, relu_before_norm=()):
    """Return the 512 values (at width 1) of one side; in `relu_before_norm` the ReLU comes before the batch norm."""
    x = make.norm(f"{side}_norm_0", dtype="float32")(x)
    for block, channels in enumerate(CHANNELS, start=1):
        for number in (1, 2):
            place = f"{block}_{number}"
            x = make.conv(f"{side}_conv_{place}", channels)(x)
            order = [make.norm(f"{side}_norm_{place}"), make(layers.ReLU, name=f"{side}_relu_{place}")]
            for layer in reversed(order) if place in relu_before_norm else order:
                x = layer(x)
        if block < len(CHANNELS):
            x = make(layers.MaxPooling2D, 2, 2, padding=padding, name=f"{side}_pool_{block}")(x)
    return make(layers.GlobalMaxPooling2D, name=f"{side}_pool_4")(x)


def _pool(tap, size):
    if size is None:
        return layers.GlobalMaxPooling2D(name="embedding")(tap)
    return layers.Flatten(name="embedding")(layers.MaxPooling2D(size, padding="same", name="embedding_pool")(tap))

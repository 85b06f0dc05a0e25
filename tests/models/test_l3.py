"""The network: counts of parameters, shapes and order of layers as published, embeddings, objectives."""

import keras
import numpy as np
import pytest

from l3net.errors import ConfigError
from l3net.files import stable_hash
from l3net.models.front_ends import FRONT_ENDS
from l3net.models.l3 import (
    AUDIO_TAP,
    VISION_TAP,
    build_l3,
    embedding_network,
    vision_embedding_network,
)

TINY = {"image_size": 32, "width": 1 / 16, "hop_length": 1936}


def batch(n: int = 2, size: int = 32) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    image = rng.uniform(-1, 1, (n, size, size, 3)).astype(np.float32)
    return {"image": image, "audio": rng.uniform(-1, 1, (n, 48000)).astype(np.float32)}


@pytest.fixture(scope="module", params=list(FRONT_ENDS))
def full(request: pytest.FixtureRequest) -> keras.Model:
    return build_l3(request.param, image_size=224)


def test_published_parameter_counts(full: keras.Model) -> None:
    def count(side: str) -> int:
        return sum(int(np.prod(weight.shape)) for weight in full.weights if weight.path.startswith(side))

    assert (count("audio"), count("vision"), count("fusion")) == (4_691_908, 4_693_068, 131_458)
    assert full.count_params() == 9_516_434
    assert embedding_network(full).count_params() == 4_689_860


def test_published_shapes(full: keras.Model) -> None:
    front_end = full.get_layer("front_end")
    bins, frames, tap = {
        "linear": (257, 197, (32, 24)),
        "mel128": (128, 199, (16, 24)),
        "mel256": (256, 199, (32, 24)),
    }[front_end.front_end]
    assert front_end.output.shape == (None, bins, frames, 1)
    assert full.get_layer(AUDIO_TAP).output.shape == (None, *tap, 512)
    assert full.get_layer(VISION_TAP).output.shape == (None, 28, 28, 512)
    assert embedding_network(full).output_shape == (None, 6144)
    assert embedding_network(full, pooling=512).output_shape == (None, 512)
    assert vision_embedding_network(full).output_shape == (None, 8192)


def test_order_of_layers_and_penalties(full: keras.Model) -> None:
    names = [layer.name for layer in full.layers]
    assert names.index("vision_relu_1_2") < names.index("vision_norm_1_2")
    assert names.index("audio_norm_1_2") < names.index("audio_relu_1_2")
    assert len(full.losses) == 18
    kernel = full.get_layer("fusion_dense_1").kernel
    assert any(np.isclose(float(loss), 1e-5 * np.square(np.asarray(kernel)).sum()) for loss in full.losses)


def test_embedding_is_the_pooled_output_of_the_last_convolution() -> None:
    model, inputs = build_l3("mel128", **TINY), batch()
    tap = np.asarray(keras.Model(model.input["audio"], model.get_layer("audio_conv_4_2").output)(inputs["audio"]))
    np.testing.assert_allclose(embedding_network(model, pooling=512)(inputs["audio"]), tap.max(axis=(1, 2)))
    # Map 16 x 3 under windows of 4 x 8: four rows, one column of windows.
    expected = tap.reshape(2, 4, 4, 3, -1).max(axis=(2, 3)).reshape(2, -1)
    np.testing.assert_allclose(embedding_network(model)(inputs["audio"]), expected)


def test_initial_weights_are_a_function_of_seed_and_name() -> None:
    keras.utils.set_random_seed(1)
    first = build_l3("mel128", **TINY, seed=4)
    keras.utils.set_random_seed(2)
    same = build_l3("linear", **TINY, seed=4)
    other = build_l3("linear", **TINY, seed=5)
    name = "audio_conv_2_1"
    assert np.array_equal(first.get_layer(name).kernel, same.get_layer(name).kernel)
    assert not np.array_equal(other.get_layer(name).kernel, same.get_layer(name).kernel)


def test_initial_weights_are_keras_draw_of_the_documented_seed() -> None:
    """So that a run of today begins as one of next year does."""
    layer = build_l3("mel128", **TINY, seed=4).get_layer("audio_conv_2_1")
    drawn = keras.initializers.HeNormal(seed=stable_hash("4/audio_conv_2_1") % 2**31)(layer.kernel.shape)
    np.testing.assert_array_equal(layer.kernel, drawn)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_spectrograms_and_outputs_in_float32(precision: str) -> None:
    model = build_l3("linear", **TINY, precision=precision)
    dtypes = {layer.name: layer.compute_dtype for layer in model.layers}
    assert dtypes["audio_conv_1_1"] == dtypes["vision_pool_2"] == precision.removeprefix("mixed_")
    assert dtypes["front_end"] == dtypes["audio_norm_0"] == dtypes["fusion_dense_2"] == "float32"
    assert model(batch()).dtype == "float32"
    assert {weight.dtype for weight in model.weights} == {"float32"}


def test_wrong_settings_are_told() -> None:
    with pytest.raises(ConfigError, match="unknown objective 'triplet'"):
        build_l3("linear", **TINY, objective="triplet")
    with pytest.raises(ConfigError, match=r"network.width 0.001 leaves the first block without channels"):
        build_l3("linear", image_size=32, width=0.001)
    with pytest.raises(ConfigError, match="pooling 100 is unknown"):
        embedding_network(build_l3("linear", **TINY), pooling=100)


@pytest.mark.parametrize("objective", ["correspondence", "contrastive"])
def test_every_kernel_starts_he_normal(objective: str) -> None:
    model = build_l3("mel128", **{**TINY, "width": 1 / 4}, objective=objective)
    kernels = [weight for weight in model.weights if weight.path.endswith("/kernel")]
    assert len(kernels) == 18 if objective == "correspondence" else 19
    for kernel in kernels:
        values = np.asarray(kernel)
        if values.size > 500:
            fan_in = np.prod(values.shape[:-1])
            # He et al. 2015: the deviation is the root of 2 / fan in; Keras cuts the normal at two deviations.
            assert values.std() == pytest.approx(np.sqrt(2 / fan_in), rel=0.06), kernel.path
            assert np.abs(values).max() <= 2 / 0.87962566 * np.sqrt(2 / fan_in) + 1e-6


def test_images_are_channels_last_and_batch_norms_take_their_statistics_in_float32() -> None:
    """A variance of values near 100 is lost in bfloat16 (8 bits of mantissa), and kept in float32."""
    model = build_l3("mel128", image_size=32, width=1 / 16, hop_length=1936, precision="mixed_bfloat16")
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) == 16
    assert all(layer.data_format == "channels_last" and layer.compute_dtype == "bfloat16" for layer in convolutions)
    norm = model.get_layer("vision_norm_2_1")
    norm.momentum = 0.0
    values = np.random.default_rng(0).normal(100, 1, (64, 8, 8, norm.gamma.shape[0])).astype(np.float32)
    seen = keras.ops.cast(values, "bfloat16")
    norm(seen, training=True)
    exact = np.asarray(keras.ops.cast(seen, "float32")).astype(np.float64)
    np.testing.assert_allclose(norm.moving_mean, exact.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, exact.var((0, 1, 2)), rtol=1e-3)
    assert norm(seen, training=True).dtype == "bfloat16"

"""Decoding images: the pixels of Pillow and of TensorFlow, by either decoder; damage and other sizes refused."""

import io

import numpy as np
import pytest
from PIL import Image

from l3net.feed import image_decoder

try:
    import simplejpeg
except ImportError:
    simplejpeg = None


@pytest.fixture(params=["simplejpeg", "pillow"])
def decode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    if request.param == "simplejpeg":
        if simplejpeg is None:
            pytest.skip("simplejpeg is not installed here")
        assert image_decoder._decode_to is simplejpeg.decode_jpeg
    else:
        monkeypatch.setattr(image_decoder, "_decode_to", None)
    return image_decoder.decode_image


def jpeg_of(pixels: np.ndarray, **how: object) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **how)
    return np.frombuffer(file.getvalue(), np.uint8)


@pytest.mark.parametrize("how", [{"quality": 90}, {"quality": 30, "subsampling": 0}, {"progressive": True}])
def test_the_pixels_are_tensorflows_by_its_accurate_transform(decode, how) -> None:
    import tensorflow as tf

    jpeg = jpeg_of(np.random.default_rng(0).integers(0, 256, (37, 37, 3)).astype(np.uint8), **how)
    into = np.zeros((2, 37, 37, 3), np.uint8)
    decode(jpeg, into[1])
    expected = tf.io.decode_jpeg(jpeg.tobytes(), channels=3, dct_method="INTEGER_ACCURATE").numpy()
    np.testing.assert_array_equal(into[1], expected)
    assert not into[0].any()


@pytest.mark.parametrize("shape", [(16, 16, 3), (48, 16, 3), (16, 48, 3), (48, 48, 3)])
def test_another_size_is_refused(decode, shape) -> None:
    with pytest.raises(ValueError):
        decode(jpeg_of(np.zeros(shape, np.uint8)), np.zeros((32, 32, 3), np.uint8))


def test_damage_is_refused(decode) -> None:
    good = jpeg_of(np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8))
    for damaged in (good[: len(good) // 2], np.full(500, 7, np.uint8), good[:0]):
        with pytest.raises(ValueError):
            decode(damaged, np.zeros((32, 32, 3), np.uint8))

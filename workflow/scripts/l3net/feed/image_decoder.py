"""Decoding JPEG images into the memory of a batch, with libjpeg-turbo and its accurate transform.

simplejpeg decodes to where it is told to. Where it is not installed, Pillow decodes: to the same pixels, since it is
built on the same library, but in more than twice the time.
"""

import io

import numpy as np

try:
    from simplejpeg import decode_jpeg as _decode_to
except ImportError:
    _decode_to = None


def decode_image(jpeg: np.ndarray, into: np.ndarray) -> None:
    """Decode a JPEG file.

    Parameters
    ----------
    jpeg : np.ndarray uint8 [shape=(n_bytes,)]
    into : np.ndarray uint8 [shape=(size, size, 3)], contiguous; receives red, green and blue.

    Raises
    ------
    ValueError
        It is no JPEG file, is damaged, or is an image of another size.
    """
    image = _decoded_by_pillow(jpeg) if _decode_to is None else _decode_to(jpeg, "RGB", buffer=into)
    if image.shape != into.shape:
        raise ValueError(f"an image of {image.shape[1]} x {image.shape[0]} pixels; expected {into.shape[1]}")
    if _decode_to is None:
        into[...] = image


def _decoded_by_pillow(jpeg: np.ndarray) -> np.ndarray:
    from PIL import Image

    try:
        return np.asarray(Image.open(io.BytesIO(jpeg.tobytes()), formats=["JPEG"]).convert("RGB"))
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error

"""The piece of a frame that its samples need: the smallest rectangle around their crops.

Most frames serve one sample or two, so a piece is little more than a crop: less to store, and less to decode for every
sample that is read. Places in pixels of the scaled frame, y before x.
"""

import numpy as np


def cut(recipes: np.ndarray, n_frames: int, image_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each frame's piece, and let the recipes' crops count from its upper left pixel.

    Parameters
    ----------
    recipes : of one clip, ``frame`` counting its `n_frames` used frames, each of which has a recipe; changed in place.
    n_frames : used frames of the clip.
    image_size : pixels of the square crop.

    Returns
    -------
    np.ndarray [shape=(n_frames, 2), int16], np.ndarray [shape=(n_frames, 2), int16]
        Upper left pixel, and height and width.
    """
    crops = np.stack([recipes["crop_y"], recipes["crop_x"]], 1)
    first = np.full((n_frames, 2), np.iinfo(np.int16).max, np.int16)
    last = np.zeros((n_frames, 2), np.int16)
    np.minimum.at(first, recipes["frame"], crops)
    np.maximum.at(last, recipes["frame"], crops)
    recipes["crop_y"], recipes["crop_x"] = (crops - first[recipes["frame"]]).T
    return first, last - first + np.int16(image_size)

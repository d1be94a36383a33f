"""The coarse picture of a frame by which copies are known: the lowest coefficients of its cosine transform."""

import numpy as np
from numpy.typing import NDArray

PICTURE_PX = 32  # side of the square each look is shrunk to
COEFFICIENTS = 35  # of its discrete cosine transform: the 6 x 6 lowest, without the mean
# The 6 lowest rows of the orthonormal DCT-II, of which no more is wanted.
COSINES = np.cos(np.pi * np.outer(np.arange(6), np.arange(PICTURE_PX) + 0.5) / PICTURE_PX) * np.sqrt(2 / PICTURE_PX)
COSINES[0] /= np.sqrt(2)


def picture_box(pictures: list[NDArray[np.uint8]], max_black: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what black bars leave of pictures of one size. Bars are as wide on both sides."""
    brightest = np.max(pictures, axis=0)
    height, width = brightest.shape
    across, down = brightest.max(axis=0) > max_black, brightest.max(axis=1) > max_black
    if not across.any():
        return 0, 0, width, height
    side = int(min(np.argmax(across), np.argmax(across[::-1])))
    band = int(min(np.argmax(down), np.argmax(down[::-1])))
    return side, band, width - side, height - band


def coefficients(
    picture: NDArray[np.uint8], box: tuple[int, int, int, int], min_contrast: float = 0.0
) -> NDArray[np.int16] | None:
    """(35,) in units of 1/32 level of luma, or None where the box of the picture has less contrast than asked."""
    from PIL import Image

    small = np.asarray(Image.fromarray(picture).resize((PICTURE_PX, PICTURE_PX), Image.Resampling.BOX, box), np.float32)
    if small.std() < min_contrast:
        return None
    return np.rint((COSINES @ small @ COSINES.T).ravel()[1:]).astype(np.int16)

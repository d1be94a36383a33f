"""Masks of the face and of the lips, from the points of MediaPipe's mesh."""

import numpy as np
from numpy.typing import NDArray

from pipeline.export.faces import FACE_OVAL
from pipeline.export.files import Picture

# The outline of the lips, of MediaPipe's 478 points: from one corner over the upper lip to the other, and back below.
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)

_FOREHEAD, _CHIN, _NOSE_BASE = 10, 152, 2


def filled(points: NDArray[np.float64], outline: tuple[int, ...], width: int, height: int) -> Picture:
    """(height, width), 255 inside the outline, 0 outside.

    Args:
        points: (478, 2) pixels, all finite.
    """
    import cv2

    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(outline)]).astype(np.int32)], (255,))
    return mask


def face_mask(points: NDArray[np.float64], width: int, height: int) -> Picture:
    """The oval of the face, hairline to chin; see `filled`."""
    return filled(points, FACE_OVAL, width, height)


def lip_mask(points: NDArray[np.float64], width: int, height: int) -> Picture:
    """The lips and what is between them; see `filled`."""
    return filled(points, LIPS, width, height)


def mouth_mask(points: NDArray[np.float64], width: int, height: int) -> Picture:
    """The face below the nose's base: what speech moves; see `filled`."""
    mask = face_mask(points, width, height)
    up = points[_FOREHEAD] - points[_CHIN]
    rows, columns = np.mgrid[0:height, 0:width]
    along = (columns - points[_NOSE_BASE, 0]) * up[0] + (rows - points[_NOSE_BASE, 1]) * up[1]
    mask[along > 0] = 0
    return mask

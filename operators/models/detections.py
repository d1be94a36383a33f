"""What face detectors answer."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box


class Detection(NamedTuple):
    """A face in a picture, in pixels of it, as MediaPipe's detectors tell it.

    Attributes:
        corners: (4,) left, top, right, bottom.
        points: (6, 2) the eye on the image's left of a frontal face, the other eye, nose tip, middle of the mouth, the
        two ears. score: 0 to 1.
    """

    corners: NDArray[np.float64]
    points: NDArray[np.float64]
    score: float


class AlignedFace(NamedTuple):
    """A face with the points that align it."""

    box: Box
    points: NDArray[
        np.float64
        # (4, 2): the eye on the image's left of a frontal face, the other eye, nose tip, middle of the mouth; source
        # pixels
    ]


def rough_yaw_deg(keypoints: NDArray[np.float64]) -> float:
    """Head yaw from a detector's keypoints in a square picture, in degrees, -90 to 90; positive when the nose points to
    the image's right.

    atan(1.4 x / d), where d is the distance between the eyes and x how far the nose tip lies from their middle, along
    the line from the image's left eye to the right: of a head that turns, x grows with the sine of the yaw and d
    shrinks with its cosine. 1.4 is fitted: over 513 faces of seven videos, up to 65 degrees, the mean error against the
    face landmarker's pose is 3.4 degrees, the correlation 0.986.

    Args:
        keypoints: (3 or more, 2) x and y: the eye on the image's left of a frontal face, the other eye, the nose tip.
    """
    (x0, y0), (x1, y1), (x, y) = keypoints[:3].tolist()
    distance = math.hypot(x1 - x0, y1 - y0)
    if distance == 0:
        return 0.0
    along = ((x - (x0 + x1) / 2) * (x1 - x0) + (y - (y0 + y1) / 2) * (y1 - y0)) / distance
    return math.degrees(math.atan2(1.4 * along, distance))

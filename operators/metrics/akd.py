"""How far the points of a render's face are from its target's."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.metrics.base import DRIVING, FaceMetric, Variant
from operators.models.face_pictures import points68
from operators.picture import Picture
from operators.protocol import Protocol

SIDE = 256


@dataclass(frozen=True)
class Akd(FaceMetric[NDArray[np.float64]]):
    """Average keypoint distance: the mean absolute difference of the coordinates of 68 points, in a frame brought to
    256 pixels, 0 and up.

    As pose-evaluation's `cmp_kp.py`, which FOMM and its successors use with FAN's points; here they are MediaPipe's,
    hence the name. A render is compared with the driving recording: where another person drives, the shape of the face
    counts too.

    Frames without a face on either side are left out; how many is `mkr_mesh`. Drops: `no_face`, fewer than half
    are left.
    """

    version: ClassVar[int] = 2  # points nearer to iBUG's
    metric = "akd"
    compares = DRIVING
    known: ClassVar[dict[str, Variant]] = {
        "akd_mesh": Variant(
            "lower",
            "mean absolute difference of 68 points",
            Protocol(points="MediaPipe's mesh in the iBUG scheme", unit="pixels of 256"),
        )
    }
    variant: str = "akd_mesh"

    def extract(self, picture: Picture) -> NDArray[np.float64] | None:
        points = points68(picture)
        return None if points is None else points * SIDE / picture.size

    def distance(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        return akd(one, other)


def akd(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Of two sets of points (68, 2)."""
    return float(np.abs(one - other).mean())

"""How far the mouth of a render is from its target's."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.metrics.base import FaceMetric, Variant
from operators.models.face_pictures import points68
from operators.picture import Picture
from operators.protocol import Protocol

MOUTH = slice(48, 68)
POINTS = Protocol(points="20 mouth points of MediaPipe's mesh in the iBUG scheme", unit="pixels of the frame")


@dataclass(frozen=True)
class Lmd(FaceMetric[NDArray[np.float64]]):
    """Landmark distance of the mouth, 0 and up: the mean of the frames. Two published definitions that differ about
    twentyfold.

    - `lmd_atvg_mesh`: as ATVGnet's `evaluation_matrix.py`: the mouth's mean point taken off, the distances of 20 points
      added up.
    - `lmd_vico_mesh`: as ViCo's `compute_lmd.py`: the mean of the absolute differences of the 40 coordinates, nothing
      taken off.

    The authors take their points from dlib or FAN; here they are MediaPipe's, hence the names. Distances are in pixels
    of the frame, so values of other frame sizes do not compare. The default is `lmd_atvg_mesh`, the older and more
    reported.

    Frames without a face on either side are left out. Drops: `size_mismatch`; `no_face`, fewer than half are left.
    """

    metric = "lmd"
    same_size = True
    known: ClassVar[dict[str, Variant]] = {
        "lmd_atvg_mesh": Variant("lower", "sum over points of the distance, centred on the mouth", POINTS),
        "lmd_vico_mesh": Variant("lower", "mean absolute difference of coordinates, not centred", POINTS),
    }
    variant: str = "lmd_atvg_mesh"

    def extract(self, picture: Picture) -> NDArray[np.float64] | None:
        points = points68(picture)
        return None if points is None else points[MOUTH]

    def distance(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        return (lmd_atvg if self.variant == "lmd_atvg_mesh" else lmd_vico)(one, other)


def lmd_atvg(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Of two mouths (20, 2): the sum over points of the Euclidean distance, each mouth's mean point taken off."""
    return float(np.linalg.norm((one - one.mean(axis=0)) - (other - other.mean(axis=0)), axis=1).sum())


def lmd_vico(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Of two mouths (20, 2): the mean absolute difference of their coordinates."""
    return float(np.abs(one - other).mean())

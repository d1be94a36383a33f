"""How far the head pose of a render is from the driving recording's."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from operators.metrics.base import Variant
from operators.metrics.face_models import DEEP3D_CROP, TDDFA_CROP, FaceModelMetric

if TYPE_CHECKING:
    from operators.metrics.face_models import Found


@dataclass(frozen=True)
class Apd(FaceModelMetric):
    """Average pose distance: the mean absolute difference of three angles of the head, 0 and up: per frame, then the
    mean of the frames.

    As StyleHEAT's `cal_3dmm_distance.py`. The default is `apd_3dmm`, of Deep3DFaceRecon's angles in radians, as
    published; `apd_3ddfa` takes those of 3DDFA_V2, in degrees, the short way round.

    Frames without a face on either side are left out. Drops: `no_face`, fewer than half are left.
    """

    metric = "apd"
    known: ClassVar[dict[str, Variant]] = {
        "apd_3dmm": Variant("lower", "angles of Deep3DFaceRecon, radians", DEEP3D_CROP),
        "apd_3ddfa": Variant("lower", "yaw, pitch and roll of 3DDFA_V2, degrees", TDDFA_CROP),
    }
    variant: str = "apd_3dmm"

    def distance(self, one: "Found", other: "Found") -> float:
        turned = one.angles - other.angles
        return float(np.abs(turned if self.of_deep3d else (turned + 180) % 360 - 180).mean())

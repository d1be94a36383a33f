"""How far the head pose of a render is from the driving recording's."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from operators.metrics.metric import DRIVING, Look, Looks, Metric, Variant, over_faces
from operators.weights import FACE_LANDMARKER, TDDFA, TDDFA_SCALE, Weight


@dataclass(frozen=True)
class ScoreApd(Metric):
    """Average pose distance: the mean absolute difference of yaw, pitch and roll, in degrees, 0 and up: per frame, then the mean of the frames.

    As StyleHEAT's `cal_3dmm_distance.py`, which takes the angles of Deep3DFaceRecon in radians; `apd_3ddfa` takes those of
    3DDFA_V2, in degrees. Angles are compared the short way round.

    Frames without a face on either side are left out. Drops: `face_missing`, fewer than half are left.
    """

    metric = "apd"
    compares = DRIVING
    known: ClassVar[dict[str, Variant]] = {
        "apd_3ddfa": Variant("lower", "yaw, pitch and roll of 3DDFA_V2, degrees", "face cut by 68 points to 120 x 120, BGR")
    }
    variant: str = "apd_3ddfa"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return TDDFA, TDDFA_SCALE, FACE_LANDMARKER

    def measure(self, looks: Looks) -> float:
        return over_faces(self._of(look) for look in looks)

    def _of(self, look: Look) -> float | None:
        from operators.metrics.tddfa import coefficients

        one, other = (coefficients(picture) for picture in look.of_any_size)
        if one is None or other is None:
            return None
        apart = (one.angles_deg - other.angles_deg + 180) % 360 - 180
        return float(np.abs(apart).mean())

"""How far the expression of a render is from the driving recording's."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from operators.metrics.metric import DRIVING, Look, Looks, Metric, Variant, over_faces
from operators.weights import FACE_LANDMARKER, TDDFA, TDDFA_SCALE, Weight


@dataclass(frozen=True)
class ScoreAed3dmm(Metric):
    """Average expression distance: the mean absolute difference of expression coefficients, 0 and up: per frame, then the mean of the frames.

    As StyleHEAT's `cal_3dmm_distance.py`, which takes 64 coefficients of Deep3DFaceRecon; its weights come with a licence to sign, so here
    `aed_3ddfa` takes 10 of 3DDFA_V2, whose values do not compare with those. The AED of identity embeddings is `aed_id`.

    Frames without a face on either side are left out. Drops: `face_missing`, fewer than half are left.
    """

    metric = "aed_3dmm"
    compares = DRIVING
    known: ClassVar[dict[str, Variant]] = {
        "aed_3ddfa": Variant("lower", "10 expression coefficients of 3DDFA_V2", "face cut by 68 points to 120 x 120, BGR")
    }
    variant: str = "aed_3ddfa"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return TDDFA, TDDFA_SCALE, FACE_LANDMARKER

    def measure(self, looks: Looks) -> float:
        return over_faces(self._of(look) for look in looks)

    def _of(self, look: Look) -> float | None:
        from operators.metrics.tddfa import coefficients

        one, other = (coefficients(picture) for picture in look.of_any_size)
        return None if one is None or other is None else float(np.abs(one.expression - other.expression).mean())

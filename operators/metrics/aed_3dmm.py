"""How far the expression of a render is from the driving recording's."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from operators.metrics.base import Variant
from operators.metrics.face_models import DEEP3D_CROP, TDDFA_CROP, FaceModelMetric

if TYPE_CHECKING:
    from operators.metrics.face_models import Found


@dataclass(frozen=True)
class Aed3dmm(FaceModelMetric):
    """Average expression distance: the mean absolute difference of expression coefficients, 0 and up: per frame, then
    the mean of the frames.

    As StyleHEAT's `cal_3dmm_distance.py`. The default is `aed_3dmm`, of its 64 coefficients of Deep3DFaceRecon, whose
    checkpoint and face model come with a licence to sign. `aed_3ddfa` takes 10 of 3DDFA_V2, whose values do not compare
    with those. The AED of identity embeddings is `aed_id`.

    Frames without a face on either side are left out. Drops: `no_face`, fewer than half are left.
    """

    metric = "aed_3dmm"
    known: ClassVar[dict[str, Variant]] = {
        "aed_3dmm": Variant("lower", "64 expression coefficients of Deep3DFaceRecon", DEEP3D_CROP),
        "aed_3ddfa": Variant("lower", "10 expression coefficients of 3DDFA_V2", TDDFA_CROP),
    }
    variant: str = "aed_3dmm"

    def distance(self, one: "Found", other: "Found") -> float:
        return float(np.abs(one.expression - other.expression).mean())

"""What the metrics of expression and pose share: a face model's coefficients, by the network that the variant names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from operators.metrics.base import DRIVING, FaceMetric
from operators.models.catalogue import DEEP3D, DEEP3D_POINTS, FACE_LANDMARKER, TDDFA, TDDFA_SCALE
from operators.picture import Picture
from operators.protocol import Protocol
from operators.weights import Weight

if TYPE_CHECKING:
    from operators.models import deep3d, tddfa

    Found = deep3d.Coefficients | tddfa.Coefficients

DEEP3D_CROP = Protocol(crop="face", align="five points of MediaPipe's mesh", input="224x224", colour="RGB 0..1")
TDDFA_CROP = Protocol(crop="face about its 68 points", input="120x120", colour="BGR")


@dataclass(frozen=True)
class FaceModelMetric(FaceMetric["Found"]):
    """Variants end in `_3dmm`, Deep3DFaceRecon's network, or in `_3ddfa`, that of 3DDFA_V2."""

    version: ClassVar[int] = 2  # 3DDFA's crop is cut by points nearer to iBUG's
    compares: ClassVar[str] = DRIVING

    @property
    def of_deep3d(self) -> bool:
        return self.variant.endswith("_3dmm")

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (
            (DEEP3D.as_supplied(), DEEP3D_POINTS, FACE_LANDMARKER)
            if self.of_deep3d
            else (TDDFA, TDDFA_SCALE, FACE_LANDMARKER)
        )

    def extract(self, picture: Picture) -> "Found | None":
        if self.of_deep3d:
            from operators.models.deep3d import coefficients
        else:
            from operators.models.tddfa import coefficients
        return coefficients(picture)

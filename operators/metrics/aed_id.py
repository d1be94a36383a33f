"""How far the identity of a render is from its target's, as the FOMM family reports it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.metrics.base import IDENTITY, FaceMetric, Variant
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.face_pictures import ALIGNED_FACE, NETWORKS, embedding
from operators.picture import Picture
from operators.weights import Weight


@dataclass(frozen=True)
class AedId(FaceMetric[NDArray[np.float64]]):
    """Average Euclidean distance of identity embeddings of length 1, squared, 0 to 4: the mean of the frames.

    FOMM, LIA and DaGAN call this AED, with OpenFace's embedding, which no package carries; so the only variant here is
    `aed_id_faceplugin`, whose values do not compare with theirs. The AED of expression coefficients is `aed_3dmm`.

    Frames without a face on either side are left out. Drops: `no_face`, fewer than half are left.
    """

    metric = "aed_id"
    compares = IDENTITY
    known: ClassVar[dict[str, Variant]] = {
        "aed_id_faceplugin": Variant("lower", "faceplugin's embedding, not OpenFace", ALIGNED_FACE)
    }
    variant: str = "aed_id_faceplugin"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return NETWORKS["faceplugin"].weight, FACE_LANDMARKER

    def extract(self, picture: Picture) -> NDArray[np.float64] | None:
        return embedding(picture, "faceplugin")

    def distance(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        return float(np.square(one - other).sum())

"""How far the faces of a set of renders are, as a set, from those of recordings."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.metrics.base import SetMetric, Variant, Video
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.face_pictures import ALIGNED_FACE, NETWORKS, embedding
from operators.weights import Weight


@dataclass(frozen=True)
class FrechetIdentity(SetMetric):
    """Fréchet distance of face embeddings of length 1, 0 to 4, lower is better. It stands in where FID's network is not
    at hand, and is not FID.

    It says whether the persons of one set are those of the other, and whether their faces are whole. It is blind to all
    around the face. Frames are looked at `rate_hz` times a second. Drops: `no_face`, none shows a face.
    """

    metric = "frechet_identity"
    known: ClassVar[dict[str, Variant]] = {
        "frechet_identity": Variant("lower", "of faceplugin's embeddings; not FID", ALIGNED_FACE)
    }
    variant: str = "frechet_identity"
    rate_hz: float = 5.0

    @property
    def weights(self) -> tuple[Weight, ...]:
        return NETWORKS["faceplugin"].weight, FACE_LANDMARKER

    def features(self, video: Video) -> NDArray[np.float32]:
        step = max(1, round(video.fps / self.rate_hz))
        found = [embedding(pair.made, "faceplugin") for number, pair in enumerate(video) if number % step == 0]
        seen = [one for one in found if one is not None]
        if not seen:
            raise Drop("no_face", detail=f"in none of {len(found)} frames")
        return np.stack(seen).astype(np.float32)

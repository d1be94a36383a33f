"""Whether a render shows the person it should."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.metrics.base import IDENTITY, FaceMetric, Variant
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.face_pictures import ALIGNED_FACE, NETWORKS, embedding
from operators.picture import Picture
from operators.protocol import Protocol
from operators.weights import Weight

WHOLE = Protocol(crop="whole frame, squeezed", input="112x112", colour="RGB")


@dataclass(frozen=True)
class Csim(FaceMetric[NDArray[np.float64]]):
    """Cosine between identity embeddings, -1 to 1, of each frame and the one it is compared with: the mean of the
    frames.

    The other is the same frame of the target where there is one, else the first frame of the source clip. Papers mix
    two definitions, which differ: the face aligned, as the networks are trained, and the whole frame squeezed, as
    ViCo's code has it, which sees hair and background. The default is `csim_aligned`. Without the user's ArcFace R100
    the variants of `faceplugin` run, an embedding of 5 MB, whose values do not compare with ArcFace's.

    Frames without a face on either side are left out. Drops: `no_face`, fewer than half are left.
    """

    metric = "csim"
    compares = IDENTITY
    known: ClassVar[dict[str, Variant]] = {
        "csim_aligned": Variant("higher", "ArcFace R100 (glint360k)", ALIGNED_FACE),
        "csim_whole_frame": Variant("higher", "ArcFace R100 (glint360k)", WHOLE),
        "csim_aligned_faceplugin": Variant("higher", "faceplugin's embedding, not ArcFace", ALIGNED_FACE),
        "csim_whole_frame_faceplugin": Variant("higher", "faceplugin's embedding, not ArcFace", WHOLE),
    }
    variant: str = "csim_aligned"

    @property
    def weights(self) -> tuple[Weight, ...]:
        network = NETWORKS[self._network].weight
        return (network,) if self._whole else (network, FACE_LANDMARKER)

    @property
    def _network(self) -> str:
        return "faceplugin" if self.variant.endswith("faceplugin") else "arcface"

    @property
    def _whole(self) -> bool:
        return "whole_frame" in self.variant

    def extract(self, picture: Picture) -> NDArray[np.float64] | None:
        return embedding(picture, self._network, self._whole)

    def distance(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        return float(np.dot(one, other))

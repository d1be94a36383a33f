"""How often a render shows no face where it should."""

from dataclasses import dataclass
from typing import ClassVar

from operators.base import Drop
from operators.metrics.base import DRIVING, Metric, Variant, Video
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.face_pictures import mesh
from operators.protocol import Protocol
from operators.weights import Weight


@dataclass(frozen=True)
class Mkr(Metric):
    """Missing keypoint rate: of the frames in which the driving recording shows a face, the share in which the render
    shows none; 0 to 1.

    As pose-evaluation has it beside AKD, with MediaPipe's landmarker. Drops: `no_face`, the recording shows none
    either.
    """

    metric = "mkr"
    compares = DRIVING
    known: ClassVar[dict[str, Variant]] = {
        "mkr_mesh": Variant(
            "lower", "share of frames without a face", Protocol(crop="whole frame", points="MediaPipe's landmarker")
        )
    }
    variant: str = "mkr_mesh"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def measure(self, video: Video) -> float:
        lost = [mesh(one) is None for one, other in (pair.of_any_size for pair in video) if mesh(other) is not None]
        if not lost:
            raise Drop("no_face", detail="in the recording")
        return sum(lost) / len(lost)

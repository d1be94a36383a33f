"""How much the head of a render moves."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from operators.metrics.base import NOTHING, Metric, Variant, Video
from operators.metrics.theval import PROTOCOL, face_over_time
from operators.models.catalogue import FACE_LANDMARKER
from operators.weights import Weight


@dataclass(frozen=True)
class HeadMotion(Metric):
    """The root of the mean standard deviation of yaw, pitch and roll times the mean variance of their changes from
    frame to frame, plus the mean variance of the place; 0 and up. Degrees and centimetres of MediaPipe's canonical
    face.

    As THEval has it, with the points and scale of `theval.py`. Drops: `too_short`, `no_face`.
    """

    metric = "head_motion"
    compares = NOTHING
    known: ClassVar[dict[str, Variant]] = {
        "head_motion_mesh": Variant("", "spread of the pose, of its changes and of the place", PROTOCOL)
    }
    variant: str = "head_motion_mesh"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def measure(self, video: Video) -> float:
        seen = face_over_time(video)
        changes = np.diff(seen.pose, axis=0)
        return float(np.sqrt(seen.pose.std(axis=0).mean() * changes.var(axis=0).mean() + seen.place.var(axis=0).mean()))

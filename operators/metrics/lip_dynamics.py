"""How much the lips of a render move."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from operators.metrics.base import NOTHING, Metric, Variant, Video
from operators.metrics.theval import LIPS, PROTOCOL, face_over_time
from operators.models.catalogue import FACE_LANDMARKER
from operators.weights import Weight


@dataclass(frozen=True)
class LipDynamics(Metric):
    """The mean over all pairs of lip points of the standard deviation over time of their distance, over the distance of
    the eyes; 0 and up.

    As THEval has it, with the points and scale of `theval.py`. Drops: `too_short`, `no_face`.
    """

    metric = "lip_dynamics"
    compares = NOTHING
    known: ClassVar[dict[str, Variant]] = {
        "lip_dynamics_mesh": Variant("", "std of the distances of 20 lip points", PROTOCOL)
    }
    variant: str = "lip_dynamics_mesh"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def measure(self, video: Video) -> float:
        seen = face_over_time(video)
        lips = seen.points[:, list(LIPS)] / seen.eye_distance[:, None, None]
        apart = np.linalg.norm(lips[:, :, None] - lips[:, None], axis=-1)
        one, other = np.triu_indices(len(LIPS), 1)
        return float(apart[:, one, other].std(axis=0).mean())

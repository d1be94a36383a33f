"""How much the brows of a render move."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from operators.metrics.base import NOTHING, Metric, Variant, Video
from operators.metrics.theval import BROWS, EYE_CORNERS, PROTOCOL, face_over_time
from operators.models.catalogue import FACE_LANDMARKER
from operators.weights import Weight


@dataclass(frozen=True)
class EyebrowDynamics(Metric):
    """The standard deviation over time of the distance from brow to eye, over the distance of the eyes, the mean of
    both sides; 0 and up.

    As THEval has it, with the points and scale of `theval.py`. Drops: `too_short`, `no_face`.
    """

    metric = "eyebrow_dynamics"
    compares = NOTHING
    known: ClassVar[dict[str, Variant]] = {
        "eyebrow_dynamics_mesh": Variant("", "std of the distance from brow to eye", PROTOCOL)
    }
    variant: str = "eyebrow_dynamics_mesh"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def measure(self, video: Video) -> float:
        seen = face_over_time(video)
        spread = []
        for brow, eye in zip(BROWS, EYE_CORNERS, strict=True):
            away = seen.points[:, list(brow)].mean(axis=1) - seen.points[:, list(eye)].mean(axis=1)
            spread.append((np.linalg.norm(away, axis=1) / seen.eye_distance).std())
        return float(np.mean(spread))

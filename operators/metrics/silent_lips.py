"""How still the lips of a render are while nothing is said."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from operators.base import Drop
from operators.metrics.base import NOTHING, Metric, Variant, Video
from operators.metrics.theval import LEAST_HEARD, PROTOCOL, face_over_time, speaks
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.catalogue_sound import SILERO_VAD
from operators.weights import Weight


@dataclass(frozen=True)
class SilentLips(Metric):
    """The median absolute deviation of the opening of the lips over the distance of the eyes, in the frames without
    speech; 0 and up.

    As THEval has it, with the points and scale of `theval.py`. Drops: `too_short`, `no_face`, `no_audio_stream`;
    `no_silence`, speech all through but a tenth.
    """

    metric = "silent_lips"
    compares = NOTHING
    known: ClassVar[dict[str, Variant]] = {
        "silent_lips_mesh": Variant("lower", "MAD of the opening of the lips in silence", PROTOCOL)
    }
    variant: str = "silent_lips_mesh"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER, SILERO_VAD)

    def measure(self, video: Video) -> float:
        seen = face_over_time(video)
        silent = ~speaks(video, seen.at_s)
        if silent.mean() < LEAST_HEARD:
            raise Drop("no_silence", detail=f"{silent.mean():.0%} of the frames are without speech")
        opening = seen.lip_opening[silent]
        return float(np.median(np.abs(opening - np.median(opening))))

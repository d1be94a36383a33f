"""How far the opening of the lips is from the loudness of the speech."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.metrics.base import NOTHING, Metric, Variant, Video
from operators.metrics.theval import LEAST_HEARD, LOUDNESS_S, PROTOCOL, face_over_time, speaks
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.catalogue_sound import SILERO_VAD
from operators.weights import Weight


@dataclass(frozen=True)
class LipLoudness(Metric):
    """The mean difference of the opening of the lips and the loudness in 50 ms, each scaled to 0 to 1 over the render,
    in the frames with speech; 0 to 1.

    As THEval has it, with the points and scale of `theval.py`. Drops: `too_short`, `no_face`, `no_audio_stream`;
    `no_speech`, in less than a tenth of the frames.
    """

    metric = "lip_loudness"
    compares = NOTHING
    known: ClassVar[dict[str, Variant]] = {
        "lip_loudness_mesh": Variant(
            "lower", "difference of the opening of the lips and the loudness in speech", PROTOCOL
        )
    }
    variant: str = "lip_loudness_mesh"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER, SILERO_VAD)

    def measure(self, video: Video) -> float:
        seen = face_over_time(video)
        heard = speaks(video, seen.at_s)
        if heard.mean() < LEAST_HEARD:
            raise Drop("no_speech", detail=f"{heard.mean():.0%} of the frames are speech")
        loud = np.array([_rms(video, t) for t in seen.at_s])
        return float(np.abs(_scaled(seen.lip_opening) - _scaled(loud))[heard].mean())


def _rms(video: Video, at_s: float) -> float:
    """The root mean square of 50 ms around a time."""
    return float(np.sqrt(np.mean(video.audio.samples(at_s - LOUDNESS_S / 2, at_s + LOUDNESS_S / 2) ** 2)))


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1; 0 where they are all the same."""
    return (values - values.min()) / (np.ptp(values) or 1.0)

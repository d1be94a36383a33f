"""Whether the mouth of a render goes with its sound, by an estimate that needs no SyncNet."""

from dataclasses import dataclass
from typing import ClassVar

from operators.metrics.base import NOTHING, Metric, Variant, Video
from operators.metrics.lip_sync import FPS, mouth_and_voice
from operators.models.catalogue import FACE_LANDMARKER
from operators.protocol import Protocol
from operators.weights import Weight

PROTOCOL = Protocol(
    crop="whole frame",
    points="gap of the lips in MediaPipe's mesh, 25 times a second",
    sound="level of the voice at 16 kHz, shifts -15..15",
)


@dataclass(frozen=True)
class AvConfidence(Metric):
    """How well the opening of the mouth goes with the level of the voice at the shift where it goes best; from 0,
    higher is better.

    The correlation at its peak over its median among 31 shifts of 40 ms, times the square root of the seconds:
    `ScoreSync`'s estimate, of a render. It is not LSE-C, and stands in for it where SyncNet's file is not at hand;
    foreign sound has about 0.5, real speech 0.9 (docs/measured/lip_sync.md).

    Drops: `too_short`, less than 2 s; `no_face`, in more than a fifth of the frames; `mouth_still`;
    `no_audio_stream`, `silent_audio`.
    """

    metric = "av_confidence"
    compares = NOTHING
    known: ClassVar[dict[str, Variant]] = {
        "av_confidence_mesh": Variant("higher", "mouth against level of the voice; not LSE-C", PROTOCOL)
    }
    variant: str = "av_confidence_mesh"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def measure(self, video: Video) -> float:
        return mouth_and_voice(video)[1]


@dataclass(frozen=True)
class AvOffset(Metric):
    """By how much the sound is late, in seconds, negative where it is early; -0.6 to 0.6. As `AvConfidence`, and with
    its drops.

    It stands in for SyncNet's offset, which has the other sign and counts frames. A mean of offsets says little: look
    at their spread.
    """

    metric = "av_offset_s"
    compares = NOTHING
    known: ClassVar[dict[str, Variant]] = {
        "av_offset_mesh": Variant("", "seconds by which the sound is late; not SyncNet's offset", PROTOCOL)
    }
    variant: str = "av_offset_mesh"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def measure(self, video: Video) -> float:
        return mouth_and_voice(video)[0] / FPS

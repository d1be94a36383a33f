"""Faces, frame by frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import ClassVar, Self

from manifests.boxes import Box, iou
from manifests.tables import Face, Source
from operators.base import Frame, Frames, Operator, Resources, every
from operators.models.catalogue import YUNET
from operators.models.detections import AlignedFace
from operators.models.device import batches, device
from operators.models.face_detectors import WEIGHTS, SharedDetector, shared_detector
from operators.weights import Weight

GPU_BATCH = 16  # frames


@dataclass(frozen=True)
class DetectFaces(Operator):
    """Boxes of faces, `rate_hz` times a second: one row a looked-at frame, with empty lists where it shows no face.

    By `mediapipe`, two looks. Its full-range detector proposes boxes on the whole frame, made 192 pixels long. Its
    short-range detector looks again at a square twice as large around each, made 128 pixels wide; its score is the
    confidence, and its box and yaw are what is kept: against the 478-point mesh their centres scatter a quarter as much
    as the first look's (0.03 against 0.14 face widths). A box goes from the eyebrows to the chin.

    The first look finds 95% of faces wider than 5% of the frame's longer side (96 px of 1920) and every one wider than
    10%. Those below 0.8 in confidence are faces in profile, in the dark or blurred, and now and then something else: a
    dog reaches 0.76, lettering 0.71. `TrackFaces` starts no track below 0.8.

    By `yunet` or `retinaface`, one look at the whole frame, made 640 pixels long: both see faces from 2% of its longer
    side on, and in profile. Their boxes, which begin at the hair, are brought to those of mediapipe. YuNet costs the
    least on a CPU, and stays there. Neither's file lies in a package, so `auto` is yunet where that is here or can be
    fetched, else mediapipe. See docs/measured/tracks.md.

    Where the actor holds a GPU, mediapipe's networks and RetinaFace run there, over batches of frames: the same boxes.
    See docs/measured/gpu.md.

    Boxes may reach beyond the frame. Sorted from left to right.
    """

    version = 2

    resources: ClassVar[Resources] = Resources(cpus=1, gpus=0.1)

    rate_hz: float = 5.0
    # score of mediapipe's first look, 0 to 1: small faces that the second look is sure of come as low
    min_proposal: float = 0.3
    min_confidence: float = 0.6  # score of the last look, 0 to 1
    # of two boxes, intersection over union: above it the less confident is the same face again
    max_overlap: float = 0.3
    detector: str = "mediapipe"  # mediapipe, yunet, retinaface, or auto

    def __post_init__(self) -> None:
        if self.detector not in ("mediapipe", "yunet", "retinaface", "auto"):
            raise ValueError(f"DetectFaces.detector is {self.detector!r}; it is mediapipe, yunet, retinaface or auto")

    @property
    def weights(self) -> tuple[Weight, ...]:
        return WEIGHTS[self.resolved().detector]

    def resolved(self) -> Self:
        return (
            self if self.detector != "auto" else replace(self, detector="yunet" if YUNET.obtainable() else "mediapipe")
        )

    def __call__(self, source: Source, frames: Frames) -> Iterator[Face]:
        for batch in batches(every(frames, self.rate_hz), self.batch):
            for frame, found in zip(batch, self.detect(batch), strict=True):
                faces = sorted(face.box for face in found)
                left, top, right, bottom, confidence, yaw_deg = ([float(face[n]) for face in faces] for n in range(6))
                face_id = f"{source.source_id}/{round(frame.pts_s * 1000):06d}"
                yield Face(source.source_id, face_id, frame.pts_s, left, top, right, bottom, confidence, yaw_deg)

    @property
    def batch(self) -> int:
        """How many frames are looked at together: one on a CPU, where more gain nothing."""
        return GPU_BATCH if self.resolved().detector != "yunet" and device() == "cuda" else 1

    def faces(self, frame: Frame) -> list[Box]:
        """The faces of one frame, the most confident first."""
        return [face.box for face in self.detect([frame])[0]]

    def detect(self, frames: Sequence[Frame]) -> list[list[AlignedFace]]:
        """The faces of each frame, the most confident first. A frame is looked at once, whoever asks for it with the
        same parameters.

        Operators of a process share the model, one at a time: none of the detectors is safe to ask from two threads.
        """
        made: list[list[AlignedFace]] = []

        def make(number: int) -> list[AlignedFace]:
            if not made:
                made.extend(self._suppressed(found) for found in self._model.look(frames))
            return made[number]

        return [
            frame.once(("faces", *self._parameters, self.max_overlap), partial(make, number))
            for number, frame in enumerate(frames)
        ]

    @cached_property
    def _parameters(self) -> tuple[str, float, float]:
        return self.resolved().detector, self.min_proposal, self.min_confidence

    @cached_property
    def _model(self) -> SharedDetector:
        return shared_detector(*self._parameters)

    def _suppressed(self, found: list[AlignedFace]) -> list[AlignedFace]:
        kept: list[AlignedFace] = []
        for face in sorted(found, key=lambda face: (-face.box.confidence, face.box)):
            if all(iou(face.box, other.box) <= self.max_overlap for other in kept):
                kept.append(face)
        return kept

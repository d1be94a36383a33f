"""Faces, frame by frame."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Face, Source
from operators.base import Frame, Frames, Operator, every
from operators.weights import FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE, Weight

FULL_RANGE_PX = 192  # input sides of the two models: a picture given at that size is not resampled again
SHORT_RANGE_PX = 128


class Box(NamedTuple):
    """A face in pixels of the displayed source frame."""

    left: float
    top: float
    right: float
    bottom: float
    confidence: float
    yaw_deg: float


@dataclass(frozen=True)
class DetectFaces(Operator):
    """Boxes of faces, `rate_hz` times a second: one row a looked-at frame, with empty lists where it shows no face.

    Two looks. MediaPipe's full-range detector proposes boxes on the whole frame, made 192 pixels long. Its short-range
    detector looks again at a square twice as large around each, made 128 pixels wide; its score is the confidence, and its
    box and yaw are what is kept: against the 478-point mesh their centres scatter a quarter as much as the first look's
    (0.03 against 0.14 face widths). A box goes from the eyebrows to the chin.

    The first look finds 95% of faces wider than 5% of the frame's longer side (96 px of 1920) and every one wider than
    10%. Those below 0.8 in confidence are faces in profile, in the dark or blurred, and now and then something else: a
    dog reaches 0.76, lettering 0.71. `TrackFaces` starts no track below 0.8.

    Boxes may reach beyond the frame. Sorted from left to right.
    """

    rate_hz: float = 5.0
    min_proposal: float = 0.3  # score of the first look, 0 to 1: small faces that the second look is sure of come as low
    min_confidence: float = 0.6  # score of the second look, 0 to 1
    max_overlap: float = 0.3  # of two boxes, intersection over union: above it the less confident is the same face again

    @property
    def weights(self) -> tuple[Weight, ...]:
        return FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE

    def __call__(self, source: Source, frames: Frames) -> Iterator[Face]:
        for frame in every(frames, self.rate_hz):
            faces = sorted(self.faces(frame))
            left, top, right, bottom, confidence, yaw_deg = ([float(face[n]) for face in faces] for n in range(6))
            face_id = f"{source.source_id}/{round(frame.pts_s * 1000):06d}"
            yield Face(source.source_id, face_id, frame.pts_s, left, top, right, bottom, confidence, yaw_deg)

    def faces(self, frame: Frame) -> list[Box]:
        """The faces of one frame, the most confident first."""
        lines = round(FULL_RANGE_PX * min(1.0, frame.height / frame.width))
        picture = frame.rgb(lines)
        scale = frame.height / picture.shape[0]
        found = (self._again(frame, one.bounding_box, scale) for one in _look(self._full_range, picture))
        kept: list[Box] = []
        for box in sorted((box for box in found if box), key=lambda box: (-box.confidence, box)):
            if all(overlap(box, other) <= self.max_overlap for other in kept):
                kept.append(box)
        return kept

    def _again(self, frame: Frame, proposal: Any, scale: float) -> Box | None:
        """The second look at a proposed box: the most confident face that fills about as much of the picture as proposed."""
        side = 2 * scale * max(proposal.width, proposal.height)
        left = scale * (proposal.origin_x + proposal.width / 2) - side / 2
        top = scale * (proposal.origin_y + proposal.height / 2) - side / 2
        picture = frame.crop(left, top, left + side, top + side, (SHORT_RANGE_PX, SHORT_RANGE_PX))
        best: Box | None = None
        for one in _look(self._short_range, picture):
            box, confidence = one.bounding_box, one.categories[0].score
            off = max(abs(box.origin_x + box.width / 2 - SHORT_RANGE_PX / 2), abs(box.origin_y + box.height / 2 - SHORT_RANGE_PX / 2))
            if off > SHORT_RANGE_PX / 4 or not 0.4 <= 2 * box.width / SHORT_RANGE_PX <= 2 or (best and confidence <= best.confidence):
                continue
            to_px = side / SHORT_RANGE_PX
            corner = left + to_px * box.origin_x, top + to_px * box.origin_y
            yaw_deg = rough_yaw_deg(np.array([(point.x, point.y) for point in one.keypoints]))
            best = Box(*corner, corner[0] + to_px * box.width, corner[1] + to_px * box.height, confidence, yaw_deg)
        return best

    @cached_property
    def _full_range(self) -> Any:
        return _detector(FACE_DETECTOR_FULL_RANGE, self.min_proposal)

    @cached_property
    def _short_range(self) -> Any:
        return _detector(FACE_DETECTOR_SHORT_RANGE, self.min_confidence)


def rough_yaw_deg(keypoints: NDArray[np.float64]) -> float:
    """Head yaw from a detector's keypoints in a square picture, in degrees, -90 to 90; positive when the nose points to the image's right.

    atan(1.4 x / d), where d is the distance between the eyes and x how far the nose tip lies from their middle, along
    the line from the image's left eye to the right: of a head that turns, x grows with the sine of the yaw and d shrinks
    with its cosine. 1.4 is fitted: over 513 faces of seven videos, up to 65 degrees, the mean error against the face
    landmarker's pose is 3.4 degrees, the correlation 0.986.

    Args:
        keypoints: (3 or more, 2) x and y: the eye on the image's left of a frontal face, the other eye, the nose tip.
    """
    first, second, nose = keypoints[:3]
    between = second - first
    distance = float(np.hypot(*between))
    if distance == 0:
        return 0.0
    along = float((nose - (first + second) / 2) @ between) / distance
    return math.degrees(math.atan2(1.4 * along, distance))


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box.right - box.left) * (box.bottom - box.top) for box in (one, other))
    return width * height / (areas - width * height)


def square_around(box: Box, scale: float) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the square about a box's centre, `scale` times as wide as its longer side."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    half = scale / 2 * max(box.right - box.left, box.bottom - box.top)
    return x - half, y - half, x + half, y + half


@contextmanager
def system_libraries() -> Iterator[None]:
    """Names the apt packages when MediaPipe or OpenCV cannot be loaded for want of a system library.

    Raises:
        ImportError: from the error that named the missing library.
    """
    try:
        yield
    except (ImportError, OSError) as error:
        if any(name in str(error) for name in ("libGL", "libEGL", "libgthread", "libglib")):
            packages = "libgl1 libegl1 libgles2 libglib2.0-0"
            raise ImportError(
                f"{error}. MediaPipe and OpenCV need system libraries; on Debian or Ubuntu: apt-get install {packages}"
            ) from error
        raise


def mediapipe_image(rgb: NDArray[np.uint8]) -> Any:
    """MediaPipe's image of an array (h, w, 3)."""
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))


def _detector(weight: Weight, min_score: float) -> Any:
    with system_libraries():
        from mediapipe.tasks.python import BaseOptions
        from mediapipe.tasks.python.vision import FaceDetector, FaceDetectorOptions

        model = BaseOptions(model_asset_path=str(weight.path()))
        return FaceDetector.create_from_options(FaceDetectorOptions(base_options=model, min_detection_confidence=min_score))


def _look(detector: Any, rgb: NDArray[np.uint8]) -> list[Any]:
    return detector.detect(mediapipe_image(rgb)).detections

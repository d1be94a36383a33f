"""Faces, frame by frame."""

import atexit
import ctypes
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from threading import Lock
from typing import Any, NamedTuple, Protocol, Self
from weakref import WeakSet, WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Face, Source
from operators.base import Frame, Frames, Operator, every
from operators.weights import FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE, RETINAFACE, YUNET, Weight

FULL_RANGE_PX = 192  # input sides of the two models: a picture given at that size is not resampled again
SHORT_RANGE_PX = 128
WHOLE_PX = 640  # longer side of what YuNet and RetinaFace look at
GPU_BATCH = 16  # frames


class Box(NamedTuple):
    """A face in pixels of the displayed source frame."""

    left: float
    top: float
    right: float
    bottom: float
    confidence: float
    yaw_deg: float


class Sight(NamedTuple):
    """A face with the points that align it."""

    box: Box
    points: NDArray[
        np.float64
    ]  # (4, 2): the eye on the image's left of a frontal face, the other eye, nose tip, middle of the mouth; source pixels


@dataclass(frozen=True)
class DetectFaces(Operator):
    """Boxes of faces, `rate_hz` times a second: one row a looked-at frame, with empty lists where it shows no face.

    By `mediapipe`, two looks. Its full-range detector proposes boxes on the whole frame, made 192 pixels long. Its short-range
    detector looks again at a square twice as large around each, made 128 pixels wide; its score is the confidence, and its
    box and yaw are what is kept: against the 478-point mesh their centres scatter a quarter as much as the first look's
    (0.03 against 0.14 face widths). A box goes from the eyebrows to the chin.

    The first look finds 95% of faces wider than 5% of the frame's longer side (96 px of 1920) and every one wider than
    10%. Those below 0.8 in confidence are faces in profile, in the dark or blurred, and now and then something else: a
    dog reaches 0.76, lettering 0.71. `TrackFaces` starts no track below 0.8.

    By `yunet` or `retinaface`, one look at the whole frame, made 640 pixels long: both see faces from 2% of its longer side on, and in profile. Their
    boxes, which begin at the hair, are brought to those of mediapipe. YuNet costs the least on a CPU; RetinaFace goes over frames in batches where
    the actor holds a GPU. Neither's file lies in a package, so `auto` is yunet where that is at hand, else mediapipe. See docs/tracks.md.

    Boxes may reach beyond the frame. Sorted from left to right.
    """

    rate_hz: float = 5.0
    min_proposal: float = 0.3  # score of mediapipe's first look, 0 to 1: small faces that the second look is sure of come as low
    min_confidence: float = 0.6  # score of the last look, 0 to 1
    max_overlap: float = 0.3  # of two boxes, intersection over union: above it the less confident is the same face again
    detector: str = "mediapipe"  # mediapipe, yunet, retinaface, or auto

    def __post_init__(self) -> None:
        if self.detector not in ("mediapipe", "yunet", "retinaface", "auto"):
            raise ValueError(f"DetectFaces.detector is {self.detector!r}; it is mediapipe, yunet, retinaface or auto")

    @property
    def weights(self) -> tuple[Weight, ...]:
        return _WEIGHTS[self.settled().detector]

    def settled(self) -> Self:
        return self if self.detector != "auto" else replace(self, detector="yunet" if YUNET.found() else "mediapipe")

    def __call__(self, source: Source, frames: Frames) -> Iterator[Face]:
        for batch in batches(every(frames, self.rate_hz), self.batch):
            for frame, sights in zip(batch, self.sights(batch), strict=True):
                faces = sorted(sight.box for sight in sights)
                left, top, right, bottom, confidence, yaw_deg = ([float(face[n]) for face in faces] for n in range(6))
                face_id = f"{source.source_id}/{round(frame.pts_s * 1000):06d}"
                yield Face(source.source_id, face_id, frame.pts_s, left, top, right, bottom, confidence, yaw_deg)

    @property
    def batch(self) -> int:
        """How many frames are looked at together: one on a CPU, where more gain nothing."""
        return GPU_BATCH if self.settled().detector == "retinaface" and device() == "cuda" else 1

    def faces(self, frame: Frame) -> list[Box]:
        """The faces of one frame, the most confident first."""
        return [sight.box for sight in self.sights([frame])[0]]

    def sights(self, frames: Sequence[Frame]) -> list[list[Sight]]:
        """The faces of each frame, the most confident first. A frame is looked at once, whoever asks for it with the same parameters.

        Operators of a process share the model, one at a time: none of the detectors is safe to ask from two threads.
        """
        made: list[list[Sight]] = []

        def make(number: int) -> list[Sight]:
            if not made:
                made.extend(self._apart(found) for found in self._model.look(frames))
            return made[number]

        return [frame.once(("sights", *self._parameters, self.max_overlap), partial(make, number)) for number, frame in enumerate(frames)]

    @cached_property
    def _parameters(self) -> tuple[str, float, float]:
        return self.settled().detector, self.min_proposal, self.min_confidence

    @cached_property
    def _model(self) -> "_Shared":
        with _one_loads:
            if (there := _shared.get(self._parameters)) is None:
                _shared[self._parameters] = there = _Shared(_loaded(*self._parameters))
            return there

    def _apart(self, found: list[Sight]) -> list[Sight]:
        kept: list[Sight] = []
        for sight in sorted(found, key=lambda sight: (-sight.box.confidence, sight.box)):
            if all(overlap(sight.box, other.box) <= self.max_overlap for other in kept):
                kept.append(sight)
        return kept


class _Detector(Protocol):
    def look(self, frames: Sequence[Frame]) -> list[list[Sight]]: ...


class _Mediapipe:
    """The two looks of MediaPipe's detectors."""

    def __init__(self, min_proposal: float, min_confidence: float):
        self._full_range = _detector(FACE_DETECTOR_FULL_RANGE, min_proposal)
        self._short_range = _detector(FACE_DETECTOR_SHORT_RANGE, min_confidence)

    def look(self, frames: Sequence[Frame]) -> list[list[Sight]]:
        return [self._faces(frame) for frame in frames]

    def _faces(self, frame: Frame) -> list[Sight]:
        lines = round(FULL_RANGE_PX * min(1.0, frame.height / frame.width))
        picture = frame.rgb(lines)
        scale = frame.height / picture.shape[0]
        found = (self._again(frame, one.bounding_box, scale) for one in _look(self._full_range, picture))
        return [sight for sight in found if sight]

    def _again(self, frame: Frame, proposal: Any, scale: float) -> Sight | None:
        """The second look at a proposed box: the most confident face that fills about as much of the picture as proposed."""
        side = 2 * scale * max(proposal.width, proposal.height)
        left = scale * (proposal.origin_x + proposal.width / 2) - side / 2
        top = scale * (proposal.origin_y + proposal.height / 2) - side / 2
        picture = frame.crop(left, top, left + side, top + side, (SHORT_RANGE_PX, SHORT_RANGE_PX))
        best: Sight | None = None
        for one in _look(self._short_range, picture):
            box, confidence = one.bounding_box, one.categories[0].score
            off = max(abs(box.origin_x + box.width / 2 - SHORT_RANGE_PX / 2), abs(box.origin_y + box.height / 2 - SHORT_RANGE_PX / 2))
            fills = 0.4 <= 2 * box.width / SHORT_RANGE_PX <= 2
            if off > SHORT_RANGE_PX / 4 or not fills or (best and confidence <= best.box.confidence):
                continue
            to_px = side / SHORT_RANGE_PX
            corner = left + to_px * box.origin_x, top + to_px * box.origin_y
            points = np.array([(point.x, point.y) for point in one.keypoints])
            seen = Box(*corner, corner[0] + to_px * box.width, corner[1] + to_px * box.height, confidence, rough_yaw_deg(points))
            best = Sight(seen, np.array([left, top]) + side * points[:4])
        return best


class _Whole:
    """A network that looks at the whole frame and gives five points a face."""

    def __init__(self, network: Any):
        self._network = network

    def look(self, frames: Sequence[Frame]) -> list[list[Sight]]:
        lines = [round(WHOLE_PX * min(1.0, frame.height / frame.width)) for frame in frames]
        pictures = np.stack([frame.rgb(height) for frame, height in zip(frames, lines, strict=True)])
        found = []
        for frame, (boxes, scores, points) in zip(frames, self._network.faces(pictures), strict=True):
            scale = frame.height / pictures.shape[1]
            found.append([_sight(*one, scale) for one in zip(boxes, scores, points, strict=True)])
        return found


def _sight(corners: NDArray[np.float64], score: float, five: NDArray[np.float64], scale: float) -> Sight:
    """A face of YuNet or RetinaFace, in source pixels, its box from the eyebrows to the chin as MediaPipe draws it: square, about the same middle and chin.

    The two ratios are medians over 24 faces of ten films that all three are sure of. A face in profile has a narrow box, so its height counts too.
    """
    left, top, right, bottom = (float(corner) for corner in scale * corners)
    side = max((right - left) / 0.90, (bottom - top) / 1.21)
    middle, chin = (left + right) / 2, bottom - 0.013 * side
    points = np.concatenate([five[:3], five[3:].mean(axis=0, keepdims=True)])
    return Sight(Box(middle - side / 2, chin - side, middle + side / 2, chin, float(score), rough_yaw_deg(points)), scale * points)


_WEIGHTS = {
    "mediapipe": (FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE),
    "yunet": (YUNET,),
    "retinaface": (RETINAFACE,),
}


class _Shared:
    """A detector that one thread asks at a time, for all operators of this process that look by the same parameters."""

    def __init__(self, detector: _Detector):
        self._detector, self._one_asks = detector, Lock()

    def look(self, frames: Sequence[Frame]) -> list[list[Sight]]:
        with self._one_asks:
            return self._detector.look(frames)


_shared: WeakValueDictionary[tuple[str, float, float], _Shared] = WeakValueDictionary()  # operators hold them
_one_loads = Lock()


def _loaded(detector: str, min_proposal: float, min_confidence: float) -> _Detector:
    if detector == "mediapipe":
        return _Mediapipe(min_proposal, min_confidence)
    if detector == "yunet":
        from operators.faces.yunet import Yunet

        with system_libraries():
            return _Whole(Yunet(YUNET.path(), min_confidence))
    from operators.faces.retinaface import Retinaface

    return _Whole(Retinaface.load(RETINAFACE.path(), min_confidence, device()))


def device() -> str:
    """`cuda` where this process holds a GPU, which Ray shows to those actors alone whose stage asks for one; else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    """The frames in groups of `size`; the last may be smaller."""
    rest = iter(frames)
    while batch := list(islice(rest, size)):
        yield batch


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


_tasks: WeakSet[Any] = WeakSet()


def lasting(task: Any) -> Any:
    """A task of MediaPipe that is not finalised when the interpreter ends: by then the modules that its `__del__` calls are emptied, and a traceback is printed."""
    if not _tasks:
        atexit.register(_spare)
    _tasks.add(task)
    return task


def _spare() -> None:
    for task in list(_tasks):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(task))


def _detector(weight: Weight, min_score: float) -> Any:
    with system_libraries():
        from mediapipe.tasks.python import BaseOptions
        from mediapipe.tasks.python.vision import FaceDetector, FaceDetectorOptions

        model = BaseOptions(model_asset_path=str(weight.path()))
        options = FaceDetectorOptions(base_options=model, min_detection_confidence=min_score)
        return lasting(FaceDetector.create_from_options(options))


def _look(detector: Any, rgb: NDArray[np.uint8]) -> list[Any]:
    return detector.detect(mediapipe_image(rgb)).detections

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
from typing import Any, ClassVar, NamedTuple, Protocol, Self
from weakref import WeakSet, WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Face, Source
from operators.base import Frame, Frames, Operator, Resources, every
from operators.models.catalogue import FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE, RETINAFACE, YUNET
from operators.weights import Weight

FULL_RANGE_PX = 192  # input sides of the two models: a picture given at that size is not resampled again
SHORT_RANGE_PX = 128
BLOCK_PX, LINES_PX = 8, 24  # a crop whose corner lies on multiples of the one, and whose side is one of the other, is the cheapest to make
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


class Seen(NamedTuple):
    """A face in a picture, in pixels of it, as MediaPipe's detectors tell it.

    Attributes:
        corners: (4,) left, top, right, bottom.
        points: (6, 2) the eye on the image's left of a frontal face, the other eye, nose tip, middle of the mouth, the two ears.
        score: 0 to 1.
    """

    corners: NDArray[np.float64]
    points: NDArray[np.float64]
    score: float


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
    boxes, which begin at the hair, are brought to those of mediapipe. YuNet costs the least on a CPU, and stays there. Neither's file lies in a package,
    so `auto` is yunet where that is at hand, else mediapipe. See docs/tracks.md.

    Where the actor holds a GPU, mediapipe's networks and RetinaFace run there, over batches of frames: the same boxes. See docs/gpu.md.

    Boxes may reach beyond the frame. Sorted from left to right.
    """

    version = 2

    resources: ClassVar[Resources] = Resources(cpus=1, gpus=0.1)

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
        return _WEIGHTS[self.resolved().detector]

    def resolved(self) -> Self:
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
        return GPU_BATCH if self.resolved().detector != "yunet" and device() == "cuda" else 1

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
        return self.resolved().detector, self.min_proposal, self.min_confidence

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


class Mediapipe:
    """The two looks of MediaPipe's detectors: by MediaPipe itself on a CPU, which is faster there, and by the same networks in torch on a GPU."""

    def __init__(self, full_range: "Looker", short_range: "Looker"):
        self._full_range, self._short_range = full_range, short_range

    def look(self, frames: Sequence[Frame]) -> list[list[Sight]]:
        pictures = [frame.rgb(round(FULL_RANGE_PX * min(1.0, frame.height / frame.width))) for frame in frames]
        proposed = zip(frames, pictures, self._full_range.look(pictures), strict=True)
        again = [
            (n, frame, _around(seen, frame.height / picture.shape[0]))
            for n, (frame, picture, found) in enumerate(proposed)
            for seen in found
        ]
        size = SHORT_RANGE_PX, SHORT_RANGE_PX
        crops = [frame.crop(left, top, left + side, top + side, size) for _, frame, (left, top, side) in again]
        sights: list[list[Sight]] = [[] for _ in frames]
        for (n, _, square), found in zip(again, self._short_range.look(crops), strict=True):
            if best := _best(found, *square):
                sights[n].append(best)
        return sights


def _around(proposal: Seen, scale: float) -> tuple[float, float, float]:
    """Left, top and side of the square of the frame that is looked at again."""
    left, top, right, bottom = (float(edge) for edge in proposal.corners)
    side = 2 * scale * max(right - left, bottom - top)
    x, y = scale * ((left + right) / 2) - side / 2, scale * ((top + bottom) / 2) - side / 2
    if side >= 2 * SHORT_RANGE_PX:
        side, x, y = LINES_PX * round(side / LINES_PX), BLOCK_PX * round(x / BLOCK_PX), BLOCK_PX * round(y / BLOCK_PX)
    return x, y, side


def _best(found: list[Seen], left: float, top: float, side: float) -> Sight | None:
    """The second look at a proposed box: the most confident face that fills about as much of the picture as proposed."""
    best: Sight | None = None
    for one in found:
        edges = [float(edge) for edge in one.corners]
        wide = edges[2] - edges[0]
        off = max(abs((edges[n] + edges[n + 2]) / 2 - SHORT_RANGE_PX / 2) for n in (0, 1))
        fills = 0.4 <= 2 * wide / SHORT_RANGE_PX <= 2
        if off > SHORT_RANGE_PX / 4 or not fills or (best and one.score <= best.box.confidence):
            continue
        to_px = side / SHORT_RANGE_PX
        corner = left + to_px * edges[0], top + to_px * edges[1]
        far = corner[0] + to_px * wide, corner[1] + to_px * (edges[3] - edges[1])
        seen = Box(*corner, *far, one.score, rough_yaw_deg(one.points))
        best = Sight(seen, np.array([left, top]) + to_px * one.points[:4])
    return best


class Looker(Protocol):
    """A detector of MediaPipe's, whoever runs it."""

    def look(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Seen]]: ...


def looker(weight: Weight, min_score: float, device: str) -> Looker:
    """The detector of a file: by MediaPipe on `cpu`, else by torch on that device. Faces below `min_score`, 0 to 1, are left out."""
    if device == "cpu":
        return _OneByOne(_detector(weight, min_score))
    from operators.models.blazeface import Blazeface

    return Blazeface(weight.path().read_bytes(), min_score, device)


class _OneByOne:
    """A detector of MediaPipe's own."""

    def __init__(self, detector: Any):
        self._detector = detector

    def look(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Seen]]:
        return [[_seen(one, rgb) for one in self._detector.detect(mediapipe_image(rgb)).detections] for rgb in pictures]


def _seen(one: Any, rgb: NDArray[np.uint8]) -> Seen:
    box = one.bounding_box
    corners = np.array([box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height], np.float64)
    points = np.array([(point.x, point.y) for point in one.keypoints]) * rgb.shape[1::-1]
    return Seen(corners, points, one.categories[0].score)


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
        full_range, short_range = _WEIGHTS[detector]
        return Mediapipe(looker(full_range, min_proposal, device()), looker(short_range, min_confidence, device()))
    if detector == "yunet":
        from operators.models.yunet import Yunet

        with system_libraries():
            return _Whole(Yunet(YUNET.path(), min_confidence))
    from operators.models.retinaface import Retinaface

    return _Whole(Retinaface.load(RETINAFACE.path(), min_confidence, device()))


def device() -> str:
    """`cuda` where this process holds a GPU of NVIDIA's, which Ray shows to those actors alone whose stage asks for one; else `cpu`."""
    try:
        ctypes.CDLL("libcuda.so.1")  # without its driver there is none, and torch, which takes seconds to import, need not be asked
    except OSError:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def batches(frames: Iterable[Any], size: int) -> Iterator[list[Any]]:
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
    (x0, y0), (x1, y1), (x, y) = keypoints[:3].tolist()
    distance = math.hypot(x1 - x0, y1 - y0)
    if distance == 0:
        return 0.0
    along = ((x - (x0 + x1) / 2) * (x1 - x0) + (y - (y0 + y1) / 2) * (y1 - y0)) / distance
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

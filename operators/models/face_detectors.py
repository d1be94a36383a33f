"""The face detectors that `DetectFaces` chooses from, shared by all operators of a process."""

from collections.abc import Sequence
from threading import Lock
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box
from operators.base import Frame
from operators.models.catalogue import FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE, RETINAFACE, YUNET
from operators.models.detections import AlignedFace, Detection, rough_yaw_deg
from operators.models.device import device, system_libraries
from operators.models.mediapipe import Looker, looker

FULL_RANGE_PX = 192  # input sides of the two models: a picture given at that size is not resampled again
SHORT_RANGE_PX = 128
# a crop whose corner lies on multiples of the one, and whose side is one of the other, is the cheapest to make
BLOCK_PX, LINES_PX = 8, 24
WHOLE_PX = 640  # longer side of what YuNet and RetinaFace look at


class _Detector(Protocol):
    def look(self, frames: Sequence[Frame]) -> list[list[AlignedFace]]: ...


class Mediapipe:
    """The two looks of MediaPipe's detectors: by MediaPipe itself on a CPU, which is faster there, and by the same
    networks in torch on a GPU.
    """

    def __init__(self, full_range: "Looker", short_range: "Looker"):
        self._full_range, self._short_range = full_range, short_range

    def look(self, frames: Sequence[Frame]) -> list[list[AlignedFace]]:
        pictures = [frame.rgb(round(FULL_RANGE_PX * min(1.0, frame.height / frame.width))) for frame in frames]
        proposed = zip(frames, pictures, self._full_range.look(pictures), strict=True)
        again = [
            (n, frame, _around(seen, frame.height / picture.shape[0]))
            for n, (frame, picture, found) in enumerate(proposed)
            for seen in found
        ]
        size = SHORT_RANGE_PX, SHORT_RANGE_PX
        crops = [frame.crop(left, top, left + side, top + side, size) for _, frame, (left, top, side) in again]
        sights: list[list[AlignedFace]] = [[] for _ in frames]
        for (n, _, square), found in zip(again, self._short_range.look(crops), strict=True):
            if best := _best(found, *square):
                sights[n].append(best)
        return sights


def _around(proposal: Detection, scale: float) -> tuple[float, float, float]:
    """Left, top and side of the square of the frame that is looked at again."""
    left, top, right, bottom = (float(edge) for edge in proposal.corners)
    side = 2 * scale * max(right - left, bottom - top)
    x, y = scale * ((left + right) / 2) - side / 2, scale * ((top + bottom) / 2) - side / 2
    if side >= 2 * SHORT_RANGE_PX:
        side, x, y = LINES_PX * round(side / LINES_PX), BLOCK_PX * round(x / BLOCK_PX), BLOCK_PX * round(y / BLOCK_PX)
    return x, y, side


def _best(found: list[Detection], left: float, top: float, side: float) -> AlignedFace | None:
    """The second look at a proposed box: the most confident face that fills about as much of the picture as
    proposed.
    """
    best: AlignedFace | None = None
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
        best = AlignedFace(seen, np.array([left, top]) + to_px * one.points[:4])
    return best


class _Whole:
    """A network that looks at the whole frame and gives five points a face."""

    def __init__(self, network: Any):
        self._network = network

    def look(self, frames: Sequence[Frame]) -> list[list[AlignedFace]]:
        lines = [round(WHOLE_PX * min(1.0, frame.height / frame.width)) for frame in frames]
        pictures = np.stack([frame.rgb(height) for frame, height in zip(frames, lines, strict=True)])
        found = []
        for frame, (boxes, scores, points) in zip(frames, self._network.faces(pictures), strict=True):
            scale = frame.height / pictures.shape[1]
            found.append([_sight(*one, scale) for one in zip(boxes, scores, points, strict=True)])
        return found


def _sight(corners: NDArray[np.float64], score: float, five: NDArray[np.float64], scale: float) -> AlignedFace:
    """A face of YuNet or RetinaFace, in source pixels, its box from the eyebrows to the chin as MediaPipe draws it:
    square, about the same middle and chin.

    The two ratios are medians over 24 faces of ten films that all three are sure of. A face in profile has a narrow
    box, so its height counts too.
    """
    left, top, right, bottom = (float(corner) for corner in scale * corners)
    side = max((right - left) / 0.90, (bottom - top) / 1.21)
    middle, chin = (left + right) / 2, bottom - 0.013 * side
    points = np.concatenate([five[:3], five[3:].mean(axis=0, keepdims=True)])
    return AlignedFace(
        Box(middle - side / 2, chin - side, middle + side / 2, chin, float(score), rough_yaw_deg(points)),
        scale * points,
    )


WEIGHTS = {
    "mediapipe": (FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE),
    "yunet": (YUNET,),
    "retinaface": (RETINAFACE,),
}


class SharedDetector:
    """A detector that one thread asks at a time, for all operators of this process that look by the same parameters."""

    def __init__(self, detector: _Detector):
        self._detector, self._one_asks = detector, Lock()

    def look(self, frames: Sequence[Frame]) -> list[list[AlignedFace]]:
        with self._one_asks:
            return self._detector.look(frames)


_shared: WeakValueDictionary[tuple[str, float, float], SharedDetector] = WeakValueDictionary()  # operators hold them
_one_loads = Lock()


def shared_detector(detector: str, min_proposal: float, min_confidence: float) -> SharedDetector:
    """The detector of these parameters, loaded once a process, while anybody holds it.

    Args:
        detector: mediapipe, yunet or retinaface.
        min_proposal: score of mediapipe's first look, 0 to 1.
        min_confidence: score of the last look, 0 to 1.
    """
    key = detector, min_proposal, min_confidence
    with _one_loads:
        if (there := _shared.get(key)) is None:
            _shared[key] = there = SharedDetector(_loaded(*key))
        return there


def _loaded(detector: str, min_proposal: float, min_confidence: float) -> _Detector:
    if detector == "mediapipe":
        full_range, short_range = WEIGHTS[detector]
        return Mediapipe(looker(full_range, min_proposal, device()), looker(short_range, min_confidence, device()))
    if detector == "yunet":
        from operators.models.yunet import Yunet

        with system_libraries():
            return _Whole(Yunet(YUNET.path(), min_confidence))
    from operators.models.retinaface import Retinaface

    return _Whole(Retinaface.load(RETINAFACE.path(), min_confidence, device()))

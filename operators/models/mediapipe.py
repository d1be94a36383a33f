"""MediaPipe's tasks: pictures for them, tasks that last, and its face detectors, by MediaPipe itself or by torch."""

import atexit
import ctypes
from collections.abc import Sequence
from typing import Any, Protocol
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from operators.models.detections import Detection
from operators.models.device import system_libraries
from operators.weights import Weight


def mediapipe_image(rgb: NDArray[np.uint8]) -> Any:
    """MediaPipe's image of an array (h, w, 3)."""
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))


_tasks: WeakSet[Any] = WeakSet()


def lasting(task: Any) -> Any:
    """A task of MediaPipe that is not finalised when the interpreter ends: by then the modules that its `__del__` calls
    are emptied, and a traceback is printed.
    """
    if not _tasks:
        atexit.register(_spare)
    _tasks.add(task)
    return task


def _spare() -> None:
    for task in list(_tasks):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(task))


class Looker(Protocol):
    """A detector of MediaPipe's, whoever runs it."""

    def look(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]: ...


def looker(weight: Weight, min_score: float, device: str) -> Looker:
    """The detector of a file: by MediaPipe on `cpu`, else by torch on that device. Faces below `min_score`, 0 to 1, are
    left out.
    """
    if device == "cpu":
        return _OneByOne(_detector(weight, min_score))
    from operators.models.blazeface import Blazeface

    return Blazeface(weight.path().read_bytes(), min_score, device)


class _OneByOne:
    """A detector of MediaPipe's own."""

    def __init__(self, detector: Any):
        self._detector = detector

    def look(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        return [[_seen(one, rgb) for one in self._detector.detect(mediapipe_image(rgb)).detections] for rgb in pictures]


def _seen(one: Any, rgb: NDArray[np.uint8]) -> Detection:
    box = one.bounding_box
    corners = np.array([box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height], np.float64)
    points = np.array([(point.x, point.y) for point in one.keypoints]) * rgb.shape[1::-1]
    return Detection(corners, points, one.categories[0].score)


def _detector(weight: Weight, min_score: float) -> Any:
    with system_libraries():
        from mediapipe.tasks.python import BaseOptions
        from mediapipe.tasks.python.vision import FaceDetector, FaceDetectorOptions

        model = BaseOptions(model_asset_path=str(weight.path()))
        options = FaceDetectorOptions(base_options=model, min_detection_confidence=min_score)
        return lasting(FaceDetector.create_from_options(options))

"""YuNet: boxes, scores and five points of faces, small and turned ones too.

Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research 2023), through OpenCV's
own class for it.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEAREST = 0.3  # intersection over union of two boxes above which OpenCV keeps the surer one
MOST = 500  # boxes before that


class Yunet:
    """The network for pictures of any size, on the CPU, one thread."""

    def __init__(self, path: Path, min_score: float):
        """
        Args:
            min_score: 0 to 1; what is less sure is not given.
        """
        import cv2

        cv2.setNumThreads(1)
        self._detector = cv2.FaceDetectorYN.create(str(path), "", (320, 320), min_score, NEAREST, MOST)

    def faces(self, pictures: NDArray[np.uint8]) -> list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """What is found in each picture.

        Args:
            pictures: (n, h, w, 3) RGB, 0 to 255.

        Returns:
            For each picture (faces, 4) left, top, right, bottom in pixels, (faces,) scores 0 to 1, and (faces, 5, 2)
            points: the eye on the image's left of a frontal face, the other eye, nose tip, corners of the mouth.
        """
        self._detector.setInputSize((pictures.shape[2], pictures.shape[1]))
        return [self._faces(picture) for picture in pictures]

    def _faces(self, picture: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        _, found = self._detector.detect(np.ascontiguousarray(picture[..., ::-1]))
        rows = np.zeros((0, 15)) if found is None else np.asarray(found, np.float64)
        corners = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        return corners, rows[:, 14], rows[:, 4:14].reshape(-1, 5, 2)

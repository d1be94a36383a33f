"""MediaPipe's hand landmarker: a palm detector, and 21 points of each hand that it proposes."""

import io
import zipfile
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.models.catalogue import HAND_LANDMARKS, PALM_DETECTOR
from operators.models.device import system_libraries
from operators.models.mediapipe import lasting, mediapipe_image
from operators.weights import Weight

HANDS = "mediapipe_hand_landmarker"


class HandLandmarks:
    weights: ClassVar[tuple[Weight, ...]] = (PALM_DETECTOR, HAND_LANDMARKS)

    def __init__(self, min_confidence: float):
        """
        Args:
            min_confidence: of the palm and of the hand, 0 to 1.
        """
        with system_libraries():
            from mediapipe.tasks.python import BaseOptions
            from mediapipe.tasks.python.vision import HandLandmarker, HandLandmarkerOptions

        held = io.BytesIO()  # the task's file is an archive of the two networks, which the package has apart
        with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
            archive.write(PALM_DETECTOR.path(), "hand_detector.tflite")
            archive.write(HAND_LANDMARKS.path(), "hand_landmarks_detector.tflite")
        options = HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=held.getvalue()),
            num_hands=2,
            min_hand_detection_confidence=min_confidence,
            min_hand_presence_confidence=min_confidence,
        )
        self._landmarker = lasting(HandLandmarker.create_from_options(options))

    def __call__(self, picture: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """(21, 2) pixels of each hand in a picture (h, w, 3), two at most."""
        size = np.array(picture.shape[1::-1], np.float32)
        found = self._landmarker.detect(mediapipe_image(picture)).hand_landmarks
        return [np.array([(point.x, point.y) for point in hand], np.float32) * size for hand in found]

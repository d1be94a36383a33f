"""MediaPipe's face landmarker: by MediaPipe itself, or by the same networks in torch."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from operators.models.catalogue import FACE_LANDMARKER
from operators.models.device import device, system_libraries
from operators.models.face_geometry import LandmarkedFace
from operators.models.mediapipe import lasting, mediapipe_image


class Landmarks(Protocol):
    """A face landmarker that looks at pictures in batches."""

    batch: int  # how many pictures it likes to get at once

    def look(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[LandmarkedFace]]:
        """The faces of each picture (h, w, 3)."""
        ...


class Landmarker:
    """MediaPipe's face landmarker, by MediaPipe itself: on the CPU, a picture at a time. Not safe to ask from two
    threads at once.
    """

    batch = 1

    def __init__(self, faces: int = 1, blendshapes: bool = True):
        """
        Args:
            faces: to find at most, the surest first.
        """
        with system_libraries():
            from mediapipe.tasks.python import BaseOptions
            from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions

            model = BaseOptions(model_asset_path=str(FACE_LANDMARKER.path()))
            options = FaceLandmarkerOptions(
                base_options=model,
                num_faces=faces,
                output_face_blendshapes=blendshapes,
                output_facial_transformation_matrixes=True,
            )
            self._model: Any = lasting(FaceLandmarker.create_from_options(options))

    def __call__(self, rgb: NDArray[np.uint8]) -> list[LandmarkedFace]:
        """The faces of a picture (h, w, 3)."""
        result = self._model.detect(mediapipe_image(rgb))
        faces = zip(result.face_landmarks, result.facial_transformation_matrixes, strict=True)
        shapes = result.face_blendshapes or [[]] * len(result.face_landmarks)
        return [
            LandmarkedFace(
                np.array([(point.x, point.y, point.z) for point in points]),
                np.array(matrix, np.float64),
                np.array([shape.score for shape in some]),
            )
            for (points, matrix), some in zip(faces, shapes, strict=True)
        ]

    def look(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[LandmarkedFace]]:
        """The faces of each picture (h, w, 3)."""
        return [self(rgb) for rgb in pictures]


def landmarker(blendshapes: bool = True) -> Landmarks:
    """The landmarker for the surest face of square pictures: in batches on the GPU where this process holds one, else
    by MediaPipe itself.
    """
    if (where := device()) == "cpu":
        return Landmarker(blendshapes=blendshapes)
    from operators.models.facemesh import Facemesh

    return Facemesh(blendshapes, where)

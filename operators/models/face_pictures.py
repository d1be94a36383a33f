"""The face of a frame, found once for all metrics that ask: its points, its crop for an identity network, its
embedding.
"""

import threading
from functools import cache

import numpy as np
from numpy.typing import NDArray

from operators.models import face_identity as identity
from operators.models.face_geometry import LandmarkedFace
from operators.models.face_identity import NETWORKS, embedded
from operators.models.face_landmarker import Landmarker
from operators.picture import Picture
from operators.protocol import Protocol

ALIGNED_FACE = Protocol(crop="face", align="five points", input="112x112", colour="RGB")

__all__ = ["ALIGNED_FACE", "IBUG_68", "NETWORKS", "aligned", "embedding", "face", "mesh", "points68", "squeezed"]

# The points of MediaPipe's 478 that lie nearest to the 68 of the iBUG annotation, in its order: pairs of both sides of
# the face, the jaw's on its outline. Measured against dlib's points by `benchmarks/accuracy/points68.py`.
IBUG_68 = [
    *(127, 234, 93, 58, 172, 136, 149, 176, 152, 400, 378, 365, 397, 288, 323, 454, 356),  # jaw, from the image's left
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),  # brows
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),  # bridge of the nose (4), its base (5)
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),  # outer lips
    *(78, 82, 13, 312, 308, 317, 14, 87),  # inner lips
]

_one_at_a_time = threading.Lock()  # the landmarker is not safe to ask from two threads


def face(picture: Picture) -> LandmarkedFace | None:
    """The face of a picture, the surest of several; None where none is found."""
    return picture.once("face", _face)


def mesh(picture: Picture) -> NDArray[np.float64] | None:
    """(478, 2) points of the face, x and y in pixels; None where none is found. Of several faces, the surest."""
    return picture.once("mesh", _mesh)


def points68(picture: Picture) -> NDArray[np.float64] | None:
    """(68, 2) points in the iBUG scheme, in pixels; None without a face."""
    found = mesh(picture)
    return None if found is None else found[IBUG_68]


def aligned(picture: Picture, network: str) -> NDArray[np.uint8] | None:
    """(size, size, 3): the face turned and scaled so that five points of its mesh lie where the network wants them;
    None without a face.
    """
    asked = NETWORKS[network]

    def make(one: Picture) -> NDArray[np.uint8] | None:
        found = mesh(one)
        if found is None:
            return None
        points = np.array([found[list(some)].mean(axis=0) for some in asked.mesh])
        return identity.aligned(one.rgb, points, asked.meshed, asked.size_px)

    return picture.once(("aligned", asked.size_px, asked.mesh), make)


def squeezed(picture: Picture, size: int) -> NDArray[np.uint8]:
    """(size, size, 3): the whole frame, without regard to where the face is or to the frame's shape."""
    import cv2

    return np.asarray(picture.once(("squeezed", size), lambda one: cv2.resize(one.rgb, (size, size))), np.uint8)


def embedding(picture: Picture, network: str, whole_frame: bool = False) -> NDArray[np.float64] | None:
    """(numbers,) of the network, of length 1: who is seen; None without a face, unless the whole frame is asked for."""

    def make(one: Picture) -> NDArray[np.float64] | None:
        crop = squeezed(one, NETWORKS[network].size_px) if whole_frame else aligned(one, network)
        return None if crop is None else embedded(crop, network)

    return picture.once(("embedding", network, whole_frame), make)


def _mesh(picture: Picture) -> NDArray[np.float64] | None:
    found = face(picture)
    return None if found is None else found.points[:, :2] * picture.size


def _face(picture: Picture) -> LandmarkedFace | None:
    with _one_at_a_time:
        faces = _landmarker()(picture.rgb)
    return faces[0] if faces else None


@cache
def _landmarker() -> Landmarker:
    return Landmarker(blendshapes=False)

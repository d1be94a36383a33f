"""The face of a frame, found once for all metrics that ask: its points, its crop for an identity network, its embedding."""

import threading
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.faces.detect_faces import mediapipe_image, system_libraries
from operators.metrics.metric import Picture
from operators.weights import ARCFACE_R100, FACE_FEATURE, FACE_LANDMARKER, Weight

# Of MediaPipe's canonical face model, the points nearest to the 68 of the iBUG scheme, in its order.
MESH_68 = [
    *(127, 234, 93, 132, 58, 172, 136, 150, 152, 379, 365, 397, 288, 361, 323, 454, 356),  # jaw, from the image's left
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),  # brows
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),  # nose
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),  # outer lips
    *(78, 82, 13, 312, 308, 317, 14, 87),  # inner lips
]
MESH_5 = ((468,), (473,), (4,), (61,), (291,))  # eyes, nose tip, corners of the mouth
# Where ArcFace's networks want these five in a crop of 112 x 112.
ARCFACE_5 = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
CROP_PX = 112

NETWORKS: dict[str, tuple[Weight, float]] = {"arcface": (ARCFACE_R100, 127.5), "faceplugin": (FACE_FEATURE, 128.0)}

_one_at_a_time = threading.Lock()  # neither model is safe to ask from two threads


def mesh(picture: Picture) -> NDArray[np.float64] | None:
    """(478, 2) points of the face, x and y in pixels; None where none is found. Of several faces, the surest."""
    return picture.once("mesh", _mesh)


def points68(picture: Picture) -> NDArray[np.float64] | None:
    """(68, 2) points in the iBUG scheme, in pixels; None without a face."""
    found = mesh(picture)
    return None if found is None else found[MESH_68]


def aligned(picture: Picture) -> NDArray[np.uint8] | None:
    """(112, 112, 3): the face turned and scaled so that its five points lie where ArcFace's networks want them; None without a face."""
    return picture.once("aligned", _aligned)


def squeezed(picture: Picture) -> NDArray[np.uint8]:
    """(112, 112, 3): the whole frame, without regard to where the face is or to the frame's shape."""
    import cv2

    return np.asarray(picture.once("squeezed", lambda one: cv2.resize(one.rgb, (CROP_PX, CROP_PX))), np.uint8)


def embedding(picture: Picture, network: str, whole_frame: bool = False) -> NDArray[np.float64] | None:
    """(512,), of length 1: who is seen; None without a face, unless the whole frame is asked for."""

    def make(one: Picture) -> NDArray[np.float64] | None:
        crop = squeezed(one) if whole_frame else aligned(one)
        return None if crop is None else embedded(crop, network)

    return picture.once(("embedding", network, whole_frame), make)


def embedded(crop: NDArray[np.uint8], network: str) -> NDArray[np.float64]:
    """(512,), of length 1, of an RGB crop (112, 112, 3)."""
    weight, scale = NETWORKS[network]
    given = ((crop.astype(np.float32) - 127.5) / scale).transpose(2, 0, 1)[None]
    with _one_at_a_time:
        session = _session(weight)
        found = np.asarray(session.run(None, {session.get_inputs()[0].name: given})[0], np.float64).ravel()
    return found / np.linalg.norm(found)


def similarity(points: NDArray[np.float64], onto: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3): the turn, scale and shift that brings points (n, 2) nearest to others in the least squares sense.

    S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", TPAMI 1991.
    """
    from skimage.transform import SimilarityTransform

    return SimilarityTransform.from_estimate(points, onto).params[:2]


def close() -> None:
    """Lets go of the landmarker, which else complains when the interpreter ends."""
    if _landmarker.cache_info().currsize:
        _landmarker().close()
        _landmarker.cache_clear()


def _aligned(picture: Picture) -> NDArray[np.uint8] | None:
    import cv2

    found = mesh(picture)
    if found is None:
        return None
    five = np.array([found[list(some)].mean(axis=0) for some in MESH_5])
    return np.asarray(cv2.warpAffine(picture.rgb, similarity(five, ARCFACE_5), (CROP_PX, CROP_PX)), np.uint8)


def _mesh(picture: Picture) -> NDArray[np.float64] | None:
    with _one_at_a_time:
        result = _landmarker().detect(mediapipe_image(picture.rgb))
    if not result.face_landmarks:
        return None
    return np.array([(point.x, point.y) for point in result.face_landmarks[0]]) * picture.size


@cache
def _landmarker() -> Any:
    with system_libraries():
        from mediapipe.tasks.python import BaseOptions
        from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions

        model = BaseOptions(model_asset_path=str(FACE_LANDMARKER.path()))
        return FaceLandmarker.create_from_options(FaceLandmarkerOptions(base_options=model))


@cache
def _session(weight: Weight) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # sums keep their order
    return onnxruntime.InferenceSession(str(weight.path()), options, providers=["CPUExecutionProvider"])

"""Who a face is, as numbers: crops aligned as ArcFace's networks want them, and the networks.

Two faces of one person give vectors with a high cosine. How high depends on the network, and on how the face was
aligned and seen.
"""

import threading
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import square_around
from operators.base import Frame
from operators.models.catalogue import ARCFACE_R100, FACE_FEATURE
from operators.models.detections import AlignedFace
from operators.weights import Weight

# Where ArcFace's networks want the eyes, the nose tip and the corners of the mouth in a crop of 112 x 112.
ARCFACE_5 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# the middle of the mouth for its corners
ARCFACE_4 = np.concatenate([ARCFACE_5[:3], ARCFACE_5[3:].mean(axis=0, keepdims=True)])
CROP_PX = 112
# the square cut out of the frame before it is aligned, twice as wide as the box: about as fine as the crop
AROUND_PX = 224
NUMBERS = 512

NETWORKS: dict[str, tuple[Weight, float]] = {"arcface": (ARCFACE_R100, 127.5), "faceplugin": (FACE_FEATURE, 128.0)}

_one_at_a_time = threading.Lock()


def similarity(points: NDArray[np.float64], onto: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3): the turn, scale and shift that brings points (n, 2) nearest to others in the least squares sense.

    S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", TPAMI 1991.
    """
    from skimage.transform import SimilarityTransform

    return SimilarityTransform.from_estimate(points, onto).params[:2]


def aligned(rgb: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(112, 112, 3): the face turned and scaled so that its points lie where ArcFace's networks want them.

    Args:
        rgb: (h, w, 3).
        points: (5, 2) eyes, nose tip, corners of the mouth, or (4, 2) with the middle of the mouth; in pixels of the
            picture.
    """
    import cv2

    onto = ARCFACE_5 if len(points) == 5 else ARCFACE_4
    return np.asarray(cv2.warpAffine(rgb, similarity(points, onto), (CROP_PX, CROP_PX)), np.uint8)


def face_crop(frame: Frame, sight: AlignedFace) -> NDArray[np.uint8]:
    """(112, 112, 3): a detected face of a frame, aligned by the detector's own points."""
    left, top, right, bottom = square_around(sight.box, 2.0)
    around = frame.crop(left, top, right, bottom, (AROUND_PX, AROUND_PX))
    return aligned(around, (sight.points - (left, top)) * (AROUND_PX / (right - left)))


def embedded(crop: NDArray[np.uint8], network: str) -> NDArray[np.float64]:
    """(512,), of length 1, of an RGB crop (112, 112, 3)."""
    found = answered(crop, network)
    return found / np.linalg.norm(found)


def answered(crop: NDArray[np.uint8], network: str) -> NDArray[np.float64]:
    """(512,), as the network gives it, of an RGB crop (112, 112, 3): the less there is to be recognised, the
    shorter.
    """
    weight, scale = NETWORKS[network]
    given = ((crop.astype(np.float32) - 127.5) / scale).transpose(2, 0, 1)[None]
    session = _session(weight)
    with _one_at_a_time:
        return np.asarray(session.run(None, {session.get_inputs()[0].name: given})[0], np.float64).ravel()


@cache
def _session(weight: Weight) -> Any:
    return weight.session(on_gpu=True)

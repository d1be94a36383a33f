"""Who a face is, as numbers: the networks, and crops aligned as each of them wants them.

Two faces of one person give vectors with a high cosine. How high depends on the network, and on how the face was
aligned and seen: `likeness` brings the cosines of all to one scale.
"""

import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import square_around
from operators.base import Frame
from operators.models.catalogue import ARCFACE_R100, DLIB_RESNET, FACE_FEATURE
from operators.models.detections import AlignedFace
from operators.weights import Weight

if TYPE_CHECKING:
    from operators.models.dlib_resnet import DlibResnet

F = TypeVar("F", float, NDArray[np.float64])

# Where ArcFace's networks want the eyes, the nose tip and the corners of the mouth in a crop of 112 x 112.
ARCFACE_5 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# the middle of the mouth for its corners
ARCFACE_4 = np.concatenate([ARCFACE_5[:3], ARCFACE_5[3:].mean(axis=0, keepdims=True)])
ARCFACE_MESH = ((468,), (473,), (4,), (61,), (291,))  # MediaPipe's points for the five: eyes' middles first
# Where dlib's network wants the corners of the eyes, the outer one on the image's right first, and the base of the nose
# in a crop of 150 x 150: dlib's mean face with a quarter of its width around it.
DLIB_5 = 150 / 1.5 * (0.25 + np.array([
    [0.8595674595992, 0.2134981538014], [0.6460604764104, 0.2289674387677], [0.1205750620789, 0.2137274526848],
    [0.3340850613712, 0.2290642403242], [0.4901123135679, 0.6277975316475],
]))  # fmt: skip
DLIB_MESH = ((263,), (362,), (33,), (133,), (2,))
# where the detector's points (eyes, nose tip, middle of the mouth) lie in crops that the mesh aligned: medians, by
# benchmarks/accuracy/face_verification.py
DLIB_4 = np.array([[46.0, 47.6], [102.0, 47.6], [74.0, 76.0], [74.0, 105.8]])


@dataclass(frozen=True)
class IdentityNetwork:
    """A network that says who a face is, and how it is asked."""

    weight: Weight
    numbers: int  # how many it answers
    size_px: int  # side of the crop it sees
    detected: NDArray[np.float64]  # (4, 2): where the crop has the detector's points
    meshed: NDArray[np.float64]  # (5, 2): and those of the mesh
    mesh: tuple[tuple[int, ...], ...]  # which of the 478 each of these is, or is the mean of
    # the cosine that is 0 on the scale of `likeness`: faceplugin's own scale, and for others such that as many pairs of
    # one person lie below 0.31 as of two above it, as with faceplugin (benchmarks/accuracy/face_verification.py)
    zero: float = 0.0
    min_length: float = 0.0  # below it an answer says nothing: the less there is to be recognised, the shorter
    scale: float = 0.0  # of ONNX networks: what 127.5 is taken off is divided by

    def likeness(self, cosine: F) -> F:
        """A cosine of two answers on the scale of all networks: 1 for equal pictures, about 0.3 between one person and
        two.
        """
        return (cosine - self.zero) / (1 - self.zero)

    def cosine(self, likeness: float) -> float:
        """The cosine of that likeness."""
        return self.zero + (1 - self.zero) * likeness


NETWORKS: dict[str, IdentityNetwork] = {
    "arcface": IdentityNetwork(ARCFACE_R100, 512, 112, ARCFACE_4, ARCFACE_5, ARCFACE_MESH, 0.0, 0.0, 127.5),
    "faceplugin": IdentityNetwork(FACE_FEATURE, 512, 112, ARCFACE_4, ARCFACE_5, ARCFACE_MESH, 0.0, 1.8, 128.0),
    "dlib_resnet": IdentityNetwork(DLIB_RESNET, 128, 150, DLIB_4, DLIB_5, DLIB_MESH, 0.89, 1.35),
}

_one_at_a_time = threading.Lock()


def best_network() -> str:
    """What `auto` is on this machine: the better network where it was put into the folder that HEADSET_WEIGHTS names,
    else the one that pip brings; "" where neither can be had. A cache decides nothing: it fills by itself.
    """
    return next((
        name
        for name, here in (("faceplugin", FACE_FEATURE.given()), ("dlib_resnet", DLIB_RESNET.obtainable()))
        if here
    ), "")  # fmt: skip


def cosine_of(likeness: float, model: str) -> float:
    """The cosine of a likeness (see `IdentityNetwork`) by a network of that name; one that is not ours is taken to be
    on the scale.
    """
    return NETWORKS[model].cosine(likeness) if model in NETWORKS else likeness


def likeness_of(cosine: float, model: str) -> float:
    """The likeness of a cosine by a network of that name, as `cosine_of`."""
    return NETWORKS[model].likeness(cosine) if model in NETWORKS else cosine


def similarity(points: NDArray[np.float64], onto: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3): the turn, scale and shift that brings points (n, 2) nearest to others in the least squares sense.

    S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", TPAMI 1991.
    """
    from skimage.transform import SimilarityTransform

    return SimilarityTransform.from_estimate(points, onto).params[:2]


def aligned(
    rgb: NDArray[np.uint8], points: NDArray[np.float64], onto: NDArray[np.float64], size: int
) -> NDArray[np.uint8]:
    """(size, size, 3): the face turned and scaled so that its points (n, 2), in pixels of the picture (h, w, 3), lie at
    those of the crop, `onto` (n, 2).
    """
    import cv2

    return np.asarray(cv2.warpAffine(rgb, similarity(points, onto), (size, size)), np.uint8)


def face_crop(frame: Frame, sight: AlignedFace, network: str) -> NDArray[np.uint8]:
    """(size, size, 3): a detected face of a frame as the network wants it, aligned by the detector's own points."""
    asked = NETWORKS[network]
    left, top, right, bottom = square_around(sight.box, 2.0)
    side = 2 * asked.size_px  # twice as wide as the box: about as fine as the crop
    around = frame.crop(left, top, right, bottom, (side, side))
    return aligned(around, (sight.points - (left, top)) * (side / (right - left)), asked.detected, asked.size_px)


def embedded(crop: NDArray[np.uint8], network: str) -> NDArray[np.float64]:
    """(numbers,), of length 1, of an RGB crop of the network's size."""
    found = answered(crop, network)
    return found / np.linalg.norm(found)


def answered(crop: NDArray[np.uint8], network: str) -> NDArray[np.float64]:
    """(numbers,), as the network gives it, of an RGB crop of its size."""
    asked = NETWORKS[network]
    if not asked.scale:
        with _one_at_a_time:
            return _dlib_resnet()(crop[None])[0]
    given = ((crop.astype(np.float32) - 127.5) / asked.scale).transpose(2, 0, 1)[None]
    session = _session(asked.weight)
    with _one_at_a_time:
        return np.asarray(session.run(None, {session.get_inputs()[0].name: given})[0], np.float64).ravel()


@cache
def _session(weight: Weight) -> Any:
    return weight.session(on_gpu=True)


@cache
def _dlib_resnet() -> "DlibResnet":
    from operators.models.dlib_resnet import DlibNetwork, DlibResnet

    return DlibResnet(DlibNetwork.read(DLIB_RESNET.path()))

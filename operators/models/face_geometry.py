"""What the 478 points of a face tell: where they lie, how the head is turned, where the eyes look, how far the mouth is
open.

Points are those of MediaPipe's face landmarker, in the numbering of its canonical face model: (478, 3) with x to the
image's right, y down and z away from the camera, all three on one scale; the last ten are the irises. Angles are
degrees in the camera's sight: yaw is positive to the image's right, pitch is positive up, roll is positive clockwise as
seen in the image.
"""

import math
import struct
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.tables import FaceLandmarks
from operators.models.catalogue import FACE_LANDMARKER

Points = NDArray[np.float64]

MODEL = "mediapipe_face_landmarker"
POINTS = 478
UNITS = (
    # of a packed coordinate to the side of the square looked at: it reaches two sides each way, and is off by 1/32768
    # of one at most
    16384
)
FOV_DEG = 63.0  # MediaPipe's: from the top of a picture to its bottom

# In MediaPipe's order; the names are ARKit's, left and right those of the person.
BLENDSHAPES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip

# Of each eye its corners and its iris's middle: first the one on the image's left in a frontal face.
_EYES = (((33, 133), 468), ((362, 263), 473))
_EYE_MIDDLE = np.array([0.0, 0.07, -0.4])  # centimetres from the middle of its corners
_EYE_RADIUS = 1.0


def landmarks_of(mesh: FaceLandmarks) -> Points:
    """(looks, 478, 3) pixels of the displayed source frame, z too; NaN where the face was not seen.

    Off from what the model said by 1/32768 of the square's side at most: 0.02 pixels for a face 300 pixels wide.
    """
    bytes_of = np.frombuffer(mesh.landmarks, np.uint8).reshape(2, -1)
    steps = np.ascontiguousarray(bytes_of.T).view("<i2").reshape(-1, POINTS, 3)
    packed = np.cumsum(steps, axis=0, dtype=np.int16)  # modulo 2 ** 16, as the steps are
    left, top, side = (np.asarray(edge, np.float64) for edge in (mesh.left_px, mesh.top_px, mesh.side_px))
    shares = packed / UNITS + (0.5, 0.5, 0.0)
    points = shares * side[:, None, None]
    points[..., 0] += left[:, None]
    points[..., 1] += top[:, None]
    points[~np.asarray(mesh.seen, bool)] = np.nan
    return points


def blendshapes_of(mesh: FaceLandmarks) -> NDArray[np.float64]:
    """(looks, 52), 0 to 1, in the order of `BLENDSHAPES`; NaN where the face was not seen, or where they were not asked
    for. Off by 1/4096 at most.
    """
    looks = len(mesh.times_s)
    if not mesh.blendshapes:
        return np.full((looks, len(BLENDSHAPES)), np.nan)
    shapes = np.frombuffer(mesh.blendshapes, "<f2").reshape(looks, len(BLENDSHAPES)).astype(np.float64)
    shapes[~np.asarray(mesh.seen, bool)] = np.nan
    return shapes


def in_units(shares: Points) -> NDArray[np.int16]:
    """Points (..., 3) as shares of the square looked at, x and y from its top left corner: in `UNITS` of its side, x
    and y from its middle.
    """
    return np.clip(np.rint((shares - (0.5, 0.5, 0.0)) * UNITS), -32768, 32767).astype(np.int16)


def packed_landmarks(units: NDArray[np.int16]) -> bytes:
    """(looks, 478, 3) of `in_units`, in the form that `landmarks_of` reads.

    Faces move little from look to look: each look is told by how far its points lie from those of the look before,
    modulo 2 ** 16, and the low bytes of all numbers come before their high bytes, which are nearly all alike. That
    makes a table of every frame 0.6 times as large.
    """
    steps = np.diff(units, axis=0, prepend=np.zeros_like(units[:1])).astype("<i2")
    return np.ascontiguousarray(steps.reshape(-1, 1).view(np.uint8).T).tobytes()


class LandmarkedFace(NamedTuple):
    """A face in a picture."""

    points: NDArray[np.float64]  # (478, 3) x and z as shares of the picture's width, y of its height
    matrix: NDArray[np.float64]  # (4, 4) as `head_matrix` gives it
    blendshapes: NDArray[np.float64]  # (52,) 0 to 1; (0,) where not asked for


class FaceModel(NamedTuple):
    """MediaPipe's canonical face, and the part of it that a pose is fitted to.

    Attributes:
        points: (468, 3) centimetres, x to the image's right, y up, z out of the face; those of 478 that are no iris's.
        numbers: (33,) the points that are fitted.
        weights: (33,) how much each counts.
    """

    points: Points
    numbers: NDArray[np.int64]
    weights: Points


def head_matrix(points: Points, width: float, height: float) -> Points:
    """(4, 4) from the face's own axes (centimetres of the canonical face) to those of a camera, x right, y up, z
    towards it.

    As MediaPipe's face geometry has it, so that the head can be posed for any crop of a frame: the camera sees the
    picture with a vertical field of view of 63 degrees, the points' z is brought to its scale by fitting the canonical
    face once as seen and once in space (weighted Procrustes with scale), and the last fit is the answer. For
    MediaPipe's own points it agrees with its matrix to 1e-4.

    Args:
        points: (478, 3) pixels of the picture.
        width, height: of the picture.
    """
    model = face_model()
    seen = _sights(points[:468], width, height)
    depth = seen[:, 2].mean()
    seen = seen[model.numbers]

    def in_space(scale: float) -> Points:
        away = (seen[:, 2:] - depth + 1) / scale
        return np.concatenate([seen[:, :2] * away, -away], axis=1)

    first = _grown(_fitted(model, seen * (1, 1, -1)))
    second = _grown(_fitted(model, in_space(first)))
    return _fitted(model, in_space(first * second))


def head_pose_deg(matrix: Points) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees, 0 when the face looks straight into the camera, upright.

    Yaw is positive when the nose points to the image's right, pitch when it points up, roll when the head is tilted
    clockwise as seen in the image. Yaw and pitch are the direction of the nose, so they do not depend on roll.

    Args:
        matrix: (4, 4) from the face's own axes (x to the image's right, y up, z out of the face) to the camera's.
    """
    across, forward = (matrix[:3, axis] / np.linalg.norm(matrix[:3, axis]) for axis in (0, 2))
    yaw, pitch = math.atan2(forward[0], forward[2]), math.asin(np.clip(forward[1], -1, 1))
    level = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])  # where `across` points without roll
    roll = -math.atan2(across @ np.cross(forward, level), across @ level)
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)


def gaze_deg(points: Points, width: float, height: float, matrix: Points) -> tuple[float, float]:
    """Where the eyes look, yaw and pitch in degrees against the camera: 0, 0 is eye contact; positive to the image's
    right, and up.

    Of each eye the middle of the iris is seen on a sphere in the head, and the line from the sphere's middle to it is
    where the eye looks; the answer is between the two eyes. The iris turns 1 cm about the eye's middle, on a face of
    the canonical face's size (Gray's Anatomy has 13.5 mm to the cornea, of which the anterior chamber takes 3.5). The
    middle lies 0.4 cm behind the middle of the eye's corners and 0.07 cm above: fitted, so that of people who face the
    camera and turn their heads the eyes turn back as far, and look into it. Of a closed eye it tells nothing: see the
    blendshapes `eyeBlinkLeft` and `eyeBlinkRight`.

    Args:
        points: (478, 3) pixels of the picture.
        width, height: of the picture.
        matrix: (4, 4) of the head in it, as `head_matrix` gives it.
    """
    model = face_model()
    into_face = np.linalg.inv(matrix)
    camera = into_face[:3, 3]
    looks = []
    for corners, iris in _EYES:
        rays = (_sights(points[[*corners, iris]], width, height) * (1, 1, 0) - (0, 0, 1)) @ into_face[:3, :3].T
        far = (model.points[list(corners), 2] - camera[2]) / rays[:2, 2]
        middle = (camera + far[:, None] * rays[:2]).mean(axis=0) + _EYE_MIDDLE
        ray = rays[2] / np.linalg.norm(rays[2])
        off = camera - middle
        across = off - (off @ ray) * ray  # from the middle to where the sight of the iris comes nearest
        before = math.sqrt(max(_EYE_RADIUS**2 - across @ across, 0.0))
        look = across - before * ray
        looks.append(look / np.linalg.norm(look))
    seen = matrix[:3, :3] @ (looks[0] + looks[1])
    seen /= np.linalg.norm(seen)
    return math.degrees(math.atan2(seen[0], seen[2])), math.degrees(math.asin(np.clip(seen[1], -1, 1)))


def mouth_opening(points: Points) -> float:
    """Gap between the inner lips over the mouth's width, 0 and up, from the mesh's points (478, 2 or 3), of which x and
    y count.

    Points 13 and 14 are the middles of the inner upper and lower lip, 78 and 308 the inner corners, in the numbering of
    MediaPipe's canonical face model.
    """
    upper, lower, right, left = points[[13, 14, 78, 308], :2]
    return float(np.hypot(*(lower - upper)) / np.hypot(*(left - right)))


def lip_gap(points: Points) -> NDArray[np.float64]:
    """(...,): the mean of three gaps between the inner lips over the height of the face, hairline to chin: 0 closed,
    0.1 an open vowel. Steadier than `mouth_opening`, made for motion.

    Args:
        points: (..., 478, 3), all three on one scale; NaN gives NaN.
    """
    gaps = np.linalg.norm(points[..., [13, 82, 312], :] - points[..., [14, 87, 317], :], axis=-1).mean(axis=-1)
    return gaps / np.linalg.norm(points[..., 10, :] - points[..., 152, :], axis=-1)


def _sights(points: Points, width: float, height: float) -> Points:
    """(n, 3) pixels as they lie in the plane one unit before the camera, x right, y up, z as wide as x."""
    per_px = 2 * math.tan(math.radians(FOV_DEG) / 2) / height
    return (points - (width / 2, height / 2, 0.0)) * (per_px, -per_px, per_px)


def _fitted(model: FaceModel, points: Points) -> Points:
    """(4, 4): the turn, scale and shift that brings the model nearest to points (33, 3), in the weighted least squares
    sense.
    """
    fitted = model.points[model.numbers]
    share = model.weights[:, None] / model.weights.sum()
    centre, about = (share * fitted).sum(axis=0), (share * points).sum(axis=0)
    source, target = fitted - centre, points - about
    left, _, right = np.linalg.svd((share * target).T @ source)
    if np.linalg.det(left) * np.linalg.det(right) < 0:
        left[:, 2] *= -1
    turn = left @ right
    scale = (share * (target @ turn) * source).sum() / (share * source * source).sum()
    matrix = np.eye(4)
    matrix[:3, :3] = scale * turn
    matrix[:3, 3] = about - scale * turn @ centre
    return matrix


def _grown(matrix: Points) -> float:
    return float(np.linalg.norm(matrix[:3, 0]))


@cache
def face_model() -> FaceModel:
    """Read out of the landmarker's own file: a `GeometryPipelineMetadata` of MediaPipe in the protocol buffer
    format.
    """
    with zipfile.ZipFile(FACE_LANDMARKER.path()) as parts:
        message = list(_fields(parts.read("geometry_pipeline_metadata_landmarks.binarypb")))
    (mesh,) = (content for number, content in message if number == 1)
    corners = np.array([value for number, value in _fields(mesh) if number == 3]).reshape(-1, 5)[:, :3]  # x, y, z, u, v
    basis = [dict(_fields(content)) for number, content in message if number == 2]
    numbers = np.array([one[1] for one in basis])
    return FaceModel(corners.astype(np.float64), numbers, np.array([one[2] for one in basis], np.float64))


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and content of each field: an int, a float, or the bytes of a message within."""
    at = 0

    def varint() -> int:
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            yield number, varint()
        elif kind == 5:
            yield number, struct.unpack_from("<f", message, at)[0]
            at += 4
        elif kind == 2:
            size = varint()
            yield number, message[at : at + size]
            at += size
        else:
            raise ValueError(f"a protocol buffer field of kind {kind}, which a face model has none of")

"""MediaPipe's face landmarker as networks of torch: over batches of pictures, on a CPU or a GPU.

What MediaPipe does around its three networks is done here as its graphs have it (`tasks/cc/vision/face_landmarker/`,
and the calculators that they name; Apache-2.0): a detector finds the face, what it found is turned upright and seen 256
pixels wide, 478 points are told in that, and 52 blendshapes of 146 of the points.
"""

import math
import zipfile
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from operators.models.blazeface import Blazeface, sampled
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.detections import Detection
from operators.models.face_geometry import POINTS, LandmarkedFace, head_matrix
from operators.models.tflite import TfliteNetwork

MIN_SCORE = 0.5  # of the detector, and of the mesh that it is one: MediaPipe's
AROUND = 1.5  # how much larger than the detector's box the mesh's sight is, each way: MediaPipe's

# The points that the network of the blendshapes is given, in its order; what it was trained with
# (`face_blendshapes_graph.cc`).
EXPRESSIVE = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80, 81,
    82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154,
    155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263,
    267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321,
    323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387,
    388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)  # fmt: skip


class Facemesh:
    """The surest face of square pictures of one size, in batches."""

    batch = 32

    def __init__(self, blendshapes: bool = True, device: str = "cpu"):
        with zipfile.ZipFile(FACE_LANDMARKER.path()) as parts:
            self._detector = Blazeface(parts.read("face_detector.tflite"), MIN_SCORE, device)
            self._mesh = TfliteNetwork(parts.read("face_landmarks_detector.tflite"), device)
            self._shapes = TfliteNetwork(parts.read("face_blendshapes.tflite"), device) if blendshapes else None
        self._side, self._device = self._mesh.inputs[0][1], device

    def look(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[LandmarkedFace]]:
        """The face of each picture (side, side, 3), RGB; none or one.

        Raises:
            ValueError: for a picture that is not square: the box that is turned upright would be another one's.
        """
        import torch

        if any(rgb.shape[0] != rgb.shape[1] for rgb in pictures):
            raise ValueError("a picture that is not square; ask Landmarker")
        found: list[list[LandmarkedFace]] = [[] for _ in pictures]
        if not found:
            return found
        given = torch.from_numpy(np.stack(pictures)).to(self._device).float()
        side = given.shape[2]
        sights = [(n, _upright(seen[0])) for n, seen in enumerate(self._detector.look_at(given)) if seen]
        if not sights:
            return found
        numbers, upright = [n for n, _ in sights], np.stack([sight for _, sight in sights])
        onto = upright * (1 / self._side, 1 / self._side, 1)
        seen = sampled(given[numbers], onto, self._side, beyond_is_black=False)
        told, logits, _ = self._mesh(seen / 255)
        told = told.reshape(-1, POINTS, 3) / self._side
        placed = torch.from_numpy(upright).to(self._device).float()
        flat = told[..., :2] @ placed[:, :, :2].transpose(1, 2) + placed[:, None, :, 2]  # pixels
        deep = told[..., 2:] * placed[:, None, :, 0].norm(dim=-1, keepdim=True)
        shapes = (
            self._shapes(flat[:, list(EXPRESSIVE)])[0].double().cpu().numpy()
            if self._shapes
            else np.empty((len(numbers), 0))
        )
        points, sure = torch.cat([flat, deep], -1).double().cpu().numpy(), logits.reshape(-1).sigmoid().cpu().numpy()
        for n, one, shape, score in zip(numbers, points, shapes, sure, strict=True):
            if score >= MIN_SCORE:
                found[n].append(LandmarkedFace(one / side, head_matrix(one, side, side), shape))
        return found


def _upright(seen: Detection) -> NDArray[np.float64]:
    """(2, 3): from shares of the mesh's sight, x, y, 1, to pixels of the picture; the line between the eyes lies level
    in it.
    """
    left, top, right, bottom = (float(edge) for edge in seen.corners)
    wide, high = AROUND * (right - left), AROUND * (bottom - top)
    along = seen.points[1] - seen.points[0]
    turn = math.atan2(along[1], along[0])
    matrix = np.array(
        [[wide * math.cos(turn), -high * math.sin(turn), 0.0], [wide * math.sin(turn), high * math.cos(turn), 0.0]]
    )
    matrix[:, 2] = np.array([left + right, top + bottom]) / 2 - matrix[:, :2].sum(axis=1) / 2
    return matrix

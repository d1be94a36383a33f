"""The face in each frame of a clip, as layouts are given it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.media.frames import SourceFrame
from operators.models.face_pictures import IBUG_68

if TYPE_CHECKING:
    from operators.models.face_landmarker import Landmarker

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


@dataclass(frozen=True)
class Faces:
    """The face in each frame of a clip, from MediaPipe's face landmarker; rows of frames without one are NaN.

    Attributes:
        points: (frames, 478, 2) pixels of the picture, of MediaPipe's mesh.
        matrix: (frames, 4, 4) from the face's own axes (x to the image's right, y up, z out of the face; centimetres of
        a mean face) to
            those of a camera with a vertical field of view of 63 degrees.
        blendshapes: (frames, 52), 0 to 1, in MediaPipe's order.
    """

    points: NDArray[np.float64]
    matrix: NDArray[np.float64]
    blendshapes: NDArray[np.float64]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(frames,) whether a face was found."""
        return ~np.isnan(self.points[:, 0, 0])

    @property
    def landmarks_68(self) -> NDArray[np.float64]:
        """(frames, 68, 2) pixels, in the order of the iBUG annotation."""
        return self.points[:, IBUG_68]

    def bridged(self, longest: int) -> "Faces":
        """With gaps of up to `longest` frames filled: linearly between what was seen, with the nearest at the ends.

        Raises:
            Drop: `no_face` where there is none, `no_face` where a gap is longer.
        """
        seen = np.flatnonzero(self.seen)
        if not len(seen):
            raise Drop("no_face", detail=f"{len(self.points)} frames")
        gap = int(np.diff(np.concatenate([[-1], seen, [len(self.points)]])).max()) - 1
        if gap > longest:
            raise Drop("no_face", detail=f"{gap} frames in a row, {longest} can be bridged")
        return Faces(*(_bridged(rows, seen) for rows in (self.points, self.matrix, self.blendshapes)))


def find_faces(frames: Iterable[SourceFrame], width: int, height: int) -> Faces:
    points, matrices, shapes = [], [], []
    last = np.array([0.5, 0.5])  # clips are cut around their face
    for frame in frames:
        faces = _landmarker()(frame.crop(0, 0, width, height, (width, height)))
        if not faces:
            points.append(np.full((478, 2), np.nan))
            matrices.append(np.full((4, 4), np.nan))
            shapes.append(np.full(52, np.nan))
            continue
        centres = [face.points[:, :2].mean(axis=0) for face in faces]
        nearest = int(np.argmin([np.hypot(*(centre - last)) for centre in centres]))
        last = centres[nearest]
        points.append(faces[nearest].points[:, :2] * (width, height))
        matrices.append(faces[nearest].matrix)
        shapes.append(faces[nearest].blendshapes)
    return Faces(np.array(points), np.array(matrices), np.array(shapes))


@cache
def _landmarker() -> "Landmarker":
    from operators.models.face_landmarker import Landmarker

    return Landmarker(faces=2)  # a neighbour may be the more confident find


def _bridged(rows: NDArray[np.float64], seen: NDArray[np.int64]) -> NDArray[np.float64]:
    flat = rows.reshape(len(rows), -1)
    at = np.arange(len(rows))
    return np.stack([np.interp(at, seen, column[seen]) for column in flat.T], axis=1).reshape(rows.shape)

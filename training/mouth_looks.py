"""Faces of films at a moment, with room around them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.hidden_mouths import BY_EYE, DENSE
from manifests.boxes import Box, square_around
from operators.base import every
from operators.faces.detect_faces import DetectFaces
from operators.media.containers import Display
from operators.media.frames import SourceFrame, VideoFrames
from operators.models.face_landmarker import Landmarker

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """A face at a moment: the picture four times as wide as it, and where it is in it."""

    film: str
    at_s: float
    picture: Picture
    box: Box
    grade: str
    by: str = ""
    share: float = 0.0  # of the lips, of what was put before them

    @property
    def wide(self) -> float:
        return self.box.right - self.box.left


def looks(film: str, detector: DetectFaces) -> Iterator[Look]:
    """Of a film at 1 Hz, or 4 where `DENSE` has it; at most the four largest faces."""
    path = Path(os.environ["HEADSET_MEDIA"], film)
    frames = [*every(VideoFrames(path), 1.0)]
    times = {frame.pts_s for frame in frames}
    for start_s, end_s in DENSE.get(film, ()):
        frames += [frame for frame in every(VideoFrames(path, start_s, end_s), 4.0) if frame.pts_s not in times]
    for frame in frames:
        faces = sorted(
            (box for box in detector.faces(frame) if box.right - box.left >= 40), key=lambda box: box.left - box.right
        )
        for face in faces[:4]:
            x = (face.left + face.right) / 2 / frame.width
            found = [
                s for s in BY_EYE if s.film == film and s.from_s <= frame.pts_s < s.to_s and s.left <= x <= s.right
            ]
            grade, by = (found[0].grade, found[0].by) if found else ("free", "")
            if grade != "left_out":
                yield look(film, frame, face, grade, by)


def look(film: str, frame: SourceFrame, face: Box, grade: str, by: str) -> Look:
    left, top, right, bottom = square_around(face, 4.0)
    side = int(min(512, right - left)) // 8 * 8
    scale = side / (right - left)
    box = Box(
        (face.left - left) * scale,
        (face.top - top) * scale,
        (face.right - left) * scale,
        (face.bottom - top) * scale,
        1.0,
        face.yaw_deg,
    )
    return Look(film, frame.pts_s, frame.crop(left, top, right, bottom, (side, side)), box, grade, by)


def shown(picture: Picture) -> SourceFrame:
    high, wide = picture.shape[:2]
    return SourceFrame(
        av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"),
        0.0,
        Display(wide, high, False, False, False, 0),
    )


_OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)


def lips_of(seen: Look, landmarker: Landmarker) -> NDArray[np.int32] | None:
    """(20, 2) pixels of the picture: the outline of the lips, by the mesh; None where it finds no face."""
    left, top, right, bottom = square_around(seen.box, 2.0)
    found = landmarker(shown(seen.picture).crop(left, top, right, bottom, (320, 320)))
    if not found or np.abs(found[0].points[:, :2].mean(axis=0) - 0.5).max() > 0.25:
        return None
    return (found[0].points[list(_OUTER_LIPS), :2] * (right - left) + (left, top)).round().astype(np.int32)

"""The points, expressions, pose and gaze of a clip's face."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box, box_at, square_around
from manifests.tables import Clip, FaceLandmarks, Track
from operators.base import Drop, Frame, Frames, Operator, Resources, every
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.device import batches
from operators.models.face_geometry import (
    BLENDSHAPES,
    MODEL,
    POINTS,
    LandmarkedFace,
    gaze_deg,
    head_pose_deg,
    in_units,
    mouth_opening,
    packed_landmarks,
)
from operators.models.face_landmarker import Landmarks, landmarker
from operators.weights import Weight


@dataclass(frozen=True)
class LandmarkFaces(Operator):
    """The 478 points of the clip's face, `rate_hz` times a second, with what follows from them. See
    `operators/models/face_geometry.py` for how to read it.

    MediaPipe's face landmarker looks at the square twice as wide as the box of the track, made `crop_px` wide, where
    the track has the face. What it finds counts when its middle lies in the middle half of the square: else it is a
    neighbour's. So a look has no face (`seen`) when the track has none, or the landmarker finds none. 12.5 looks a
    second follow a mouth (`ScoreSync`); 5 are enough for pose and gaze. `rate_hz` 0 looks at every frame, which
    `headset export` then need not do again.

    Pose and gaze are those of a camera that looks at the middle of the square: against the line from the camera to the
    face, not against the axis of the lens.

    Where the actor holds a GPU, the same networks run there over 32 looks at a time; see docs/measured/gpu.md for how
    far that is from MediaPipe itself.

    Drops of a clip: `no_face`, the track has it at no look.
    """

    resources: ClassVar[Resources] = Resources(cpus=1, gpus=0.1)

    rate_hz: float = 12.5
    crop_px: int = 320
    blendshapes: bool = True

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def __call__(self, clip: Clip, tracks: list[Track], frames: Frames) -> Iterator[FaceLandmarks]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        chosen = every(frames, self.rate_hz) if self.rate_hz else frames
        looks = [look for some in batches(chosen, self._landmarker.batch) for look in self._looks(some, track)]
        if not any(look.side_px for look in looks):
            raise Drop("no_face", detail=f"{len(looks)} frames looked at")
        unseen, blank = np.zeros((POINTS, 3), np.int16), np.zeros(len(BLENDSHAPES), "<f2")
        points = np.stack([unseen if look.points is None else look.points for look in looks])
        shapes = (
            np.stack([blank if look.blendshapes is None else look.blendshapes for look in looks])
            if self.blendshapes
            else blank[:0]
        )
        yield FaceLandmarks(
            clip.source_id,
            f"{clip.clip_id}/{MODEL}",
            clip.clip_id,
            MODEL,
            self.rate_hz,
            times_s=[look.pts_s for look in looks],
            seen=[look.points is not None for look in looks],
            left_px=[look.left_px for look in looks],
            top_px=[look.top_px for look in looks],
            side_px=[look.side_px for look in looks],
            landmarks=packed_landmarks(points),
            blendshapes=shapes.tobytes(),
            **{name: [look.angles[at] for look in looks] for at, name in enumerate(_ANGLES)},
        )

    def _looks(self, frames: list[Frame], track: Track) -> "list[_Look]":
        boxes = [_box(track, frame.pts_s) for frame in frames]
        squares = [square_around(box, 2.0) if box else None for box in boxes]
        size = self.crop_px, self.crop_px
        crops = [frame.crop(*square, size) for frame, square in zip(frames, squares, strict=True) if square]
        found = iter(self._landmarker.look(crops))
        return [
            _Look(frame.pts_s) if square is None else _look(frame, square, next(found))
            for frame, square in zip(frames, squares, strict=True)
        ]

    @cached_property
    def _landmarker(self) -> Landmarks:
        return landmarker(self.blendshapes)


_ANGLES = ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg", "mouth_opening")


class _Look(NamedTuple):
    pts_s: float
    left_px: float = 0.0
    top_px: float = 0.0
    side_px: float = 0.0
    points: NDArray[np.int16] | None = None  # in units
    blendshapes: NDArray[np.float16] | None = None
    angles: tuple[float, ...] = (math.nan,) * len(_ANGLES)


def _look(frame: Frame, square: tuple[float, float, float, float], found: list[LandmarkedFace]) -> _Look:
    left, top, right, _ = square
    if not found or np.abs(found[0].points[:, :2].mean(axis=0) - 0.5).max() > 0.25:
        return _Look(frame.pts_s, left, top, right - left)
    points, matrix, shapes = found[0]
    angles = (*head_pose_deg(matrix), *gaze_deg(points, 1.0, 1.0, matrix), mouth_opening(points))
    return _Look(frame.pts_s, left, top, right - left, in_units(points), shapes.astype("<f2"), angles)


def _box(track: Track, at_s: float) -> Box | None:
    """Where to look for the face of a track. Up to its end it stays where its last look saw it."""
    if at_s < track.end_s and track.times_s:
        at_s = min(at_s, track.times_s[-1])
    box = box_at(track, at_s)
    return box if box and box.confidence > 0 else None

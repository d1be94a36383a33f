"""Size, visibility, motion and pose of the face."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, Score, Track
from operators.base import Drop, Frame, Frames, Operator, every
from operators.faces.detect_faces import Box, mediapipe_image, square_around, system_libraries
from operators.faces.track_faces import box_at
from operators.weights import FACE_LANDMARKER, Weight


@dataclass(frozen=True)
class ScoreFace(Operator):
    """What the clip's face looks like, over the frames looked at, `rate_hz` a second.

    From the boxes of the track (variant `boxes`), where the face was seen:
    - `face_width_px`: median width, in pixels of the source.
    - `face_visible_share`: share of the frames in which it was seen, 0 to 1.
    - `face_motion_widths_per_s`: median speed of its centre, in face widths a second; 0 is still.
    - `faces_in_view`: mean number of tracked faces seen at once, this one included; 1 is alone.

    From MediaPipe's face landmarker (variant `mediapipe_face_landmarker`), on a square twice as wide as the box:
    - `mesh_share`: share of the frames seen in which it found the face, 0 to 1. The scores below are missing where it is 0.
    - `yaw_deg`, `pitch_deg`, `roll_deg`: medians; see `head_pose_deg` for the signs.
    - `yaw_abs_p5_deg`, `yaw_abs_p95_deg`: how little and how far the head is turned away from the camera, 5th and 95th percentile.
    - `yaw_range_deg`, `pitch_range_deg`, `roll_range_deg`: 5th to 95th percentile.
    - `mouth_opening_p95`: 95th percentile of the gap between the inner lips over the mouth's width; 0 is closed, a yawn about 1.

    Drops of a clip: `face_not_seen`.
    """

    rate_hz: float = 5.0
    crop_px: int = 320

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def __call__(self, clip: Clip, tracks: list[Track], frames: Frames) -> Iterator[Score]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        others = [other for other in tracks if other.shot_id == clip.shot_id and other.track_id != clip.track_id]
        times: list[float] = []
        boxes: list[Box] = []
        poses: list[tuple[float, float, float]] = []
        mouths: list[float] = []
        faces, looks = 0, 0
        for frame in every(frames, self.rate_hz):
            looks += 1
            faces += sum(_seen(other, frame.pts_s) is not None for other in others)
            if (box := _seen(track, frame.pts_s)) is None:
                continue
            faces += 1
            times.append(frame.pts_s)
            boxes.append(box)
            if mesh := self._mesh(frame, box):
                poses.append(head_pose_deg(mesh[0]))
                mouths.append(mouth_opening(mesh[1]))
        if not boxes:
            raise Drop("face_not_seen", detail=f"{looks} frames looked at")

        width = float(np.median([box.right - box.left for box in boxes]))
        centres = np.array([((box.left + box.right) / 2, (box.top + box.bottom) / 2) for box in boxes])
        speeds = np.hypot(*np.diff(centres, axis=0).T) / np.diff(times) / width if len(boxes) > 1 else np.zeros(1)
        values = {
            "face_width_px": width,
            "face_visible_share": len(boxes) / looks,
            "face_motion_widths_per_s": float(np.median(speeds)),
            "faces_in_view": faces / looks,
        }
        yield from _scores(clip, "boxes", values)

        values = {"mesh_share": len(poses) / len(boxes)}
        if poses:
            turned = np.percentile(np.abs([yaw for yaw, _, _ in poses]), (5, 95))
            values |= {"yaw_abs_p5_deg": float(turned[0]), "yaw_abs_p95_deg": float(turned[1])}
            for name, angles in zip(("yaw", "pitch", "roll"), np.array(poses).T, strict=True):
                low, high = np.percentile(angles, (5, 95))
                values |= {f"{name}_deg": float(np.median(angles)), f"{name}_range_deg": float(high - low)}
            values["mouth_opening_p95"] = float(np.percentile(mouths, 95))
        yield from _scores(clip, "mediapipe_face_landmarker", values)

    def _mesh(self, frame: Frame, box: Box) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """The face's 4 x 4 matrix and its 478 points (478, 2) in the crop, 0 to 1; None where none is found in the middle of the crop."""
        crop = frame.crop(*square_around(box, 2.0), (self.crop_px, self.crop_px))
        result = self._landmarker.detect(mediapipe_image(crop))
        if not result.face_landmarks:
            return None
        points = np.array([(point.x, point.y) for point in result.face_landmarks[0]])
        if np.abs(points.mean(axis=0) - 0.5).max() > 0.25:
            return None
        return np.array(result.facial_transformation_matrixes[0]), points

    @cached_property
    def _landmarker(self) -> Any:
        with system_libraries():
            from mediapipe.tasks.python import BaseOptions
            from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions

            model = BaseOptions(model_asset_path=str(FACE_LANDMARKER.path()))
            return FaceLandmarker.create_from_options(FaceLandmarkerOptions(base_options=model, output_facial_transformation_matrixes=True))


def head_pose_deg(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
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


def mouth_opening(points: NDArray[np.float64]) -> float:
    """Gap between the inner lips over the mouth's width, 0 and up, from the mesh's points (478, 2) in a square picture.

    Points 13 and 14 are the middles of the inner upper and lower lip, 78 and 308 the inner corners, in the numbering of
    MediaPipe's canonical face model.
    """
    upper, lower, right, left = points[[13, 14, 78, 308]]
    return float(np.hypot(*(lower - upper)) / np.hypot(*(left - right)))


def _seen(track: Track, at_s: float) -> Box | None:
    box = box_at(track, at_s)
    return box if box and box.confidence > 0 else None


def _scores(clip: Clip, variant: str, values: dict[str, float]) -> Iterator[Score]:
    for metric, value in values.items():
        yield Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, value)

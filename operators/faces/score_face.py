"""Size, visibility, motion and pose of the face."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from manifests.boxes import Box, box_at
from manifests.tables import Clip, FaceLandmarks, Score, Track
from operators.base import Drop, Measure, Operator, every
from operators.models.face_geometry import MODEL


@dataclass(frozen=True)
class ScoreFace(Operator):
    """What the clip's face looks like, over the looks of `LandmarkFaces`, of which `rate_hz` a second count at most. No
    frame is decoded.

    From the boxes of the track (variant `boxes`), where the face was seen:
    - `face_width_px`: median width, in pixels of the source.
    - `face_visible_share`: share of the looks in which it was seen, 0 to 1.
    - `face_motion_widths_per_s`: median speed of its centre, in face widths a second; 0 is still.
    - `faces_in_view`: mean number of tracked faces seen at once, this one included; 1 is alone.

    From the mesh (variant `mediapipe_face_landmarker`):
    - `mesh_share`: share of the looks in which the track has the face that have a mesh too, 0 to 1. The scores below
      are missing where it is 0.
    - `yaw_deg`, `pitch_deg`, `roll_deg`: medians; see `operators.models.face_geometry.head_pose_deg` for the signs.
    - `yaw_abs_p5_deg`, `yaw_abs_p95_deg`: how little and how far the head is turned away from the camera, 5th and 95th
      percentile.
    - `yaw_range_deg`, `pitch_range_deg`, `roll_range_deg`: 5th to 95th percentile.
    - `mouth_opening_p95`: 95th percentile of the gap between the inner lips over the mouth's width; 0 is closed, a yawn
      about 1.
    - `gaze_yaw_deg`, `gaze_pitch_deg`: medians of where the eyes look; 0 is into the camera.

    Drops of a clip: `no_face`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "face_width_px": Measure("median width of the face, in the source", "px", 0, better="higher"),
        "face_visible_share": Measure("share of the looks in which the face is seen", "", 0, 1, better="higher"),
        "face_motion_widths_per_s": Measure("median speed of the face's centre", "face widths/s", 0),
        "faces_in_view": Measure("mean number of tracked faces seen at once; 1 is alone", "", 1),
        "mesh_share": Measure("share of the looks at the face that have a mesh", "", 0, 1, better="higher"),
        "yaw_deg": Measure("median turn of the head; positive to the picture's right", "deg", -180, 180),
        "pitch_deg": Measure("median nod of the head; positive is up", "deg", -180, 180),
        "roll_deg": Measure("median tilt of the head; positive is clockwise", "deg", -180, 180),
        "yaw_abs_p5_deg": Measure("how little the head is turned from the camera: 5th percentile", "deg", 0, 180),
        "yaw_abs_p95_deg": Measure(
            "how far the head is turned from the camera: 95th percentile", "deg", 0, 180, better="lower"
        ),
        "yaw_range_deg": Measure("5th to 95th percentile of the turn", "deg", 0, 360),
        "pitch_range_deg": Measure("5th to 95th percentile of the nod", "deg", 0, 360),
        "roll_range_deg": Measure("5th to 95th percentile of the tilt", "deg", 0, 360),
        "mouth_opening_p95": Measure(
            "95th percentile of the gap between the lips over the mouth's width; a yawn is about 1", "", 0
        ),
        "gaze_yaw_deg": Measure("median of where the eyes look; 0 is into the camera", "deg", -90, 90),
        "gaze_pitch_deg": Measure("the same, up and down", "deg", -90, 90),
    }

    rate_hz: float = 5.0

    version: ClassVar[int] = 2

    def __call__(self, clip: Clip, tracks: list[Track], face_landmarks: list[FaceLandmarks]) -> Iterator[Score]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        others = [other for other in tracks if other.shot_id == clip.shot_id and other.track_id != clip.track_id]
        mesh = next((mesh for mesh in face_landmarks if mesh.model == MODEL), None)
        if mesh is None:
            raise Drop("no_face", detail="no mesh")
        looks = [look.number for look in every((_Look(*look) for look in enumerate(mesh.times_s)), self.rate_hz)]
        boxes = {look: box for look in looks if (box := _seen(track, mesh.times_s[look]))}
        if not boxes:
            raise Drop("no_face", detail=f"{len(looks)} frames looked at")
        company = sum(_seen(other, mesh.times_s[look]) is not None for other in others for look in looks)

        width = float(np.median([box.right - box.left for box in boxes.values()]))
        centres = np.array([((box.left + box.right) / 2, (box.top + box.bottom) / 2) for box in boxes.values()])
        times = [mesh.times_s[look] for look in boxes]
        speeds = np.hypot(*np.diff(centres, axis=0).T) / np.diff(times) / width if len(boxes) > 1 else np.zeros(1)
        values = {
            "face_width_px": width,
            "face_visible_share": len(boxes) / len(looks),
            "face_motion_widths_per_s": float(np.median(speeds)),
            "faces_in_view": (len(boxes) + company) / len(looks),
        }
        yield from _scores(clip, "boxes", values)

        found = [look for look in boxes if mesh.seen[look]]
        values = {"mesh_share": len(found) / len(boxes)}
        if found:
            turned = np.percentile(np.abs([mesh.yaw_deg[look] for look in found]), (5, 95))
            values |= {"yaw_abs_p5_deg": float(turned[0]), "yaw_abs_p95_deg": float(turned[1])}
            for name, angles in (("yaw", mesh.yaw_deg), ("pitch", mesh.pitch_deg), ("roll", mesh.roll_deg)):
                low, middle, high = np.percentile([angles[look] for look in found], (5, 50, 95))
                values |= {f"{name}_deg": float(middle), f"{name}_range_deg": float(high - low)}
            values["mouth_opening_p95"] = float(np.percentile([mesh.mouth_opening[look] for look in found], 95))
            for name, angles in (("gaze_yaw_deg", mesh.gaze_yaw_deg), ("gaze_pitch_deg", mesh.gaze_pitch_deg)):
                values[name] = float(np.median([angles[look] for look in found]))
        yield from _scores(clip, MODEL, values)


class _Look(NamedTuple):
    number: int
    pts_s: float


def _seen(track: Track, at_s: float) -> Box | None:
    box = box_at(track, at_s)
    return box if box and box.confidence > 0 else None


def _scores(clip: Clip, variant: str, values: dict[str, float]) -> Iterator[Score]:
    for metric, value in values.items():
        yield Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, value)

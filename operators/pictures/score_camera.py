"""How the camera moves, apart from whom it looks at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import box_at
from manifests.tables import Clip, Score, Track
from operators.base import Drop, Frames, Measure, Operator, every
from operators.models.device import system_libraries

HEIGHT = 270  # lines of the picture that is looked at
CORNERS, LEAST = 300, 12  # points that are followed, and those that have to agree
AGREES_PX = 1.0
BODY_WIDTHS = 1.5  # to each side of a face, from its brow to the lower edge: what a person may cover
MOVES = 0.01  # frame widths, or parts of the scale, a second


class Step(NamedTuple):
    """From one look to the next."""

    seconds: float
    pan: float  # of the frame's middle, in frame widths
    scale: float  # above 1 where the picture grows


@dataclass(frozen=True)
class ScoreCamera(Operator):
    """Pan and zoom of the camera over `rate_hz` looks a second, from what stands still in the scene.

    | metric | variant | range | what |
    |---|---|---|---|
    | camera_pan_widths_per_s | flow_<rate_hz>hz | 0 and up, 0 is still | median speed of the background in the middle
    of the frame |
    | camera_zoom_per_s | flow_<rate_hz>hz | 0 and up, 0 is still | median change of its scale: 0.1 is a tenth a second,
    in or out |
    | camera_moving_share | flow_<rate_hz>hz | 0 to 1 | share of the measured time in which either is above 0.01 |
    | camera_known_share | flow_<rate_hz>hz | 0 to 1 | share of the time that could be measured; the others are missing
    where it is 0 |

    Corners (Shi and Tomasi 1994) outside of every tracked person, from the brow to the lower edge, are followed to the
    next look and back (pyramidal Lucas-Kanade, Bouguet 2001; forward-backward error, Kalal et al., ICPR 2010); a
    similarity is fitted to them by RANSAC, within one pixel of a picture of 270 lines. A look is not measured where
    fewer than 12 corners agree: plain walls, blurred backgrounds, a face that fills the frame. Bodies that no track
    covers, waves and crowds can be taken for the camera.

    Drops of a clip: `no_frames`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "camera_pan_widths_per_s": Measure("median speed of the background", "frame widths/s", 0),
        "camera_zoom_per_s": Measure("median change of the background's scale", "1/s", 0),
        "camera_moving_share": Measure("share of the measured time in which the camera moves", "", 0, 1),
        "camera_known_share": Measure("share of the time in which the camera could be measured", "", 0, 1),
    }

    rate_hz: float = 5.0

    def __call__(self, clip: Clip, tracks: list[Track], frames: Frames) -> Iterator[Score]:
        people = [track for track in tracks if track.shot_id == clip.shot_id]
        steps: list[Step | None] = []
        times: list[float] = []
        last: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
        for frame in every(frames, self.rate_hz):
            picture = frame.gray(HEIGHT)
            now = picture, _background(picture.shape, people, frame.pts_s, picture.shape[0] / frame.height)
            if last is not None:
                steps.append(camera_step(*last, now[0], frame.pts_s - times[-1]))
            times.append(frame.pts_s)
            last = now
        if last is None:
            raise Drop("no_frames", detail=f"{clip.start_s:.3f}-{clip.end_s:.3f} s")
        known = [step for step in steps if step is not None]
        values = {"camera_known_share": len(known) / len(steps) if steps else 0.0}
        if known:
            pans = np.array([step.pan / step.seconds for step in known])
            zooms = np.array([abs(log(step.scale)) / step.seconds for step in known])
            values |= {
                "camera_pan_widths_per_s": float(np.median(pans)),
                "camera_zoom_per_s": float(np.median(zooms)),
                "camera_moving_share": float(np.mean((pans > MOVES) | (zooms > MOVES))),
            }
        for metric, value in values.items():
            variant = f"flow_{self.rate_hz:g}hz"
            yield Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, value)


def _background(shape: tuple[int, ...], people: Sequence[Track], at_s: float, to_px: float) -> NDArray[np.uint8]:
    """(h, w) 255 where nobody is."""
    mask = np.full(shape, 255, np.uint8)
    for track in people:
        if (box := box_at(track, at_s)) is not None:
            wide, high = box.right - box.left, box.bottom - box.top
            left, right = (box.left - BODY_WIDTHS * wide) * to_px, (box.right + BODY_WIDTHS * wide) * to_px
            mask[max(int((box.top - high) * to_px), 0) :, max(int(left), 0) : max(int(right), 0)] = 0
    return mask


def camera_step(
    before: NDArray[np.uint8], mask: NDArray[np.uint8], after: NDArray[np.uint8], seconds: float
) -> Step | None:
    """How the camera moved between two pictures (h, w) of grey levels; None where too little tells.

    Args:
        mask: (h, w), 255 where `before` is to be looked at.
    """
    with system_libraries():
        import cv2

    corners = cv2.goodFeaturesToTrack(before, CORNERS, 0.01, 5, mask=mask)
    if corners is None or len(corners) < LEAST:
        return None
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, np.empty_like(corners))
    back, returned, _ = cv2.calcOpticalFlowPyrLK(after, before, there, np.empty_like(corners))
    same = np.linalg.norm((back - corners).reshape(-1, 2), axis=1) < AGREES_PX / 2
    held = (found.ravel() == 1) & (returned.ravel() == 1) & same
    if held.sum() < LEAST:
        return None
    cv2.setRNGSeed(0)  # so that a row is the same bytes on every machine
    matrix, agree = cv2.estimateAffinePartial2D(corners[held], there[held], ransacReprojThreshold=AGREES_PX)
    if matrix is None or int(agree.sum()) < LEAST:
        return None
    height, width = before.shape
    middle = np.array([width / 2, height / 2])
    moved = matrix[:, :2] @ middle + matrix[:, 2] - middle
    return Step(seconds, float(np.linalg.norm(moved)) / width, float(np.hypot(matrix[0, 0], matrix[1, 0])))

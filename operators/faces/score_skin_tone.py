"""The colour of the face's skin, as recorded."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, FaceLandmarks, Score
from operators.base import Drop, Frame, Frames, Measure, Operator, every
from operators.models.device import system_libraries
from operators.models.face_geometry import MODEL, landmarks_of

# Outlines of skin in the numbering of MediaPipe's canonical face model: the cheek on the image's left of a frontal
# face, the one on its right, and the forehead above the brows. They keep off eyes, the nose's shadow, lips and beard.
PATCHES = (
    (117, 118, 101, 36, 205, 187, 123),
    (346, 347, 330, 266, 425, 411, 352),
    (69, 108, 151, 337, 299, 9),
)
LEAST_YELLOW = 5.0  # b*: the angle turns by 1 / (2 b*) radians a unit of it at worst, 6 degrees here
VARIANT = "cielab_d65_cheeks_forehead"


@dataclass(frozen=True)
class ScoreSkinTone(Operator):
    """The individual typology angle (ITA) of the clip's face over `rate_hz` looks a second at most, where
    `LandmarkFaces` found its mesh: arctan((L* - 50) / b*) in degrees, of the median colour of cheeks and forehead in
    CIELAB, pixels taken as sRGB under D65 (Chardon, Cretois and Hourseau, International Journal of Cosmetic Science,
    1991). Classes, after Del Bino and Bernerd (British Journal of Dermatology, 2013): above 55 very light, above 41
    light, above 28 intermediate, above 10 tan, above -30 brown, else dark.

    | metric | variant | range | what |
    |---|---|---|---|
    | skin_ita_deg | cielab_d65_cheeks_forehead | -90 to 90, lower is darker | median over the looks |
    | skin_uneven_deg | cielab_d65_cheeks_forehead | 0 to 180, lower is more even light | median difference between the
    two cheeks |

    **It measures the light as much as the skin.** The scale was made for a spectrophotometer on bare skin. Here
    exposure, white balance, make-up and grading count as skin does, and nothing corrects for them: half a stop turns it
    by 14 to 20 degrees (docs/measured/faces.md). It says nothing of race or descent, and nothing of one person; it is
    there to ask of many clips whether a filter costs those that are recorded darker more (`headset balance`).

    Pixels with a level of 5 or less or 250 or more are not asked; nor is a look in which half of the skin is such, or
    whose b* is below `LEAST_YELLOW`: of a grey or bluish face the angle hangs on noise.

    Drops of a clip: `no_face`, `skin_not_seen`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "skin_ita_deg": Measure("individual typology angle of the face as recorded; lower is darker", "deg", -90, 90),
        "skin_uneven_deg": Measure("median difference of that angle between the two cheeks", "deg", 0, 180),
    }

    rate_hz: float = 1.0
    side_px: int = 128  # that the square around the mesh's points is brought to

    def __call__(self, clip: Clip, face_landmarks: list[FaceLandmarks], frames: Frames) -> Iterator[Score]:
        mesh = next((mesh for mesh in face_landmarks if mesh.model == MODEL), None)
        if mesh is None or not any(mesh.seen):
            raise Drop("no_face", detail="no mesh")
        points, times = landmarks_of(mesh)[..., :2], np.asarray(mesh.times_s)
        near_s = float(np.median(np.diff(times))) / 2 if len(times) > 1 else 0.0
        angles, uneven, looks = list[float](), list[float](), 0
        for frame in every(frames, self.rate_hz):
            look = int(np.argmin(np.abs(times - frame.pts_s)))
            if not mesh.seen[look] or abs(times[look] - frame.pts_s) > near_s + 1e-3:
                continue
            looks += 1
            skin = self.skin(frame, points[look])
            whole = ita_deg(np.concatenate(skin))
            if not math.isnan(whole):
                angles.append(whole)
                uneven.append(abs(ita_deg(skin[0]) - ita_deg(skin[1])))
        if not looks:
            raise Drop("no_face", detail="the mesh is of other frames")
        if not angles:
            raise Drop("skin_not_seen", detail=f"in {looks} looks")
        yield _score(clip, "skin_ita_deg", float(np.median(angles)))
        if known := [value for value in uneven if not math.isnan(value)]:
            yield _score(clip, "skin_uneven_deg", float(np.median(known)))

    def skin(self, frame: Frame, points: NDArray[np.float64]) -> list[NDArray[np.uint8]]:
        """(n, 3) RGB of the pixels within each of `PATCHES`, with the face brought to `side_px`.

        Args:
            points: (478, 2) pixels of the frame.
        """
        with system_libraries():
            import cv2

        middle, half = (points.min(axis=0) + points.max(axis=0)) / 2, float(np.ptp(points, axis=0).max()) / 2
        (left, top), (right, bottom) = (middle - half).tolist(), (middle + half).tolist()
        picture = frame.crop(left, top, right, bottom, (self.side_px, self.side_px))
        shown = np.rint((points - (left, top)) * self.side_px / (right - left)).astype(np.int32)
        found = []
        for patch in PATCHES:
            mask = np.zeros(picture.shape[:2], np.uint8)
            cv2.fillConvexPoly(mask, np.asarray(cv2.convexHull(shown[list(patch)])), (1,))
            found.append(picture[mask > 0])
        return found


def ita_deg(pixels: NDArray[np.uint8]) -> float:
    """The individual typology angle of the median colour of pixels (n, 3), RGB; NaN where half of them or more are
    black or burnt out, or where that colour is less yellow than `LEAST_YELLOW`.
    """
    told = pixels[(pixels > 5).all(axis=1) & (pixels < 250).all(axis=1)]
    if 2 * len(told) <= len(pixels):
        return math.nan
    lightness, _, yellow = np.median(lab_of(told), axis=0)
    return math.degrees(math.atan((lightness - 50) / yellow)) if yellow >= LEAST_YELLOW else math.nan


def lab_of(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, 3) L*, a*, b* of pixels (n, 3), RGB taken as sRGB under D65."""
    with system_libraries():
        import cv2

    shares = (pixels.astype(np.float32) / 255)[None]
    return np.asarray(cv2.cvtColor(shares, cv2.COLOR_RGB2LAB)[0], np.float32)


def _score(clip: Clip, metric: str, value: float) -> Score:
    return Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, VARIANT, value)

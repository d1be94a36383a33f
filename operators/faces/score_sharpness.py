"""Sharpness of the face."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from manifests.tables import Clip, Score, Track
from operators.base import Drop, Frames, Operator, every
from operators.faces.detect_faces import square_around, system_libraries
from operators.faces.track_faces import box_at


@dataclass(frozen=True)
class ScoreSharpness(Operator):
    """Variance of the Laplacian over the face crop; higher is sharper.

    `face_sharpness`, 0 and up: the crop is the square around the face's box, made `crop_px` wide whatever the face's size, in
    grey levels of 0 to 255; the score is the median over the clip's frames looked at. A face narrower than the crop is
    blurred by its enlargement, and so it should score. Contrast and noise raise it too, so compare like with like.
    After Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR 2000.

    Drops of a clip: `face_not_seen`.
    """

    rate_hz: float = 5.0
    crop_px: int = 128

    def __call__(self, clip: Clip, tracks: list[Track], frames: Frames) -> Iterator[Score]:
        with system_libraries():
            import cv2

        track = next(track for track in tracks if track.track_id == clip.track_id)
        values: list[float] = []
        for frame in every(frames, self.rate_hz):
            if (box := box_at(track, frame.pts_s)) and box.confidence > 0:
                gray = cv2.cvtColor(frame.crop(*square_around(box, 1.0), (self.crop_px, self.crop_px)), cv2.COLOR_RGB2GRAY)
                values.append(float(cv2.Laplacian(gray, cv2.CV_64F).var()))
        if not values:
            raise Drop("face_not_seen")
        metric = "face_sharpness"
        yield Score(
            clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, f"laplacian_variance_{self.crop_px}px", median(values)
        )

"""Sharpness, exposure and compression of the face."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import ClassVar

from manifests.boxes import Box, box_at, iou
from manifests.tables import Clip, FaceQuality, Score, Track
from operators.base import Drop, Measure, Operator
from operators.faces.measure_faces import MEASURES


@dataclass(frozen=True)
class ScoreSharpness(Operator):
    """How well the clip's face is to be seen: the medians over the clip's looks of what `MeasureFaces` measured, and
    the size of the face.

    | metric | variant | range | what |
    |---|---|---|---|
    | face_sharpness | laplacian_variance_128px | 0 and up, higher is sharper | variance of the Laplacian over the
    square around the box, 128 px wide |
    | face_brightness | mean_128px | 0 to 255 | mean level |
    | face_contrast | rms_128px | 0 to 0.5, higher is richer | standard deviation of the levels over 255 |
    | face_dark_share | at_16_128px | 0 to 1, lower is better | share of pixels as good as black |
    | face_bright_share | at_250_128px | 0 to 1, lower is better | share of pixels as good as white |
    | face_noise | immerkaer_native | 0 and up, levels, lower is cleaner | noise, and fine texture |
    | face_blockiness | wang_2002_native | about 1 and up, lower is better | steps across the 8 x 8 grid over those
    within |
    | face_render_px | side_<render_px> | 0 and up, px, higher is better | width of the face in the render, without what
    enlargement made up |

    Sharpness grows with contrast and noise too, so compare like with like.
    Noise and blockiness are missing where the face is too small for them, and all but the last where it is hardly in
    the frame. `face_render_px` is the width of the face in pixels of the source, or, where the clip's box is wider than
    `render_px`, what is left of it at that size.

    No frame is decoded: a look belongs to the clip when its time does, and of its faces the one that overlaps the
    track's box most, by `min_overlap` at least.

    Drops of a clip: `no_face`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "face_sharpness": Measure("variance of the Laplacian over the face, 128 px wide", "", 0, better="higher"),
        "face_brightness": Measure("mean level of the face", "levels", 0, 255),
        "face_contrast": Measure("standard deviation of the levels over 255", "", 0, 0.5, better="higher"),
        "face_dark_share": Measure("share of the face's pixels as good as black", "", 0, 1, better="lower"),
        "face_bright_share": Measure("share of the face's pixels as good as white", "", 0, 1, better="lower"),
        "face_noise": Measure("noise of the face, and fine texture", "levels", 0, better="lower"),
        "face_blockiness": Measure("steps across the 8 x 8 grid over those within; 1 is none", "", 0, better="lower"),
        "face_render_px": Measure(
            "width of the face in the render, without what enlargement made up", "px", 0, better="higher"
        ),
    }

    render_px: int = 512  # side of the render
    min_overlap: float = 0.5  # intersection over union, 0 to 1

    version: ClassVar[int] = 2

    def __call__(self, clip: Clip, tracks: list[Track], face_quality: list[FaceQuality]) -> Iterator[Score]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        seen: list[tuple[FaceQuality, int]] = []
        widths: list[float] = []
        for look in face_quality:
            if clip.start_s <= look.pts_s < clip.end_s and (box := box_at(track, look.pts_s)) and box.confidence > 0:
                overlaps = [iou(box, Box(*edges, 0.0, 0.0)) for edges in _boxes(look)]
                best = max(range(len(overlaps)), key=overlaps.__getitem__, default=None)
                if best is not None and overlaps[best] >= self.min_overlap:
                    seen.append((look, best))
                    widths.append(box.right - box.left)
        if not seen:
            raise Drop("no_face")
        for measure in MEASURES:
            values = [value for look, face in seen if not math.isnan(value := getattr(look, measure)[face])]
            if values:
                yield _score(clip, f"face_{measure}", VARIANTS[measure], median(values))
        side = max(clip.right_px - clip.left_px, clip.bottom_px - clip.top_px)
        yield _score(clip, "face_render_px", f"side_{self.render_px}", median(widths) * min(1.0, self.render_px / side))


VARIANTS = {
    "sharpness": "laplacian_variance_128px",
    "brightness": "mean_128px",
    "contrast": "rms_128px",
    "dark_share": "at_16_128px",
    "bright_share": "at_250_128px",
    "noise": "immerkaer_native",
    "blockiness": "wang_2002_native",
}


def _boxes(look: FaceQuality) -> Iterator[tuple[float, float, float, float]]:
    return zip(look.left_px, look.top_px, look.right_px, look.bottom_px, strict=True)


def _score(clip: Clip, metric: str, variant: str, value: float) -> Score:
    return Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, value)

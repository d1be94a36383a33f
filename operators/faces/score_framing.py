"""How much of a person the frame holds: the shot size."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from manifests.boxes import Box, box_at
from manifests.tables import Annotation, Clip, Score, Source, Track
from operators.base import Drop, Measure, Operator

ABOVE = 0.33  # of the box's height: how far the head's top lies over it; chosen on 12 films, docs/measured/faces.md
# Where the frame's lower edge cuts a standing person of seven and a half heads: shoulders, chest, waist, knees, feet.
SIZES = (("close_up", 1.75), ("medium_close_up", 2.5), ("medium", 4.0), ("medium_long", 6.0), ("full", np.inf))


@dataclass(frozen=True)
class ScoreFraming(Operator):
    """The shot size of a clip's source, from the boxes of its track. No frame is decoded.

    - `heads_in_frame`: from the top of the head to the lower edge of the frame, in heads, median over the looks at
      which the face is seen; 0.5 and up. Detectors box a face from the brow to the chin; the head is taken for 1.33
      boxes high.
    - `face_height_share`: height of the box over that of the frame, 0 to 1, median.
    - annotation `shot_size`, by `heads_in_frame`: `close_up` below 1.75 (the shoulders), `medium_close_up` below 2.5
      (the chest), `medium` below 4 (the waist), `medium_long` below 6 (the knees), `full`. Borders lie between the cuts
      of film grammar, at 1.5, 2, 3, 5 and 7.5 heads of a standing person (D. Arijon, "Grammar of the Film Language",
      1976). Who sits is shorter, so that a seated body with its feet is `medium_long` or `full`.

    It is of the frame as the source has it, not of the clip's box. Drops of a clip: `no_face`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "heads_in_frame": Measure("from the top of the head to the lower edge of the frame", "heads", 0),
        "face_height_share": Measure("height of the face over that of the frame", "", 0, 1),
    }

    def __call__(self, clip: Clip, tracks: list[Track], sources: list[Source]) -> Iterator[Score | Annotation]:
        (source,) = sources
        track = next(track for track in tracks if track.track_id == clip.track_id)
        looks = [box_at(track, at_s) for at_s in track.times_s if clip.start_s <= at_s <= clip.end_s]
        boxes = [box for box in looks if box is not None and box.confidence > 0]
        if not boxes:
            raise Drop("no_face", detail=f"{len(looks)} looks")
        heads = float(np.median([heads_in_frame(box, source.height) for box in boxes]))
        share = float(np.median([(box.bottom - box.top) / source.height for box in boxes]))
        for metric, value in (("heads_in_frame", heads), ("face_height_share", share)):
            yield Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, "boxes", value)
        yield Annotation(
            clip.source_id, f"{clip.clip_id}#shot_size", clip.clip_id, "shot_size", shot_size(heads), "ScoreFraming"
        )


def heads_in_frame(box: Box, frame_height: float) -> float:
    """From the top of the head, or of the frame where it is cut off, to the lower edge of the frame, in heads."""
    high = box.bottom - box.top
    return (frame_height - max(box.top - ABOVE * high, 0.0)) / ((1 + ABOVE) * high)


def shot_size(heads: float) -> str:
    return next(name for name, below in SIZES if heads < below)

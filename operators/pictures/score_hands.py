"""Hands in the picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from manifests.tables import Clip, Score
from operators.base import Drop, Frames, Measure, Operator, every
from operators.models.hands import HANDS, HandLandmarks
from operators.picture_measures import pixels_of
from operators.weights import Weight


@dataclass(frozen=True)
class ScoreHands(Operator):
    """Whether hands are in view within the clip's box, over `rate_hz` looks a second.

    - `hands_in_view_share` (variant `mediapipe_hand_landmarker`): share of the looks with one hand or two, 0 to 1.
    - `hands_in_view`: mean number of hands, 0 to 2; more are not counted.

    Hands that are small, blurred by motion, folded or cut off by the edge are missed: docs/measured/faces.md. Whether
    a hand hides the mouth is `ScoreOcclusion`'s.

    Drops of a clip: `no_frames`, `crop_empty`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "hands_in_view_share": Measure("share of the looks in which a hand is seen", "", 0, 1),
        "hands_in_view": Measure("mean number of hands that are seen, two at most", "", 0, 2),
    }

    rate_hz: float = 1.0
    min_confidence: float = 0.5  # of the palm and of the hand, 0 to 1

    @property
    def weights(self) -> tuple[Weight, ...]:
        return HandLandmarks.weights

    def __call__(self, clip: Clip, frames: Frames) -> Iterator[Score]:
        counts = []
        for frame in every(frames, self.rate_hz):
            left, top, right, bottom = pixels_of(clip, frame)
            size = right - left, bottom - top
            counts.append(len(self._hands(frame.crop(left, top, right, bottom, size))))
        if not counts:
            raise Drop("no_frames", detail=f"{clip.start_s:.3f}-{clip.end_s:.3f} s")
        values = {"hands_in_view_share": np.mean(np.array(counts) > 0), "hands_in_view": np.mean(counts)}
        for metric, value in values.items():
            score_id = f"{clip.clip_id}#{metric}"
            yield Score(clip.source_id, score_id, clip.clip_id, metric, HANDS, float(value), self.weights[1].sha256)

    @cached_property
    def _hands(self) -> HandLandmarks:
        return HandLandmarks(self.min_confidence)

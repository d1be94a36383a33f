"""Things before the mouth."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from manifests.boxes import Box, box_at, square_around
from manifests.tables import Clip, Score, Track
from operators.base import Drop, Frame, Frames, Measure, Operator, every
from operators.models.device import system_libraries
from operators.models.hands import HANDS, HandLandmarks
from operators.models.mouth_cover import MODEL, WEIGHTS, MouthCover, lower_face
from operators.weights import Weight

HIDDEN_FROM = 0.3  # of a look: chosen where 5 of 209 free looks at people whom the head had not seen were above it
HAND_FROM = 0.1


@dataclass(frozen=True)
class ScoreOcclusion(Operator):
    """Whether something hides the mouth of the clip's face, over `rate_hz` looks a second: anything, and hands by
    themselves.

    | metric | variant | range | what |
    |---|---|---|---|
    | mouth_cover | alexnet_lips | 0 to 1, lower is better | mean over the looks: 0 where nothing is before the lips, 1
    where half of them or more are hidden |
    | mouth_hidden_share | alexnet_lips | 0 to 1, lower is better | share of the looks in which that is more than 0.3 |
    | mouth_hand_cover | mediapipe_hand_landmarker | 0 to 1, lower is better | mean share of the mouth's box that lies
    within the outline of a hand's 21 points |
    | hand_on_mouth_share | mediapipe_hand_landmarker | 0 to 1, lower is better | share of the looks in which that is
    more than a tenth |

    Each look is judged by itself, so that a microphone that never leaves is seen too; see
    `operators/models/mouth_cover.py`. What stands just below the lips raises the score as well, and so do small faces
    and far profiles. `hands` False leaves out the last two metrics, which cost nine times the first two, and see a
    whole fist where those see only skin: docs/measured/quality.md.

    For hands the mouth's box is the middle half of the face's, from three fifths of its height down. They are looked
    for in a square four times as wide as the face: in narrower ones the palm, which is found first, is cut off. Few
    hands this close are sure ones, so that `min_confidence` is low, and a neck may be taken for one.

    Drops of a clip: `no_face`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "mouth_cover": Measure(
            "mean cover of the lips: 1 where half of them or more are hidden", "", 0, 1, better="lower"
        ),
        "mouth_hidden_share": Measure("share of the looks in which that is more than 0.3", "", 0, 1, better="lower"),
        "mouth_hand_cover": Measure(
            "mean share of the mouth's box within the outline of a hand", "", 0, 1, better="lower"
        ),
        "hand_on_mouth_share": Measure(
            "share of the looks in which that is more than a tenth", "", 0, 1, better="lower"
        ),
    }

    rate_hz: float = 1.0
    hands: bool = True
    min_confidence: float = 0.05  # of the palm and of the hand, 0 to 1
    crop_px: int = 320  # that hands are looked for in

    version: ClassVar[int] = 2

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (*WEIGHTS, *HandLandmarks.weights) if self.hands else WEIGHTS

    def __call__(self, clip: Clip, tracks: list[Track], frames: Frames) -> Iterator[Score]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        looks, hands = [], []
        for frame in every(frames, self.rate_hz):
            if (box := box_at(track, frame.pts_s)) and box.confidence > 0:
                looks.append(lower_face(frame, box))
                hands.append(self.hand_cover(frame, box) if self.hands else 0.0)
        if not looks:
            raise Drop("no_face")
        covers = np.concatenate([self._mouths(np.stack(looks[n : n + 32])) for n in range(0, len(looks), 32)])
        values = [("mouth_cover", covers.mean()), ("mouth_hidden_share", (covers > HIDDEN_FROM).mean())]
        yield from _scores(clip, MODEL, values, WEIGHTS[0])
        if self.hands:
            values = [
                ("mouth_hand_cover", np.mean(hands)),
                ("hand_on_mouth_share", (np.array(hands) > HAND_FROM).mean()),
            ]
            yield from _scores(clip, HANDS, values, HandLandmarks.weights[1])

    def hand_cover(self, frame: Frame, box: Box) -> float:
        """Share of the mouth's box that lies within the outline of a hand, 0 to 1."""
        with system_libraries():
            import cv2

        left, top, right, bottom = square_around(box, 4.0)
        to_px = self.crop_px / (right - left)
        mask = np.zeros((self.crop_px, self.crop_px), np.uint8)
        for points in self.hands_in(frame.crop(left, top, right, bottom, (self.crop_px, self.crop_px))):
            cv2.fillConvexPoly(mask, np.asarray(cv2.convexHull(points)).astype(np.int32), (1,))
        wide, high = box.right - box.left, box.bottom - box.top
        rows = slice(round((box.top + 0.6 * high - top) * to_px), round((box.bottom - top) * to_px))
        columns = slice(round((box.left + 0.25 * wide - left) * to_px), round((box.right - 0.25 * wide - left) * to_px))
        return float(mask[rows, columns].mean())

    @cached_property
    def _mouths(self) -> MouthCover:
        return MouthCover()

    @cached_property
    def hands_in(self) -> HandLandmarks:
        return HandLandmarks(self.min_confidence)


def _scores(clip: Clip, variant: str, values: list[tuple[str, Any]], weight: Weight) -> Iterator[Score]:
    for metric, value in values:
        yield Score(
            clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, float(value), weight.sha256
        )

"""Hands before the mouth."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from manifests.tables import Clip, Score, Track
from operators.base import Drop, Frame, Frames, Operator, every
from operators.faces.detect_faces import Box, lasting, mediapipe_image, square_around, system_libraries
from operators.faces.track_faces import box_at
from operators.weights import HAND_LANDMARKS, PALM_DETECTOR, Weight

VARIANT = "mediapipe_hand_landmarker"


@dataclass(frozen=True)
class ScoreOcclusion(Operator):
    """Whether a hand hides the mouth of the clip's face, over `rate_hz` looks a second, by MediaPipe's hand landmarker.

    | metric | variant | range | what |
    |---|---|---|---|
    | mouth_hand_cover | mediapipe_hand_landmarker | 0 to 1, lower is better | mean share of the mouth's box that lies within the outline of a hand's 21 points |
    | hand_on_mouth_share | mediapipe_hand_landmarker | 0 to 1, lower is better | share of the looks in which that is more than a tenth |

    The mouth's box is the middle half of the face's, from three fifths of its height down. Hands are looked for in a square four times as wide as the
    face: in narrower ones the palm, which is found first, is cut off. Few hands this close are sure ones, so that `min_confidence` is low, and a
    neck may be taken for one: docs/quality.md. Microphones and other things are not seen.

    Drops of a clip: `face_not_seen`.
    """

    rate_hz: float = 1.0
    min_confidence: float = 0.05  # of the palm and of the hand, 0 to 1
    crop_px: int = 320

    @property
    def weights(self) -> tuple[Weight, ...]:
        return PALM_DETECTOR, HAND_LANDMARKS

    def __call__(self, clip: Clip, tracks: list[Track], frames: Frames) -> Iterator[Score]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        seen = ((frame, box_at(track, frame.pts_s)) for frame in every(frames, self.rate_hz))
        covers = [self.cover(frame, box) for frame, box in seen if box and box.confidence > 0]
        if not covers:
            raise Drop("face_not_seen")
        values = {"mouth_hand_cover": float(np.mean(covers)), "hand_on_mouth_share": float(np.mean(np.array(covers) > 0.1))}
        for metric, value in values.items():
            yield Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, VARIANT, value, HAND_LANDMARKS.sha256)

    def cover(self, frame: Frame, box: Box) -> float:
        """Share of the mouth's box that lies within the outline of a hand, 0 to 1."""
        with system_libraries():
            import cv2

        left, top, right, bottom = square_around(box, 4.0)
        to_px = self.crop_px / (right - left)
        mask = np.zeros((self.crop_px, self.crop_px), np.uint8)
        for hand in self._landmarker.detect(
            mediapipe_image(frame.crop(left, top, right, bottom, (self.crop_px, self.crop_px)))
        ).hand_landmarks:
            points = np.array([(point.x, point.y) for point in hand], np.float32) * self.crop_px
            cv2.fillConvexPoly(mask, np.asarray(cv2.convexHull(points)).astype(np.int32), (1,))
        wide, high = box.right - box.left, box.bottom - box.top
        rows = slice(round((box.top + 0.6 * high - top) * to_px), round((box.bottom - top) * to_px))
        columns = slice(round((box.left + 0.25 * wide - left) * to_px), round((box.right - 0.25 * wide - left) * to_px))
        return float(mask[rows, columns].mean())

    @cached_property
    def _landmarker(self) -> Any:
        with system_libraries():
            from mediapipe.tasks.python import BaseOptions
            from mediapipe.tasks.python.vision import HandLandmarker, HandLandmarkerOptions

        held = io.BytesIO()  # the task's file is an archive of the two networks, which the package has apart
        with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
            archive.write(PALM_DETECTOR.path(), "hand_detector.tflite")
            archive.write(HAND_LANDMARKS.path(), "hand_landmarks_detector.tflite")
        options = HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=held.getvalue()),
            num_hands=2,
            min_hand_detection_confidence=self.min_confidence,
            min_hand_presence_confidence=self.min_confidence,
        )
        return lasting(HandLandmarker.create_from_options(options))

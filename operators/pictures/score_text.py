"""Writing in the picture: subtitles, captions, watermarks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box, box_at
from manifests.tables import Clip, Score, Track
from operators.base import Drop, Frames, Measure, Operator, every
from operators.models.catalogue import TEXT_DETECTOR, TEXT_READER
from operators.models.device import system_libraries
from operators.weights import Weight

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

STRIDE = 32  # the detector takes sides that are multiples of it


LINE_PX = 48  # height that the recogniser reads a line at
LONGEST_PX, SHORTEST_PX = 640, 320


@dataclass(frozen=True)
class ScoreText(Operator):
    """How much of the clip's box is covered by writing that can be read, over `rate_hz` looks a second.

    | metric | variant | range | what |
    |---|---|---|---|
    | text_share | ppocrv4 | 0 to 1, lower is better | mean share of the box that is covered by writing |
    | text_looks_share | ppocrv4 | 0 to 1, lower is better | share of the looks in which there is any |
    | static_text_share | ppocrv4 | 0 to 1, lower is better | share of the box covered in nine looks of ten: a
    watermark. Missing where there is one look |
    | face_text_share | ppocrv4 | 0 to 1, lower is better | mean share of the face's box covered. Missing where the face
    is not seen |

    PP-OCRv4's detector proposes lines: a region of its map above `min_probability` whose mean is `min_mean` or more, as
    a turned rectangle grown by `unclip` x area / perimeter (M. Liao et al., "Real-time Scene Text Detection with
    Differentiable Binarization", AAAI 2020). It proposes faces and hands too, as if they were one large character. So
    its recogniser reads every line, and what counts is two characters or more, `min_read` sure in the mean.

    Writing in the scene, on a wall or a sheet of paper, is writing too. Characters of less than about 8 of `look_px`
    pixels, single ones, and scripts other than Chinese and Latin may be missed.

    Drops of a clip: `no_frames`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "text_share": Measure("mean share of the box covered by writing", "", 0, 1, better="lower"),
        "text_looks_share": Measure("share of the looks in which there is any writing", "", 0, 1, better="lower"),
        "static_text_share": Measure(
            "share of the box covered in nine looks of ten: a watermark", "", 0, 1, better="lower"
        ),
        "face_text_share": Measure("mean share of the face's box covered by writing", "", 0, 1, better="lower"),
    }

    rate_hz: float = 0.5
    look_px: int = 512  # longer side of what the detector looks at; a smaller box is not enlarged
    min_probability: float = 0.3
    min_mean: float = 0.6
    unclip: float = 1.6
    min_read: float = 0.5

    @property
    def weights(self) -> tuple[Weight, ...]:
        return TEXT_DETECTOR, TEXT_READER

    def __call__(self, clip: Clip, tracks: list[Track], frames: Frames) -> Iterator[Score]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        wide, high = clip.right_px - clip.left_px, clip.bottom_px - clip.top_px
        scale = min(1.0, self.look_px / max(wide, high))
        size = (max(STRIDE, round(wide * scale / STRIDE) * STRIDE), max(STRIDE, round(high * scale / STRIDE) * STRIDE))
        covered: list[NDArray[np.bool_]] = []
        on_face: list[float] = []
        for frame in every(frames, self.rate_hz):
            mask = self.mask(frame.crop(clip.left_px, clip.top_px, clip.right_px, clip.bottom_px, size))
            covered.append(mask)
            if (box := box_at(track, frame.pts_s)) and box.confidence > 0:
                part = _part(mask, box, clip)
                if part.size:
                    on_face.append(float(part.mean()))
        if not covered:
            raise Drop("no_frames", detail=f"{clip.start_s:.3f}-{clip.end_s:.3f} s")
        values = {
            "text_share": float(np.mean(covered)),
            "text_looks_share": float(np.mean([mask.any() for mask in covered])),
        }
        if len(covered) > 1:
            values["static_text_share"] = float((np.mean(covered, axis=0) >= 0.9).mean())
        if on_face:
            values["face_text_share"] = float(np.mean(on_face))
        for metric, value in values.items():
            yield Score(
                clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, "ppocrv4", value, TEXT_DETECTOR.sha256
            )

    def mask(self, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(h, w) where there is writing in a picture (h, w, 3), whose sides are multiples of 32."""
        with system_libraries():
            import cv2

        picture = rgb[:, :, ::-1].astype(np.float32) / 127.5 - 1
        (found,) = self._detector.run(None, {"x": picture.transpose(2, 0, 1)[None]})
        probability = np.asarray(found, np.float32)[0, 0]
        regions, _ = cv2.findContours(
            (probability > self.min_probability).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        mask = np.zeros(probability.shape, np.uint8)
        for region in regions:
            middle, (wide, high), turn = cv2.minAreaRect(region)
            if min(wide, high) < 3 or _mean_within(probability, region) < self.min_mean:
                continue
            more = self.unclip * wide * high / (wide + high)  # twice area / perimeter: to both sides
            corners = np.asarray(cv2.boxPoints((middle, (wide + more, high + more), turn)), np.float32)
            if self._read(picture, corners):
                cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], (1,))
        return mask.astype(bool)

    def _read(self, picture: NDArray[np.float32], corners: NDArray[np.float32]) -> bool:
        """Whether two characters or more can be read in a part of a picture (h, w, 3), -1 to 1."""
        import cv2

        sums, differences = corners.sum(axis=1), corners[:, 0] - corners[:, 1]
        # Top left, top right, bottom left; a line more than half as high again as it is wide runs down, and is turned.
        top_left, top_right, bottom_left = (
            corners[at] for at in (sums.argmin(), differences.argmax(), differences.argmin())
        )
        if np.linalg.norm(bottom_left - top_left) > 1.5 * np.linalg.norm(top_right - top_left):
            top_left, top_right, bottom_left = top_right, corners[sums.argmax()], top_left
        wide, high = np.linalg.norm(top_right - top_left), np.linalg.norm(bottom_left - top_left)
        length = int(np.clip(round(float(LINE_PX * wide / high)), LINE_PX, LONGEST_PX))
        whole = np.array([[0, 0], [length, 0], [0, LINE_PX]], np.float32)
        turned = cv2.getAffineTransform(np.stack([top_left, top_right, bottom_left]), whole)
        line = np.zeros((LINE_PX, max(length, SHORTEST_PX), 3), np.float32)
        line[:, :length] = cv2.warpAffine(
            picture, turned, (length, LINE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        (found,) = self._reader.run(None, {"x": line.transpose(2, 0, 1)[None]})
        steps = np.asarray(found, np.float32)[0]  # (steps, characters), the first of them the blank between two
        best = steps.argmax(axis=1)
        characters = (best != 0) & np.append(True, best[1:] != best[:-1])
        return int(characters.sum()) >= 2 and float(steps.max(axis=1)[characters].mean()) >= self.min_read

    @cached_property
    def _detector(self) -> "InferenceSession":
        return TEXT_DETECTOR.session()

    @cached_property
    def _reader(self) -> "InferenceSession":
        return TEXT_READER.session()


def _mean_within(probability: NDArray[np.float32], region: NDArray[np.int32]) -> float:
    import cv2

    left, top, wide, high = cv2.boundingRect(region)
    within = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(within, [region - (left, top)], (1,))
    return float(probability[top : top + high, left : left + wide][within.astype(bool)].mean())


def _part(mask: NDArray[np.bool_], box: Box, clip: Clip) -> NDArray[np.bool_]:
    """What of a mask over the clip's box lies in the box of the face."""
    across, down = mask.shape[1] / (clip.right_px - clip.left_px), mask.shape[0] / (clip.bottom_px - clip.top_px)
    left, right = (round((edge - clip.left_px) * across) for edge in (box.left, box.right))
    top, bottom = (round((edge - clip.top_px) * down) for edge in (box.top, box.bottom))
    return mask[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]

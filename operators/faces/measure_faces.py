"""How well faces are to be seen, look by look."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from manifests.boxes import Box, square_around
from manifests.tables import FaceQuality, Source
from operators.base import Frame, Frames, Resources, every
from operators.faces.detect_faces import DetectFaces
from operators.models.device import batches, system_libraries
from operators.picture_measures import blockiness, exposure, laplacian_variance, noise


@dataclass(frozen=True)
class MeasureFaces(DetectFaces):
    """Sharpness, exposure, noise and blockiness of every face, `rate_hz` times a second: one row a looked-at frame,
    with empty lists where it shows none.

    It belongs into the stage of `DetectFaces`, with the same fields: then it takes the same looks at the same boxes,
    and costs neither a decode nor a detection. A look at a face is its luma, 0 to 255, twice:

    - the square around its box, in whole pixels, made 128 px wide whatever its size (by area where it shrinks):
      `sharpness`, the variance of the Laplacian; `brightness`, `contrast`, `dark_share`, `bright_share` (see
      `operators.picture_measures.exposure`). A face narrower than the crop is blurred by its enlargement, and so it
      should count. Only what of the square lies in the frame is measured; NaN where that is less than 24 px of the 128
      on a side.
    - the box as it is, nothing resampled: `noise` and `blockiness` (see the functions of that name). NaN for a box with
      a side below 24 px within the frame.
    """

    resources: ClassVar[Resources] = Resources()  # the detector's, whose looks it shares, is asked for by that

    def __call__(self, source: Source, frames: Frames) -> Iterator[FaceQuality]:
        for batch in batches(every(frames, self.rate_hz), self.batch):
            for frame, sights in zip(batch, self.detect(batch), strict=True):
                yield look_at(source.source_id, frame, sorted(sight.box for sight in sights))


MEASURES = ("sharpness", "brightness", "contrast", "dark_share", "bright_share", "noise", "blockiness")
CROP_PX = 128
SMALLEST_PX = 24  # three blocks of compression


def look_at(source_id: str, frame: Frame, boxes: list[Box]) -> FaceQuality:
    """The row of one frame."""
    found = [measured(frame, box) for box in boxes]
    edges = ([float(box[side]) for box in boxes] for side in range(4))
    columns = {name: [one[name] for one in found] for name in MEASURES}
    return FaceQuality(source_id, f"{source_id}/{round(frame.pts_s * 1000):06d}", frame.pts_s, *edges, **columns)


def measured(frame: Frame, box: Box) -> dict[str, float]:
    """The `MEASURES` of one face of one frame; NaN for what cannot be told of what of it lies in the frame."""
    with system_libraries():
        import cv2

    found: dict[str, float] = {name: math.nan for name in MEASURES}
    square = square_around(box, 1.0)
    left, top = max(0, math.floor(square[0])), max(0, math.floor(square[1]))
    right, bottom = min(frame.width, math.ceil(square[2])), min(frame.height, math.ceil(square[3]))
    if min(right - left, bottom - top) < 1:
        return found
    luma = frame.luma(left, top, right, bottom)
    to_px = CROP_PX / (square[2] - square[0])
    width, height = (round(side * to_px) for side in luma.shape[::-1])
    if min(width, height) >= SMALLEST_PX:
        level = np.asarray(
            cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA if to_px < 1 else cv2.INTER_LINEAR), np.uint8
        )
        found |= {"sharpness": laplacian_variance(level), **exposure(level)}
    x, y = max(0, math.floor(box.left)), max(0, math.floor(box.top))
    native = luma[y - top : max(0, math.ceil(box.bottom) - top), x - left : max(0, math.ceil(box.right) - left)]
    if min(native.shape) >= SMALLEST_PX:
        found |= {"noise": noise(native), "blockiness": blockiness(native, x, y)}
    return found

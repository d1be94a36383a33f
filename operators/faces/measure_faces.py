"""How well faces are to be seen, look by look."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from manifests.tables import FaceLook, Source
from operators.base import Frame, Frames, every
from operators.faces.detect_faces import Box, DetectFaces, batches, square_around, system_libraries
from operators.pictures.measures import blockiness, exposure, laplacian_variance, noise


@dataclass(frozen=True)
class MeasureFaces(DetectFaces):
    """Sharpness, exposure, noise and blockiness of every face, `rate_hz` times a second: one row a looked-at frame, with empty lists where it shows none.

    It belongs into the stage of `DetectFaces`, with the same fields: then it takes the same looks at the same boxes, and costs neither a decode
    nor a detection. A look at a face is two crops in grey levels of 0 to 255 (0.299 R + 0.587 G + 0.114 B):

    - the square around its box, made 128 px wide whatever its size: `sharpness`, the variance of the Laplacian; `brightness`, `contrast`,
      `dark_share`, `bright_share` (see `operators.pictures.measures.exposure`). A face narrower than the crop is blurred by its enlargement, and so
      it should count. Only what of the square lies in the frame is measured; NaN where that is less than 24 px of the 128 on a side.
    - the box as it is, nothing resampled: `noise` and `blockiness` (see the functions of that name). NaN for a box with a side below 24 px within the frame.
    """

    def __call__(self, source: Source, frames: Frames) -> Iterator[FaceLook]:
        for batch in batches(every(frames, self.rate_hz), self.batch):
            for frame, sights in zip(batch, self.sights(batch), strict=True):
                yield look_at(source.source_id, frame, sorted(sight.box for sight in sights))


MEASURES = ("sharpness", "brightness", "contrast", "dark_share", "bright_share", "noise", "blockiness")
CROP_PX = 128
SMALLEST_PX = 24  # three blocks of compression


def look_at(source_id: str, frame: Frame, boxes: list[Box]) -> FaceLook:
    """The row of one frame."""
    found = [measured(frame, box) for box in boxes]
    edges = ([float(box[side]) for box in boxes] for side in range(4))
    columns = {name: [one[name] for one in found] for name in MEASURES}
    return FaceLook(source_id, f"{source_id}/{round(frame.pts_s * 1000):06d}", frame.pts_s, *edges, **columns)


def measured(frame: Frame, box: Box) -> dict[str, float]:
    """The `MEASURES` of one face of one frame; NaN for what cannot be told of what of it lies in the frame."""
    with system_libraries():
        import cv2

    found: dict[str, float] = {name: math.nan for name in MEASURES}
    square = square_around(box, 1.0)
    level = np.asarray(cv2.cvtColor(frame.crop(*square, (CROP_PX, CROP_PX)), cv2.COLOR_RGB2GRAY), np.uint8)
    to_px = CROP_PX / (square[2] - square[0])
    # Beyond the frame the crop is black, which is neither dark nor an edge of the face.
    level = level[_within(square[1], square[3], frame.height, to_px), _within(square[0], square[2], frame.width, to_px)]
    if min(level.shape) >= SMALLEST_PX:
        found |= {"sharpness": laplacian_variance(level), **exposure(level)}
    left, top = max(0, math.floor(box.left)), max(0, math.floor(box.top))
    right, bottom = min(frame.width, math.ceil(box.right)), min(frame.height, math.ceil(box.bottom))
    if min(right - left, bottom - top) >= SMALLEST_PX:
        native = frame.crop(left, top, right, bottom, (right - left, bottom - top))
        native = np.asarray(cv2.cvtColor(native, cv2.COLOR_RGB2GRAY), np.uint8)
        found |= {"noise": noise(native), "blockiness": blockiness(native, left, top)}
    return found


def _within(low: float, high: float, side: int, to_px: float) -> slice:
    """The pixels of a crop from `low` to `high` that lie in a frame of that side, but those that the black beyond it was blended into."""
    blended = max(1.0, to_px)
    first = math.ceil(-low * to_px + blended) if low < 0 else 0
    last = math.floor((side - low) * to_px - blended) if high > side else round((high - low) * to_px)
    return slice(first, max(first, last))

"""Pictures of clips in sheets: a page of thousands asks for a few files, and for no video before one is looked at."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.media.frames import VideoFrames

ACROSS = 8  # pictures side by side
SHEET = ACROSS * ACROSS
SIDE = 160  # pixels of a clip's picture
QUALITY = 82  # of JPEG
Picture = NDArray[np.uint8]


def sheet(pictures: Iterable[Picture | None], width: int = SIDE, height: int = SIDE) -> bytes:
    """A JPEG of up to `SHEET` pictures, row by row; black where there is none. A picture is shown whole."""
    from PIL import Image, ImageOps

    made = list(pictures)
    rows = max(1, -(-len(made) // ACROSS))
    canvas = Image.new("RGB", (ACROSS * width, rows * height))
    for number, picture in enumerate(made):
        if picture is not None:
            tile = ImageOps.contain(Image.fromarray(np.ascontiguousarray(picture)), (width, height))
            left, top = (
                number % ACROSS * width + (width - tile.width) // 2,
                number // ACROSS * height + (height - tile.height) // 2,
            )
            canvas.paste(tile, (left, top))
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def picture_at(
    path: Path | None, time_s: float, box: Sequence[float] | None = None, height: int = SIDE
) -> Picture | None:
    """The first frame at a time or after it, of a box of it or of all; None where there is none to be had.

    Args:
        box: left, top, right, bottom in pixels of the displayed frame; None for the whole frame.
    """
    frame: Any = None
    try:
        if path is None or (frame := next(iter(VideoFrames(path, time_s)), None)) is None:
            return None
    except Drop:
        return None
    if box is None:
        return frame.rgb(height)
    left, top, right, bottom = box
    tall = (bottom - top) >= (right - left)
    size = (
        (max(1, round(height * (right - left) / (bottom - top))), height)
        if tall
        else (height, max(1, round(height * (bottom - top) / (right - left))))
    )
    return frame.crop(left, top, right, bottom, size)

"""A few frames of real films, square, 256 pixels: the same woman twice, and another person."""

from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.media.frames import VideoFrames
from tests.conftest import media


def same(later: bool = False) -> list[NDArray[np.uint8]]:
    return _frames("headpose_31.mp4", 12.0 if later else 0.0)


def other() -> list[NDArray[np.uint8]]:
    return _frames("speakervid_range_head_1.mp4", 0.0)


@cache
def _frames(name: str, start_s: float) -> list[NDArray[np.uint8]]:
    made = []
    for frame in islice(VideoFrames(media("single", name), start_s), 0, 16, 4):
        side = min(frame.width, frame.height)
        left = (frame.width - side) // 2
        made.append(frame.crop(left, 0, left + side, side, (256, 256)))
    return made


def blank() -> NDArray[np.uint8]:
    return np.asarray(Image.new("RGB", (256, 256), (90, 120, 90)))

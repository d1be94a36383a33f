"""Two portraits that come with libraries, and a film in which the two turn back while someone passes before the
camera.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import square_around
from operators.faces.detect_faces import DetectFaces
from operators.metrics.lip_sync import Still
from tests.made_videos import write_video

SIDE = 150  # pixels of a head
SIZE = (640, 360)
STARTS_S, HIDDEN_S, BACK_S, END_S = 1.68, 2.5, 3.4, 5.2
SPEED = 180  # pixels a second


def portraits() -> list[NDArray[np.uint8]]:
    """Eileen Collins and Grace Hopper, both in the public domain."""
    from matplotlib import cbook
    from PIL import Image
    from skimage import data

    hopper = Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    return [data.astronaut(), np.asarray(Image.open(hopper).convert("RGB"))]


@cache
def heads() -> list[NDArray[np.uint8]]:
    found = []
    for rgb in portraits():
        picture = Still(rgb)
        (box,) = DetectFaces().faces(picture)
        found.append(picture.crop(*square_around(box, 1.6), (SIDE, SIDE)))
    return found


def centre_x(at_s: float) -> float:
    """Of the one on the left, who comes to 230; the other's is its mirror image."""
    walked = max(at_s - STARTS_S, 0.0) if at_s < HIDDEN_S else max(230 - 100 - SPEED * (at_s - BACK_S), 0.0) / SPEED
    return 100 + SPEED * walked


def meeting(path: Path) -> Path:
    """Both walk towards each other, are hidden for a while, and walk back."""

    def look(at_s: float) -> NDArray[np.uint8]:
        picture = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
        if not HIDDEN_S <= at_s < BACK_S - 1e-6:
            for head, x in zip(heads(), (centre_x(at_s), SIZE[0] - centre_x(at_s)), strict=True):
                left = round(x - SIDE / 2)
                picture[100 : 100 + SIDE, left : left + SIDE] = head
        return picture

    return write_video(path, [(look, END_S)], fps=10, size=SIZE)

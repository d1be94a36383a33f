"""Which face a layout is given, where a picture has two."""

import av
import numpy as np
import pytest

from operators.media.containers import Display
from operators.media.frames import SourceFrame
from pipeline.export.faces import find_faces

data = pytest.importorskip("skimage.data")


def pictured(*lefts: int) -> SourceFrame:
    """A picture of 640x320 px with one person as often as there are places, in px."""
    rgb = np.full((320, 640, 3), 128, np.uint8)
    for left in lefts:
        rgb[20:276, left : left + 256] = data.astronaut()[:256, 100:356]
    return SourceFrame(av.VideoFrame.from_ndarray(rgb, "rgb24"), 0.0, Display(640, 320, False, False, False, 0))


def test_the_face_is_the_one_nearest_to_the_last() -> None:
    alone, beside = pictured(30), pictured(30, 350)
    for first, right in ((alone, False), (pictured(350), True)):
        points = find_faces([first, beside, beside], 640, 320).points
        centres = points[:, :, 0].mean(axis=1)
        assert (centres > 320).tolist() == [right] * 3

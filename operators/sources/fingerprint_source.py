"""What a recording looks like over time, small enough to compare with every other."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Fingerprint, Source
from operators.base import Drop, Frame, Frames, Operator, every

PICTURE_PX = 32  # side of the square each look is shrunk to
COEFFICIENTS = 35  # of its discrete cosine transform: the 6 x 6 lowest, without the mean
# The 6 lowest rows of the orthonormal DCT-II, of which no more is wanted.
COSINES = np.cos(np.pi * np.outer(np.arange(6), np.arange(PICTURE_PX) + 0.5) / PICTURE_PX) * np.sqrt(2 / PICTURE_PX)
COSINES[0] /= np.sqrt(2)
BAR_LOOKS = 40  # looks from which the black bars of a source are told


@dataclass(frozen=True)
class FingerprintSource(Operator):
    """One row a source: the coarse picture, `rate_hz` times a second.

    A look is the 35 lowest coefficients of the discrete cosine transform of the luma, shrunk to 32 x 32 pixels whatever
    its shape, without the mean. Size, shape and encoding change them little, and brightness not at all. Black bars, as
    wide on both sides, are cut off first; they are told from the source's first 40 looks. Looks without features (black,
    flat) are left out, so that one black picture is no sign of another.

    The signs of such coefficients are the perceptual hash in common use (pHash). A hash of single pictures cannot tell a
    copy of a still-camera interview from another take in the same chair, though; how the coefficients change in time can,
    so they are kept whole. See `pipeline.corpus_steps.duplicates`.

    Drops: `no_frames`; `featureless` where not a look is left.
    """

    version = 2

    rate_hz: float = 4.0
    height: int = 72  # lines looked at
    min_contrast: float = 4.0  # levels of luma, 0 to 255: standard deviation within the shrunk picture
    max_black: float = 24.0  # level: a line that no early look lights above it is a bar

    def __call__(self, source: Source, frames: Frames) -> Iterator[Fingerprint]:
        looks = every(frames, self.rate_hz)
        early = list(islice(((frame.pts_s, self._seen(frame)) for frame in looks), BAR_LOOKS))
        if not early:
            raise Drop("no_frames")
        box = picture_box([picture for _, picture in early], self.max_black)
        times_s: list[float] = []
        rows: list[NDArray[np.int16]] = []
        for pts_s, picture in chain(early, ((frame.pts_s, self._seen(frame)) for frame in looks)):
            look = coefficients(picture, box, self.min_contrast)
            if look is not None:
                times_s.append(pts_s)
                rows.append(look)
        if not rows:
            raise Drop("featureless", detail=f"no look with a contrast of {self.min_contrast:g} levels")
        yield Fingerprint(source.source_id, f"{source.source_id}/looks", times_s, np.stack(rows).astype("<i2").tobytes())

    def _seen(self, frame: Frame) -> NDArray[np.uint8]:
        return frame.gray(self.height)


def picture_box(pictures: list[NDArray[np.uint8]], max_black: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what black bars leave of pictures of one size. Bars are as wide on both sides."""
    brightest = np.max(pictures, axis=0)
    height, width = brightest.shape
    across, down = brightest.max(axis=0) > max_black, brightest.max(axis=1) > max_black
    if not across.any():
        return 0, 0, width, height
    side = int(min(np.argmax(across), np.argmax(across[::-1])))
    band = int(min(np.argmax(down), np.argmax(down[::-1])))
    return side, band, width - side, height - band


def coefficients(picture: NDArray[np.uint8], box: tuple[int, int, int, int], min_contrast: float = 0.0) -> NDArray[np.int16] | None:
    """(35,) in units of 1/32 level of luma, or None where the box of the picture has less contrast than asked."""
    from PIL import Image

    small = np.asarray(Image.fromarray(picture).resize((PICTURE_PX, PICTURE_PX), Image.Resampling.BOX, box), np.float32)
    if small.std() < min_contrast:
        return None
    return np.rint((COSINES @ small @ COSINES.T).ravel()[1:]).astype(np.int16)

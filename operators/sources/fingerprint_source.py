"""What a recording looks like over time, small enough to compare with every other."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Fingerprint, Source
from operators.base import Drop, Frame, Frames, Operator, every
from operators.fingerprints import coefficients, picture_box

BAR_LOOKS = 40  # looks from which the black bars of a source are told


@dataclass(frozen=True)
class FingerprintSource(Operator):
    """One row a source: the coarse picture, `rate_hz` times a second.

    A look is the 35 lowest coefficients of the discrete cosine transform of the luma, shrunk to 32 x 32 pixels whatever
    its shape, without the mean. Size, shape and encoding change them little, and brightness not at all. Black bars, as
    wide on both sides, are cut off first; they are told from the source's first 40 looks. Looks without features
    (black, flat) are left out, so that one black picture is no sign of another.

    The signs of such coefficients are the perceptual hash in common use (pHash). A hash of single pictures cannot tell
    a copy of a still-camera interview from another take in the same chair, though; how the coefficients change in time
    can, so they are kept whole. See `pipeline.corpus_steps.duplicates`.

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
        yield Fingerprint(
            source.source_id, f"{source.source_id}/looks", times_s, np.stack(rows).astype("<i2").tobytes()
        )

    def _seen(self, frame: Frame) -> NDArray[np.uint8]:
        return frame.gray(self.height)

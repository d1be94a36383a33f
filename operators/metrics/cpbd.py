"""How sharp a frame looks, without a reference."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.metrics.base import LUMA, NOTHING, Metric, Variant, Video, mean_where_seen

BLOCK = 64
EDGES_OF_BLOCK = 0.002  # share of its pixels from which on a block counts
BETA = 3.6
WIDTH_LOW, WIDTH_HIGH, CONTRAST = 5.0, 3.0, 50  # just noticeable widths of blur, below and above a block's contrast


@dataclass(frozen=True)
class Cpbd(Metric):
    """Cumulative probability of blur detection, 0 to 1, higher is sharper: the share of edges whose blur nobody sees;
    mean of the looked-at frames.

    N. D. Narvekar and L. J. Karam, "A No-Reference Image Blur Metric Based on the Cumulative Probability of Blur
    Detection", IEEE TIP 2011. As python-cpbd, which no longer imports: Canny says which blocks of 64 pixels have edges;
    the width of an upright Sobel edge is for how long luma rises, or falls, along its row (P. Marziliano et al., ICIP
    2002).

    Frames are looked at `rate_hz` times a second; one without edges is left out.
    Drops: `too_small`, less than one block; `no_edges`, fewer than half of the frames are left.
    """

    metric = "cpbd"
    compares = NOTHING
    known: ClassVar[dict[str, Variant]] = {"cpbd": Variant("higher", "share of edges without visible blur", LUMA)}
    variant: str = "cpbd"
    rate_hz: float = 5.0

    def measure(self, video: Video) -> float:
        step = max(1, round(video.fps / self.rate_hz))
        return mean_where_seen(
            (cpbd(pair.made.luma) for number, pair in enumerate(video) if number % step == 0), "no_edges"
        )


def cpbd(plane: NDArray[np.float64]) -> float | None:
    """Of a plane (h, w) with values from 0 to 255; None of one without edges.

    Raises:
        Drop: `too_small`.
    """
    from skimage.feature import canny

    if min(plane.shape) < BLOCK:
        raise Drop("too_small", detail=f"{plane.shape[::-1]} px, less than a block of {BLOCK}")
    edges = canny(plane)
    widths = edge_widths(plane, upright_edges(plane))
    found: list[NDArray[np.float64]] = []
    for top in range(0, plane.shape[0] // BLOCK * BLOCK, BLOCK):
        for left in range(0, plane.shape[1] // BLOCK * BLOCK, BLOCK):
            part = slice(top, top + BLOCK), slice(left, left + BLOCK)
            if edges[part].sum() > EDGES_OF_BLOCK * BLOCK * BLOCK:
                just = WIDTH_LOW if int(np.ptp(plane[part])) <= CONTRAST else WIDTH_HIGH
                wide = widths[part][widths[part] > 0]
                found.append(1 - np.exp(-((wide / just) ** BETA)))
    seen = np.concatenate(found) if found else np.zeros(0)
    if not len(seen):
        return None
    # an edge of the just noticeable width is seen to be blurred by 63 %
    return float(np.mean(np.round(100 * seen) <= 63))


def upright_edges(plane: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(h, w): where Sobel's horizontal gradient is strong and a maximum along the row or the column, as Octave thins
    edges.
    """
    from scipy.ndimage import correlate

    strength = np.square(correlate(plane, np.outer((1, 2, 1), (1, 0, -1)) / 8))
    strength[strength <= 2 * np.sqrt(strength.mean())] = 0
    framed = np.pad(strength, 1)
    along = (strength > framed[1:-1, :-2]) & (strength > framed[1:-1, 2:])
    return along | ((strength > framed[:-2, 1:-1]) & (strength > framed[2:, 1:-1]))


def edge_widths(plane: NDArray[np.float64], edges: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(h, w): the width in pixels of the edges whose gradient points along the row, within 22.5 degrees; 0 elsewhere.

    Where luma does not change along the row, the published codes take the angle as 0, and so does this.
    From the pixel beside the edge on, each way, for how long luma goes on as the gradient says; at most 100 pixels.
    """
    down, across = np.gradient(plane)
    angle = np.where(across == 0, 0, np.round(np.degrees(np.arctan2(down, across)) / 45))
    inner = np.zeros_like(edges)
    inner[1:-1, 1:-1] = edges[1:-1, 1:-1]
    step = np.diff(plane, axis=1)
    widths = np.zeros(plane.shape, np.int64)
    for pointing, goes_on in ((angle == 0, step > 0), (np.abs(angle) == 4, step < 0)):
        before, after = _runs(goes_on), _runs(goes_on[:, ::-1])[:, ::-1]
        # Before pixel x: steps up to the one from x - 2 to x - 1. After it: from the one from x + 1 to x + 2 on.
        wide = np.full(plane.shape, 2)
        wide[:, 2:] += before[:, :-1]
        wide[:, :-2] += after[:, 1:]
        chosen = inner & pointing
        widths[chosen] = wide[chosen]
    return widths


def _runs(goes_on: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many True in a row end at each place, at most 100."""
    place = np.arange(1, goes_on.shape[1] + 1)
    return np.minimum(place - np.maximum.accumulate(np.where(goes_on, 0, place), axis=1), 100)

"""What can be said of one picture without another, in grey levels of 0 to 255: plain functions of a plane (h, w) of
luma.
"""

import math

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip
from operators.base import Drop, Frame

Pixels = tuple[int, int, int, int]  # left, top, right, bottom, within the frame

GRID = 8  # pixels: JPEG's blocks, and a divisor of the blocks of every video codec
TILE = 16  # pixels
DARK, BRIGHT = 16, 250  # levels: as good as black, and as good as white


def laplacian_variance(luma: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian, 0 and up, higher is sharper, or noisier.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR 2000.
    """
    import cv2

    return float(cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_16S))[1].item() ** 2)


def exposure(luma: NDArray[np.uint8]) -> dict[str, float]:
    """How light a picture is.

    `brightness`: mean level, 0 to 255. `contrast`: standard deviation of the levels over 255, 0 to 0.5 (root mean
    square contrast: E. Peli, "Contrast in complex images", JOSA A 1990). `dark_share` and `bright_share`: shares of
    pixels at 16 or below and at 250 or above.
    """
    import cv2

    mean, deviation = (float(one.item()) for one in cv2.meanStdDev(luma))
    return {
        "brightness": mean,
        "contrast": deviation / 255,
        "dark_share": np.count_nonzero(luma <= DARK) / luma.size,
        "bright_share": np.count_nonzero(luma >= BRIGHT) / luma.size,
    }


def noise(luma: NDArray[np.uint8]) -> float:
    """Standard deviation of white noise, in levels, 0 and up; fine texture counts as noise.

    J. Immerkær, "Fast Noise Variance Estimation", CVIU 1996: mean absolute answer to the difference of two Laplacians,
    which edges hardly excite. Compression takes noise away, and so does enlargement.

    Raises:
        ValueError: for a side of less than three pixels.
    """
    import cv2

    if min(luma.shape) < 3:
        raise ValueError(f"a picture of {luma.shape[::-1]} px has no pixel with eight neighbours")
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    answer = cv2.filter2D(luma, cv2.CV_16S, mask)[1:-1, 1:-1]
    return math.sqrt(math.pi / 2) / 6 * cv2.norm(answer, cv2.NORM_L1) / answer.size


def blockiness(luma: NDArray[np.uint8], left: int = 0, top: int = 0) -> float:
    """How much larger steps between pixels are across the 8 x 8 grid than within it: 1 is no grid, higher is blockier.

    B over A of Z. Wang, H. R. Sheikh and A. C. Bovik, "No-reference perceptual quality assessment of JPEG compressed
    images", ICIP 2002: the mean absolute differences of neighbours across block edges, and of all others, along rows
    and columns alike. The picture has to be at the size it was compressed in: blocks that were scaled are not on the
    grid.

    Args:
        left, top: where the plane lies in the frame, whose blocks begin in its corner.

    Returns:
        NaN for a plane without an edge of the grid, or flat within all blocks and not between them; 1 for one that is
        flat.
    """
    import cv2

    if min(luma.shape) < 2 * GRID:
        return math.nan
    across, within = 0.0, 0.0
    for one, next_to, along, first in ((luma[:, 1:], luma[:, :-1], 0, left), (luma[1:], luma[:-1], 1, top)):
        steps = (
            np.asarray(cv2.reduce(cv2.absdiff(one, next_to), along, cv2.REDUCE_SUM, dtype=cv2.CV_32S)).ravel()
            / one.shape[along]
        )
        on_grid = (np.arange(1, len(steps) + 1) + first) % GRID == 0
        across += float(steps[on_grid].mean())
        within += float(steps[~on_grid].mean())
    if within == 0:
        return 1.0 if across == 0 else math.nan
    return across / within


def blur_effect(luma: NDArray[np.uint8]) -> float:
    """How little a picture loses when it is blurred again, 0 to 1, lower is sharper; what was enlarged is blurred. NaN
    for a flat picture.

    F. Crété et al., "The blur effect: perception and estimation with a new no-reference perceptual blur metric", SPIE
    2007, with a window of 11 pixels. The values are those of `skimage.measure.blur_effect`, at a fifth of its time.
    """
    import cv2

    plane = luma.astype(np.float32)
    worst = math.nan
    for along in (0, 1):
        window, order = ((11, 1), (1, 0)) if along else ((1, 11), (0, 1))
        again = cv2.blur(plane, window, borderType=cv2.BORDER_REFLECT)
        steps, left = (
            np.abs(cv2.Sobel(one, cv2.CV_32F, *order, ksize=3, borderType=cv2.BORDER_REFLECT))[2:-1, 2:-1]
            for one in (plane, again)
        )
        if whole := float(steps.sum(dtype=np.float64)):
            lost = float(np.maximum(steps - left, 0).sum(dtype=np.float64))
            worst = max(1 - lost / whole, 0.0 if math.isnan(worst) else worst)
    return worst


def combing(luma: NDArray[np.uint8]) -> float:
    """Share of tiles of 16 x 16 pixels that are combed, 0 to 1: two fields, of two moments, in one picture.

    A tile is combed when lines next to each other differ more, in the mean, than lines two apart, and by more than 6
    levels. Lines two apart are of one field, and so of one moment, as in the interlace detectors of deinterlacers
    (FFmpeg's idet compares lines likewise, of neighbouring frames). In a picture of one moment the nearer lines are the
    more alike: on 12 real progressive films no tile was combed. Where nothing moves, nothing combs. The picture has to
    have the lines it was filmed with.
    """
    plane = luma.astype(np.int16)
    high, wide = (plane.shape[0] - 2) // TILE, plane.shape[1] // TILE
    if high < 1 or wide < 1:
        return 0.0
    next_to, two_apart = (
        np.abs(plane[2:] - plane[2 - lines : -lines])[: high * TILE, : wide * TILE]
        .reshape(high, TILE, wide, TILE)
        .mean(axis=(1, 3))
        for lines in (1, 2)
    )
    return float(((next_to > two_apart) & (next_to > 6)).mean())


def bars(lightest: NDArray[np.uint8], darkest: NDArray[np.uint8]) -> float:
    """Share of a picture that lies in black bars along its edges, 0 to 1: letterbox, pillarbox, or both.

    A line belongs to a bar when every pixel of it is black in all looks, at 24 or below, and hardly changes, by 8
    levels at most, and so does every line from there to the edge.

    Args:
        lightest, darkest: (h, w) each pixel's highest and lowest level over the looks.
    """
    black = (lightest <= 24) & (lightest.astype(np.int16) - darkest <= 8)
    kept = 1
    for along in (1, 0):
        within = np.flatnonzero(~black.all(axis=along))
        if not len(within):
            return 1.0
        kept *= int(within[-1] - within[0] + 1)
    return 1 - kept / lightest.size


def steps(luma: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where levels two pixels apart differ by more than 8, (w - 2, h) along rows and (h - 2, w) along columns: what is
    so in all looks is a standing edge.
    """
    plane = luma.astype(np.int16)
    return np.abs(plane[:, 2:] - plane[:, :-2]).T > 8, np.abs(plane[2:] - plane[:-2]) > 8


def seam(standing: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> float:
    """How much of the height, or of the width, the longest straight edge takes that is upright, or level: 0 to 1, 1 for
    the seam of a split screen.

    Edges need not be whole. The outer twentieth on each side is left out. So are doors and window frames straight, but
    rarely from edge to edge.

    Args:
        standing: the edges (lines, along) that are there in all looks, upright and level ones; see `steps`.
    """
    longest = 0.0
    for edges in standing:
        aside = max(2, len(edges) // 20)
        inner = edges[aside:-aside]
        longest = max(longest, float(inner.mean(axis=1).max()) if inner.size else 0.0)
    return longest


def pixels_of(clip: Clip, frame: Frame) -> Pixels:
    """The clip's box, as far as it lies in the frame, in whole pixels.

    Raises:
        Drop: `crop_empty`, for less than 16 pixels on a side.
    """
    left, top = max(0, math.floor(clip.left_px)), max(0, math.floor(clip.top_px))
    right, bottom = min(frame.width, math.ceil(clip.right_px)), min(frame.height, math.ceil(clip.bottom_px))
    if min(right - left, bottom - top) < 16:
        raise Drop(
            "crop_empty", detail=f"{right - left} x {bottom - top} px of it lie in {frame.width} x {frame.height}"
        )
    return left, top, right, bottom

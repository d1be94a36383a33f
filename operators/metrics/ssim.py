"""How alike the structure of a render and its target is."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.metrics.base import LUMA, Metric, Variant, Video, mean_of_frames
from operators.picture import Picture

WINDOW, SIGMA = 11, 1.5


@dataclass(frozen=True)
class Ssim(Metric):
    """Structural similarity, -1 to 1 (1 is equal): Gaussian window of 11 pixels, sigma 1.5, K 0.01 and 0.03, without
    padding, not made smaller.

    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 2004. The
    default is `ssim_y`, the authors' own: of luma, rounded to whole numbers. scikit-image's default (a flat window of
    7, sample covariance) gives 0.641 where this gives 0.700.

    Drops: `too_small`, a frame with less than 11 pixels either way.
    """

    metric = "ssim"
    known: ClassVar[dict[str, Variant]] = {
        "ssim_y": Variant("higher", "of luma 0.299 R + 0.587 G + 0.114 B, rounded", LUMA),
        "ssim_rgb": Variant("higher", "mean over the three channels"),
    }
    variant: str = "ssim_y"

    def measure(self, video: Video) -> float:
        return mean_of_frames(self.of(*pair.both) for pair in video)

    def of(self, made: Picture, reference: Picture) -> float:
        if min(made.size) < WINDOW:
            raise Drop("too_small", detail=f"{made.size} px, less than {WINDOW}")
        if self.variant == "ssim_y":
            return ssim(made.luma, reference.luma)
        return float(
            np.mean(
                [ssim(made.rgb[..., n].astype(np.float64), reference.rgb[..., n].astype(np.float64)) for n in range(3)]
            )
        )


def ssim(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Of two planes (h, w) with values from 0 to 255."""
    import cv2

    def blurred(plane: NDArray[np.float64]) -> Any:
        edge = WINDOW // 2
        return cv2.GaussianBlur(plane, (WINDOW, WINDOW), SIGMA)[edge:-edge, edge:-edge]

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean1, mean2 = blurred(one), blurred(other)
    spread1, spread2 = blurred(one * one) - mean1**2, blurred(other * other) - mean2**2
    together = blurred(one * other) - mean1 * mean2
    contrast = (2 * together + c2) / (spread1 + spread2 + c2)
    return float(np.mean((2 * mean1 * mean2 + c1) / (mean1**2 + mean2**2 + c1) * contrast))

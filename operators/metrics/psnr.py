"""How far the pixels of a render are from those of its target."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from operators.metrics.base import LUMA, Metric, Variant, Video, mean_of_frames
from operators.picture import Picture

FLOOR = 1e-8  # of the mean squared error of values from 0 to 1: identical frames have 80 dB


@dataclass(frozen=True)
class Psnr(Metric):
    """Peak signal-to-noise ratio in dB, 10 log10(1 / mean squared error) of values from 0 to 1: per frame, then the
    mean of the frames.

    The default is `psnr_rgb`, which papers on talking heads report. 1e-8 is added to the error, as IQA-PyTorch does, so
    that identical frames have 80 dB and one of them does not make the mean infinite.
    """

    metric = "psnr"
    known: ClassVar[dict[str, Variant]] = {
        "psnr_rgb": Variant("higher", "error over the three channels"),
        "psnr_y": Variant(
            "higher",
            "error of luma 0.299 R + 0.587 G + 0.114 B, rounded",
            LUMA,
        ),
    }
    variant: str = "psnr_rgb"

    def measure(self, video: Video) -> float:
        return mean_of_frames(self.of(*pair.both) for pair in video)

    def of(self, made: Picture, reference: Picture) -> float:
        """0 to 80 dB, of one frame."""
        of_luma = self.variant == "psnr_y"
        difference = made.luma - reference.luma if of_luma else made.rgb.astype(np.float32) - reference.rgb
        return float(-10 * np.log10(np.mean(np.square(difference), dtype=np.float64) / 255**2 + FLOOR))

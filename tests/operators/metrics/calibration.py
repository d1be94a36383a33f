"""The five pairs of pictures that IQA-PyTorch publishes with the values that the metrics' authors' own codes give."""

import csv

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.metrics.base import Metric, Video
from tests.conftest import media

NAMES = ("I03", "I04", "I06", "I08", "I19")


def values(metric: Metric) -> list[float]:
    """Of each distorted picture beside its reference."""
    return [metric.measure(Video.of([picture("dist_dir", name)], [picture("ref_dir", name)])) for name in NAMES]


def picture(folder: str, name: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(media("calibration", folder, f"{name}.bmp")).convert("RGB"))


def official(method: str) -> list[float]:
    with media("calibration", "results_official.csv").open() as stream:
        row = next(row for row in csv.DictReader(stream) if row["Method"] == method)
    return [float(row[f"{name}.bmp"]) for name in NAMES]


def toy(seed: int = 0, side: int = 96) -> NDArray[np.uint8]:
    """A smooth random picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (side // 8, side // 8, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))

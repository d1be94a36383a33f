"""How far a picture is from the statistics of undistorted photographs."""

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, Score
from operators.base import Drop, Frames, Measure, Operator, every
from operators.metrics.niqe import BLOCK, Niqe
from operators.models.catalogue import BRISQUE_RANGES, BRISQUE_SVM
from operators.models.device import system_libraries
from operators.picture import Picture
from operators.picture_measures import pixels_of
from operators.weights import Weight

FEATURES = 36


@dataclass(frozen=True)
class ScoreNaturalness(Operator):
    """Two measures of quality without a reference, of the clip's box as the source has it, nothing resampled: medians
    over `rate_hz` looks a second.

    | metric | variant | range | what |
    |---|---|---|---|
    | picture_brisque | opencv_features_live_svm | about 0 to 100, lower is better | opinion predicted from the
    statistics of the luma, its contrast taken off |
    | picture_niqe | niqe_matlab | 0 and up, lower is better | distance of such statistics from those of pristine
    pictures: see `Niqe` |

    BRISQUE is A. Mittal, A. K. Moorthy and A. C. Bovik, "No-Reference Image Quality Assessment in the Spatial Domain",
    IEEE TIP 2012: 36 features by OpenCV, the authors' support vectors as the package `brisque` has them. OpenCV fits
    the features otherwise than that package: of seven pictures the values differ by 0.2 to 6.7, in the same order.
    Neither knows what a face should look like: smooth studio pictures are far from the photographs they learned on.

    NIQE is missing for a box of less than two blocks of 96 pixels, and where it has none to compare. Drops of a clip:
    `no_frames`, `crop_empty`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "picture_brisque": Measure("opinion predicted from the statistics of the luma", "", None, None, better="lower"),
        "picture_niqe": Measure("distance of such statistics from those of pristine pictures", "", 0, better="lower"),
    }

    rate_hz: float = 0.5

    @property
    def weights(self) -> tuple[Weight, ...]:
        return BRISQUE_SVM, BRISQUE_RANGES, *self._niqe.weights

    def __call__(self, clip: Clip, frames: Frames) -> Iterator[Score]:
        found: dict[str, list[float]] = {"picture_brisque": [], "picture_niqe": []}
        for frame in every(frames, self.rate_hz):
            left, top, right, bottom = pixels_of(clip, frame)
            rgb = frame.crop(left, top, right, bottom, (right - left, bottom - top))
            found["picture_brisque"].append(self.brisque(rgb))
            enough = (right - left) // BLOCK * ((bottom - top) // BLOCK) >= 2
            if enough and (niqe := self._niqe.of(Picture(rgb))) is not None:
                found["picture_niqe"].append(niqe)
        if not found["picture_brisque"]:
            raise Drop("no_frames", detail=f"{clip.start_s:.3f}-{clip.end_s:.3f} s")
        variants = {
            "picture_brisque": ("opencv_features_live_svm", BRISQUE_SVM.sha256),
            "picture_niqe": (self._niqe.variant, self._niqe.weights[0].sha256),
        }
        for metric, values in found.items():
            if values:
                yield Score(
                    clip.source_id,
                    f"{clip.clip_id}#{metric}",
                    clip.clip_id,
                    metric,
                    variants[metric][0],
                    median(values),
                    variants[metric][1],
                )

    def brisque(self, rgb: NDArray[np.uint8]) -> float:
        """Of a picture (h, w, 3)."""
        with system_libraries():
            import cv2

        features = np.asarray(
            cv2.quality.QualityBRISQUE.computeFeatures(np.ascontiguousarray(rgb[:, :, ::-1])), np.float64
        ).ravel()
        (low, high), (coefficients, vectors, gamma, rho) = self._ranges, self._svm
        scaled = 2 * (features - low) / (high - low) - 1
        return float(coefficients @ np.exp(-gamma * np.square(vectors - scaled).sum(axis=1)) - rho)

    @cached_property
    def _niqe(self) -> Niqe:
        return Niqe()

    @cached_property
    def _ranges(self) -> NDArray[np.float64]:
        """(2, 36) lowest and highest: the numbers of the file in the order they are written."""
        told = pickletools.genops(BRISQUE_RANGES.path().read_bytes())
        return np.array([value for code, value, _ in told if code.name == "BINFLOAT"]).reshape(2, FEATURES)

    @cached_property
    def _svm(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
        """Coefficients (n,), support vectors (n, 36), gamma and rho of an epsilon-SVR with radial basis functions."""
        head, _, body = BRISQUE_SVM.path().read_text().partition("\nSV\n")
        known = dict(line.split(" ", 1) for line in head.splitlines())
        rows = [line.split() for line in body.splitlines()]
        vectors = np.zeros((len(rows), FEATURES))
        for row, (_, *values) in enumerate(rows):
            for value in values:
                column, number = value.split(":")
                vectors[row, int(column) - 1] = float(number)
        return np.array([float(row[0]) for row in rows]), vectors, float(known["gamma"]), float(known["rho"])

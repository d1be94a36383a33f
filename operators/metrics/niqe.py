"""How far a frame is from the statistics of pristine pictures, without a reference."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.metrics.base import NOTHING, Metric, Variant, Video, mean_where_seen
from operators.models.catalogue import NIQE_PRISTINE
from operators.picture import Picture
from operators.protocol import Protocol
from operators.weights import Weight

BLOCK = 96  # pixels, at the first of two scales
SHAPES = np.arange(0.2, 10.001, 0.001)  # of generalised Gaussians, among which the published code searches
NOISE = 1e-10  # below it a value is the rounding error of a flat area
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # neighbours whose products are looked at


@dataclass(frozen=True)
class Niqe(Metric):
    """Natural image quality evaluator, 0 and up, lower is better: per looked-at frame, then the mean.

    A. Mittal et al., "Making a 'Completely Blind' Image Quality Analyzer", IEEE SPL 2013: blocks of 96 pixels at two
    scales, 36 statistics each, distance of their Gaussian fit from that of pristine pictures, whose parameters are the
    authors'. The two published codes differ by up to 4 %. The default is `niqe_matlab`, the authors' own.

    In flat areas, such as a white background, both published codes count the signs of rounding errors: MATLAB's cannot
    be had elsewhere, and a port that leaves its own in differs by up to 5 %. `niqe_matlab` takes them as 0, which is
    within 0.5 % of MATLAB's values with flat areas and equal to them without; `niqe_basicsr` computes in float32 as
    BasicSR does, where they vanish as well.

    Frames are looked at `rate_hz` times a second, from the first on. Frames of one colour are left out.
    Drops: `too_small`, a frame with less than two blocks; `flat`, fewer than half of the frames are left.
    """

    metric = "niqe"
    compares = NOTHING
    known: ClassVar[dict[str, Variant]] = {
        "niqe_matlab": Variant(
            "lower",
            "as the authors' MATLAB code",
            Protocol(crop="whole frame", colour="Y 0..255 by 0.299 R + 0.587 G + 0.114 B"),
        ),
        "niqe_basicsr": Variant("lower", "as BasicSR", Protocol(crop="whole frame", colour="Y 16..235 of BT.601")),
    }
    variant: str = "niqe_matlab"
    rate_hz: float = 5.0

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (NIQE_PRISTINE,)

    def measure(self, video: Video) -> float:
        step = max(1, round(video.fps / self.rate_hz))
        return mean_where_seen((self.of(pair.made) for number, pair in enumerate(video) if number % step == 0), "flat")

    def of(self, picture: Picture) -> float | None:
        """Of one frame; None of one in which fewer than two blocks are anything but of one colour."""
        width, height = (side // BLOCK for side in picture.size)
        if width * height < 2:
            raise Drop("too_small", detail=f"{picture.size} px, less than two blocks of {BLOCK}")
        if self.variant == "niqe_matlab":
            plane = picture.luma
        else:
            plane = np.round(16 + picture.rgb @ np.array([65.481, 128.553, 24.966]) / 255).astype(np.float32)
        plane = plane[: height * BLOCK, : width * BLOCK]
        found = np.concatenate([_statistics(plane, BLOCK), _statistics(_halved(plane), BLOCK // 2)], axis=1)
        mean, spread = self._pristine
        known = found[~np.isnan(found).any(axis=1)]
        if len(known) < 2:
            return None
        apart = mean - np.nanmean(found, axis=0)
        return float(np.sqrt(apart @ np.linalg.pinv((spread + np.cov(known, rowvar=False)) / 2) @ apart))

    @cached_property
    def _pristine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(36,) and (36, 36)."""
        with np.load(NIQE_PRISTINE.path(), allow_pickle=False) as held:
            return held["mu_pris_param"].ravel(), held["cov_pris_param"]


def _statistics(plane: NDArray[Any], block: int) -> NDArray[np.float64]:
    """(blocks, 18): fits of asymmetric generalised Gaussians to what is left of each block when brightness and contrast
    are taken off.
    """
    mean = _blurred(plane)
    plain = (plane - mean) / (np.sqrt(np.abs(_blurred(plane * plane) - mean * mean)) + 1)
    plain[np.abs(plain) < NOISE] = 0
    high, wide = (side // block for side in plain.shape)
    blocks = plain.reshape(high, block, wide, block).transpose(0, 2, 1, 3).reshape(-1, block, block)
    shape, left, right = _fitted(blocks)
    columns = [shape, (left + right) / 2]
    for shift in SHIFTS:
        shape, left, right = _fitted(blocks * np.roll(blocks, shift, axis=(1, 2)))
        columns += [shape, (right - left) * _gamma(2 / shape) / _gamma(1 / shape), left, right]
    return np.stack(columns, axis=1)


def _blurred(plane: NDArray[Any]) -> NDArray[Any]:
    """Under a Gaussian window of 7 pixels, sigma 7/6, with repeated edges, in the type of the plane."""
    if plane.dtype == np.float32:  # added up in float64 and rounded once, as BasicSR does
        from scipy.ndimage import convolve

        window = np.exp(-np.square(np.arange(-3, 4)) / (2 * (7 / 6) ** 2))
        return convolve(plane, np.outer(window, window) / window.sum() ** 2, mode="nearest")
    import cv2

    return cv2.GaussianBlur(plane, (7, 7), 7 / 6, borderType=cv2.BORDER_REPLICATE)


def _fitted(blocks: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Shape, left and right scale of the asymmetric generalised Gaussian of each block, by its moments (Lasmar et al.,
    ICIP 2009).
    """
    values = blocks.reshape(len(blocks), -1)
    square = values * values
    below, above = values < 0, values > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.sqrt((square * below).sum(axis=1) / below.sum(axis=1))
        right = np.sqrt((square * above).sum(axis=1) / above.sum(axis=1))
        ratio = left / right
        moment = np.abs(values).mean(axis=1) ** 2 / square.mean(axis=1)
        wanted = moment * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    moments = _moments()  # grows with the shape
    after = np.clip(np.searchsorted(moments, wanted), 1, len(moments) - 1)
    nearest = np.where(wanted - moments[after - 1] <= moments[after] - wanted, after - 1, after)
    shape = np.where(np.isnan(wanted), np.nan, SHAPES[nearest])
    scale = np.sqrt(_gamma(1 / shape) / _gamma(3 / shape))
    return shape, left * scale, right * scale


@cache
def _moments() -> NDArray[np.float64]:
    return _gamma(2 / SHAPES) ** 2 / (_gamma(1 / SHAPES) * _gamma(3 / SHAPES))


def _gamma(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import gamma

    return gamma(values)


def _halved(plane: NDArray[Any]) -> NDArray[Any]:
    """Half as large both ways, as MATLAB's imresize does it: Keys' cubic, widened by two, mirrored at the edges."""
    return _rows_halved(_rows_halved(plane).T).T.astype(plane.dtype)


def _rows_halved(plane: NDArray[Any]) -> NDArray[Any]:
    away = np.abs(np.arange(-3.5, 4.5)) / 2
    near = 1.5 * away**3 - 2.5 * away**2 + 1
    far = -0.5 * away**3 + 2.5 * away**2 - 4 * away + 2
    taps = np.where(away <= 1, near, far)
    taps /= taps.sum()
    padded = np.pad(plane, ((3, 4), (0, 0)), mode="symmetric")
    return np.sum([tap * padded[n : n + len(plane) : 2] for n, tap in enumerate(taps)], axis=0)

from typing import Any

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from operators.base import Drop
from operators.metrics.base import Video
from operators.metrics.ssim import Ssim, ssim
from operators.picture import Picture
from tests.operators.metrics.calibration import official, toy, values


def test_official_values_in_every_digit() -> None:
    assert np.round(values(Ssim()), 4).tolist() == official("ssim")


def test_scikit_image_set_up_alike_agrees() -> None:
    one = toy(1)
    other = (one * 0.7 + 30).astype(np.uint8)
    planes = [Picture(picture).luma for picture in (one, other)]
    found: Any = structural_similarity(
        *planes, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, full=True
    )
    assert ssim(*planes) == pytest.approx(found[1][5:-5, 5:-5].mean(), abs=1e-9)
    assert Ssim().measure(Video.of([one], [other])) == ssim(*planes)


def test_equal_is_one_and_less_alike_is_less() -> None:
    one = toy(3)
    scores = [Ssim("ssim_rgb").measure(Video.of([np.roll(one, by, 1)], [one])) for by in (0, 1, 3)]
    assert scores[0] == pytest.approx(1)
    assert scores[0] > scores[1] > scores[2]


def test_a_frame_smaller_than_the_window_is_refused() -> None:
    with pytest.raises(Drop, match="too_small"):
        Ssim().measure(Video.of([toy()[:10]], [toy()[:10]]))

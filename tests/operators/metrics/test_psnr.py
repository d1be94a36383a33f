import numpy as np
import pytest

from operators.base import Drop
from operators.metrics.base import Video
from operators.metrics.psnr import Psnr
from tests.operators.metrics.calibration import official, toy, values


def test_official_values() -> None:
    assert values(Psnr()) == pytest.approx(official("psnr"), abs=0.005)  # published with two digits
    assert values(Psnr()) == pytest.approx([21.1136, 20.9872, 27.0139, 23.3002, 21.6186], abs=1e-4)


def test_a_known_difference() -> None:
    one = np.full((16, 16, 3), 100, np.uint8)
    assert Psnr().measure(Video.of([one], [one + 10])) == pytest.approx(20 * np.log10(255 / 10), abs=1e-3)
    assert Psnr("psnr_y").measure(Video.of([one], [one + 10])) == pytest.approx(20 * np.log10(255 / 10), abs=1e-3)
    assert Psnr().measure(Video.of([one], [one])) == 80


def test_the_mean_is_of_frames_not_of_errors() -> None:
    one = toy()
    close, far = one ^ 1, one ^ 64
    both = Psnr().measure(Video.of([close, far], [one, one]))
    assert both == pytest.approx(np.mean([Psnr().measure(Video.of([x], [one])) for x in (close, far)]))


def test_refusals() -> None:
    for made, reference, reason in (
        ([], [], "no_frames"),
        ([toy()], [toy(side=64)], "size_mismatch"),
        ([toy()], None, "no_reference"),
    ):
        with pytest.raises(Drop, match=reason):
            Psnr().measure(Video.of(made, reference))
    with pytest.raises(ValueError, match="psnr_rgb, psnr_y"):
        Psnr("psnr")

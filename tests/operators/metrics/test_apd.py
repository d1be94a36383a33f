import numpy as np
import pytest

from operators.metrics.apd import Apd
from operators.models import deep3d
from operators.models.tddfa import Coefficients
from tests.operators.metrics.hand_made import video


def turned(*angles: float) -> Coefficients:
    return Coefficients(np.array(angles, float), np.zeros(10), np.zeros(40))


def test_the_mean_over_three_angles_then_frames() -> None:
    given = video("3ddfa", [turned(0, 0, 0), turned(10, -5, 3)], [turned(3, 0, 0), turned(10, 1, 0)])
    assert Apd("apd_3ddfa").measure(given) == pytest.approx((1 + 3) / 2)


def test_angles_are_compared_the_short_way_round() -> None:
    assert Apd("apd_3ddfa").measure(video("3ddfa", [turned(0, 179, 0)], [turned(0, -178, 0)])) == pytest.approx(1)


def test_deep3d_s_angles_are_compared_as_they_are() -> None:
    one, other = (
        deep3d.Coefficients(np.zeros(64), np.array(angles)) for angles in ((0.1, -0.2, 3.1), (0.4, -0.2, -3.1))
    )
    assert Apd().measure(video("deep3d", [one], [other])) == pytest.approx((0.3 + 0 + 6.2) / 3)

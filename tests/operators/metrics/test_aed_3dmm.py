import numpy as np
import pytest

from operators.metrics.aed_3dmm import Aed3dmm
from operators.models import deep3d
from operators.models.tddfa import Coefficients
from tests.operators.metrics.hand_made import video


def smiling(*expression: float) -> Coefficients:
    return Coefficients(np.zeros(3), np.array([*expression, *[0.0] * (10 - len(expression))]), np.full(40, np.nan))


def test_the_mean_over_ten_coefficients_then_frames() -> None:
    given = video("3ddfa", [smiling(), smiling(1, -2)], [smiling(0.5), smiling(0, 2)])
    assert Aed3dmm("aed_3ddfa").measure(given) == pytest.approx((0.05 + 0.5) / 2)


def test_the_mean_over_deep3d_s_64() -> None:
    one, other = (deep3d.Coefficients(np.full(64, value), np.zeros(3)) for value in (0.25, -0.5))
    assert Aed3dmm().measure(video("deep3d", [one, one], [other, one])) == pytest.approx(0.375)

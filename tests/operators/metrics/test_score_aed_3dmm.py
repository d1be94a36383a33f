import numpy as np
import pytest

from operators.metrics.score_aed_3dmm import ScoreAed3dmm
from operators.metrics.tddfa import Coefficients
from tests.operators.metrics.hand_made import looks


def smiling(*expression: float) -> Coefficients:
    return Coefficients(np.zeros(3), np.array([*expression, *[0.0] * (10 - len(expression))]), np.full(40, np.nan))


def test_the_mean_over_ten_coefficients_then_frames() -> None:
    given = looks("3ddfa", [smiling(), smiling(1, -2)], [smiling(0.5), smiling(0, 2)])
    assert ScoreAed3dmm().measure(given) == pytest.approx((0.05 + 0.5) / 2)

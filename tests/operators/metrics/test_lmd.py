import numpy as np
import pytest

from operators.metrics.lmd import lmd_atvg, lmd_vico

MOUTH = np.random.default_rng(0).uniform(0, 100, (20, 2))


def test_a_mouth_that_only_moved_has_no_distance_where_it_is_centred() -> None:
    assert lmd_atvg(MOUTH, MOUTH + np.array([3, -4])) == pytest.approx(0, abs=1e-9)
    assert lmd_vico(MOUTH, MOUTH + np.array([3, -4])) == pytest.approx(3.5)


def test_one_point_that_moved() -> None:
    """By 20 pixels: the mean point moves by one, so that 19 points are 1 apart and one 19."""
    moved = MOUTH.copy()
    moved[7, 1] += 20
    assert lmd_atvg(MOUTH, moved) == pytest.approx(19 + 19 * 1)
    assert lmd_vico(MOUTH, moved) == pytest.approx(20 / 40)

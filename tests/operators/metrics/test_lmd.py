import numpy as np
import pytest

from operators.metrics.base import FramePair, Video
from operators.metrics.lmd import Lmd, lmd_atvg, lmd_vico
from tests.operators.metrics.made_mesh import MESH, moved, with_mesh

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


@pytest.mark.parametrize(
    ("point", "counts"), [(61, True), (181, True), (78, True), (87, True), (380, False), (373, False), (152, False)]
)
def test_the_mouth_is_its_twenty_points_and_no_other(point: int, counts: bool) -> None:
    """The first and the last of the outer and of the inner lips; the last two of the eyes, and the chin."""
    found = Lmd("lmd_vico_mesh").measure(
        Video(iter([FramePair(with_mesh(moved(point, (4.0, -2.0))), with_mesh(MESH))]))
    )
    assert found == pytest.approx(6 / 40 if counts else 0)

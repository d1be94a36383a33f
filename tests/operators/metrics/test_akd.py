import numpy as np
import pytest

from operators.metrics.akd import Akd, akd
from operators.metrics.base import Video
from tests.operators.metrics.faces_seen import same


def test_the_mean_is_over_coordinates() -> None:
    points = np.zeros((68, 2))
    assert akd(points, points + np.array([3, -4])) == pytest.approx(3.5)


def test_a_face_that_moved_by_a_known_way() -> None:
    moved = [np.roll(frame, 6, axis=1) for frame in same()]
    assert Akd().measure(Video.of(moved, same())) == pytest.approx(6 / 2, abs=0.5)


def test_the_size_of_the_frame_does_not_matter() -> None:
    large = [frame.repeat(2, 0).repeat(2, 1) for frame in same()]
    assert Akd().measure(Video.of(large, same())) < 0.7

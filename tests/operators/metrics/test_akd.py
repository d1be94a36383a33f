from types import SimpleNamespace

import numpy as np
import pytest

from operators.metrics.akd import Akd, akd
from operators.metrics.base import FramePair, Video
from operators.models.face_pictures import IBUG_68, points68
from operators.picture import Picture
from tests.operators.metrics.faces_seen import same
from tests.operators.metrics.made_mesh import MESH, with_mesh


def test_the_mean_is_over_coordinates() -> None:
    points = np.zeros((68, 2))
    assert akd(points, points + np.array([3, -4])) == pytest.approx(3.5)


def test_a_face_that_moved_by_a_known_way() -> None:
    moved = [np.roll(frame, 6, axis=1) for frame in same()]
    assert Akd().measure(Video.of(moved, same())) == pytest.approx(6 / 2, abs=0.5)


def test_the_size_of_the_frame_does_not_matter() -> None:
    large = [frame.repeat(2, 0).repeat(2, 1) for frame in same()]
    assert Akd().measure(Video.of(large, same())) < 0.7


def test_each_axis_is_brought_to_256_by_its_own_length() -> None:
    """Of a picture 60 wide and 40 high, and a made face that is moved along one axis."""
    for by, distance in (((6.0, 0.0), 6 * 256 / 60 / 2), ((0.0, 6.0), 6 * 256 / 40 / 2)):
        pair = FramePair(with_mesh(MESH + by), with_mesh(MESH))
        assert Akd().measure(Video(iter([pair]))) == pytest.approx(distance)


def test_a_mesh_is_in_pixels_of_a_picture_that_is_not_square() -> None:
    picture = Picture(np.zeros((40, 60, 3), np.uint8))
    shares = np.column_stack([MESH / (60, 40), np.zeros(478)])
    picture.once("face", lambda _: SimpleNamespace(points=shares))
    points = points68(picture)
    assert points is not None
    assert points == pytest.approx(MESH[IBUG_68])

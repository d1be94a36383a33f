"""Boxes whose four edges are four different numbers, so that none can stand for another."""

import pytest

from manifests.boxes import Box, box_at, intersection, iou, square_around
from manifests.tables import Track


def test_intersection_and_union() -> None:
    one, other = (10, 200, 50, 230), (40, 190, 80, 210)
    assert intersection(one, other) == 10 * 10
    assert iou(one, other) == pytest.approx(100 / (1200 + 800 - 100))
    assert iou(one, (50, 200, 90, 230)) == iou(one, (10, 230, 50, 260)) == 0  # they touch
    assert iou((1, 1, 1, 5), (1, 1, 1, 5)) == 0


def test_a_square_keeps_the_centre_and_the_longer_side() -> None:
    assert square_around(Box(100, 20, 140, 40), 1.5) == (90, 0, 150, 60)
    assert square_around(Box(100, 20, 120, 60), 1.5) == (80, 10, 140, 70)


def test_where_a_track_is() -> None:
    sides = [10.0, 20.0, 20.0], [300.0, 320.0, 320.0], [70.0, 90.0, 90.0], [380.0, 440.0, 440.0]
    track = Track("s", "t", "shot", 1.0, 3.5, [1.0, 2.0, 3.0], *sides, [0.9, 0.0, 0.8])
    assert box_at(track, 1.4) == pytest.approx((14, 308, 78, 404, 0.9, float("nan")), nan_ok=True)
    assert box_at(track, 1.6) == pytest.approx((16, 312, 82, 416, 0.0, float("nan")), nan_ok=True)
    assert box_at(track, 0.99) is box_at(track, 3.01) is None
    assert box_at(track, 3.0) is not None

import numpy as np
import pytest

from operators.models.face_identity import ARCFACE_5, similarity
from operators.models.face_pictures import IBUG_68, aligned, embedding, mesh, points68
from operators.picture import Picture
from tests.operators.metrics.faces_seen import blank, other, same


def test_a_similarity_is_found_again() -> None:
    turn = np.array([[0.8, -0.6], [0.6, 0.8]]) * 1.7
    points = np.random.default_rng(0).uniform(0, 100, (5, 2))
    found = similarity(points, points @ turn.T + (3, -5))
    assert found == pytest.approx(np.column_stack([turn, (3, -5)]))


def test_the_68_points_lie_where_the_scheme_has_them() -> None:
    points = points68(Picture(same()[0]))
    assert points is not None
    assert len(IBUG_68) == len(set(IBUG_68)) == 68
    jaw, nose_tip, left_eye, right_eye, mouth = points[:17], points[30], points[36:42], points[42:48], points[48:68]
    assert np.all(np.diff(jaw[:, 0]) > 0)  # from the image's left to the right
    assert left_eye[:, 1].mean() < nose_tip[1] < mouth[:, 1].mean() < jaw[8, 1]
    assert left_eye[:, 0].mean() < nose_tip[0] < right_eye[:, 0].mean()
    assert points[48, 0] < points[60, 0] < points[64, 0] < points[54, 0]  # the inner corners between the outer ones
    assert np.all(points[61:64, 1] <= points[65:68, 1][::-1])


def test_the_aligned_face_has_its_eyes_and_mouth_in_place() -> None:
    crop = aligned(Picture(same()[0]), "faceplugin")
    assert crop is not None
    found = mesh(Picture(crop.repeat(3, 0).repeat(3, 1)))
    assert found is not None
    for points, wanted in zip(([468], [473], [4], [61], [291]), ARCFACE_5, strict=True):
        assert found[points].mean(axis=0) / 3 == pytest.approx(wanted, abs=6)


def test_it_is_made_once_and_gives_nothing_without_a_face() -> None:
    picture = Picture(same()[0])
    assert mesh(picture) is mesh(picture)
    for made in (mesh(Picture(blank())), points68(Picture(blank())), embedding(Picture(blank()), "faceplugin")):
        assert made is None


def test_an_embedding_does_not_mind_turn_and_place() -> None:
    picture = same()[0]
    turned = np.rot90(np.roll(picture, 12, axis=1), 4).copy()
    one, two, far = (embedding(Picture(one), "faceplugin") for one in (picture, turned, other()[0]))
    assert one is not None
    assert two is not None
    assert far is not None
    assert np.linalg.norm(one) == pytest.approx(1)
    assert one @ two > 0.9 > 0.4 > one @ far

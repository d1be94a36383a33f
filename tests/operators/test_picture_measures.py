"""Each formula against numbers worked out by hand or with another library, on made and on real pictures."""

import math
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from operators.media.frames import VideoFrames
from operators.picture_measures import (
    bars,
    blockiness,
    blur_effect,
    combing,
    exposure,
    laplacian_variance,
    noise,
    seam,
    steps,
)
from tests.conftest import media


def astronaut() -> np.ndarray:
    from skimage import data
    from skimage.color import rgb2gray

    return np.round(255 * rgb2gray(data.astronaut())).astype(np.uint8)


def test_exposure_by_hand():
    plane = np.array([[0, 16, 17, 249], [250, 255, 100, 100]], np.uint8)
    found = exposure(plane)
    assert found["brightness"] == pytest.approx(plane.mean())
    assert found["contrast"] == pytest.approx(plane.std() / 255)
    assert (found["dark_share"], found["bright_share"]) == (2 / 8, 2 / 8)
    assert exposure(np.full((4, 4), 7, np.uint8))["contrast"] == 0


def test_laplacian_variance_is_scipys():
    from scipy.ndimage import laplace

    assert laplacian_variance(astronaut()) == pytest.approx(laplace(astronaut().astype(float), mode="mirror").var())


@pytest.mark.parametrize("sigma", [3.0, 8.0, 20.0])
def test_noise_is_the_one_put_in(sigma):
    made = np.random.default_rng(1).normal(0, sigma, (256, 256)) + np.linspace(80, 160, 256)
    assert noise(made.round().clip(0, 255).astype(np.uint8)) == pytest.approx(sigma, rel=0.05)
    assert noise(np.tile(np.arange(256, dtype=np.uint8), (256, 1))) == 0, "a ramp has none"


def test_blockiness_by_hand():
    """Steps of 1 within blocks and of 4 between them: 4 over 1."""
    row = np.cumsum([0, *([1] * 7 + [4]) * 2, 1, 1, 1, 1, 1, 1, 1])
    plane = (row[:, None] + row[None, :]).astype(np.uint8)
    assert blockiness(plane) == 4
    assert blockiness(plane[3:, 5:], left=5, top=3) == 4, "the grid is the frame's"
    assert blockiness(plane[3:, 5:]) < 1
    assert blockiness(np.full((32, 32), 9, np.uint8)) == 1
    assert math.isnan(blockiness(plane[:12]))


def test_blockiness_grows_with_every_step_of_jpeg(tmp_path):
    values = [blockiness(astronaut())]
    for quality in (70, 50, 30, 15, 5):
        Image.fromarray(astronaut()).save(tmp_path / "a.jpg", quality=quality)
        values.append(blockiness(np.asarray(Image.open(tmp_path / "a.jpg"))))
    assert all(after > before for before, after in pairwise(values)), values
    assert values[0] < 1.1
    assert values[-1] > 2


def test_combing_of_a_picture_that_moves_between_its_fields():
    plane = astronaut()
    assert combing(plane) == 0
    values = []
    for moved in (0, 2, 4, 8):
        fields = plane.copy()
        fields[1::2] = np.roll(plane, moved, axis=1)[1::2]
        values.append(combing(fields))
    assert values[0] == 0
    assert all(after > before for before, after in pairwise(values)), values
    assert values[-1] > 0.3
    assert combing(plane[:10]) == 0


@pytest.mark.parametrize("name", ["headpose_31.mp4", "speakervid_range_head_1.mp4", "lia_vox_driving2.mp4"])
def test_real_progressive_film_does_not_comb_and_has_no_bars(name):
    planes = [frame.gray() for _, frame in zip(range(3), VideoFrames(media("single", name)), strict=False)]
    assert max(combing(plane) for plane in planes) < 0.002
    assert bars(np.max(planes, axis=0), np.min(planes, axis=0)) == 0


def test_bars_by_hand():
    plane = np.full((100, 200), 90, np.uint8)
    assert bars(plane, plane) == 0
    plane[:10] = plane[-15:] = 4
    assert bars(plane, plane) == pytest.approx(0.25)
    plane[:, :50] = 20
    assert bars(plane, plane) == pytest.approx(1 - 75 * 150 / (100 * 200))
    plane[3, 120] = 60
    assert bars(plane, plane) == pytest.approx(1 - 82 * 150 / (100 * 200)), "a line with something in it is none"
    assert bars(np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8)) == 1
    dim = np.full((40, 40), 20, np.uint8)
    assert bars(dim, dim - 12) == 0, "what flickers in the dark is no bar"


def test_blur_effect_is_scikit_images():
    import cv2
    from skimage.measure import blur_effect as theirs

    for picture in (astronaut(), astronaut()[:200, 100:400], cv2.GaussianBlur(astronaut(), (0, 0), 3)):
        assert blur_effect(np.asarray(picture, np.uint8)) == pytest.approx(theirs(picture), abs=1e-4)
    assert math.isnan(blur_effect(np.full((32, 32), 9, np.uint8)))


def test_a_seam_by_hand():
    plane = np.full((100, 200), 90, np.uint8)
    assert seam(steps(plane)) == 0
    plane[:, 80:] = 120
    assert seam(steps(plane)) == 1
    plane[:, 80:] = 90
    plane[40, :50] = 120
    assert seam(steps(plane)) == pytest.approx(50 / 200)
    plane[1] = 255
    assert seam(steps(plane)) == pytest.approx(50 / 200), "at the edge it is none"


@pytest.mark.parametrize(
    ("left", "right"),
    [("headpose_31.mp4", "speakervid_range_head_1.mp4"), ("speakervid_range_head_5.mp4", "latentsync_demo1_video.mp4")],
)
def test_two_real_films_side_by_side_have_a_seam_and_each_alone_has_none(left, right):
    films = []
    for name in (left, right):
        frames = [
            frame for number, frame in enumerate(VideoFrames(media("single", name), None, 2.1)) if number in (0, 25, 50)
        ]
        films.append([np.asarray(Image.fromarray(frame.gray()).resize((480, 540))) for frame in frames])

    def standing(planes) -> float:
        found = [steps(plane) for plane in planes]
        return seam(
            (np.logical_and.reduce([one[0] for one in found]), np.logical_and.reduce([one[1] for one in found]))
        )

    assert standing([np.hstack(pair) for pair in zip(*films, strict=True)]) > 0.85
    assert max(standing(film) for film in films) < 0.7

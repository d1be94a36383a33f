"""On a photograph that is panned and zoomed by known amounts, with a portrait that moves by itself before it."""

from collections.abc import Callable

import numpy as np
import pytest

from manifests.tables import Clip, Track
from operators.media.frames import VideoFrames
from operators.pictures.score_camera import ScoreCamera
from tests.made_videos import write_video

WIDTH, HEIGHT, SECONDS = 480, 270, 2.0
CLIP = Clip("s", "s/c", "s/shot", "s/shot/t0", "speaker0", 0.0, SECONDS, 0, 0, WIDTH, HEIGHT)


def scene(t: float, pan: float, zoom: float, head: float) -> np.ndarray:
    """A photograph, panned by widths a second and zoomed by parts a second, and a head that moves by itself."""
    import cv2
    from skimage import data

    ground = cv2.resize(data.coffee(), (WIDTH * 2, HEIGHT * 2))
    scale, shift = np.exp(zoom * t), pan * t * WIDTH
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    at = middle - scale * (middle + np.array([200 + shift, 150]))
    moves = np.array([[scale, 0, at[0]], [0, scale, at[1]]], np.float32)
    picture = cv2.warpAffine(ground, moves, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
    face = cv2.resize(data.astronaut()[:200, 130:330], (80, 80))
    left = int(200 + head * t * WIDTH)
    picture[60:140, left : left + 80] = face
    return picture


def track_of(head: float) -> Track:
    times = [n / 5 for n in range(11)]
    lefts = [200 + head * t * WIDTH for t in times]
    rights = [left + 80 for left in lefts]
    return Track(
        "s", "s/shot/t0", "s/shot", 0.0, SECONDS, times, lefts, [60.0] * 11, rights, [140.0] * 11, [1.0] * 11
    )  # fmt: skip


@pytest.fixture
def camera(tmp_path) -> Callable[..., dict[str, float]]:
    def of(pan: float, zoom: float, head: float, *tracks: Track) -> dict[str, float]:
        path = write_video(
            tmp_path / "made.mp4", [(lambda t: scene(t, pan, zoom, head), SECONDS)], size=(WIDTH, HEIGHT)
        )
        return {one.metric: one.value for one in ScoreCamera()(CLIP, list(tracks), VideoFrames(path, 0.0, SECONDS))}

    return of


@pytest.mark.parametrize(("pan", "zoom"), [(0.0, 0.0), (0.1, 0.0), (0.0, 0.08), (0.0, -0.08), (0.05, 0.04)])
def test_pan_and_zoom_are_told_whatever_the_head_does(camera, pan: float, zoom: float) -> None:
    found = camera(pan, zoom, 0.1, track_of(0.1))
    assert found["camera_known_share"] == 1.0
    assert found["camera_pan_widths_per_s"] == pytest.approx(pan, abs=0.01)
    assert found["camera_zoom_per_s"] == pytest.approx(abs(zoom), abs=0.01)
    assert found["camera_moving_share"] == (1.0 if pan or zoom else 0.0)


def test_where_people_are_everywhere_nothing_is_told(camera) -> None:
    edges = [0.0] * 11, [0.0] * 11, [float(WIDTH)] * 11, [float(HEIGHT)] * 11
    one = track_of(0.0)
    covers = Track("s", "s/shot/t1", "s/shot", 0.0, SECONDS, one.times_s, *edges, one.confidence)
    assert camera(0.1, 0.0, 0.0, covers) == {"camera_known_share": 0.0}

"""The detectors in torch, held against MediaPipe's own tasks."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from operators.base import every
from operators.media.frames import VideoFrames
from operators.models.blazeface import Blazeface, sampled
from operators.models.catalogue import FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE
from operators.models.face_detectors import Mediapipe
from operators.models.mediapipe import looker
from tests.conftest import media
from tests.operators.faces.portraits import portrait

WEIGHTS = (FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE)
SCORES = (0.3, 0.6)


def by_mediapipe() -> Mediapipe:
    return Mediapipe(*(looker(weight, score, "cpu") for weight, score in zip(WEIGHTS, SCORES, strict=True)))


def in_torch(device: str = "cpu") -> Mediapipe:
    return Mediapipe(
        *(Blazeface(weight.path().read_bytes(), score, device) for weight, score in zip(WEIGHTS, SCORES, strict=True))
    )


@pytest.mark.parametrize("weight", WEIGHTS, ids=["full_range", "short_range"])
@pytest.mark.parametrize("window", [(0, 512, 0, 512), (20, 290, 60, 510), (0, 191, 100, 300)])
def test_a_picture_of_any_shape_and_size_is_seen_as_mediapipe_sees_it(weight, window) -> None:
    picture = np.ascontiguousarray(portrait(15)[window[0] : window[1], window[2] : window[3]])
    (told,) = looker(weight, 0.3, "cpu").look([picture])
    (found,) = Blazeface(weight.path().read_bytes(), 0.3).look([picture])
    assert len(told) == len(found) == 1
    assert found[0].corners.tolist() == told[0].corners.tolist()
    assert found[0].points == pytest.approx(told[0].points, abs=0.01)
    assert found[0].score == pytest.approx(told[0].score, abs=1e-4)


def test_no_picture_and_no_face_give_none() -> None:
    detector = Blazeface(FACE_DETECTOR_SHORT_RANGE.path().read_bytes(), 0.5)
    assert detector.look([]) == []
    assert detector.look([np.full((128, 128, 3), level, np.uint8) for level in (0, 120)]) == [[], []]


def agree(path: Path, one: Mediapipe, rate_hz: float, end_s: float) -> int:
    """How many faces of a film both tell alike: boxes to the pixel of the second look's 128, points to a thousandth of
    the box.
    """
    frames = list(every(VideoFrames(path, 0.0, end_s), rate_hz))
    told, found = (detector.look(frames) for detector in (by_mediapipe(), one))
    for here, there in zip(told, found, strict=True):
        assert len(here) == len(there)
        for ours, theirs in zip(here, there, strict=True):
            wide = ours.box.right - ours.box.left
            assert np.abs(np.subtract(ours.box[:4], theirs.box[:4])).max() <= 0.04 * wide
            assert np.abs(ours.points - theirs.points).max() <= 1e-3 * wide
            assert ours.box.confidence == pytest.approx(theirs.box.confidence, abs=1e-3)
            assert ours.box.yaw_deg == pytest.approx(theirs.box.yaw_deg, abs=0.1)
    return sum(map(len, told))


def test_both_looks_at_a_batch_of_frames_are_those_of_mediapipe() -> None:
    assert agree(media("multi", "hamilton_short_clip.mp4"), in_torch(), 1.0, 5.0) == 6


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "multi/avi_testvideo.mp4",
        "multi/avi_billhyland.mp4",
        "negative/facenet_crowd_video.mp4",
        "single/speakervid_range_head_1.mp4",
    ],
)
def test_films_are_seen_as_mediapipe_sees_them(name: str) -> None:
    assert agree(media(*name.split("/")), in_torch(), 1.0, 12.0) >= 5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_sees_what_mediapipe_sees() -> None:
    assert agree(media("multi", "hamilton_short_clip.mp4"), in_torch("cuda"), 5.0, 10.0) >= 40


@pytest.mark.parametrize("black", [True, False], ids=["black", "edge"])
def test_a_picture_is_turned_and_scaled_as_opencv_does(black: bool) -> None:
    """OpenCV 5 knows finer steps than 1/32 pixel, which does not matter in a smooth picture."""
    import cv2

    y, x = np.mgrid[:60, :90]
    picture = np.stack([100 + x, 200 - 2 * y, 60 + x + y], -1).astype(np.uint8)
    turns = [
        np.asarray(cv2.getRotationMatrix2D((40, 30), angle, scale), np.float64)
        for angle, scale in ((0, 2.5), (33, 0.7), (-120, 1.3))
    ]
    found = sampled(torch.from_numpy(picture).float().expand(3, -1, -1, -1), np.stack(turns), 64, black).numpy()
    for turn, one in zip(turns, found, strict=True):
        border = cv2.BORDER_CONSTANT if black else cv2.BORDER_REPLICATE
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        told = cv2.warpPerspective(picture, np.vstack([turn, [0, 0, 1]]), (64, 64), flags=flags, borderMode=border)
        off = np.abs(one - told)
        assert off.max() <= (5 if black else 1), "at the border black is 1/64 of a pixel nearer"
        assert off.mean() < 0.5


def test_pictures_on_a_gpu_are_turned_there() -> None:
    with FakeTensorMode():
        found = sampled(torch.empty(4, 100, 80, 3, device="cuda"), np.zeros((4, 2, 3)), 64, True)
    assert (found.device.type, found.shape) == ("cuda", (4, 64, 64, 3))


def test_halves_are_rounded_up_and_places_to_a_32nd_of_a_pixel() -> None:
    """What MediaPipe's own build of OpenCV does: with halves to even its points lie up to a pixel away."""
    picture = torch.tensor([[0.0, 1, 4, 255]])[None, ..., None].expand(-1, -1, -1, 3)
    places = [0.5, 1.5, 2.51, 1.01, 3.5]  # 2.51 is 2 + 16/32, 1.01 is 1
    rows = [
        sampled(picture, np.array([[[0.0, 0.0, at], [0.0, 0.0, 0.0]]]), 1, black)[0, 0, 0, 0].item()
        for black in (True, False)
        for at in places
    ]
    assert rows == [1, 3, 130, 1, 128, 1, 3, 130, 1, 255]

"""The landmarker in torch, held against MediaPipe's own task."""

import numpy as np
import pytest
import torch

from manifests.boxes import square_around
from operators.base import every
from operators.faces import landmark_faces
from operators.faces.detect_faces import DetectFaces
from operators.media.frames import VideoFrames
from operators.models.face_geometry import (
    LandmarkedFace,
    blendshapes_of,
    gaze_deg,
    head_pose_deg,
    landmarks_of,
    mouth_opening,
)
from operators.models.face_landmarker import Landmarker
from operators.models.facemesh import Facemesh
from tests.conftest import media
from tests.operators.faces.portraits import mesh_of, portrait, track

SIDE = 320


def crops(name: str, rate_hz: float, end_s: float) -> list[np.ndarray]:
    """The surest face of each looked-at frame, as `LandmarkFaces` looks at it."""
    detector = DetectFaces(detector="mediapipe")
    frames = every(VideoFrames(media(*name.split("/")), 0.0, end_s), rate_hz)
    return [
        frame.crop(*square_around(found[0], 2.0), (SIDE, SIDE)) for frame in frames if (found := detector.faces(frame))
    ]


def hold(told: LandmarkedFace, found: LandmarkedFace) -> None:
    """The stated tolerance: 0.05 of the crop's 320 pixels, in depth 0.3, 0.05 degrees of pose and 0.1 of gaze, 0.005 of
    a blendshape. The depth of the irises is told from little, and moves with a processor's order of sums.
    """
    off = np.abs(told.points - found.points).max(axis=0) * SIDE
    assert off[:2].max() < 0.05
    assert off[2] < 0.3
    assert head_pose_deg(found.matrix) == pytest.approx(head_pose_deg(told.matrix), abs=0.05)
    assert gaze_deg(found.points, 1, 1, found.matrix) == pytest.approx(
        gaze_deg(told.points, 1, 1, told.matrix), abs=0.1
    )
    assert mouth_opening(found.points) == pytest.approx(mouth_opening(told.points), abs=1e-3)
    assert np.abs(told.blendshapes - found.blendshapes).max() < 0.005


def compare(pictures: list[np.ndarray], device: str = "cpu") -> int:
    """How many faces both found, alike."""
    one, other = Landmarker(), Facemesh(device=device)
    both = list(zip(one.look(pictures), other.look(pictures), strict=True))
    for told, found in both:
        assert len(told) == len(found)
        for here, there in zip(told, found, strict=True):
            hold(here, there)
    return sum(len(told) for told, _ in both)


def test_faces_upright_turned_and_cut_off_are_meshed_as_by_mediapipe() -> None:
    pictures = [portrait(turned)[20:340, 60:380] for turned in (0, 30, -60)]  # the last face lies at the picture's edge
    pictures += [
        portrait()[60:380, 190:510],
        portrait(mirrored=True)[20:340, 150:470],
        np.full((SIDE, SIDE, 3), 90, np.uint8),
    ]
    pictures = [np.ascontiguousarray(picture) for picture in pictures]
    assert compare(pictures) >= 4
    assert Facemesh().look(pictures)[-1] == []


def test_without_blendshapes_the_points_stay() -> None:
    picture = np.ascontiguousarray(portrait()[20:340, 60:380])
    (more,), (less,) = (Facemesh(blendshapes=shapes).look([picture])[0] for shapes in (True, False))
    assert less.blendshapes.shape == (0,)
    assert (less.points == more.points).all()


def test_pictures_that_are_not_square_are_refused() -> None:
    with pytest.raises(ValueError, match="not square"):
        Facemesh().look([np.zeros((320, 300, 3), np.uint8)])
    assert Facemesh().look([]) == []


def test_rows_of_batches_are_those_of_single_looks(monkeypatch, tmp_path) -> None:
    """A track that has the face at some looks only: each look keeps its own answer."""
    seen = track(sure=(0.9, 0.0, 0.9, 0.9, 0.0), moves_px=2.0)
    told = mesh_of(tmp_path, portrait(), seen, rate_hz=5.0)
    monkeypatch.setattr(landmark_faces, "landmarker", lambda blendshapes: Facemesh(blendshapes))
    found = mesh_of(tmp_path, portrait(), seen, rate_hz=5.0)
    assert found.seen == told.seen == [True, False, True, True, False]
    assert (found.times_s, found.side_px, found.left_px) == (told.times_s, told.side_px, told.left_px)
    assert np.nanmax(np.abs(landmarks_of(found) - landmarks_of(told))) < 0.05
    assert np.nanmax(np.abs(blendshapes_of(found) - blendshapes_of(told))) < 0.005
    assert np.array(found.yaw_deg) == pytest.approx(np.array(told.yaw_deg), abs=0.05, nan_ok=True)


def test_a_speaker_is_meshed_as_by_mediapipe() -> None:
    assert compare(crops("single/headpose_31.mp4", 2.0, 4.0)) >= 8


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "hdtf/retalking_face_1.mp4",
        "multi/avi_billhyland.mp4",
        "negative/pyfeat_WolfgangLanger_Pexels.mp4",
        "multi/hamilton_short_clip.mp4",
    ],
)
def test_films_are_meshed_as_by_mediapipe(name: str) -> None:
    assert compare(crops(name, 2.0, 6.0)) >= 6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_meshes_as_mediapipe() -> None:
    assert compare(crops("single/headpose_31.mp4", 10.0, 6.0), "cuda") >= 55

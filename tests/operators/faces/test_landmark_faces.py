from dataclasses import replace

import numpy as np
import pytest

from manifests.tables import Track
from operators.base import Drop
from operators.faces.detect_faces import DetectFaces
from operators.faces.landmark_faces import LandmarkFaces
from operators.media.frames import VideoFrames
from operators.models.face_geometry import BLENDSHAPES, blendshapes_of, landmarks_of
from operators.models.face_landmarker import Landmarker
from tests.conftest import media
from tests.made_videos import write_video
from tests.operators.faces.portraits import CLIP, FACE, mesh_of, portrait, track

NUMBERS = ("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg", "mouth_opening")


def test_a_row_a_clip_with_lists_as_long_as_there_are_looks(tmp_path) -> None:
    mesh = mesh_of(tmp_path, portrait(), track(sure=(0.9, 0.9, 0.0, 0.9, 0.9)), rate_hz=5.0)
    assert (mesh.face_landmarks_id, mesh.clip_id) == (f"{CLIP.clip_id}/{mesh.model}", CLIP.clip_id)
    assert mesh.times_s == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert mesh.seen == [True, True, False, True, True], "a hidden face is not looked for"
    assert mesh.side_px == [208, 208, 0, 208, 208], "twice the longer side of the box"
    points, shapes = landmarks_of(mesh), blendshapes_of(mesh)
    assert points.shape == (5, 478, 3)
    assert shapes.shape == (5, 52)
    for values in (points[:, 0, 0], shapes[:, 0], *(np.array(getattr(mesh, name)) for name in NUMBERS)):
        assert np.isnan(values).tolist() == [False, False, True, False, False]
    assert 0 <= np.nanmin(shapes) <= np.nanmax(shapes) <= 1


def test_points_lie_where_a_look_at_the_whole_picture_finds_them(tmp_path) -> None:
    landmarker = Landmarker(blendshapes=False)
    (whole,) = landmarker(portrait())
    found = landmarks_of(mesh_of(tmp_path, portrait(), track()))[0]
    off = np.hypot(*(found - whole.points * 512)[:, :2].T)
    assert np.median(off) < 2
    assert off.max() < 6
    assert np.corrcoef(found[:, 2], whole.points[:, 2])[0, 1] > 0.98


def test_every_frame_is_looked_at_when_the_rate_is_0_and_up_to_the_tracks_end(tmp_path) -> None:
    mesh = mesh_of(tmp_path, portrait(), track(), rate_hz=0.0)
    assert mesh.times_s == pytest.approx([n / 25 for n in range(25)])
    assert all(mesh.seen), "the track's last look is at 0.8 s, its end at 1.0 s"
    short = replace(track(), end_s=0.9)
    assert mesh_of(tmp_path, portrait(), short, rate_hz=0.0).seen == [True] * 23 + [False] * 2


def test_the_same_clip_gives_the_same_bytes(tmp_path) -> None:
    one, other = (mesh_of(tmp_path, portrait(), track()) for _ in range(2))
    assert (one.landmarks, one.blendshapes, one.yaw_deg) == (other.landmarks, other.blendshapes, other.yaw_deg)


def test_without_blendshapes_all_else_stays(tmp_path) -> None:
    more, less = mesh_of(tmp_path, portrait(), track()), mesh_of(tmp_path, portrait(), track(), blendshapes=False)
    assert less.blendshapes == b""
    assert (less.landmarks, less.gaze_yaw_deg) == (more.landmarks, more.gaze_yaw_deg)


def test_a_neighbours_face_does_not_count(tmp_path) -> None:
    left, top, right, bottom = FACE
    beside = track((left + 70, top, right + 70, bottom))
    assert not any(mesh_of(tmp_path, portrait(), beside).seen)


def test_nothing_is_seen_where_there_is_no_face(tmp_path) -> None:
    mesh = mesh_of(tmp_path, np.full((512, 512, 3), 120, np.uint8), track(), rate_hz=5.0)
    assert mesh.seen == [False] * 5
    assert np.isnan(landmarks_of(mesh)).all()


def test_a_face_the_track_never_has_is_dropped(tmp_path) -> None:
    path = write_video(tmp_path / "red.mp4", [("red", 1.0)])
    with pytest.raises(Drop, match="no_face"):
        list(LandmarkFaces()(CLIP, [track(sure=(0.0,) * 5)], VideoFrames(path)))


def test_the_lips_of_a_real_speaker_part_as_the_blendshapes_say() -> None:
    """4 s of speech: the mesh is there at every look, and the gap goes with the jaw, which falls behind closed lips
    too.
    """
    path = media("single", "headpose_31.mp4")
    frames = list(VideoFrames(path, 2.0, 2.1))
    box = DetectFaces().faces(frames[0])[0]
    left, top, right, bottom = ([edge] * 2 for edge in box[:4])
    still = Track("s", CLIP.track_id, CLIP.shot_id, 2.0, 6.0, [2.0, 6.0], left, top, right, bottom, [0.9, 0.9])
    (mesh,) = LandmarkFaces()(replace(CLIP, start_s=2.0, end_s=6.0), [still], VideoFrames(path, 2.0, 6.0))
    assert len(mesh.times_s) == 50, "as often as a mouth must be seen"
    assert all(mesh.seen)
    shapes = dict(zip(BLENDSHAPES, blendshapes_of(mesh).T, strict=True))
    assert np.corrcoef(shapes["jawOpen"], mesh.mouth_opening)[0, 1] > 0.4
    assert max(mesh.mouth_opening) > 0.2 > 0.05 > min(mesh.mouth_opening)

from dataclasses import replace

import numpy as np
import pytest

from manifests.boxes import square_around
from manifests.tables import FaceLandmarks, Track
from operators.base import Drop, every
from operators.faces.detect_faces import DetectFaces
from operators.faces.landmark_faces import LandmarkFaces
from operators.faces.score_face import ScoreFace
from operators.media.frames import VideoFrames
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.face_geometry import head_pose_deg, mouth_opening
from operators.models.mediapipe import mediapipe_image
from tests.conftest import media
from tests.operators.faces.portraits import CLIP, FACE, mesh_of, portrait, track


def scores(tmp_path, picture, *tracks: Track, **fields) -> dict[str, float]:
    return scored(mesh_of(tmp_path, picture, *tracks, **fields), *tracks)


def scored(mesh: FaceLandmarks, *tracks: Track) -> dict[str, float]:
    rows = list(ScoreFace()(CLIP, list(tracks), [mesh]))
    assert all(row.score_id == f"{CLIP.clip_id}#{row.metric}" for row in rows)
    assert len({row.metric for row in rows}) == len(rows)
    return {row.metric: row.value for row in rows}


def test_size_visibility_motion_and_company(tmp_path):
    other = track((300.0, 100.0, 360.0, 160.0), "t1", sure=(0.9, 0.9, 0.0, 0.9, 0.9))
    elsewhere = Track(
        "s", "s/later/t0", "s/later", 0.0, 1.0, [0.0, 0.8], [0.0] * 2, [0.0] * 2, [9.0] * 2, [9.0] * 2, [0.9] * 2
    )
    values = scores(tmp_path, portrait(), track(moves_px=2.4, sure=(0.9, 0.9, 0.9, 0.0, 0.9)), other, elsewhere)
    assert values["face_width_px"] == 96
    assert values["face_visible_share"] == pytest.approx(4 / 5)
    assert values["face_motion_widths_per_s"] == pytest.approx(2.4 * 5 / 96)
    assert values["faces_in_view"] == pytest.approx((4 + 4) / 5)
    assert values["mesh_share"] == 1


def test_a_mirrored_face_has_opposite_yaw_roll_and_gaze(tmp_path):
    left, top, right, bottom = FACE
    there = scores(tmp_path, portrait(), track())
    back = scores(tmp_path, portrait(mirrored=True), track((511 - right, top, 511 - left, bottom)))
    assert abs(there["roll_deg"]) > 2, "the astronaut tilts her head, else this proves nothing"
    assert back["yaw_deg"] == pytest.approx(-there["yaw_deg"], abs=4)
    assert back["roll_deg"] == pytest.approx(-there["roll_deg"], abs=2)
    assert back["pitch_deg"] == pytest.approx(there["pitch_deg"], abs=4)
    assert back["gaze_yaw_deg"] == pytest.approx(-there["gaze_yaw_deg"], abs=5)
    assert back["gaze_pitch_deg"] == pytest.approx(there["gaze_pitch_deg"], abs=6)


@pytest.mark.parametrize("turned_deg", [-20.0, 20.0])
def test_roll_is_positive_clockwise(tmp_path, turned_deg):
    straight = scores(tmp_path, portrait(), track())["roll_deg"]
    turned = scores(tmp_path, portrait(turned_deg), track())["roll_deg"]
    assert turned - straight == pytest.approx(turned_deg, abs=3)


def test_pose_of_a_still_picture_has_no_range(tmp_path):
    values = scores(tmp_path, portrait(), track())
    assert abs(values["yaw_deg"]) < 20
    assert max(values["yaw_range_deg"], values["pitch_range_deg"], values["roll_range_deg"]) < 2
    assert values["yaw_abs_p5_deg"] <= abs(values["yaw_deg"]) <= values["yaw_abs_p95_deg"]


def test_where_the_mesh_finds_no_face_pose_is_missing(tmp_path):
    values = scores(tmp_path, np.full((512, 512, 3), 120, np.uint8), track())
    assert values["mesh_share"] == 0
    assert "yaw_deg" not in values
    assert values["face_width_px"] == 96


def test_a_face_never_seen_is_dropped(tmp_path):
    mesh = mesh_of(tmp_path, portrait(), track())
    with pytest.raises(Drop, match="no_face"):
        list(ScoreFace()(CLIP, [track(sure=(0.0,) * 5)], [mesh]))
    with pytest.raises(Drop, match="no_face"):
        list(ScoreFace()(CLIP, [track()], []))
    with pytest.raises(Drop, match="no_face"):
        list(ScoreFace()(CLIP, [track()], [replace(mesh, model="another")]))


def test_a_mesh_of_every_frame_scores_as_one_of_five_a_second(tmp_path):
    moving = track(moves_px=2.0)
    assert scores(tmp_path, portrait(), moving, rate_hz=0.0) == scores(tmp_path, portrait(), moving, rate_hz=5.0)


def test_scores_of_a_real_clip_are_those_of_mediapipe_asked_look_by_look():
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions

    path = media("single", "headpose_31.mp4")
    clip = replace(CLIP, start_s=1.0, end_s=4.0)
    frames = list(every(VideoFrames(path, 1.0, 4.0), 5.0))
    boxes = [DetectFaces().faces(frames[0])[0]] * len(frames)
    left, top, right, bottom = ([box[side] for box in boxes] for side in range(4))
    times = [frame.pts_s for frame in frames]
    seen = Track("s", CLIP.track_id, CLIP.shot_id, 1.0, 4.0, times, left, top, right, bottom, [0.9] * len(frames))
    (mesh,) = LandmarkFaces(rate_hz=5.0)(clip, [seen], VideoFrames(path, 1.0, 4.0))
    values = {score.metric: score.value for score in ScoreFace()(clip, [seen], [mesh])}

    model = BaseOptions(model_asset_path=str(FACE_LANDMARKER.path()))
    poses, mouths = [], []
    with FaceLandmarker.create_from_options(
        FaceLandmarkerOptions(model, output_facial_transformation_matrixes=True)
    ) as landmarker:
        for frame, box in zip(frames, boxes, strict=True):
            told = landmarker.detect(mediapipe_image(frame.crop(*square_around(box, 2.0), (320, 320))))
            poses.append(head_pose_deg(np.array(told.facial_transformation_matrixes[0], np.float64)))
            mouths.append(mouth_opening(np.array([(point.x, point.y) for point in told.face_landmarks[0]])))
    assert [values[f"{name}_deg"] for name in ("yaw", "pitch", "roll")] == np.median(poses, axis=0).tolist()
    low, high = np.percentile(poses, (5, 95), axis=0)
    assert [values[f"{name}_range_deg"] for name in ("yaw", "pitch", "roll")] == (high - low).tolist()
    assert values["mouth_opening_p95"] == np.percentile(mouths, 95)

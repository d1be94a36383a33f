import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from manifests.tables import Clip, Track
from operators.base import Drop
from operators.faces.score_face import ScoreFace, head_pose_deg, mouth_opening
from pipeline.decode import VideoFrames
from tests.made_videos import write_video

CLIP = Clip("s", "s/000000-001000/t0", "s/shot", "s/shot/t0", "speaker0", 0.0, 1.0, 0, 0, 512, 512)
FACE = (176.0, 76.0, 272.0, 180.0)  # of the astronaut


def portrait(turned_deg: float = 0.0, mirrored: bool = False) -> NDArray[np.uint8]:
    """The astronaut, turned clockwise about the middle of the face."""
    import cv2
    from skimage import data

    picture = np.ascontiguousarray(data.astronaut())
    centre = ((FACE[0] + FACE[2]) / 2, (FACE[1] + FACE[3]) / 2)
    turn = cv2.getRotationMatrix2D(centre, -turned_deg, 1.0)
    picture = np.asarray(cv2.warpAffine(picture, turn, (512, 512), borderValue=(90, 90, 90)), np.uint8)
    return picture[:, ::-1].copy() if mirrored else picture


def track(box=FACE, name: str = "t0", moves_px: float = 0.0, sure: tuple[float, ...] = (0.9,) * 5) -> Track:
    """A face looked at five times in a second, which moves to the right from look to look."""
    left, top, right, bottom = ([edge + moves_px * n * (side % 2 == 0) for n in range(5)] for side, edge in enumerate(box))
    return Track("s", f"s/shot/{name}", "s/shot", 0.0, 1.0, [n / 5 for n in range(5)], left, top, right, bottom, list(sure))


def scores(tmp_path, picture, *tracks: Track) -> dict[str, float]:
    path = write_video(tmp_path / "face.mp4", [(picture, 1.0)], size=(512, 512))
    rows = list(ScoreFace()(CLIP, list(tracks), VideoFrames(path, CLIP.start_s, CLIP.end_s)))
    assert all(row.score_id == f"{CLIP.clip_id}#{row.metric}" for row in rows)
    assert len({row.metric for row in rows}) == len(rows)
    return {row.metric: row.value for row in rows}


def test_size_visibility_motion_and_company(tmp_path):
    other = track((300.0, 100.0, 360.0, 160.0), "t1", sure=(0.9, 0.9, 0.0, 0.9, 0.9))
    elsewhere = Track("s", "s/later/t0", "s/later", 0.0, 1.0, [0.0, 0.8], [0.0] * 2, [0.0] * 2, [9.0] * 2, [9.0] * 2, [0.9] * 2)
    values = scores(tmp_path, portrait(), track(moves_px=2.4, sure=(0.9, 0.9, 0.9, 0.0, 0.9)), other, elsewhere)
    assert values["face_width_px"] == 96
    assert values["face_visible_share"] == pytest.approx(4 / 5)
    assert values["face_motion_widths_per_s"] == pytest.approx(2.4 * 5 / 96)
    assert values["faces_in_view"] == pytest.approx((4 + 4) / 5)
    assert values["mesh_share"] == 1


def test_a_mirrored_face_has_opposite_yaw_and_roll(tmp_path):
    left, top, right, bottom = FACE
    there = scores(tmp_path, portrait(), track())
    back = scores(tmp_path, portrait(mirrored=True), track((511 - right, top, 511 - left, bottom)))
    assert abs(there["roll_deg"]) > 2, "the astronaut tilts her head, else this proves nothing"
    assert back["yaw_deg"] == pytest.approx(-there["yaw_deg"], abs=4)
    assert back["roll_deg"] == pytest.approx(-there["roll_deg"], abs=2)
    assert back["pitch_deg"] == pytest.approx(there["pitch_deg"], abs=4)


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
    path = write_video(tmp_path / "face.mp4", [("red", 1.0)])
    with pytest.raises(Drop, match="face_not_seen"):
        list(ScoreFace()(CLIP, [track(sure=(0.0,) * 5)], VideoFrames(path)))


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 15), (-40, 25, -10), (70, -30, 20)])
def test_angles_come_back_from_a_matrix_made_of_them(yaw, pitch, roll):
    """Roll about the nose first, then pitch, then yaw; a scale and a shift, as MediaPipe's matrices have, change nothing."""
    matrix = np.eye(4)
    matrix[:3, :3] = 1.3 * Rotation.from_euler("YXZ", [yaw, -pitch, -roll], degrees=True).as_matrix()
    matrix[:3, 3] = 3, -2, -40
    assert head_pose_deg(matrix) == pytest.approx((yaw, pitch, roll), abs=1e-9)


def test_mouth_opening_by_hand():
    points = np.zeros((478, 2))
    points[[13, 14, 78, 308]] = (0.5, 0.60), (0.5, 0.63), (0.44, 0.61), (0.56, 0.61)
    assert mouth_opening(points) == pytest.approx(0.25)

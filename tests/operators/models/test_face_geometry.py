import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from manifests.tables import FaceLandmarks
from operators.media.frames import VideoFrames
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.face_geometry import (
    BLENDSHAPES,
    blendshapes_of,
    face_model,
    gaze_deg,
    head_matrix,
    head_pose_deg,
    in_units,
    landmarks_of,
    mouth_opening,
    packed_landmarks,
)
from operators.models.face_landmarker import Landmarker
from operators.models.mediapipe import mediapipe_image
from tests.conftest import media
from tests.operators.faces.portraits import FACE, portrait

SIZE = 400.0  # of a made picture, both ways
PER_PX = 2 * math.tan(math.radians(63 / 2)) / SIZE  # what a pixel is wide one unit before the camera


def mesh(landmarks: bytes, blendshapes: bytes, seen: list[bool]) -> FaceLandmarks:
    angles = [[0.0] * len(seen)] * 6
    looks = [n / 5 for n in range(len(seen))]
    return FaceLandmarks("s", "s/c/m", "s/c", "m", 5.0, looks, seen, [700.0] * len(seen), [-31.5] * len(seen),
                         [600.0] * len(seen), landmarks, blendshapes, *angles)  # fmt: skip


def test_landmarks_come_back_to_a_part_of_the_square_and_unseen_ones_are_no_numbers() -> None:
    shares = np.random.default_rng(3).uniform(-1.4, 2.4, (3, 478, 3)) - (0, 0, 0.5)
    back = landmarks_of(mesh(packed_landmarks(in_units(shares)), b"", [True, False, True]))
    assert back.shape == (3, 478, 3)
    assert np.abs(back - (shares * 600 + (700, -31.5, 0)))[[0, 2]].max() <= 600 / 32768 + 1e-9
    assert np.isnan(back[1]).all()


def test_a_face_that_hardly_moves_packs_small() -> None:
    import zlib

    drawn = np.random.default_rng(5)
    shares = drawn.uniform(0.2, 0.8, (1, 478, 3)) + drawn.normal(0, 0.001, (25, 478, 3))
    plain = np.rint((shares - (0.5, 0.5, 0)) * 16384).astype("<i2").tobytes()
    assert len(zlib.compress(packed_landmarks(in_units(shares)))) < 0.7 * len(zlib.compress(plain))


def test_a_point_beyond_two_squares_stays_at_the_end() -> None:
    shares = np.full((1, 478, 3), 9.0)
    assert landmarks_of(mesh(packed_landmarks(in_units(shares)), b"", [True]))[0, 0] == pytest.approx(
        (700 + 2.5 * 600, -31.5 + 2.5 * 600, 1200), abs=0.1
    )


def test_blendshapes_come_back_to_a_part_in_4096() -> None:
    values = np.random.default_rng(4).uniform(0, 1, (2, 52))
    packed = b"".join(row.astype("<f2").tobytes() for row in values)
    back = blendshapes_of(mesh(b"", packed, [False, True]))
    assert np.isnan(back[0]).all()
    assert np.abs(back[1] - values[1]).max() <= 1 / 4096
    assert np.isnan(blendshapes_of(replace(mesh(b"", b"", [True, True])))).all()


def asked(picture: NDArray[np.uint8]):
    """MediaPipe's own answer."""
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions

    options = FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(FACE_LANDMARKER.path())),
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    with FaceLandmarker.create_from_options(options) as model:
        return model.detect(mediapipe_image(picture))


@pytest.mark.parametrize(
    ("turned_deg", "window"), [(0, (0, 512, 0, 512)), (25, (0, 512, 0, 512)), (0, (20, 290, 60, 512))]
)
def test_pose_and_names_are_those_of_mediapipe_in_pictures_of_any_shape(
    turned_deg: float, window: tuple[int, int, int, int]
) -> None:
    picture = np.ascontiguousarray(portrait(turned_deg)[window[0] : window[1], window[2] : window[3]])
    told = asked(picture)
    height, width = picture.shape[:2]
    points = np.array([(point.x, point.y, point.z) for point in told.face_landmarks[0]]) * (width, height, width)
    # MediaPipe computes in single precision, whose last places differ from processor to processor: of 70 cm it keeps
    # about 1e-4.
    assert head_matrix(points, width, height) == pytest.approx(
        np.array(told.facial_transformation_matrixes[0]), rel=1e-5, abs=1e-5
    )
    assert tuple(shape.category_name for shape in told.face_blendshapes[0]) == BLENDSHAPES


def seen(points_cm: NDArray[np.float64], turn: Rotation, at_cm: tuple[float, float, float]) -> NDArray[np.float64]:
    """(n, 3) pixels of points of a head: as a pinhole camera shows them, z as deep as it is wide."""
    there = turn.apply(points_cm) + at_cm
    away = -there[:, 2:]
    flat = there[:, :2] / away / PER_PX * (1, -1) + SIZE / 2
    return np.concatenate([flat, away / np.median(away) / PER_PX], axis=1)


def head(yaw: float, pitch: float, roll: float) -> Rotation:
    return Rotation.from_euler("YXZ", [yaw, -pitch, -roll], degrees=True)


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 15), (-40, 25, -10), (60, -20, 20)])
@pytest.mark.parametrize("at_cm", [(0, 0, -45), (9, -6, -60)])
def test_pose_comes_back_from_a_face_made_of_it(
    angles: tuple[float, float, float], at_cm: tuple[float, float, float]
) -> None:
    points = np.concatenate([face_model().points, np.zeros((10, 3))])
    matrix = head_matrix(seen(points, head(*angles), at_cm), SIZE, SIZE)
    assert head_pose_deg(matrix) == pytest.approx(angles, abs=0.5)
    assert matrix[:3, 3] == pytest.approx(at_cm, rel=0.02, abs=0.2)


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 15), (-40, 25, -10), (70, -30, 20)])
def test_angles_come_back_from_a_matrix_made_of_them(angles: tuple[float, float, float]) -> None:
    """Roll about the nose first, then pitch, then yaw; a scale and a shift, as MediaPipe's matrices have, change
    nothing.
    """
    matrix = np.eye(4)
    matrix[:3, :3] = 1.3 * head(*angles).as_matrix()
    matrix[:3, 3] = 3, -2, -40
    assert head_pose_deg(matrix) == pytest.approx(angles, abs=1e-9)


@pytest.mark.parametrize("pose", [(0, 0, 0), (25, -10, 8), (-30, 15, -5)])
@pytest.mark.parametrize("gaze", [(0, 0), (12, 0), (-12, 0), (0, 9), (0, -9), (15, -8)])
def test_gaze_comes_back_from_irises_put_there(pose: tuple[float, float, float], gaze: tuple[float, float]) -> None:
    """Both eyes of the canonical face look in one direction of the camera's, with the iris 1 cm before the eye's
    middle.
    """
    points = np.concatenate([face_model().points, np.zeros((10, 3))])
    yaw, pitch = np.radians(gaze)
    look = np.array([math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)])
    for corners, iris in (((33, 133), 468), ((362, 263), 473)):
        points[iris] = points[list(corners)].mean(axis=0) + np.array([0, 0.07, -0.4]) + head(*pose).inv().apply(look)
    picture = seen(points, head(*pose), (0, 0, -45))
    assert gaze_deg(picture, SIZE, SIZE, head_matrix(picture, SIZE, SIZE)) == pytest.approx(gaze, abs=1.0)


def test_gaze_follows_the_iris_to_the_right_and_up_of_a_real_face() -> None:
    landmarker = Landmarker(blendshapes=False)
    (face,) = landmarker(portrait())
    (other,) = landmarker(portrait(mirrored=True))
    points = face.points * 512
    yaw, pitch = gaze_deg(points, 512, 512, face.matrix)
    eye_px = np.hypot(*(points[33] - points[133])[:2])
    for shift, moved in (((0.1, 0.0), "yaw"), ((0.0, -0.1), "pitch")):
        irises = points.copy()
        irises[468:, :2] += np.array(shift) * eye_px
        now = gaze_deg(irises, 512, 512, face.matrix)
        gained = {"yaw": now[0] - yaw, "pitch": now[1] - pitch}
        assert 8 < gained.pop(moved) < 25, "a tenth of the eye's width is 2.6 mm of an arc of 10 mm"
        assert abs(gained.popitem()[1]) < 5
    assert gaze_deg(other.points * 512, 512, 512, other.matrix) == pytest.approx((-yaw, pitch), abs=5)


# Where the eyes look as a person sees it: written down from a sheet of eyes before the angles were computed.
LOOKS = (
    ("pyfeat_WolfgangLanger_Pexels.mp4", 6.0, "left", "level"),
    ("pyfeat_WolfgangLanger_Pexels.mp4", 0.0, "left", "down"),
    ("liveportrait_d9.mp4", 0.0, "straight", "level"),
)


@pytest.mark.parametrize(("name", "at_s", "side", "height"), LOOKS)
def test_gaze_of_real_frames_is_the_one_that_people_see(name: str, at_s: float, side: str, height: str) -> None:
    frame = next(iter(VideoFrames(media("negative", name), at_s)))
    landmarker = Landmarker(blendshapes=False)
    (face,) = landmarker(frame.rgb())
    yaw, pitch = gaze_deg(
        face.points * (frame.width, frame.height, frame.width), frame.width, frame.height, face.matrix
    )
    assert -90 < yaw < -8 if side == "left" else abs(yaw) < 8, (yaw, pitch)
    assert pitch < -5 if height == "down" else abs(pitch) < 15, (yaw, pitch)


def test_mouth_opening_by_hand() -> None:
    points = np.zeros((478, 2))
    points[[13, 14, 78, 308]] = (0.5, 0.60), (0.5, 0.63), (0.44, 0.61), (0.56, 0.61)
    assert mouth_opening(points) == pytest.approx(0.25)
    assert mouth_opening(np.concatenate([points, np.ones((478, 1))], axis=1)) == pytest.approx(0.25)


def test_the_face_in_the_picture_is_the_astronauts() -> None:
    landmarker = Landmarker()
    (face,) = landmarker(portrait())
    points = face.points * 512
    inside = (
        (points[:, 0] > FACE[0] - 20)
        & (points[:, 0] < FACE[2] + 20)
        & (points[:, 1] > FACE[1] - 60)
        & (points[:, 1] < FACE[3] + 20)
    )
    assert inside.all()
    assert face.blendshapes[BLENDSHAPES.index("mouthSmileLeft")] > 0.5, "she smiles"

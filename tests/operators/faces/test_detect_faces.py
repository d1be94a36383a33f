import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from manifests.tables import Source
from operators.faces.detect_faces import DetectFaces
from operators.media.frames import VideoFrames
from operators.models.catalogue import RETINAFACE, YUNET
from operators.models.detections import rough_yaw_deg
from operators.models.device import batches, system_libraries
from tests.conftest import media, weights
from tests.made_videos import write_video
from tests.seen_by_eye import FACES

FACE = (176, 76, 272, 180)  # of the astronaut, brow to chin, by eye: left, top, right, bottom


def astronaut() -> NDArray[np.uint8]:
    from skimage import data

    return data.astronaut()


def scene(
    *faces: tuple[float, int, int], size: tuple[int, int] = (1280, 720), mirrored: bool = False
) -> NDArray[np.uint8]:
    """A grey picture with the astronaut's portrait in it, once for each (scale, left, top)."""
    import cv2

    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    portrait = astronaut()[:, ::-1] if mirrored else astronaut()
    for scale, left, top in faces:
        small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture[top : top + small.shape[0], left : left + small.shape[1]] = small[: size[1] - top, : size[0] - left]
    return picture


def rows_of(path, **fields):
    return list(DetectFaces(**fields)(Source("s", str(path)), VideoFrames(path)))


def test_boxes_lie_on_the_faces_in_source_pixels(tmp_path):
    faces = [(1.0, 100, 100), (0.75, 800, 200)]
    path = write_video(tmp_path / "two.mp4", [(scene(*faces), 1.0)], size=(1280, 720))
    rows = rows_of(path)
    assert [row.pts_s for row in rows] == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])
    assert rows[1].face_id == "s/000200"
    for row in rows:
        assert (
            len(row.left_px)
            == len(row.top_px)
            == len(row.right_px)
            == len(row.bottom_px)
            == len(row.confidence)
            == len(row.yaw_deg)
            == 2
        )
        for n, (scale, x, y) in enumerate(faces):
            truth = np.array(FACE) * scale + (x, y, x, y)
            box = np.array([row.left_px[n], row.top_px[n], row.right_px[n], row.bottom_px[n]])
            assert np.abs(box - truth).max() < 0.15 * scale * (FACE[2] - FACE[0]), (box, truth)
            assert row.confidence[n] > 0.85


def test_a_frame_without_a_face_has_a_row_without_boxes(tmp_path):
    path = write_video(tmp_path / "none.mp4", [("blue", 0.6)])
    rows = rows_of(path)
    assert len(rows) == 3
    assert all(row.left_px == row.confidence == [] for row in rows)


def test_finds_a_face_of_a_twentieth_of_the_width(tmp_path):
    path = write_video(tmp_path / "small.mp4", [(scene((0.67, 600, 200)), 0.2)], size=(1280, 720))  # 64 px of 1280
    assert len(rows_of(path)[0].left_px) == 1


def test_boxes_of_a_rotated_film_are_those_of_the_displayed_picture(tmp_path):
    upright = scene((1.0, 100, 500), size=(720, 1280))
    path = write_video(
        tmp_path / "phone.mp4", [(np.ascontiguousarray(np.rot90(upright)), 0.2)], size=(1280, 720), rotation_deg=90
    )
    (row,) = rows_of(path)
    assert (row.left_px[0], row.top_px[0]) == pytest.approx((FACE[0] + 100, FACE[1] + 500), abs=15)
    assert abs(row.yaw_deg[0]) < 15


def test_yaw_is_positive_towards_the_right_of_the_image(tmp_path):
    there, back = (
        rows_of(
            write_video(
                tmp_path / f"{mirrored}.mp4", [(scene((1.0, 300, 100), mirrored=mirrored), 0.2)], size=(1280, 720)
            )
        )[0].yaw_deg[0]
        for mirrored in (False, True)
    )
    assert there == pytest.approx(-back, abs=6)
    assert rough_yaw_deg(np.array([(0.0, 0.0), (1.0, 0.0), (0.5, 0.7)])) == 0
    assert rough_yaw_deg(np.array([(0.0, 0.0), (1.0, 0.0), (0.7, 0.7)])) == pytest.approx(
        np.degrees(np.arctan(1.4 * 0.2))
    )
    assert rough_yaw_deg(np.array([(0.0, 0.0), (0.0, 1.0), (-0.7, 0.7)])) == pytest.approx(
        np.degrees(np.arctan(1.4 * 0.2))
    ), "whatever the roll"


def test_two_men_who_face_each_other():
    rows = list(DetectFaces(rate_hz=1)(Source("s", ""), VideoFrames(media("multi", "avi_billhyland.mp4"))))
    assert len(rows) == 20
    assert all(len(row.left_px) == 2 for row in rows)
    assert np.median([row.yaw_deg[0] for row in rows]) > 10, "the left man looks to the right"
    assert np.median([row.yaw_deg[1] for row in rows]) < -10


@pytest.mark.parametrize("name", ["panda_aCx99cgrkVY.22.mp4", "pyfeat_no_face.mp4"])
def test_a_dog_and_lettering_are_never_surely_faces(name):
    rows = list(DetectFaces(rate_hz=30)(Source("s", ""), VideoFrames(media("negative", name))))
    assert max((value for row in rows for value in row.confidence), default=0.0) < 0.78, (
        "TrackFaces starts a track at 0.8"
    )


def test_small_and_turned_faces_of_a_film():
    """Faces counted by eye in frames of avi_testvideo: (time, how many are clearly seen and at least 20 px wide)."""
    seen = {
        7.01: 1,
        18.77: 1,
        21.27: 1,
        26.28: 1,
        35.03: 2,
        43.79: 1,
        47.55: 2,
        53.80: 1,
        11.5: 0,
        33.0: 0,
        41.0: 0,
        57.0: 0,
    }
    op = DetectFaces()
    for at_s, count in seen.items():
        frame = next(iter(VideoFrames(media("multi", "avi_testvideo.mp4"), at_s, at_s + 0.1)))
        assert sum(box.confidence >= 0.75 for box in op.faces(frame)) == count, at_s


def test_equal_rows_from_another_instance(tmp_path):
    path = write_video(tmp_path / "one.mp4", [(scene((1.0, 300, 100)), 0.6)], size=(1280, 720))
    assert rows_of(path) == rows_of(path)


def test_a_missing_system_library_is_named_with_its_packages():
    with (
        pytest.raises(ImportError, match=r"libEGL\.so\.1.*libgl1 libegl1 libgles2 libglib2\.0-0") as told,
        system_libraries(),
    ):
        raise OSError("libEGL.so.1: cannot open shared object file: No such file or directory")
    assert isinstance(told.value.__cause__, OSError)
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'elsewhere'$"), system_libraries():
        raise ModuleNotFoundError("No module named 'elsewhere'")


SECOND = {"yunet": "face_detection_yunet_s_640_640.onnx", "retinaface": "retinaface_mobilenet0.25_Final.pth"}


@pytest.mark.parametrize("detector", SECOND)
def test_the_other_detectors_draw_the_same_boxes(detector, tmp_path):
    weights(SECOND[detector])
    faces = [(1.0, 100, 100), (0.75, 800, 200)]
    path = write_video(tmp_path / "two.mp4", [(scene(*faces), 0.2)], size=(1280, 720))
    (row,) = rows_of(path, detector=detector)
    for n, (scale, x, y) in enumerate(faces):
        truth = np.array(FACE) * scale + (x, y, x, y)
        box = np.array([row.left_px[n], row.top_px[n], row.right_px[n], row.bottom_px[n]])
        assert np.abs(box - truth).max() < 0.2 * scale * (FACE[2] - FACE[0]), (box, truth)
        assert row.confidence[n] > 0.85
        assert abs(row.yaw_deg[n]) < 15
    assert rows_of(path, detector=detector) == [row]


@pytest.mark.slow
@pytest.mark.parametrize("detector", SECOND)
def test_the_other_detectors_see_small_faces_and_profiles(detector):
    weights(SECOND[detector])
    film = "multi/avi_testvideo.mp4"
    players = {
        at_s: next(iter(VideoFrames(media(*film.split("/")), at_s, at_s + 0.2))) for at_s in (37.0, 39.0)
    }  # eight of ten are 14 to 18 px wide

    def found(name: str) -> int:
        boxes = {at_s: DetectFaces(detector=name).faces(frame) for at_s, frame in players.items()}
        return sum(
            any(box.left < face.x < box.right and box.top < face.y < box.bottom for box in boxes[at_s])
            for at_s in players
            for face in FACES[film][at_s]
        )

    assert found("mediapipe") < 5 < 8 <= found(detector)
    woman = list(VideoFrames(media("multi", "panda_YemkZ7DLOBU.15.mp4")))
    sure = {
        name: np.mean(
            [max(row.confidence, default=0.0) >= 0.8 for row in DetectFaces(detector=name)(Source("s", ""), woman)]
        )
        for name in ("mediapipe", detector)
    }
    assert sure["mediapipe"] < 0.7 < 0.85 < sure[detector]


def test_a_batch_gives_what_single_pictures_give():
    from operators.models.retinaface import Retinaface

    weights(SECOND["retinaface"])
    net = Retinaface.load(RETINAFACE.path(), 0.5)
    pictures = np.stack([scene((0.67, left, 200))[::2, ::2] for left in (100, 600, 900)])
    for one, (boxes, scores, points) in zip(pictures, net.faces(pictures), strict=True):
        ((alone, sure, five),) = net.faces(one[None])
        assert len(boxes) == len(alone) > 0
        assert boxes == pytest.approx(alone, abs=0.01)  # pixels
        assert scores == pytest.approx(sure, abs=1e-4)
        assert points == pytest.approx(five, abs=0.01)


def test_frames_of_a_batch_keep_their_own_faces(tmp_path):
    weights(SECOND["retinaface"])
    path = write_video(
        tmp_path / "two.mp4", [(scene((1.0, 100, 100)), 0.2), (scene((1.0, 700, 100)), 0.2)], size=(1280, 720), fps=10
    )
    frames = list(VideoFrames(path))
    together = DetectFaces(detector="retinaface").detect(frames)
    alone = [DetectFaces(detector="retinaface").detect([frame])[0] for frame in VideoFrames(path)]
    assert [round(sights[0].box.left / 100) for sights in together] == [3, 3, 9, 9]
    for one, other in zip(together, alone, strict=True):
        assert one[0].box == pytest.approx(other[0].box, abs=0.05)
    assert list(batches(iter(frames), 3)) == [frames[:3], frames[3:]]


def test_auto_is_yunet_where_that_is_at_hand(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path))
    monkeypatch.delenv("HEADSET_WEIGHTS", raising=False)
    assert DetectFaces(detector="auto").resolved() == DetectFaces()
    with pytest.raises(ValueError, match="retinaface or auto"):
        DetectFaces(detector="mtcnn")
    monkeypatch.undo()
    weights(SECOND["yunet"])
    assert DetectFaces(detector="auto").resolved() == DetectFaces(detector="yunet")
    assert DetectFaces(detector="auto").weights == (YUNET,)


def test_threads_that_ask_at_once_share_one_answer(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    frames = list(
        VideoFrames(write_video(tmp_path / "one.mp4", [(scene((1.0, 300, 100)), 0.8)], size=(1280, 720), fps=10))
    )
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda op: [op.detect([frame])[0] for frame in frames], [DetectFaces() for _ in range(4)]))
    assert all(one is other for sights in told[1:] for one, other in zip(told[0], sights, strict=True))
    assert [len(sights) for sights in told[0]] == [1] * 8


def test_a_process_that_looked_at_faces_ends_without_a_traceback():
    program = """
import numpy as np
from operators.faces.detect_faces import DetectFaces
from operators.models.face_landmarker import Landmarker
from operators.metrics.lip_sync import Still
picture = np.zeros((64, 64, 3), np.uint8)
detector, landmarker = DetectFaces(), Landmarker()
print(len(detector.faces(Still(picture))), len(landmarker(picture)))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["0", "0"]
    assert "Traceback" not in ended.stderr


def test_without_a_driver_torch_is_not_asked_for_a_gpu():
    """It takes seconds to import, which every actor of a CPU machine would pay."""
    script = "import sys\nfrom operators.faces.detect_faces import device\nprint(device(), 'torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert told == ["cpu", "False"] or told[1] == "True", "where there is a driver torch says which"

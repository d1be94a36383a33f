from itertools import pairwise

import numpy as np
import pytest

from manifests.boxes import Box
from manifests.tables import Clip, FaceQuality, Track
from operators.base import Drop, every
from operators.faces.measure_faces import look_at
from operators.faces.score_sharpness import ScoreSharpness
from operators.media.frames import VideoFrames
from tests.conftest import media
from tests.made_videos import write_video

CLIP = Clip("s", "s/000000-000600/t0", "s/shot", "s/shot/t0", "speaker0", 0.0, 0.6, 0, 0, 512, 512)
FACE = (176.0, 76.0, 272.0, 180.0)


def track(box: tuple[float, float, float, float], confidence: float = 0.9, seconds: float = 0.6) -> Track:
    times = [n / 5 for n in range(round(seconds * 5))]
    left, top, right, bottom = ([edge] * len(times) for edge in box)
    sure = [confidence] * len(times)
    return Track("s", "s/shot/t0", "s/shot", 0.0, seconds, times, left, top, right, bottom, sure)


def looks_of(path, *boxes: tuple[float, float, float, float]) -> list[FaceQuality]:
    """What is measured at given boxes."""
    return [look_at("s", frame, [Box(*box, 0.9, 0.0) for box in boxes]) for frame in every(VideoFrames(path), 5.0)]


def scores(path, *boxes, clip: Clip = CLIP) -> dict[str, float]:
    other = Track("s", "s/shot/t1", "s/shot", 0.0, 0.6, [0.0], [0.0], [0.0], [9.0], [9.0], [1.0])
    found = list(ScoreSharpness()(clip, [other, track(boxes[0])], looks_of(path, *boxes)))
    assert all(score.subject == clip.clip_id and score.score_id == f"{clip.clip_id}#{score.metric}" for score in found)
    return {score.metric: score.value for score in found}


def still(path, picture, **how):
    return write_video(path, [(picture, 0.6)], size=(picture.shape[1], picture.shape[0]), **how)


def test_sharpness_equals_the_formula_worked_out_with_scipy(tmp_path):
    from scipy.ndimage import laplace
    from skimage import data

    picture = np.repeat(data.astronaut()[:, :, :1], 3, axis=2)
    path = still(tmp_path / "grey.mkv", picture, codec="ffv1", pixel_format="yuv444p", full_range=True)
    box = (176.0, 76.0, 304.0, 204.0)  # 128 px wide: nothing is resampled
    expected = laplace(picture[76:204, 176:304, 0].astype(float), mode="mirror").var()
    found = scores(path, box)
    assert found["face_sharpness"] == pytest.approx(expected, rel=0.02)
    assert found["face_brightness"] == pytest.approx(picture[76:204, 176:304, 0].mean(), abs=0.5)
    assert found["face_contrast"] == pytest.approx(picture[76:204, 176:304, 0].std() / 255, abs=0.002)


def test_sharpness_falls_with_every_step_of_blur_and_ignores_the_background(tmp_path):
    import cv2
    from skimage import data

    picture = data.astronaut()
    values = []
    for sigma in (0.0, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0):
        blurred = picture if sigma == 0 else np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)
        values.append(scores(still(tmp_path / f"{sigma}.mp4", blurred, crf=8), FACE)["face_sharpness"])
    assert all(after < 0.8 * before for before, after in pairwise(values)), values
    sharp_face = np.asarray(cv2.GaussianBlur(picture, (0, 0), 5), np.uint8)
    sharp_face[70:200, 160:290] = picture[70:200, 160:290]
    assert scores(still(tmp_path / "background.mp4", sharp_face, crf=8), FACE)["face_sharpness"] > 0.8 * values[0]


def test_a_real_face_blurred_darkened_and_overexposed(tmp_path):
    import cv2

    frame = next(iter(VideoFrames(media("single", "headpose_31.mp4"))))
    box = (500.0, 150.0, 780.0, 430.0)

    def of(name: str, picture) -> dict[str, float]:
        return scores(still(tmp_path / f"{name}.mp4", np.clip(picture, 0, 255).astype(np.uint8), crf=8), box)

    clean = frame.rgb()
    blurred = [
        of(f"blur{sigma}", clean if sigma == 0 else cv2.GaussianBlur(clean, (0, 0), sigma)) for sigma in (0, 1, 2, 4, 8)
    ]
    assert all(after["face_sharpness"] < 0.9 * before["face_sharpness"] for before, after in pairwise(blurred))
    dark = [of(f"dark{gain}", clean * gain) for gain in (1.0, 0.5, 0.2, 0.05)]
    assert all(after["face_brightness"] < before["face_brightness"] - 5 for before, after in pairwise(dark))
    assert all(after["face_contrast"] < before["face_contrast"] for before, after in pairwise(dark))
    assert dark[-1]["face_dark_share"] > 0.9 > 0.2 > dark[0]["face_dark_share"]
    light = [of(f"light{gain}", clean * gain) for gain in (1.0, 1.5, 2.5)]
    assert all(after["face_bright_share"] > before["face_bright_share"] + 0.05 for before, after in pairwise(light))


def test_the_track_chooses_the_face(tmp_path):
    from skimage import data

    path = still(tmp_path / "face.mp4", np.ascontiguousarray(data.astronaut()))
    background = (20.0, 330.0, 120.0, 430.0)
    assert scores(path, FACE, background) == scores(path, FACE)
    assert scores(path, background, FACE)["face_sharpness"] != scores(path, FACE)["face_sharpness"]


def test_pixels_after_the_render(tmp_path):
    from skimage import data

    path = still(tmp_path / "face.mp4", np.ascontiguousarray(data.astronaut()))
    assert scores(path, FACE)["face_render_px"] == 96
    wide = Clip("s", "s/000000-000600/t0", "s/shot", "s/shot/t0", "speaker0", 0.0, 0.6, 0, 0, 1024, 1024)
    assert scores(path, FACE, clip=wide)["face_render_px"] == 48
    small = Clip("s", "s/000000-000600/t0", "s/shot", "s/shot/t0", "speaker0", 0.0, 0.6, 100, 0, 356, 256)
    assert scores(path, FACE, clip=small)["face_render_px"] == 96


def test_a_face_too_small_for_blocks_has_no_blockiness(tmp_path):
    from skimage import data

    found = scores(still(tmp_path / "face.mp4", np.ascontiguousarray(data.astronaut())), (200.0, 100.0, 222.0, 122.0))
    assert "face_blockiness" not in found
    assert "face_noise" not in found
    assert "face_sharpness" in found


@pytest.mark.parametrize(("confidence", "box"), [(0.0, FACE), (0.9, (0.0, 0.0, 60.0, 60.0))])
def test_a_face_never_seen_is_dropped(tmp_path, confidence, box):
    """Hidden throughout, or nowhere near what was measured."""
    path = write_video(tmp_path / "red.mp4", [("red", 0.6)], size=(512, 512))
    with pytest.raises(Drop, match="no_face"):
        list(ScoreSharpness()(CLIP, [track(box, confidence)], looks_of(path, FACE)))

from itertools import pairwise

import numpy as np
import pytest

from manifests.tables import Clip, Track
from operators.base import Drop
from operators.faces.score_sharpness import ScoreSharpness
from pipeline.decode import VideoFrames
from tests.conftest import media
from tests.made_videos import write_video

CLIP = Clip("s", "s/000000-000600/t0", "s/shot", "s/shot/t0", "speaker0", 0.0, 0.6, 0, 0, 512, 512)


def track(box: tuple[float, float, float, float], confidence: float = 0.9, seconds: float = 0.6) -> Track:
    times = [n / 5 for n in range(round(seconds * 5))]
    return Track("s", "s/shot/t0", "s/shot", 0.0, seconds, times, *([edge] * len(times) for edge in box), [confidence] * len(times))  # pyright: ignore[reportCallIssue]


def sharpness(path, box, **fields) -> float:
    other = Track("s", "s/shot/t1", "s/shot", 0.0, 0.6, [0.0], [0.0], [0.0], [9.0], [9.0], [1.0])
    (score,) = ScoreSharpness(**fields)(CLIP, [other, track(box)], VideoFrames(path, CLIP.start_s, CLIP.end_s))
    assert (score.metric, score.subject, score.score_id) == ("face_sharpness", CLIP.clip_id, f"{CLIP.clip_id}#face_sharpness")
    return score.value


def test_equals_the_formula_worked_out_with_scipy(tmp_path):
    from scipy.ndimage import laplace
    from skimage import data

    picture = np.repeat(data.astronaut()[:, :, :1], 3, axis=2)
    path = write_video(tmp_path / "grey.mkv", [(picture, 0.6)], size=(512, 512), codec="ffv1", pixel_format="yuv444p", full_range=True)
    box = (176.0, 76.0, 304.0, 204.0)  # 128 px wide: nothing is resampled
    expected = laplace(picture[76:204, 176:304, 0].astype(float), mode="mirror").var()
    assert sharpness(path, box) == pytest.approx(expected, rel=0.02)


def test_falls_with_every_step_of_blur_and_ignores_the_background(tmp_path):
    import cv2
    from skimage import data

    picture, box = data.astronaut(), (176.0, 76.0, 272.0, 180.0)
    values = []
    for sigma in (0.0, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0):
        blurred = picture if sigma == 0 else cv2.GaussianBlur(picture, (0, 0), sigma)
        values.append(sharpness(write_video(tmp_path / f"{sigma}.mp4", [(blurred, 0.6)], size=(512, 512), crf=8), box))
    assert all(after < 0.8 * before for before, after in pairwise(values)), values
    sharp_face = cv2.GaussianBlur(picture, (0, 0), 5)
    sharp_face[70:200, 160:290] = picture[70:200, 160:290]
    assert sharpness(write_video(tmp_path / "background.mp4", [(sharp_face, 0.6)], size=(512, 512), crf=8), box) > 0.8 * values[0]


def test_falls_with_every_step_of_blur_of_a_real_face(tmp_path):
    import cv2

    frame = next(iter(VideoFrames(media("single", "headpose_31.mp4"))))
    values = []
    for sigma in (0.0, 1.0, 2.0, 4.0, 8.0):
        picture = frame.rgb() if sigma == 0 else np.asarray(cv2.GaussianBlur(frame.rgb(), (0, 0), sigma), np.uint8)
        values.append(
            sharpness(write_video(tmp_path / f"{sigma}.mp4", [(picture, 0.6)], size=(1280, 720), crf=8), (500.0, 150.0, 780.0, 430.0))
        )
    assert all(after < 0.9 * before for before, after in pairwise(values)), values


def test_a_face_never_seen_is_dropped(tmp_path):
    path = write_video(tmp_path / "red.mp4", [("red", 0.6)])
    with pytest.raises(Drop, match="face_not_seen"):
        list(ScoreSharpness()(CLIP, [track((10.0, 10.0, 90.0, 90.0), confidence=0.0)], VideoFrames(path)))

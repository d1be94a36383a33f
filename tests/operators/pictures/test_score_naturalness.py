from itertools import pairwise

import cv2
import numpy as np
import pytest

from manifests.tables import Clip
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.metrics.niqe import Niqe
from operators.picture import Picture
from operators.pictures.score_naturalness import ScoreNaturalness
from tests.conftest import media
from tests.made_videos import write_video

OPERATOR = ScoreNaturalness()


def astronaut() -> np.ndarray:
    from skimage import data

    return data.astronaut()


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def test_brisque_is_near_the_packages():
    """What `brisque` 0.2.0 says of the same pictures: 10.79, 76.33 and 51.54, with features that it fits otherwise."""
    noise = np.random.default_rng(0).normal(0, 25, (512, 512, 3))
    found = [
        OPERATOR.brisque(picture)
        for picture in (astronaut(), blurred(astronaut(), 3), np.clip(astronaut() + noise, 0, 255).astype(np.uint8))
    ]
    assert found == pytest.approx([10.79, 76.33, 51.54], abs=7)


def test_a_real_face_gets_worse_with_every_step_of_blur_and_noise():
    frame = next(iter(VideoFrames(media("negative", "pyfeat_WolfgangLanger_Pexels.mp4")))).rgb()
    values = [OPERATOR.brisque(frame if sigma == 0 else blurred(frame, sigma)) for sigma in (0, 1, 2, 3)]
    assert all(after > before + 3 for before, after in pairwise(values)), values


def test_the_medians_over_the_clip(tmp_path):
    path = write_video(tmp_path / "a.mp4", [(astronaut(), 2.0), (blurred(astronaut(), 4), 4.0)], size=(512, 512))
    clip = Clip("s", "s/c", "s/shot", "s/shot/t0", "v", 0.0, 6.0, 100, 0, 400, 300)
    found = {score.metric: score for score in OPERATOR(clip, VideoFrames(path))}
    last = list(VideoFrames(path))[100].rgb()[:300, 100:400]
    assert found["picture_brisque"].value == pytest.approx(OPERATOR.brisque(last), abs=3)
    assert found["picture_niqe"].value == pytest.approx(Niqe().of(Picture(last)), rel=0.1)
    assert all(score.subject == "s/c" and score.model_sha256 for score in found.values())
    small = Clip("s", "s/c", "s/shot", "s/shot/t0", "v", 0.0, 1.0, 100, 100, 200, 200)
    assert [score.metric for score in OPERATOR(small, VideoFrames(path, 0, 1))] == ["picture_brisque"]
    with pytest.raises(Drop, match="no_frames"):
        list(OPERATOR(clip, []))

"""On real films: what is to be seen was written down by eye from contact sheets, four looks a second."""

import numpy as np
import pytest

from manifests.tables import Clip, Track
from operators.base import Drop, every
from operators.faces.detect_faces import Box, DetectFaces
from operators.faces.score_occlusion import ScoreOcclusion
from pipeline.decode import VideoFrames
from tests.conftest import media
from tests.made_videos import write_video

OPERATOR = ScoreOcclusion()


def scores(path, start_s: float, end_s: float) -> dict[str, float]:
    detector = DetectFaces()
    seen = [(frame.pts_s, found[0]) for frame in every(VideoFrames(path, start_s, end_s), 1.0) if (found := detector.faces(frame))]
    edges = [[box[side] for _, box in seen] for side in range(4)]
    track = Track(
        "s", "s/t0", "s/shot", start_s, end_s, [at_s for at_s, _ in seen], edges[0], edges[1], edges[2], edges[3], [0.9] * len(seen)
    )
    clip = Clip("s", "s/c", "s/shot", "s/t0", "v", start_s, end_s, 0, 0, 640, 360)
    found = list(OPERATOR(clip, [track], VideoFrames(path, start_s, end_s)))
    assert all(score.score_id == f"s/c#{score.metric}" and score.model_sha256 for score in found)
    return {score.metric: score.value for score in found}


def test_a_woman_hides_her_mouth_then_smiles():
    """pyfeat_WolfgangLanger_Pexels: hands on the lower half of the face from 2.4 to 9.6 s, none after."""
    path = media("negative", "pyfeat_WolfgangLanger_Pexels.mp4")
    hidden, smiling = scores(path, 2.6, 8.4), scores(path, 11.0, 16.0)
    assert hidden["hand_on_mouth_share"] >= 0.6
    assert hidden["mouth_hand_cover"] > 0.2
    assert smiling == {"mouth_hand_cover": 0, "hand_on_mouth_share": 0}


def test_a_talking_face_without_hands_has_none():
    assert scores(media("single", "headpose_31.mp4"), 0.0, 4.0) == {"mouth_hand_cover": 0, "hand_on_mouth_share": 0}


def test_no_hand_in_a_flat_picture(tmp_path):
    (frame, *_) = VideoFrames(write_video(tmp_path / "gray.mp4", [("gray", 0.2)]))
    assert OPERATOR.cover(frame, Box(100.0, 50.0, 180.0, 130.0, 0.9, 0.0)) == 0
    assert np.isfinite(OPERATOR.cover(frame, Box(-30.0, -30.0, 20.0, 20.0, 0.9, 0.0)))


def test_a_face_never_seen_is_dropped():
    clip = Clip("s", "s/c", "s/shot", "s/t0", "v", 0.0, 1.0, 0, 0, 640, 360)
    track = Track("s", "s/t0", "s/shot", 0.0, 1.0, [0.0], [0.0], [0.0], [9.0], [9.0], [0.0])
    with pytest.raises(Drop, match="face_not_seen"):
        list(OPERATOR(clip, [track], []))

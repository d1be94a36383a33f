"""On a portrait and real films: what the faces express was written down by eye from a contact sheet before the network
was asked.
"""

from pathlib import Path

import numpy as np
import pytest

from manifests.boxes import Box
from manifests.tables import Clip, Track
from operators.base import Drop, every
from operators.faces.detect_faces import DetectFaces
from operators.faces.score_emotion import EMOTIONS, VARIANT, ScoreEmotion
from operators.media.frames import VideoFrames
from tests.conftest import media
from tests.made_videos import write_video
from tests.operators.faces.portraits import CLIP, FACE, portrait, track

OPERATOR = ScoreEmotion()


def scores(path: Path, start_s: float, end_s: float) -> dict[str, float]:
    """Of the surest face of each look."""
    detector = DetectFaces()
    seen = [
        (frame.pts_s, found[0])
        for frame in every(VideoFrames(path, start_s, end_s), 1.0)
        if (found := detector.faces(frame))
    ]
    left, top, right, bottom = ([box[side] for _, box in seen] for side in range(4))
    one = Track(
        "s",
        CLIP.track_id,
        CLIP.shot_id,
        start_s,
        end_s,
        [at for at, _ in seen],
        left,
        top,
        right,
        bottom,
        [0.9] * len(seen),
    )
    clip = Clip("s", "s/c", CLIP.shot_id, CLIP.track_id, "v", start_s, end_s, 0, 0, 640, 360)
    found = list(OPERATOR(clip, [one], VideoFrames(path, start_s, end_s)))
    assert all(
        score.score_id == f"s/c#{score.metric}" and score.model_sha256 and score.variant == VARIANT for score in found
    )
    return {score.metric: score.value for score in found}


def test_a_portrait_that_smiles_is_happy(tmp_path):
    path = write_video(tmp_path / "smile.mp4", [(portrait(), 1.0)], size=(512, 512))
    found = {score.metric: score.value for score in OPERATOR(CLIP, [track()], VideoFrames(path))}
    assert set(found) == {f"emotion_{name}" for name in EMOTIONS} | {"emotion_constancy"}
    assert sum(found[f"emotion_{name}"] for name in EMOTIONS) == pytest.approx(1, abs=1e-5)
    assert found["emotion_happy"] > 0.8
    assert found["emotion_constancy"] == 1


def test_constancy_is_the_share_of_the_most_frequent_emotion(tmp_path):
    """Three looks at a smile, and one at a part of the picture where the network sees none."""
    picture = portrait()
    other = np.full_like(picture, 90)
    path = write_video(tmp_path / "turns.mp4", [(picture, 3.0), (other, 1.0)], size=(512, 512))
    left, top, right, bottom = ([edge] * 5 for edge in FACE)
    still = Track(
        "s", CLIP.track_id, CLIP.shot_id, 0.0, 4.0, [0.0, 1.0, 2.0, 3.0, 4.0], left, top, right, bottom, [0.9] * 5
    )
    looks = VideoFrames(path)
    likeliest = [
        EMOTIONS[OPERATOR.probabilities([OPERATOR.picture(frame, Box(*FACE, 0.9, 0.0))])[0].argmax()]
        for frame in every(looks, 1.0)
    ]
    assert likeliest[:3] == ["happy"] * 3
    assert likeliest[3] != "happy"
    found = {score.metric: score.value for score in OPERATOR(CLIP, [still], looks)}
    assert found["emotion_constancy"] == 0.75


def test_more_faces_than_a_batch_are_answered_in_order():
    drawn = np.random.default_rng(6).integers(0, 256, (70, 64, 64), np.uint8)
    whole = OPERATOR.probabilities(list(drawn))
    assert whole.shape == (70, 7)
    assert whole[[5, 40, 69]] == pytest.approx(OPERATOR.probabilities([drawn[5], drawn[40], drawn[69]]), abs=1e-5)
    assert np.ptp(whole, axis=0).max() > 0.01, "else the order proves nothing"


def test_a_woman_weeps_then_laughs():
    """pyfeat_WolfgangLanger_Pexels: she weeps behind her hands up to 9.6 s, and laughs from 11 s on."""
    path = media("negative", "pyfeat_WolfgangLanger_Pexels.mp4")
    weeping, laughing = scores(path, 0.0, 8.0), scores(path, 12.0, 17.0)
    assert weeping["emotion_sad"] > 0.4 > 0.1 > laughing["emotion_sad"]
    assert laughing["emotion_happy"] > 0.6 > 0.3 > weeping["emotion_happy"]


def test_one_man_is_calm_then_smiles():
    """liveportrait_d9: his face is at rest for the first second, and he smiles at 12 s."""
    path = media("negative", "liveportrait_d9.mp4")
    calm, smiling = scores(path, 0.0, 0.5), scores(path, 12.0, 12.5)
    assert calm["emotion_neutral"] > 0.4 > 0.2 > smiling["emotion_neutral"]
    assert smiling["emotion_happy"] > 0.7 > 0.2 > calm["emotion_happy"]


def test_a_face_never_seen_is_dropped():
    with pytest.raises(Drop, match="no_face"):
        list(OPERATOR(CLIP, [track(sure=(0.0,) * 5)], []))

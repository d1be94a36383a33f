"""On real films in which hands are to be seen, or are not."""

import pytest

from manifests.tables import Clip
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.pictures.score_hands import ScoreHands
from tests.conftest import media


@pytest.mark.parametrize(
    ("film", "size", "span", "share"),
    [
        ("multi/hamilton_short_clip.mp4", (640, 360), (7.0, 8.0), 1.0),
        ("single/headpose_31.mp4", (1280, 720), (2.0, 4.0), 0.0),
    ],
)
def test_hands_that_are_in_view(film: str, size: tuple[int, int], span: tuple[float, float], share: float) -> None:
    clip = Clip("s", "s/c", "s/shot", "s/shot/t0", "", *span, 0.0, 0.0, *size)
    scores = {row.metric: row for row in ScoreHands()(clip, VideoFrames(media(*film.split("/")), *span))}
    assert scores["hands_in_view_share"].value == share
    assert scores["hands_in_view"].value == pytest.approx(2 * share, abs=1)
    assert scores["hands_in_view"].model_sha256 == ScoreHands().weights[1].sha256


def test_a_clip_without_frames_has_no_hands() -> None:
    clip = Clip("s", "s/c", "s/shot", "s/shot/t0", "", 0.0, 1.0, 0.0, 0.0, 64.0, 64.0)
    with pytest.raises(Drop, match="no_frames"):
        list(ScoreHands()(clip, iter(())))

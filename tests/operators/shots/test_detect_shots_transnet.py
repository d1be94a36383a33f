"""What the network's probabilities are taken to say, and the whole on a made video."""

import numpy as np
import pytest

from manifests.tables import Source, Transition
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.shots.detect_shots_transnet import DetectShotsTransnet, told
from tests.conftest import media
from tests.cut_suite import suite


def probabilities(count: int, middle: dict[int, float], part: range) -> np.ndarray:
    scores = np.zeros((count, 2), np.float32)
    for frame, value in middle.items():
        scores[frame, 0] = value
    scores[list(part), 1] = 0.9
    return scores


def test_a_short_run_is_a_cut_after_its_highest_frame():
    assert list(told(probabilities(20, {9: 0.8, 10: 0.6}, range(9, 11)), [0] * 20, 0.5)) == [
        (10, 10, "cut", pytest.approx(0.8))
    ]


@pytest.mark.parametrize(
    ("colours", "kind"),
    [({}, "dissolve"), ({9: -1}, "fade"), ({4: 1, 5: 1}, "fade_in"), ({14: 1, 15: 1}, "fade_out")],
    ids=lambda given: str(given),
)
def test_a_long_run_is_gradual_and_a_fade_where_a_picture_is_of_one_colour(colours, kind):
    scores = probabilities(20, {9: 0.7}, range(5, 15))
    assert list(told(scores, [colours.get(n, 0) for n in range(20)], 0.5)) == [(5, 15, kind, pytest.approx(0.7))]


def test_two_middles_in_one_run_are_one_transition():
    assert [join[:3] for join in told(probabilities(30, {9: 0.7, 12: 0.8}, range(5, 15)), [0] * 30, 0.5)] == [
        (5, 15, "dissolve")
    ]


def test_a_cut_told_by_the_last_frame_is_none():
    assert list(told(probabilities(20, {19: 0.9}, range(19, 20)), [0] * 20, 0.5)) == []


@pytest.mark.slow
def test_finds_the_dissolve_and_the_cut_of_a_made_video(tmp_path):
    made = next(made for made in suite() if made.name == "dissolve_and_cut")
    path = made.write(tmp_path)
    times_s = [frame.pts_s for frame in VideoFrames(path)]
    found = [
        row for row in DetectShotsTransnet()(Source("s", str(path)), VideoFrames(path)) if isinstance(row, Transition)
    ]
    assert [(row.kind, row.detector) for row in found] == [("dissolve", "transnetv2"), ("cut", "transnetv2")]
    assert times_s.index(found[0].start_s) == pytest.approx(made.truth[0].first, abs=2)
    assert times_s.index(found[0].end_s) == pytest.approx(made.truth[0].end, abs=2)
    assert found[1].start_s == times_s[made.truth[1].first]


def test_a_source_without_frames_is_dropped():
    with pytest.raises(Drop, match="no_frames"):
        list(DetectShotsTransnet()(Source("s", "nothing"), iter(())))


@pytest.mark.slow
def test_finds_the_cuts_of_a_real_film():
    from tests.operators.shots.test_detect_shots import TRUTH

    path = media("multi", "avi_testvideo.mp4")
    cuts, _ = TRUTH["multi", "avi_testvideo.mp4"]
    times_s = [frame.pts_s for frame in VideoFrames(path)]
    found = [
        row for row in DetectShotsTransnet()(Source("s", str(path)), VideoFrames(path)) if isinstance(row, Transition)
    ]
    assert tuple(times_s.index(row.start_s) for row in found if row.kind == "cut") == cuts

"""The suite of known cuts is what it says it is."""

import itertools

import numpy as np
import pytest

from operators.media.frames import VideoFrames
from tests.cut_suite import suite
from tests.drawn_scenes import mixed
from tests.made_cuts import Dissolve, Fade, Made, Shot, Truth


def test_there_are_sixty_and_half_are_held_back():
    videos = suite()
    assert sum(made.held_back for made in videos) == 30
    kinds = [truth.kind for made in videos for truth in made.truth]
    assert {kind: kinds.count(kind) for kind in sorted(set(kinds))} == {
        "cut": 37,
        "dissolve": 30,
        "fade": 9,
        "fade_in": 3,
        "fade_out": 4,
    }


def test_truth_follows_from_the_parts():
    parts = (
        Fade(0, 2, 4),
        Shot(10, 0),
        Shot(10, 1),
        Dissolve(5),
        Shot(10, 2),
        Fade(3, 1, 3),
        Shot(5, 3),
        Fade(3, 2, 0),
    )
    assert Made("all", parts).truth == [
        Truth("fade_in", 0, 6), Truth("cut", 16, 16), Truth("dissolve", 26, 31), Truth("fade", 41, 48),
        Truth("fade_out", 53, 58),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["transport_stream", "variable_rate_jitter"])
def test_a_written_video_shows_what_was_made_when_it_says(tmp_path, name):
    made = next(made for made in suite() if made.name == name)
    frames = [(frame.pts_s, frame.rgb().astype(float)) for frame in VideoFrames(made.write(tmp_path))]
    assert [pts_s for pts_s, _ in frames] == pytest.approx(made.times_s, abs=2e-3)
    dissolve = next(truth for truth in made.truth if truth.kind == "dissolve")
    pictures = [picture for _, picture in frames]
    before, middle, after = (
        pictures[dissolve.first - 1],
        pictures[(dissolve.first + dissolve.end) // 2],
        pictures[dissolve.end],
    )
    assert np.abs(mixed(before, after, 0.5) - middle).mean() < np.abs(before - middle).mean() / 4
    steps = [np.abs(after - before).mean() for before, after in itertools.pairwise(pictures)]
    assert int(np.argmax(steps)) + 1 == next(truth.first for truth in made.truth if truth.kind == "cut")
    fade = made.truth[-1]
    assert min(pictures[n].mean() for n in range(fade.first, fade.end)) < 3 < 30 < pictures[fade.first - 1].mean()

"""Signals on one time axis, of rows made by hand."""

import numpy as np

from manifests.tables import ActiveSpeaker, Track
from operators.timeline import has_word, may_show, smoothed_score, visible


def test_the_word_is_had_by_the_highest_score_above_nothing() -> None:
    scores = np.array([[-0.3, 0.0, 0.1, 0.5, -np.inf], [-0.6, -1.0, 0.2, 0.5, -0.1]])
    assert has_word(scores).tolist() == [[False, False, False, True, False], [False, False, True, True, False]]


def test_a_score_is_read_at_its_own_time() -> None:
    track = Track("s", "t", "shot", 0.0, 4.0, [], [], [], [], [], [])
    row = ActiveSpeaker("s", "t/m", "shot", "t", "m", 1.0, 0.04, [float(n) for n in range(50)])
    times = np.array([0.98, 1.0, 1.02, 1.4, 2.96, 3.0])
    assert smoothed_score(track, [row], times, 0.2).tolist() == [-np.inf, 0.0, 0.0, 10.0, 49.0, -np.inf]


def test_a_face_is_visible_up_to_where_it_is_hidden_for_too_long() -> None:
    track = Track("s", "t", "shot", 0.0, 2.0, [0.0, 0.2, 0.4, 1.0], [], [], [], [], [0.9, 0.9, 0.0, 0.9])
    seen = visible(track, np.array([0.0, 0.1, 0.2, 0.3, 0.9, 1.0, 1.9]), 0.5)
    assert seen.tolist() == [True, True, False, False, False, False, False]
    assert visible(track, np.array([0.3, 0.9, 1.0, 1.9]), 1.0).all()


def test_a_track_may_show_a_clip_where_it_is_wide_enough_once_and_long_enough() -> None:
    sides = [0.0, 10.0], [0.0, 0.0], [90.0, 106.0], [90.0, 90.0]
    track = Track("s", "t", "shot", 1.0, 3.5, [1.0, 3.0], *sides, [0.9, 0.9])
    assert may_show(track, 96.0, 3.0)
    assert not may_show(track, 97.0, 3.0)
    assert may_show(track, 96.0, 3.5)
    assert not may_show(track, 96.0, 3.6)
    assert not may_show(Track("s", "t", "shot", 0.0, 9.0, [], [], [], [], [], []), 1.0, 1.0)

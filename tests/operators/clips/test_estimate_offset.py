"""One offset of a source, of clips that say what they say, and of real films whose sound was moved."""

from dataclasses import replace

import numpy as np
import pytest

from manifests.tables import Clip, Score
from operators.base import Drop
from operators.clips.estimate_offset import EstimateOffset, weighted_median
from tests.operators.clips.test_render_clips import clip


def scores(*clips: tuple[float, float]) -> list[Score]:
    """Of clips by their offset in seconds and their confidence."""
    return [
        Score("made", f"{n}#{metric}", f"made/{n}", metric, "mouth_envelope", value)
        for n, both in enumerate(clips)
        for metric, value in zip(("av_offset_s", "av_confidence"), both, strict=True)
    ]


def made(*clips: tuple[float, float], of: Clip | None = None) -> Clip | Drop:
    (row,) = EstimateOffset()(of or clip(0.0, 4.0), scores(*clips))
    return row


def late_s(*clips: tuple[float, float]) -> float:
    row = made(*clips)
    assert isinstance(row, Clip)
    return row.sound_late_s


def test_clips_that_agree_are_sure_together_and_one_that_errs_is_outvoted():
    assert late_s((0.2, 0.7)) == 0.0, "0.7 alone may be chance"
    assert late_s((0.2, 0.7), (0.22, 0.7), (0.21, 0.7)) == pytest.approx(0.21, abs=0.01)
    assert late_s((0.2, 0.9), (0.22, 0.9), (-0.5, 0.5)) == pytest.approx(0.2, abs=0.02)
    assert late_s((0.2, 0.7), (-0.1, 0.7), (-0.4, 0.7), (0.5, 0.7)) == 0.0, "no two agree"
    assert late_s((0.2, 1.2)) == 0.2, "one clip that is sure by itself"


def test_every_clip_of_the_source_is_moved_alike_whatever_was_measured_of_it():
    many = [(0.2, 0.8), (0.22, 0.8), (0.21, 0.8)]
    for of in (clip(0.0, 4.0), replace(clip(4.0, 8.0), sound_late_s=0.3)):
        row = made(*many, of=of)
        assert isinstance(row, Clip)
        assert row == replace(of, sound_late_s=row.sound_late_s)
        assert row.sound_late_s == pytest.approx(0.21, abs=0.01)


def test_small_ones_are_left_and_large_ones_given_up():
    assert late_s((0.02, 1.5)) == 0.0
    far = made((0.5, 1.2), (0.52, 1.2))
    assert isinstance(far, Drop)
    assert far.reason == "sound_out_of_sync"
    assert "+0.51" in far.detail
    assert late_s((0.5, 0.6)) == 0.0, "far, and not sure"


def test_where_nothing_was_measured_nothing_is_moved():
    of = replace(clip(0.0, 4.0), sound_late_s=0.3)
    assert list(EstimateOffset()(of, [])) == [replace(of, sound_late_s=0.0)]
    assert EstimateOffset().of_source(scores((0.2, 0.0))) is None


def test_the_median_of_weights():
    values = np.array([3.0, 1.0, 2.0])
    assert weighted_median(values, np.ones(3)) == 2.0
    assert weighted_median(values, np.array([0.0, 0.0, 5.0])) == 2.0
    assert weighted_median(np.array([0.0, 1.0]), np.ones(2)) == 0.5
    assert 1.0 < weighted_median(values, np.array([1.0, 4.0, 1.0])) < 1.6

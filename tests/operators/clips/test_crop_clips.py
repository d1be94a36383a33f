"""Crops of made tracks by the rules of the datasets, against the rules themselves and numbers worked out by hand."""

import pytest

from manifests.tables import Clip, Source
from operators.base import Drop
from operators.clips.crop_clips import CropClips
from tests.operators.clips.test_plan_tubes import SHOT, SOURCE, track

FACE = track(last_s=10.0, x=500.0, speed=10.0)  # 200 px wide, between 500 and 798 px, 50 to 250 px


def cropped(
    operator: CropClips, start_s: float = 0.0, end_s: float = 10.0, source: Source = SOURCE
) -> tuple[float, float, float, float]:
    clip = Clip("s", "s/x/t0", SHOT.shot_id, FACE.track_id, "", start_s, end_s, 0.0, 0.0, 1.0, 1.0)
    (made,) = operator(clip, [FACE], [source])
    return made.left_px, made.top_px, made.right_px, made.bottom_px


def test_hdtf_is_one_square_about_all_boxes() -> None:
    # 500 to 798 is 298 wide: times 1.2 is 357.6, about 649 and, down from 150, moved into the frame.
    left, top, right, bottom = cropped(CropClips(rule="hdtf", ratio=1.2))
    assert right - left == pytest.approx(357.6, abs=1)
    assert bottom - top == pytest.approx(right - left, abs=1)
    assert (left + right) / 2 == pytest.approx(649, abs=1)
    assert top == 0


def test_only_the_boxes_of_the_span_count() -> None:
    left, _, right, _ = cropped(CropClips(rule="hdtf", ratio=1.0), 0.0, 0.2)
    assert (left, right) == (pytest.approx(500, abs=1), pytest.approx(700, abs=1))


def test_voxceleb_is_given_up_where_it_leaves_the_frame() -> None:
    # 298 x 200: as high as (1 + 0.2) x 298 = 357.6, which is 78.8 above 50.
    with pytest.raises(Drop, match="box_outside_frame"):
        cropped(CropClips(rule="voxceleb", ratio=0.1))


def test_celebv_hq_is_square_and_large_enough() -> None:
    # 0.02 of 1280 and 720 on each side, then the smaller of 349 and 229 as a square.
    left, top, right, bottom = cropped(CropClips(rule="celebv_hq"))
    assert (right - left, bottom - top) == (228, 228)
    with pytest.raises(Drop, match="crop_small") as refused:
        cropped(CropClips(rule="celebv_hq", min_px=512))
    assert refused.value.detail == "228 px < 512 px"


def test_a_rule_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="there are hdtf, voxceleb, celebv_hq"):
        CropClips(rule="hdft")

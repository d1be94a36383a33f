"""Predicates over scores."""

import json

import pytest

from manifests.tables import Clip, Score
from operators.base import Drop
from operators.clips.keep_clips import KeepClips

CLIP = Clip("talk", "talk/001000-005000/t0", "talk/shot", "talk/shot/t0", "speaker0", 1.0, 5.0, 0, 0, 512, 512)


def score(metric: str, value: float, subject: str = CLIP.clip_id) -> Score:
    return Score("talk", f"{subject}#{metric}", subject, metric, "", value)


def dropped(scores: list[Score], **ranges) -> tuple[str, str]:
    with pytest.raises(Drop) as drop:
        list(KeepClips(ranges)(CLIP, scores))
    return drop.value.reason, drop.value.detail


@pytest.mark.parametrize("value", [2.5, 3.0, 4.0])
def test_limits_are_inside(value: float):
    assert list(KeepClips({"sharpness": (2.5, 4.0)})(CLIP, [score("sharpness", value)])) == [CLIP]


def test_outside_is_low_or_high_with_the_numbers():
    assert dropped([score("sharpness", 2.1)], sharpness=(2.5, None)) == ("sharpness_low", "2.1 < 2.5")
    assert dropped([score("yaw_deg", 61.25)], yaw_deg=(None, 45)) == ("yaw_deg_high", "61.25 > 45")


def test_a_missing_score_is_a_reason_of_its_own():
    assert dropped([], sharpness=(2.5, None)) == ("sharpness_missing", "no score")
    assert dropped([score("sharpness", float("nan"))], sharpness=(2.5, None)) == ("sharpness_missing", "not a number")
    assert dropped([score("sharpness", 9, subject="talk/other")], sharpness=(2.5, None))[0] == "sharpness_missing"


def test_the_first_failing_range_is_the_reason_and_the_detail_has_all():
    scores = [score("yaw_deg", 61), score("sharpness", 2.1), score("level_db", -20)]
    reason, detail = dropped(scores, level_db=(-40, None), sharpness=(2.5, None), yaw_deg=(None, 45), lse_c=(3, None))
    assert (reason, detail) == ("sharpness_low", "2.1 < 2.5; yaw_deg 61 > 45; lse_c no score")


def test_without_ranges_every_clip_stays():
    assert list(KeepClips()(CLIP, [])) == [CLIP]


def test_ranges_from_json_are_the_same_ranges():
    ranges = {"sharpness": (2.5, None), "yaw_deg": (None, 45.0)}
    again = KeepClips(json.loads(json.dumps(ranges)))
    assert again == KeepClips(ranges)
    assert again.fingerprint() == KeepClips(ranges).fingerprint()


@pytest.mark.parametrize("limits", [(1.0,), (3.0, 2.0)])
def test_a_range_that_holds_nothing_is_refused(limits):
    with pytest.raises(ValueError, match="sharpness"):
        KeepClips({"sharpness": limits})

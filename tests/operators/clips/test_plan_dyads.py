"""Pairs of a speaker and a listener, out of a conversation that is written down by hand."""

import pytest

from manifests.tables import ActiveSpeaker, Annotation, Clip, Source, Track, Turn
from operators.base import Drop
from operators.clips.plan_dyads import PlanDyads
from tests.operators.clips.test_plan_clips import shot, speaks, track, turn

SOURCE = Source("talk", "talk.mp4", width=1280, height=720)


def planned(
    tracks: list[Track], speaking: list[ActiveSpeaker], turns: list[Turn], **fields: float
) -> tuple[list[Clip], dict[str, dict[str, str]], list[Drop]]:
    """Clips, what is told of each by its id, and drops."""
    clips, told, drops = [], {}, []
    for outcome in PlanDyads(**fields)(shot(), tracks, speaking, turns, [SOURCE]):
        if isinstance(outcome, Clip):
            clips.append(outcome)
        elif isinstance(outcome, Annotation):
            told.setdefault(outcome.subject, {})[outcome.name] = outcome.value
        else:
            drops.append(outcome)
    return clips, told, drops


def conversation(answer_s: float) -> tuple[list[Track], list[ActiveSpeaker], list[Turn]]:
    """The left one speaks from 2 to 8 s, the right one from `answer_s` to 15 s."""
    left, right = track("t0", x=300), track("t1", x=1000)
    speaking = [speaks(left, (2, 8)), speaks(right, (answer_s, 15))]
    return [left, right], speaking, [turn(2, 8), turn(answer_s, 15, "speaker1")]


def test_each_turn_is_a_clip_of_who_speaks_and_one_of_who_listens() -> None:
    clips, told, drops = planned(*conversation(8.6))
    assert drops == []
    assert [(clip.track_id[-2:], clip.speaker, told[clip.clip_id]["role"]) for clip in clips] == [
        ("t0", "speaker0", "speaker"), ("t1", "speaker1", "listener"),
        ("t1", "speaker1", "speaker"), ("t0", "speaker0", "listener"),
    ]  # fmt: skip
    first, second, third, fourth = clips
    assert (
        (first.start_s, first.end_s)
        == (second.start_s, second.end_s)
        == (pytest.approx(2, abs=0.05), pytest.approx(8, abs=0.05))
    )
    assert (third.start_s, third.end_s) == (fourth.start_s, fourth.end_s)
    assert told[first.clip_id]["partner"] == second.clip_id
    assert told[second.clip_id]["partner"] == first.clip_id
    assert (first.left_px, first.right_px, second.left_px, second.right_px) == (200, 400, 900, 1100)


def test_the_gap_is_from_the_end_of_the_other_s_turn() -> None:
    clips, told, _ = planned(*conversation(8.6))
    assert "gap_s" not in told[clips[0].clip_id], "nobody has spoken before"
    assert float(told[clips[2].clip_id]["gap_s"]) == pytest.approx(0.6, abs=0.05)
    assert {one["overlap_s"] for one in told.values()} == {"0.00"}


def test_who_begins_before_the_other_ends_has_a_gap_below_0() -> None:
    clips, told, _ = planned(*conversation(7.4))
    later = [clip for clip in clips if clip.start_s > 5]
    assert [float(told[clip.clip_id]["gap_s"]) for clip in later] == [pytest.approx(-0.6, abs=0.05)] * 2
    assert [float(told[clip.clip_id]["overlap_s"]) for clip in later] == [pytest.approx(0.6, abs=0.05)] * 2


def test_a_listener_may_say_mm_and_no_more() -> None:
    tracks, _, turns = conversation(20)
    hum = [*turns[:1], turn(4, 4.8, "speaker1")]
    clips, told, _ = planned(tracks, [speaks(tracks[0], (2, 4), (4.8, 8)), speaks(tracks[1], (4, 4.8))], hum)
    assert [told[clip.clip_id]["role"] for clip in clips] == ["speaker", "listener"]
    assert told[clips[0].clip_id]["overlap_s"] == "0.80"
    assert "gap_s" not in told[clips[0].clip_id]
    much = [*turns[:1], turn(3, 6, "speaker1")]
    clips, told, _ = planned(tracks, [speaks(tracks[0], (2, 3), (6, 8)), speaks(tracks[1], (3, 6))], much)
    assert [clip for clip in clips if told[clip.clip_id]["role"] == "speaker" and clip.speaker == "speaker0"] == []


def test_what_is_short_small_or_too_near_is_given_up_by_name() -> None:
    tracks, speaking, turns = conversation(8.6)
    reasons = [
        planned(tracks, speaking, turns, min_s=7.0),
        planned(
            [tracks[0], track("t1", x=1000, width=80)], [speaking[0], speaks(track("t1", width=80), (8.6, 15))], turns
        ),
        planned([tracks[0], track("t1", x=440)], [speaking[0], speaks(track("t1", x=440), (8.6, 15))], turns),
    ]
    assert [[drop.reason for drop in drops] for _, _, drops in reasons] == [
        ["too_short", "too_short"], ["face_small", "face_small"], ["other_face_in_crop", "other_face_in_crop"],
    ]  # fmt: skip
    assert all(isinstance(drop.row, Clip) for _, _, drops in reasons for drop in drops)


def test_a_long_turn_is_divided() -> None:
    left, right = track("t0", x=300), track("t1", x=1000)
    clips, _, _ = planned([left, right], [speaks(left, (1, 19)), speaks(right)], [turn(1, 19)], max_s=10.0)
    assert [(round(clip.start_s), round(clip.end_s)) for clip in clips] == [(1, 10), (1, 10), (10, 19), (10, 19)]
    with pytest.raises(ValueError, match="make max_s twice min_s or more"):
        PlanDyads(min_s=3.0, max_s=5.0)


def test_a_shot_without_two_faces_or_speech_is_a_drop() -> None:
    tracks, speaking, turns = conversation(8.6)
    with pytest.raises(Drop, match="not_two_faces"):
        planned(tracks[:1], speaking, turns)
    with pytest.raises(Drop, match="no_speech"):
        planned(tracks, speaking, [])

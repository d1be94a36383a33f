"""Clips planned from shots, tracks, scores and turns that are written down by hand, so that the answer is known."""

import numpy as np
import pytest

from manifests.tables import ActiveSpeaker, Clip, Shot, Source, Track, Turn
from operators.base import Drop
from operators.clips.plan_clips import PlanClips

SOURCE = Source("talk", "talk.mp4", width=1280, height=720)
LOOK_S = 0.1


def shot(start_s: float = 0.0, end_s: float = 20.0) -> Shot:
    return Shot("talk", "talk/shot", start_s, end_s)


def track(
    name: str = "t0",
    start_s: float = 0.0,
    end_s: float = 20.0,
    x: float = 600,
    y: float = 300,
    width: float = 200,
    dx: float = 0.0,
) -> Track:
    """A face of `width` px whose centre starts at x, y and moves `dx` px a second to the right."""
    times = np.arange(start_s, end_s - 1e-9, LOOK_S)
    centre = x + dx * (times - start_s)
    left, right = (centre - width / 2).tolist(), (centre + width / 2).tolist()
    top, bottom = [y - width / 2] * len(times), [y + width / 2] * len(times)
    return Track(
        "talk",
        f"talk/shot/{name}",
        "talk/shot",
        start_s,
        end_s,
        times.tolist(),
        left,
        top,
        right,
        bottom,
        [0.9] * len(times),
    )


def hidden(face: Track, start_s: float, end_s: float) -> Track:
    confidence = [0.0 if start_s <= at < end_s else 0.9 for at in face.times_s]
    return Track(**{**vars(face), "confidence": confidence})


def speaks(face: Track, *spans: tuple[float, float], level: float = 2.0) -> ActiveSpeaker:
    times = np.arange(face.start_s, face.end_s, 0.04) + 1e-6
    score = np.full(len(times), -2.0)
    for start_s, end_s in spans:
        score[(times >= start_s) & (times < end_s)] = level
    return ActiveSpeaker(
        "talk", f"{face.track_id}/lr_asd", face.shot_id, face.track_id, "lr_asd", face.start_s, 0.04, score.tolist()
    )


def turn(start_s: float, end_s: float, speaker: str = "speaker0") -> Turn:
    return Turn("talk", f"talk/{start_s}-{end_s}/{speaker}", speaker, start_s, end_s)


def plan(
    tracks: list[Track],
    speaking: list[ActiveSpeaker],
    turns: list[Turn],
    of: Shot | None = None,
    source: Source = SOURCE,
    **fields: float,
) -> tuple[list[Clip], list[tuple[str, float, float]]]:
    """The clips, and the reason and span of each proposal that was given up."""
    clips, drops = [], []
    for outcome in PlanClips(**fields)(of or shot(), tracks, speaking, turns, [source]):
        if isinstance(outcome, Drop):
            assert isinstance(outcome.row, Clip)
            drops.append((outcome.reason, outcome.row.start_s, outcome.row.end_s))
        else:
            clips.append(outcome)
    return clips, drops


def refused(of: Shot, tracks: list[Track], speaking: list[ActiveSpeaker], turns: list[Turn]) -> str:
    with pytest.raises(Drop) as drop:
        list(PlanClips()(of, tracks, speaking, turns, [SOURCE]))
    return drop.value.reason


def test_a_face_that_speaks_in_its_turn_is_one_clip():
    face = track()
    clips, drops = plan([face], [speaks(face, (5, 11))], [turn(5.1, 10.9)])
    assert drops == []
    (clip,) = clips
    # Face and voice agree from 5.1 to 10.9; the tolerance of 0.2 s reaches past the edge of the tighter of the two.
    assert clip.start_s == pytest.approx(4.9, abs=0.03)
    assert clip.end_s == pytest.approx(11.1, abs=0.03)
    assert clip.speaker == "speaker0"
    assert clip.track_id == "talk/shot/t0"
    assert clip.clip_id == f"talk/{round(clip.start_s * 1000):06d}-{round(clip.end_s * 1000):06d}/t0"


def test_two_turns_apart_by_a_breath_are_one_clip_and_by_a_silence_two():
    face = track()
    breath, _ = plan([face], [speaks(face, (2, 6.5), (6.9, 11))], [turn(2, 6.4), turn(6.8, 11)])
    silence, _ = plan([face], [speaks(face, (2, 6.5), (8, 12))], [turn(2, 6.5), turn(8, 12)])
    assert [(c.start_s, c.end_s) for c in breath] == [pytest.approx((1.8, 11.2), abs=0.03)]
    assert [c.start_s for c in silence] == pytest.approx([1.8, 7.8], abs=0.03)


def test_the_clip_keeps_away_from_the_cuts():
    face = track(start_s=3, end_s=9)
    (clip,), _ = plan([face], [speaks(face, (3, 9))], [turn(0, 20)], shot(3, 9), margin_s=0.25)
    assert clip.start_s >= 3.25
    assert clip.end_s <= 8.75
    assert clip.end_s - clip.start_s == pytest.approx(5.5, abs=0.05)


def test_in_a_two_shot_each_face_has_its_own_turns():
    left, right = track("t0", x=300), track("t1", x=980)
    speaking = [speaks(left, (1, 6)), speaks(right, (6.2, 12), (15, 19))]
    turns = [turn(1, 6, "speaker1"), turn(6.1, 12, "speaker0"), turn(15, 19, "speaker0")]
    clips, drops = plan([left, right], speaking, turns)
    assert drops == []
    assert [(c.track_id[-2:], c.speaker) for c in clips] == [("t0", "speaker1"), ("t1", "speaker0"), ("t1", "speaker0")]
    # Neither reaches into the other's turn, though the tolerance would.
    assert clips[0].end_s <= 6.12
    assert clips[1].start_s >= 5.98


def test_of_two_faces_with_a_score_above_zero_the_higher_has_the_word():
    left, right = track("t0", x=300), track("t1", x=980)
    clips, drops = plan(
        [left, right], [speaks(left, (1, 10), level=0.5), speaks(right, (1, 10), level=3)], [turn(1, 10)]
    )
    assert [c.track_id[-2:] for c in clips] == ["t1"]
    assert drops == []


def test_where_another_voice_is_heard_is_cut_out():
    face = track()
    clips, drops = plan([face], [speaks(face, (1, 15))], [turn(1, 15), turn(6, 8, "speaker1")])
    assert [(c.start_s, c.end_s) for c in clips] == [
        pytest.approx((0.8, 6), abs=0.03),
        pytest.approx((8, 15.2), abs=0.03),
    ]
    assert [(reason, *at) for reason, *at in drops] == [
        ("two_voices", pytest.approx(6, abs=0.03), pytest.approx(8, abs=0.03))
    ]


def test_a_short_word_of_another_is_let_stand_up_to_its_share():
    face = track()
    given = [face], [speaks(face, (1, 15))], [turn(1, 15), turn(6, 6.4, "speaker1")]
    assert len(plan(*given)[0]) == 1
    assert len(plan(*given, max_other_voice=0.01)[0]) == 2


def test_a_face_has_one_voice_in_a_shot():
    face = track()
    clips, drops = plan([face], [speaks(face, (1, 15))], [turn(1, 10, "speaker0"), turn(10.5, 15, "speaker1")])
    assert [(c.speaker, c.start_s) for c in clips] == [("speaker0", pytest.approx(0.8, abs=0.03))]
    assert [reason for reason, *_ in drops] == ["other_voice"]


def test_a_face_hidden_for_long_ends_a_clip_and_for_a_moment_does_not():
    face = track()
    long, _ = plan([hidden(face, 8, 9)], [speaks(face, (2, 16))], [turn(2, 16)])
    moment, _ = plan([hidden(face, 8, 8.3)], [speaks(face, (2, 16))], [turn(2, 16)])
    assert [(c.start_s, c.end_s) for c in long] == [
        pytest.approx((1.8, 7.9), abs=0.03),
        pytest.approx((9, 16.2), abs=0.03),
    ]
    assert len(moment) == 1


def test_a_long_span_is_split_at_its_longest_pause():
    face = track(end_s=60)
    turns = [turn(1, 12), turn(12.2, 25), turn(25.45, 50)]
    clips, drops = plan([face], [speaks(face, (1, 50))], turns, shot(0, 60))
    assert [(c.start_s, c.end_s) for c in clips] == [
        pytest.approx((0.8, 25.22), abs=0.04),
        pytest.approx((25.22, 50.2), abs=0.04),
    ]
    assert drops == []
    assert clips[0].end_s == clips[1].start_s


@pytest.mark.parametrize(("length_s", "parts"), [(30.0, 1), (31.0, 2), (61.0, 3), (100.0, 4)])
def test_a_long_span_without_a_pause_is_split_evenly(length_s: float, parts: int):
    face = track(end_s=length_s)
    clips, drops = plan([face], [speaks(face, (0, length_s))], [turn(0, length_s)], shot(0, length_s), margin_s=0.0)
    lengths = [c.end_s - c.start_s for c in clips]
    assert drops == []
    assert lengths == pytest.approx([length_s / parts] * parts, abs=0.05)


def test_what_is_too_short_or_too_small_is_proposed_and_given_up():
    face, small = track(), track(width=61)
    assert plan([face], [speaks(face, (5, 6.2))], [turn(5, 6.2)])[1] == [
        ("too_short", pytest.approx(4.8, abs=0.03), pytest.approx(6.4, abs=0.03))
    ]
    assert [reason for reason, *_ in plan([small], [speaks(small, (2, 9))], [turn(2, 9)])[1]] == ["face_small"]
    (drop,) = PlanClips()(shot(), [small], [speaks(small, (2, 9))], [turn(2, 9)], [SOURCE])
    assert isinstance(drop, Drop)
    assert drop.detail == "61 px < 96 px"
    assert len(plan([small], [speaks(small, (2, 9))], [turn(2, 9)], min_face_px=61.0)[0]) == 1


def test_a_face_beside_the_speaker_must_stay_out_of_the_crop():
    face, near, far = track("t0", x=500), track("t1", x=680, width=100), track("t1", x=900)
    given = [speaks(face, (2, 9))], [turn(2, 9)]
    assert [reason for reason, *_ in plan([face, near], *given)[1]] == ["other_face_in_crop"]
    assert len(plan([face, far], *given)[0]) == 1
    assert len(plan([face, near], *given, scale=1.5)[0]) == 1


def test_the_crop_is_a_square_that_holds_the_face_wherever_it_moves():
    face = track(x=400, dx=20)  # 200 px wide; from 4.9 to 11.1 s its centre goes from 498 to 622
    (clip,), _ = plan([face], [speaks(face, (5, 11))], [turn(5, 11)], up=0.0)
    seen = [
        (left, right)
        for at, left, right in zip(face.times_s, face.left_px, face.right_px, strict=True)
        if clip.start_s <= at < clip.end_s
    ]
    reach = max(right for _, right in seen) - min(left for left, _ in seen)
    assert clip.right_px - clip.left_px == clip.bottom_px - clip.top_px == pytest.approx(reach + 200, abs=1)
    assert clip.left_px == pytest.approx(min(left for left, _ in seen) - 100, abs=2)
    assert (clip.top_px + clip.bottom_px) / 2 == pytest.approx(300, abs=1)


@pytest.mark.parametrize("x", [401.0, 402.5, 90.0, 1200.0])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1281, 721), (0, 0)])
def test_the_crop_is_of_whole_even_pixels_within_the_frame(x: float, width: int, height: int):
    for face in (track(x=x, width=171), track(x=x, width=499, y=360)):
        kept, _ = plan(
            [face],
            [speaks(face, (5, 11))],
            [turn(5, 11)],
            source=Source("talk", "talk.mp4", width=width, height=height),
        )
        for clip in kept:
            box = clip.left_px, clip.top_px, clip.right_px, clip.bottom_px
            assert all(edge % 2 == 0 for edge in box)
            assert not width or (min(box) >= 0 and clip.right_px <= width and clip.bottom_px <= height)
            assert clip.right_px - clip.left_px == clip.bottom_px - clip.top_px


def test_the_crop_is_moved_into_the_frame_and_is_no_larger_than_it():
    corner, huge, crossing = track(x=90, y=90), track(width=500, y=360), track(x=150, dx=120)
    (clip,), _ = plan([corner], [speaks(corner, (5, 11))], [turn(5, 11)])
    assert (clip.left_px, clip.top_px, clip.right_px, clip.bottom_px) == (0, 0, 400, 400)
    (clip,), _ = plan([huge], [speaks(huge, (5, 11))], [turn(5, 11)])
    assert (clip.top_px, clip.bottom_px, clip.right_px - clip.left_px) == (0, 720, 720)
    assert [reason for reason, *_ in plan([crossing], [speaks(crossing, (2, 9))], [turn(2, 9)])[1]] == [
        "face_leaves_crop"
    ]


@pytest.mark.parametrize(
    ("reason", "tracks", "speaking", "turns", "of"),
    [
        ("no_face", [], [], [turn(0, 20)], shot()),
        ("no_speech", [track()], [speaks(track(), (0, 20))], [turn(20, 30)], shot()),
        ("face_small", [track(width=95)], [], [], shot()),  # nobody may have listened
        ("too_short", [track(end_s=1.5), track("t1", 5.0, 20.0, width=95)], [], [], shot()),
        ("shot_short", [track(end_s=2)], [speaks(track(end_s=2), (0, 2))], [turn(0, 2)], shot(0, 2)),
        ("voice_off_screen", [track()], [speaks(track())], [turn(0, 20)], shot()),
        ("voice_off_screen", [track()], [], [turn(0, 20)], shot()),
        ("voice_off_screen", [track()], [speaks(track(), (2, 8))], [turn(10, 20)], shot()),
    ],
)
def test_a_shot_without_a_proposal_says_why(
    reason: str, tracks: list[Track], speaking: list[ActiveSpeaker], turns: list[Turn], of: Shot
):
    assert refused(of, tracks, speaking, turns) == reason


def test_it_does_not_matter_in_which_order_the_rows_come():
    left, right = track("t0", x=300), track("t1", x=980)
    speaking = [speaks(left, (1, 6)), speaks(right, (6.2, 12))]
    turns = [turn(1, 6, "speaker1"), turn(6.1, 12, "speaker0")]
    forth, _ = plan([left, right], speaking, turns)
    back, _ = plan([right, left], speaking[::-1], turns[::-1])
    assert sorted(forth, key=lambda c: c.clip_id) == sorted(back, key=lambda c: c.clip_id)
    assert len(forth) == 2


@pytest.mark.parametrize("fps", [25, 30000 / 1001, 60])
def test_a_clip_begins_and_ends_with_a_frame(fps: float):
    first_s = 1.2345
    frames = first_s + np.arange(1300) / fps
    face = track(start_s=first_s)
    looks = [float(frames[np.searchsorted(frames, at - 1e-9)]) for at in face.times_s]
    face = Track(**{**vars(face), "times_s": looks})
    source = Source("talk", "talk.mp4", width=1280, height=720, fps=fps * 1.0005)  # a mean is never exact
    for start_s in np.arange(3, 4, 0.0371):
        (clip,) = PlanClips()(shot(), [face], [speaks(face, (start_s, 11))], [turn(start_s, 11)], [source])
        assert isinstance(clip, Clip)
        for at in (clip.start_s, clip.end_s):
            after = frames[np.searchsorted(frames, at)]
            assert 0 < after - at < 0.002
        assert clip.start_s == pytest.approx(start_s - 0.2, abs=0.06)


def test_lengths_that_no_split_can_meet_are_refused():
    with pytest.raises(ValueError, match="max_s"):
        PlanClips(min_s=10.0, max_s=15.0)


def test_boxes_guessed_while_the_face_was_hidden_do_not_move_the_crop():
    face = track()
    lost = hidden(face, 8, 8.3)
    far = [
        left - 300 if confidence == 0 else left for left, confidence in zip(face.left_px, lost.confidence, strict=True)
    ]
    lost = Track(**{**vars(lost), "left_px": far})
    given = [speaks(face, (5, 11))], [turn(5, 11)]
    assert [(c.left_px, c.right_px) for c in plan([lost], *given)[0]] == [
        (c.left_px, c.right_px) for c in plan([face], *given)[0]
    ]


def test_the_crop_leaves_room_for_the_forehead():
    face = track()  # 200 px, its centre at 300
    (clip,), _ = plan([face], [speaks(face, (5, 11))], [turn(5, 11)], up=0.1)
    assert (clip.top_px + clip.bottom_px) / 2 == pytest.approx(280, abs=1)


def test_edges_that_only_touch_are_no_proposal():
    face = track()
    clips, drops = plan([face], [speaks(face, (1, 5), (10, 11))], [turn(1, 5), turn(11.2, 16)])
    assert len(clips) == 1
    assert drops == []


def test_what_is_left_of_a_word_beside_a_cut_is_no_proposal():
    face = track(start_s=1)  # alone for 0.1 s
    clips, drops = plan([face], [speaks(face, (1, 9))], [turn(1, 9), turn(1.1, 3, "speaker1")])
    assert [c.start_s for c in clips] == pytest.approx([3], abs=0.03)
    assert [reason for reason, *_ in drops] == ["two_voices"]

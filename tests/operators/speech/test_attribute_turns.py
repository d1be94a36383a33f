"""Whose voice a turn is, from rows written down by hand, and of real films whose truth was written down by eye."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from manifests.tables import ActiveSpeaker, Attribution, Clip, Shot, Source, Track, Turn
from operators.clips.plan_clips import PlanClips
from operators.speech.attribute_turns import AttributeTurns, tiles
from tests.conftest import media
from tests.operators.clips.test_plan_clips import hidden, shot, speaks, track, turn

SOURCE = Source("talk", "talk.mp4", width=1280, height=720)


def said(
    tracks: list[Track], speaking: list[ActiveSpeaker], turns: list[Turn], shots: list[Shot] | None = None
) -> list[tuple[float, float, str, str, str]]:
    """Start, end, kind, reason and face of each part, after what holds for all of them is checked."""
    parts = list(AttributeTurns()(SOURCE, [shot()] if shots is None else shots, tracks, speaking, turns))
    assert len({part.attribution_id for part in parts}) == len(parts)
    for of in turns:
        mine = [part for part in parts if part.turn_id == of.turn_id]
        edges = [of.start_s, *(part.end_s for part in mine)]
        assert [part.start_s for part in mine] == edges[:-1], "the parts of a turn tile it"
        assert edges[-1] == pytest.approx(of.end_s)
        assert {part.speaker for part in mine} == {of.speaker}
    return [(part.start_s, part.end_s, part.kind, part.reason, part.track_id.rsplit("/", 1)[-1]) for part in parts]


def around(*times_s: float):
    return [pytest.approx(at, abs=0.05) for at in times_s]


def test_a_face_that_speaks_in_its_turn_is_named_for_all_of_it():
    face = track()
    # Scores begin 0.2 s late and end 0.2 s early, with a breath between: the turn is the face's from end to end.
    assert said([face], [speaks(face, (5.2, 7.0), (7.4, 10.8))], [turn(5, 11)]) == [(5, 11, "visible", "speaks", "t0")]


def test_a_voice_over_a_still_face_is_off_screen():
    face = track()
    parts = list(AttributeTurns()(SOURCE, [shot()], [face], [speaks(face)], [turn(5, 11)]))
    assert [(part.kind, part.reason, part.track_id) for part in parts] == [("off_screen", "still_mouths", "")]
    assert parts[0].score == -2.0


def test_a_turn_that_leaves_the_face_is_cut_where_it_does():
    face = track()
    first, second = said([face], [speaks(face, (5, 8))], [turn(5, 11)])
    assert first == (5, *around(8), "visible", "speaks", "t0")
    assert second == (*around(8), 11, "off_screen", "still_mouths", "")


def test_a_pause_between_two_faces_is_a_breath_of_neither():
    left, right = track("t0", x=300), track("t1", x=900)
    first, pause, last = said([left, right], [speaks(left, (2, 5)), speaks(right, (5.4, 8))], [turn(2, 8)])
    assert (first[-1], pause[2:], last[-1]) == ("t0", ("off_screen", "still_mouths", ""), "t1")
    assert [pause[0], pause[1]] == around(5, 5.4)


def test_in_a_two_shot_each_voice_has_its_face():
    left, right = track("t0", x=300), track("t1", x=900)
    speaking = [speaks(left, (2, 5)), speaks(right, (5, 9))]
    assert said([left, right], speaking, [turn(2, 5, "a"), turn(5, 9, "b")]) == [
        (2, 5, "visible", "speaks", "t0"),
        (5, 9, "visible", "speaks", "t1"),
    ]


def test_a_mouth_that_moves_under_another_voice_is_told():
    face = track()
    answers = said([face], [speaks(face, (2, 12))], [turn(2, 9, "own"), turn(9, 12, "foreign")])
    assert answers == [(2, 9, "visible", "speaks", "t0"), (9, 12, "off_screen", "other_mouth", "t0")]


def test_a_mouth_that_is_hidden_under_another_voice_accuses_nobody():
    face = hidden(track(), 8.9, 12.1)
    answers = said([face], [speaks(face, (2, 12))], [turn(2, 8.8, "own"), turn(9, 12, "foreign")])
    assert answers[-1] == (9, 12, "nobody", "no_face", "")


def test_a_moment_goes_to_its_longer_neighbour():
    for lengths, spans in (((10, 3, 20), [(0, 10), (10, 33)]), ((20, 3, 10), [(0, 23), (23, 33)])):
        what = np.stack([np.repeat([0, 3, 1], lengths), np.repeat([0, -1, 1], lengths)])
        assert tiles(what, 5) == spans


def test_a_second_voice_over_the_speaker_is_off_screen():
    face = track()
    answers = said([face], [speaks(face, (2, 12))], [turn(2, 12, "own"), turn(5, 7, "second")])
    assert answers == [(2, 12, "visible", "speaks", "t0"), (5, 7, "off_screen", "other_speaks", "")]


def test_two_faces_that_speak_at_once_both_have_their_turns():
    left, right = track("t0", x=300), track("t1", x=900)
    speaking = [speaks(left, (2, 8), level=3.0), speaks(right, (6, 12), level=1.0)]
    answers = said([left, right], speaking, [turn(2, 8, "a"), turn(6, 12, "b")])
    assert answers == [(2, 8, "visible", "speaks", "t0"), (6, 12, "visible", "speaks", "t1")]


def test_nobody_can_be_told_without_a_face_a_score_or_a_picture():
    face = track(end_s=10.0)
    unjudged = said([face], [], [turn(5, 9)])
    assert unjudged == [(5, 9, "nobody", "unjudged", "")]
    assert said([], [], [turn(5, 9)]) == [(5, 9, "nobody", "no_face", "")]
    assert said([], [], [turn(5, 9)], shots=[]) == [(5, 9, "nobody", "no_picture", "")]
    assert said([hidden(face, 4.5, 9.5)], [speaks(face)], [turn(5, 9)]) == [(5, 9, "nobody", "no_face", "")]
    early, late = turn(-2, 1), turn(19, 22)
    assert said([], [], [early, late]) == [
        (-2, 0, "nobody", "no_picture", ""), (0, 1, "nobody", "no_face", ""),
        (19, 20, "nobody", "no_face", ""), (20, 22, "nobody", "no_picture", ""),
    ]  # fmt: skip


def test_sound_that_outlasts_the_picture_for_a_moment_goes_with_it():
    face = track()
    assert said([face], [speaks(face, (15, 20))], [turn(15, 20.1)]) == [(15, 20.1, "visible", "speaks", "t0")]


def test_a_face_beside_a_speaker_out_of_view_is_not_off_screen_when_it_was_not_judged():
    near, far = track("t0", x=300), track("t1", x=900, width=12)
    assert said([near, far], [speaks(near)], [turn(5, 9)]) == [(5, 9, "nobody", "unjudged", "")]


def test_a_turn_over_a_cut_has_a_part_in_each_shot():
    shots = [shot(0.0, 8.0), replace(shot(8.0, 20.0), shot_id="talk/next")]
    face = track(end_s=8.0)
    answers = said([face], [speaks(face, (5, 8))], [turn(5, 12)], shots)
    assert answers == [(5, 8, "visible", "speaks", "t0"), (8, 12, "nobody", "no_face", "")]


def test_a_passage_between_two_shots_belongs_to_neither():
    shots = [shot(0.0, 8.0), replace(shot(9.0, 20.0), shot_id="talk/next")]
    passed = ("nobody", "transition", "")
    assert said([], [], [turn(5, 12)], shots)[1] == (8, 9, *passed)
    assert said([], [], [turn(8.2, 8.9)], shots) == [(8.2, 8.9, *passed)]
    assert said([], [], [turn(5, 9)], shots)[1] == (8, 9, *passed)


def test_a_moment_beyond_a_cut_accuses_nobody():
    shots = [shot(0.0, 8.0), replace(shot(8.0, 20.0), shot_id="talk/next")]
    face = track(end_s=8.0)
    after = replace(track("t1", 8.0), shot_id="talk/next", track_id="talk/next/t1")
    answers = said(
        [face, after], [speaks(face, (5, 8)), speaks(after, (8, 12))], [turn(5, 8.1, "a"), turn(8.1, 12, "b")], shots
    )
    assert answers[1] == (8, 8.1, "nobody", "unjudged", "")
    assert answers[2] == (8.1, 12, "visible", "speaks", "t1")


def test_what_becomes_a_clip_is_the_turn_of_its_face():
    rng = np.random.default_rng(5)
    left, right = track("t0", x=300), track("t1", x=900)
    clips = 0
    for _ in range(20):
        edges = np.sort(rng.uniform(0, 20, 4)).tolist()
        speaking = [speaks(left, (edges[0], edges[1])), speaks(right, (edges[2], edges[3]))]
        turns = [turn(edges[0], edges[1], "a"), turn(edges[2], edges[3], "b")]
        parts = list(AttributeTurns()(SOURCE, [shot()], [left, right], speaking, turns))
        for clip in PlanClips(min_s=1.0)(shot(), [left, right], speaking, turns, [SOURCE]):
            if isinstance(clip, Clip):
                clips += 1
                middle = (clip.start_s + clip.end_s) / 2
                (part,) = [part for part in parts if part.start_s <= middle < part.end_s]
                assert (part.kind, part.track_id, part.speaker) == ("visible", clip.track_id, clip.speaker)
    assert clips > 10


@pytest.mark.slow
def test_real_films_name_who_is_seen_to_speak():
    from operators.faces.detect_faces import DetectFaces
    from operators.faces.track_faces import TrackFaces
    from operators.media.frames import VideoFrames
    from operators.media.sound import SourceAudio
    from operators.speech.detect_active_speaker import DetectActiveSpeaker
    from operators.speech.diarize_speakers import DiarizeSpeakers

    def parts_of(path: Path) -> tuple[list[Attribution], list[Track]]:
        source, frames, audio = Source("film", str(path)), VideoFrames(path), SourceAudio(path)
        faces = list(DetectFaces()(source, frames))
        of = Shot("film", "film/0", 0.0, faces[-1].pts_s + 0.1)
        tracks = [row for row in TrackFaces()(of, faces) if isinstance(row, Track)]
        turns = list(DiarizeSpeakers()(source, audio))
        speaking = list(DetectActiveSpeaker("lr_asd")(of, tracks, turns, frames, audio))
        return list(AttributeTurns()(source, [of], tracks, speaking, turns)), tracks

    over, _ = parts_of(media("multi", "panda_YemkZ7DLOBU.15.mp4"))
    assert {(part.kind, part.reason) for part in over} == {("off_screen", "still_mouths")}
    press, tracks = parts_of(media("multi", "panda_it8sFJe038g.7.mp4"))
    speaker = min(tracks, key=lambda face: float(np.median(face.left_px)))
    assert {(part.kind, part.track_id) for part in press} == {("visible", speaker.track_id)}
